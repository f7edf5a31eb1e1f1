//! What leaves the agent: alerts to the sinks, and what is exported by OTLP.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::PipelineError;
use super::alert_sinks::AlertSinks;
use super::collector::Collector;
use crate::config::{Config, Otlp};
use crate::sinks::client::ClientError;
use crate::sinks::delivery::{PRIORITIES, Pace, Route, Share, Way};
use crate::sinks::http::UsageSource as _;
use crate::sinks::otlp::logs::AlertLogs;
use crate::sinks::otlp::metrics::{Figures, Metrics, MetricsError};
use crate::sinks::otlp::own::{self, Work};
use crate::sinks::otlp::traces::AlertTraces;
use crate::sinks::otlp::{Export, ExportError, Node};
use crate::sinks::spool::SpoolError;
use crate::telemetry::SinkFailure;
use crate::usage::sinks::SinkUsage;

/// What the sink of alerts as log records is called.
const OTLP: &str = "otlp";
/// What that of alerts as traces is called.
const TRACES: &str = "otlp_traces";
/// What stands for a sink in the figures of the agent's own work.
const WORK: &str = "otlp_self_traces";
/// What stands for a sink in the figures of exported metrics.
const METRICS: &str = "otlp_metrics";
/// The cause of their failures: the exporter tells no other.
const EXPORT_FAILED: &str = "export";

/// Why a sink cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("sink `{name}`: {reason}")]
pub struct SinkError {
    /// The sink.
    pub name: String,
    /// Why.
    pub reason: SinkProblem,
}

/// Why a sink cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SinkProblem {
    /// Its queue.
    #[error("what waits cannot be kept: {0}")]
    Spool(#[from] SpoolError),
    /// Its credentials.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Its address.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Its metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A thread.
    #[error("a thread cannot be made: {0}")]
    Thread(std::io::Error),
}

/// See the module; dropped, all make a last attempt.
pub(super) struct Deliveries {
    sinks: Arc<AlertSinks>,
    otlp: Option<Back>,
    metrics: Option<Metrics>,
    exports: Exports,
    /// Exports the agent's own work.
    work: Option<JoinHandle<()>>,
}

/// What became of exports.
#[derive(Clone, Debug, Default)]
pub(super) struct Exports {
    /// Of metrics.
    metrics: Option<Arc<Mutex<Figures>>>,
    /// Of the agent's own work.
    work: Option<Arc<Mutex<own::Figures>>>,
}

impl Exports {
    /// Whether metrics are exported.
    pub(super) const fn has_metrics(&self) -> bool {
        self.metrics.is_some()
    }
}

impl Deliveries {
    /// Begins to deliver. To be called where tokio runs.
    ///
    /// # Errors
    ///
    /// When a queue, a file of credentials or a thread cannot be had.
    pub(super) fn start(config: &Config, kubernetes: Option<&str>) -> Result<Self, PipelineError> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let otlp = config.sinks.otlp.as_ref().map(|otlp| Back::new(otlp, &host, kubernetes));
        let otlp = otlp.transpose()?;
        let metrics = otlp.as_ref().filter(|back| back.otlp.metrics).map(|_| Arc::default());
        let exports = Exports { metrics, work: None };
        let node = kubernetes.unwrap_or(&host);
        let sinks = Arc::new(AlertSinks::new(config.sinks.spool.clone(), node));
        if config.detection.is_some() {
            if let Some(error) = sinks.set(&config.sinks.list).into_iter().next() {
                return Err(error.into());
            }
            if let Some(back) = &otlp {
                back.add_to(&sinks)?;
            }
        }
        Ok(Self { sinks, otlp, metrics: None, exports, work: None })
    }

    /// What became of exports.
    pub(super) fn exports(&self) -> Exports {
        self.exports.clone()
    }

    /// The sinks of alerts.
    pub(super) fn sinks(&self) -> &Arc<AlertSinks> {
        &self.sinks
    }

    /// Begins to export what the agent itself does, if that is wanted. To be called where
    /// tokio runs.
    pub(super) fn export_work(&mut self, work: Option<Work>) {
        let (Some(Back { otlp, export, node }), Some(work)) = (&self.otlp, work) else { return };
        let figures = Arc::default();
        self.exports.work = Some(Arc::clone(&figures));
        let exported = own::export(work, export.clone(), node.clone(), otlp.timeout, figures);
        self.work = Some(tokio::spawn(exported));
    }

    /// Begins to export metrics, if that is wanted.
    ///
    /// # Errors
    ///
    /// When the exporter cannot be made.
    pub(super) fn export_metrics(&mut self, collector: Collector) -> Result<(), PipelineError> {
        let (Some(Back { otlp, export, node }), Some(exports)) =
            (&self.otlp, &self.exports.metrics)
        else {
            return Ok(());
        };
        tracing::info!(
            endpoint = otlp.endpoint,
            "exporting metrics; let `/metrics` not get to the same Prometheus, too, or all sums \
             are doubled"
        );
        let runtime = Handle::current();
        let waits = runtime.clone();
        let source = move || {
            let usage = waits.block_on(collector.usage());
            usage.inspect_err(|error| tracing::warn!(?error, "no metrics to export")).ok()
        };
        let metrics = Metrics::start(
            export,
            node,
            otlp.interval,
            otlp.timeout,
            &runtime,
            Box::new(source),
            Arc::clone(exports),
        );
        let failed =
            |error: MetricsError| SinkError { name: OTLP.to_owned(), reason: error.into() };
        self.metrics = Some(metrics.map_err(failed)?);
        Ok(())
    }

    /// Exports metrics a last time. What they tell must still be there.
    pub(super) fn end_metrics(&mut self) {
        self.metrics = None;
    }
}

impl Drop for Deliveries {
    /// Who reads the configuration may have the sinks, too.
    fn drop(&mut self) {
        if let Some(work) = &self.work {
            work.abort();
        }
        self.sinks.end();
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
    let exported = exports.metrics.as_ref().map(|exports| {
        let figures = *exports.lock().unwrap_or_else(PoisonError::into_inner);
        SinkUsage {
            sink: METRICS.to_owned(),
            delivered_total: figures.delivered,
            failures_total: [(EXPORT_FAILED.to_owned(), figures.failed)].into(),
            deliveries_total: figures.delivered + figures.failed,
            delivery_seconds_total: figures.seconds,
            last_delivery_time_seconds: figures.last_unix_s,
            ..SinkUsage::default()
        }
    });
    let work = exports.work.as_ref().map(|work| {
        let figures = *work.lock().unwrap_or_else(PoisonError::into_inner);
        SinkUsage {
            sink: WORK.to_owned(),
            delivered_total: figures.delivered,
            refused_total: figures.lost,
            failures_total: [(EXPORT_FAILED.to_owned(), figures.failed)].into(),
            deliveries_total: figures.delivered + figures.failed,
            delivery_seconds_total: figures.seconds,
            ..SinkUsage::default()
        }
    });
    ways.iter().map(of).chain(exported).chain(work).collect()
}

/// The back-end of OpenTelemetry, and who speaks to it.
#[derive(Clone)]
struct Back {
    otlp: Otlp,
    export: Export,
    node: Node,
}

impl Back {
    fn new(otlp: &Otlp, host: &str, kubernetes: Option<&str>) -> Result<Self, SinkError> {
        let export = Export::new(&otlp.endpoint, otlp.protocol, &otlp.access)
            .map_err(|error| SinkError { name: OTLP.to_owned(), reason: error.into() })?
            .with_tenant_header(otlp.tenant_header.clone());
        let node = Node {
            host: host.to_owned(),
            kubernetes: kubernetes.map(str::to_owned),
            further: otlp.resource.clone(),
        };
        Ok(Self { otlp: otlp.clone(), export, node })
    }

    /// Adds the sinks of alerts as log records and as traces, if they are wanted.
    fn add_to(&self, sinks: &AlertSinks) -> Result<(), SinkError> {
        let Self { otlp, export, node } = self;
        let pace = Pace { timeout: otlp.timeout, ..Pace::default() };
        if otlp.logs {
            let logs = Box::new(AlertLogs::new(export.clone(), node.clone()));
            sinks.add(OTLP, Route::default(), pace, logs)?;
        }
        if otlp.traces {
            let share = Share::new(otlp.traces_ratio);
            let traces = Box::new(AlertTraces::new(export.clone(), node.clone(), share));
            sinks.add(TRACES, Route { share, ..Route::default() }, pace, traces)?;
        }
        Ok(())
    }
}
