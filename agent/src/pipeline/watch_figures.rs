//! The figures of the watch, and how sinks show them.

use landlord_ebpf::abi::{COMPAT_BIT, DROPPED_KIND, DropCause, EventCounts, RecordKind};

use crate::detection::Statistics;
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

/// The call or the kind of record that a drop was of.
pub(super) fn what(what: u32) -> String {
    if what & DROPPED_KIND != 0 {
        let kind = what & !DROPPED_KIND;
        let names = [
            (RecordKind::Fork, "fork"),
            (RecordKind::Exec, "exec"),
            (RecordKind::Exit, "exit"),
            (RecordKind::IoUring, "io_uring"),
        ];
        let name = names.iter().find(|(known, _)| *known as u32 == kind);
        return format!("process {}", name.map_or("unknown", |(_, name)| name));
    }
    let nr = what & !COMPAT_BIT;
    let compat = what & COMPAT_BIT != 0;
    crate::syscalls::name(crate::usage::reading::SyscallNumber { nr, compat }).into_owned()
}

pub(super) fn cause(cause: u32) -> &'static str {
    match cause {
        cause if cause == DropCause::RingFull as u32 => "ring_full",
        cause if cause == DropCause::RateLimited as u32 => "rate_limited",
        _ => "unreadable",
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
