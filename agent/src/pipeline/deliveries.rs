//! The sinks of the configuration at work: what waits on the disk, who carries it, and
//! what is exported by OTLP.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::PipelineError;
use super::collector::Collector;
use crate::config::{Config, Otlp, SinkSettings, Target};
use crate::sinks::backends::alertmanager::Alertmanager;
use crate::sinks::backends::falco_http::FalcoHttp;
use crate::sinks::backends::file::AlertFile;
use crate::sinks::backends::syslog::Syslog;
use crate::sinks::client::{Client, ClientError};
use crate::sinks::delivery::{Courier, Destination, PRIORITIES, Pace, Route, Share, Tray};
use crate::sinks::http::UsageSource as _;
use crate::sinks::otlp::logs::AlertLogs;
use crate::sinks::otlp::metrics::{Figures, Metrics, MetricsError};
use crate::sinks::otlp::traces::AlertTraces;
use crate::sinks::otlp::{Export, ExportError, Node};
use crate::sinks::spool::{Spool, SpoolError};
use crate::telemetry::SinkFailure;
use crate::usage::sinks::SinkUsage;

/// What the sink of alerts as log records is called.
const OTLP: &str = "otlp";
/// What that of alerts as traces is called.
const TRACES: &str = "otlp_traces";
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

/// A queue, and which alerts go there.
pub(super) type Way = (Route, Arc<Tray>);

/// See the module; dropped, all make a last attempt.
pub(super) struct Deliveries {
    ways: Vec<Way>,
    couriers: Vec<Courier>,
    otlp: Option<Back>,
    metrics: Option<Metrics>,
    /// What became of the exports of metrics; `None` when there are none.
    exports: Option<Exports>,
}

/// What became of exports.
pub(super) type Exports = Arc<Mutex<Figures>>;

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
        let exports = otlp.as_ref().is_some_and(|back| back.otlp.metrics);
        let exports = exports.then(Exports::default);
        let (ways, couriers) = (Vec::new(), Vec::new());
        let mut deliveries = Self { ways, couriers, otlp: otlp.clone(), metrics: None, exports };
        if config.detection.is_none() {
            return Ok(deliveries);
        }
        let node = kubernetes.unwrap_or(&host);
        for sink in &config.sinks.list {
            let destination = destination(sink, node)
                .map_err(|reason| SinkError { name: sink.name.clone(), reason: reason.into() })?;
            deliveries.add(config, &sink.name, &sink.route, sink.pace, destination)?;
        }
        if let Some(Back { otlp, export, node }) = otlp {
            let pace = Pace { timeout: otlp.timeout, ..Pace::default() };
            let all = Route::default();
            if otlp.logs {
                let logs = Box::new(AlertLogs::new(export.clone(), node.clone()));
                deliveries.add(config, OTLP, &all, pace, logs)?;
            }
            if otlp.traces {
                let share = Share::new(otlp.traces_ratio);
                let traces = Box::new(AlertTraces::new(export, node, share));
                deliveries.add(config, TRACES, &Route { share, ..all }, pace, traces)?;
            }
        }
        Ok(deliveries)
    }

    fn add(
        &mut self,
        config: &Config,
        name: &str,
        route: &Route,
        pace: Pace,
        destination: Box<dyn Destination>,
    ) -> Result<(), PipelineError> {
        let failed = |reason| SinkError { name: name.to_owned(), reason };
        let place = &config.sinks.spool;
        let spool = Spool::open(&place.path.join(name), place.bytes)
            .map_err(|error| failed(error.into()))?;
        let waiting = spool.figures().entries;
        if waiting > 0 {
            tracing::info!(sink = name, waiting, "alerts of before wait to be delivered");
        }
        let tray = Arc::new(Tray::new(name, spool, pace));
        let courier = Courier::start(Arc::clone(&tray), destination, Handle::current())
            .map_err(|error| failed(SinkProblem::Thread(error)))?;
        self.ways.push((route.clone(), tray));
        self.couriers.push(courier);
        Ok(())
    }

    /// What became of the exports of metrics.
    pub(super) fn exports(&self) -> Option<Exports> {
        self.exports.clone()
    }

    /// The queues, for who has alerts.
    pub(super) fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    /// Begins to export metrics, if that is wanted.
    ///
    /// # Errors
    ///
    /// When the exporter cannot be made.
    pub(super) fn export_metrics(&mut self, collector: Collector) -> Result<(), PipelineError> {
        let (Some(Back { otlp, export, node }), Some(exports)) = (&self.otlp, &self.exports) else {
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
    /// All make their last attempts at the same time.
    fn drop(&mut self) {
        for (_, tray) in &self.ways {
            tray.end();
        }
        self.couriers.clear();
    }
}

/// What became of the alerts of each sink.
pub(super) fn usage(ways: &[Way], exports: Option<&Exports>) -> Vec<SinkUsage> {
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
    let exported = exports.map(|exports| {
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
    ways.iter().map(of).chain(exported).collect()
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
            .map_err(|error| SinkError { name: OTLP.to_owned(), reason: error.into() })?;
        let node = Node {
            host: host.to_owned(),
            kubernetes: kubernetes.map(str::to_owned),
            further: otlp.resource.clone(),
        };
        Ok(Self { otlp: otlp.clone(), export, node })
    }
}

fn destination(sink: &SinkSettings, node: &str) -> Result<Box<dyn Destination>, ClientError> {
    let client = || Client::new(&sink.access);
    Ok(match &sink.target {
        Target::FalcoHttp(uri) => Box::new(FalcoHttp::new(client()?, uri.clone())),
        Target::Alertmanager { uri, resolve } => {
            Box::new(Alertmanager::new(client()?, uri.clone(), node.to_owned(), *resolve))
        }
        Target::Syslog(receiver) => Box::new(Syslog::new(receiver.clone(), node.to_owned())),
        Target::File { path, most, keep } => Box::new(AlertFile::new(path.clone(), *most, *keep)),
    })
}
