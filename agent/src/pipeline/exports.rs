//! What became of what leaves the agent, as it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::sinks::delivery::{PRIORITIES, Way};
use crate::sinks::otlp::{connections, metrics, own};
use crate::telemetry::SinkFailure;
use crate::usage::sinks::SinkUsage;

/// What stands for a sink in the figures of the agent's own work.
const WORK: &str = "otlp_self_traces";
/// What stands for a sink in the figures of exported metrics.
const METRICS: &str = "otlp_metrics";
/// What stands for one in the figures of connections, each of which counts.
const CONNECTIONS: &str = "otlp_connections";
/// The cause of their failures, as they are tried once.
const EXPORT_FAILED: &str = "export";

/// What became of exports.
#[derive(Clone, Debug, Default)]
pub(super) struct Exports {
    pub(super) metrics: Exported<metrics::Figures>,
    /// Of the agent's own work.
    pub(super) work: Exported<own::Figures>,
    pub(super) connections: Exported<connections::Figures>,
}

/// Figures of what is exported now or was before; they go on where they were when it is
/// exported again. Copies are of the same figures.
#[derive(Clone, Debug, Default)]
pub(super) struct Exported<T> {
    figures: Arc<Mutex<T>>,
    is_on: Arc<AtomicBool>,
}

impl<T: Copy> Exported<T> {
    /// Where they are counted.
    pub(super) fn counted(&self) -> Arc<Mutex<T>> {
        Arc::clone(&self.figures)
    }

    /// Says whether it is exported now.
    pub(super) fn set(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// The figures; `None` while it is not exported.
    fn figures(&self) -> Option<T> {
        self.is_on().then(|| *self.figures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What became of the alerts of each sink.
pub(super) fn usage(ways: &[Way], exports: &Exports) -> Vec<SinkUsage> {
    let of = |(_, tray): &Way| {
        let figures = tray.figures();
        // What has not happened is told, too: of a counter that begins with its first loss,
        // Prometheus does not see that one.
        let dropped = PRIORITIES.iter().zip(figures.spool.dropped);
        let failed = SinkFailure::ALL.iter();
        let failures = |cause| figures.failed.get(cause).copied().unwrap_or(0);
        SinkUsage {
            sink: tray.name().to_owned(),
            delivered_total: figures.delivered,
            refused_total: figures.refused,
            unwritten_total: figures.unwritten,
            unsampled_total: figures.left_out,
            dropped_total: dropped.map(|(name, count)| (name.to_lowercase(), count)).collect(),
            failures_total: failed
                .map(|cause| (cause.label().to_owned(), failures(cause)))
                .collect(),
            deliveries_total: figures.deliveries,
            delivery_seconds_total: figures.delivery_seconds,
            waiting: figures.spool.entries,
            disk_bytes: figures.disk,
            damaged_files_total: figures.spool.damaged,
            last_delivery_time_seconds: figures.last_delivery_unix_s,
        }
    };
    let exported = exports.metrics.figures().map(|figures| SinkUsage {
        sink: METRICS.to_owned(),
        delivered_total: figures.delivered,
        failures_total: [(EXPORT_FAILED.to_owned(), figures.failed)].into(),
        deliveries_total: figures.delivered + figures.failed,
        delivery_seconds_total: figures.seconds,
        last_delivery_time_seconds: figures.last_unix_s,
        ..SinkUsage::default()
    });
    let work = exports.work.figures().map(|figures| SinkUsage {
        sink: WORK.to_owned(),
        delivered_total: figures.delivered,
        refused_total: figures.lost,
        failures_total: [(EXPORT_FAILED.to_owned(), figures.failed)].into(),
        deliveries_total: figures.delivered + figures.failed,
        delivery_seconds_total: figures.seconds,
        ..SinkUsage::default()
    });
    let connections = exports.connections.figures().map(|figures| SinkUsage {
        sink: CONNECTIONS.to_owned(),
        delivered_total: figures.delivered,
        refused_total: figures.lost,
        failures_total: [(EXPORT_FAILED.to_owned(), figures.failed)].into(),
        deliveries_total: figures.requests,
        delivery_seconds_total: figures.seconds,
        ..SinkUsage::default()
    });
    ways.iter().map(of).chain(exported).chain(work).chain(connections).collect()
}
