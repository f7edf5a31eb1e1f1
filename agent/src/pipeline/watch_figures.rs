//! The figures of the watch, and how sinks show them.

use std::borrow::Cow;

use crate::detection::Statistics;
use crate::kernel::EventCounts;
use crate::kernel::events::{DropCause, UnsentOf};
use crate::syscalls;
use crate::usage::tenant::{DetectionUsage, Drops, RuleUsage};

/// Figures of the watch, as of the last second.
#[derive(Clone, Debug, Default)]
pub struct WatchFigures {
    /// What the detector did.
    pub statistics: Statistics,
    /// What the kernel side did.
    pub counts: EventCounts,
    /// Records that could not be sent: tenant, call, cause, number.
    pub drops: Vec<(String, String, &'static str, u64)>,
    /// Alerts that could not be written.
    pub alerts_lost: u64,
    /// Reloads that failed since the start.
    pub reloads_failed: u64,
    /// Reloads that succeeded since the start.
    pub reloads: u64,
}

/// What a record that was not sent would have told.
pub(super) fn what(of: UnsentOf) -> Cow<'static, str> {
    match of {
        UnsentOf::Call(number) => syscalls::name(number),
        UnsentOf::Request => "io_uring request".into(),
        UnsentOf::Fork => "process fork".into(),
        UnsentOf::Exec => "process exec".into(),
        UnsentOf::Exit => "process exit".into(),
        UnsentOf::Unknown => "process unknown".into(),
    }
}

pub(super) const fn cause(cause: DropCause) -> &'static str {
    match cause {
        DropCause::RingFull => "ring_full",
        DropCause::RateLimited => "rate_limited",
        DropCause::Unreadable => "unreadable",
    }
}

/// The figures as sinks show them.
pub(super) fn detection_usage(figures: &WatchFigures) -> DetectionUsage {
    let WatchFigures { statistics, counts, drops, alerts_lost, reloads_failed, reloads } = figures;
    let named = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    DetectionUsage {
        calls_total: named(&[
            ("early", counts.early),
            ("verdict", counts.verdict),
            ("sent", counts.sent),
            (
                "lost",
                counts.wanted - (counts.early + counts.verdict + counts.sent).min(counts.wanted),
            ),
        ]),
        lifecycle_total: counts.lifecycle,
        drops: drops
            .iter()
            .map(|(tenant, event, cause, count)| Drops {
                tenant: tenant.clone(),
                event: event.clone(),
                cause: (*cause).to_owned(),
                count: *count,
            })
            .collect(),
        lost_total: named(&[
            ("record_unreadable", statistics.undecodable),
            ("process_evicted", statistics.processes_evicted),
            ("not_held", statistics.not_held),
            ("container_unanswered", statistics.unanswered),
            ("alert_unwritten", *alerts_lost),
        ]),
        events_total: statistics.events,
        alerts_total: statistics.alerts,
        repeats_total: statistics.repeats,
        processes: statistics.processes,
        process_bytes: statistics.process_bytes,
        reloads_total: named(&[("ok", *reloads), ("failed", *reloads_failed)]),
        by_rule: statistics
            .rules
            .iter()
            .map(|rule| RuleUsage {
                rule: rule.rule.clone(),
                kernel_passes: rule.kernel_passes,
                evaluations: rule.evaluations,
                matches: rule.matches,
                seconds: rule.seconds,
            })
            .collect(),
    }
}
