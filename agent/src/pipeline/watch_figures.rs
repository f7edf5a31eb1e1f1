//! The figures of the watch, and how sinks show them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::alert_counts::AlertCounts;
use crate::container::LookupCounts;
use crate::detection::Statistics;
use crate::kernel::EventCounts;
use crate::kernel::events::{DropCause, UnsentOf};
use crate::process::{NameStats, ProcStats};
use crate::syscalls;
use crate::telemetry::EventLoss;
use crate::usage::tenant::{AlertUsage, DetectionUsage, Drops, RuleUsage};

/// Figures of the watch, as of the last second.
#[derive(Clone, Debug, Default)]
pub struct WatchFigures {
    /// What the detector did.
    pub statistics: Statistics,
    /// What the kernel side did.
    pub counts: EventCounts,
    /// Records that could not be sent: tenant, call, cause, number.
    pub drops: Vec<(String, String, &'static str, u64)>,
    /// How often a ring of the kernel was damaged.
    pub rings_damaged: u64,
    /// How many records of processes did not wait for earlier calls.
    pub hurried: u64,
    /// What became of the questions about containers.
    pub lookups: LookupCounts,
    /// Answers about containers that were not kept for want of room.
    pub answers_refused: u64,
    /// What could not be had of the names of users and groups.
    pub names: NameStats,
    /// What was read of processes.
    pub proc_fs: ProcStats,
    /// What became of connections that ended; `None` where none is told.
    pub connections: Option<BTreeMap<&'static str, u64>>,
    /// Ends of connections that could not be read.
    pub connections_unreadable: u64,
    /// Alerts by tenant, rule and priority.
    pub alerts: Arc<AlertCounts>,
    /// Alerts that could not be written.
    pub alerts_lost: u64,
    /// Remote ends that alerts told of, by kind and whether they were certain.
    pub peers: BTreeMap<(&'static str, bool), u64>,
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
        UnsentOf::Connection => "connection".into(),
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

/// How much was lost for that cause.
const fn lost(figures: &WatchFigures, cause: EventLoss) -> u64 {
    let WatchFigures { statistics, lookups, proc_fs, .. } = figures;
    match cause {
        EventLoss::RecordUnreadable => statistics.undecodable + figures.connections_unreadable,
        EventLoss::PathTorn => statistics.paths_torn,
        EventLoss::RingDamaged => figures.rings_damaged,
        EventLoss::OrderGivenUp => figures.hurried,
        EventLoss::ProcessEvicted => statistics.processes_evicted,
        EventLoss::ProcessUnreadable => proc_fs.refused_total + proc_fs.malformed_total,
        EventLoss::NotHeld => statistics.not_held,
        EventLoss::ContainerUnanswered => statistics.unanswered,
        EventLoss::ContainerRefused => lookups.refused,
        EventLoss::ContainerAnswerLost => lookups.answers_lost + figures.answers_refused,
        EventLoss::AlertUnwritten => figures.alerts_lost,
    }
}

/// The figures as sinks show them.
pub(super) fn detection_usage(figures: &WatchFigures) -> DetectionUsage {
    let WatchFigures { statistics, counts, drops, lookups, names, proc_fs, .. } = figures;
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
        requests_total: counts.uring,
        drops: drops
            .iter()
            .map(|(tenant, event, cause, count)| Drops {
                tenant: tenant.clone(),
                event: event.clone(),
                cause: (*cause).to_owned(),
                count: *count,
            })
            .collect(),
        lost_total: EventLoss::ALL
            .iter()
            .map(|cause| (cause.label().to_owned(), lost(figures, *cause)))
            .collect(),
        process_reads_total: named(&[
            ("read", proc_fs.read_total),
            ("vanished", proc_fs.vanished_total),
            ("refused", proc_fs.refused_total),
            ("malformed", proc_fs.malformed_total),
        ]),
        container_lookups_total: named(&[
            ("cached", lookups.cached),
            ("found", lookups.found),
            ("unknown", lookups.unknown),
            ("invalid", lookups.invalid),
            ("refused", lookups.refused),
        ]),
        container_failures_total: named(&[
            ("malformed", lookups.malformed),
            ("oversized", lookups.oversized),
            ("unreachable", lookups.unreachable),
            ("evicted", lookups.evicted),
        ]),
        name_failures_total: named(&[
            ("unreadable", names.failed_total),
            ("malformed", names.malformed_total),
            ("cut", names.cut_total),
            ("evicted", names.evicted_total),
        ]),
        acts_forgotten_total: named(&[
            ("process", statistics.deeds_forgotten),
            ("memory", statistics.deeds_evicted),
        ]),
        events_total: statistics.events,
        alerts_total: statistics.alerts,
        repeats_total: statistics.repeats,
        alerts: figures
            .alerts
            .iter()
            .map(|(tenant, rule, priority, counted)| AlertUsage {
                tenant: tenant.to_owned(),
                rule: rule.to_owned(),
                priority: priority.name().to_owned(),
                count: counted.count,
                trace: counted.trace.clone(),
            })
            .collect(),
        peers_total: figures
            .peers
            .iter()
            .map(|((kind, is_certain), count)| ((*kind).to_owned(), *is_certain, *count))
            .collect(),
        connections_total: figures
            .connections
            .iter()
            .flatten()
            .map(|(outcome, count)| ((*outcome).to_owned(), *count))
            .collect(),
        processes: statistics.processes,
        process_bytes: statistics.process_bytes,
        reloads_total: named(&[("ok", figures.reloads), ("failed", figures.reloads_failed)]),
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
