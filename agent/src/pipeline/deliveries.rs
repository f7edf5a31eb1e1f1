//! What leaves the agent: alerts to the sinks, and what is exported by OTLP. All of it may
//! become others' while the agent runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::PipelineError;
use super::alert_sinks::{AlertSinks, Line, To, Wanted};
use super::collector::Collector;
use super::connections::Telling;
use super::exports::Exports;
use crate::config::{Config, Otlp, SinkSettings, Sinks};
use crate::sinks::client::ClientError;
use crate::sinks::delivery::{Pace, Route, Share, Ways};
use crate::sinks::http::UsageSource as _;
use crate::sinks::otlp::connections::{self, Scope};
use crate::sinks::otlp::metrics::{self, Metrics, MetricsError, Source};
use crate::sinks::otlp::own::{self, Outlet, Work};
use crate::sinks::otlp::{Export, ExportError, Node};
use crate::sinks::spool::SpoolError;

/// What the sink of alerts as log records is called.
const OTLP: &str = "otlp";
/// What that of alerts as traces is called.
const TRACES: &str = "otlp_traces";

/// How long the end waits for the last connections to be taken.
const LAST: Duration = Duration::from_secs(2);

/// Why a sink cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("sink `{name}`: {reason}")]
pub struct SinkError {
    /// The sink.
    pub name: String,
    /// Why.
    pub reason: SinkProblem,
}

impl SinkError {
    fn of_otlp(reason: impl Into<SinkProblem>) -> Self {
        Self { name: OTLP.to_owned(), reason: reason.into() }
    }
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

/// Which alerts are exported as traces, and how many of the last deeds of each process they
/// tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Traced {
    pub(super) share: Share,
    pub(super) deeds: usize,
}

/// See the module.
pub(super) struct Deliveries {
    runtime: Handle,
    host: String,
    /// The node's name in its cluster.
    kubernetes: Option<String>,
    /// Whether there are alerts.
    detects: bool,
    sinks: AlertSinks,
    exports: Exports,
    work: Option<Outlet>,
    /// Where connections go, if they were asked for at the start.
    connections: Option<Connections>,
    now: Mutex<Now>,
}

/// Connections on their way.
struct Connections {
    goes: watch::Sender<Option<connections::To>>,
    /// Until somebody takes it.
    telling: Mutex<Option<Telling>>,
    /// Until its end is waited for.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Connections {
    /// Begins to export those of a scope; they go nowhere yet.
    fn start(scope: Scope, exports: &Exports) -> Self {
        let (to, ended) = connections::queue();
        let (goes, seen) = watch::channel(None);
        let exported = connections::export(ended, seen.clone(), exports.connections.counted());
        Self {
            goes,
            telling: Mutex::new(Some(Telling { scope, to, goes: seen })),
            task: Mutex::new(Some(tokio::spawn(exported))),
        }
    }
}

/// What is exported by OTLP.
#[derive(Default)]
struct Now {
    back: Option<Back>,
    /// Where metrics come from; `None` before there are any, and when the agent ends.
    source: Option<Arc<Source>>,
    metrics: Option<Pushed>,
    is_over: bool,
}

/// The back-end of OpenTelemetry as it is configured, and the way to it.
#[derive(Clone)]
struct Back {
    otlp: Otlp,
    line: Arc<Line>,
}

/// Metrics on their way.
struct Pushed {
    line: Arc<Line>,
    every: Duration,
    timeout: Duration,
    _metrics: Metrics,
}

impl Pushed {
    fn is_to(&self, Back { otlp, line }: &Back) -> bool {
        Arc::ptr_eq(&self.line, line) && (self.every, self.timeout) == (otlp.interval, otlp.timeout)
    }
}

impl Deliveries {
    /// Begins to deliver. `work`: the spans of the agent's own work. To be called where
    /// tokio runs.
    ///
    /// # Errors
    ///
    /// When a queue, a file of credentials or a thread cannot be had.
    pub(super) fn start(
        config: &Config,
        kubernetes: Option<&str>,
        work: Option<Work>,
    ) -> Result<Self, PipelineError> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let exports = Exports::default();
        let otlp = config.sinks.otlp.as_ref();
        let scope = otlp.map(|otlp| otlp.connections).filter(|scope| *scope != Scope::None);
        let deliveries = Self {
            runtime: Handle::current(),
            sinks: AlertSinks::new(config.sinks.spool.clone(), kubernetes.unwrap_or(&host)),
            host,
            kubernetes: kubernetes.map(str::to_owned),
            detects: config.detection.is_some(),
            work: work.map(|work| work.start(exports.work.counted())),
            connections: scope.map(|scope| Connections::start(scope, &exports)),
            exports,
            now: Mutex::default(),
        };
        match deliveries.set(&config.sinks).into_iter().next() {
            Some(error) => Err(error.into()),
            None => Ok(deliveries),
        }
    }

    /// What became of exports.
    pub(super) fn exports(&self) -> Exports {
        self.exports.clone()
    }

    /// Where alerts go.
    pub(super) fn ways(&self) -> Ways {
        self.sinks.ways()
    }

    /// Which alerts are exported as traces; `None`: none.
    pub(super) fn traced(&self) -> Option<Traced> {
        let now = self.lock();
        let otlp = now.back.as_ref().map(|back| &back.otlp).filter(|otlp| otlp.traces);
        otlp.map(|otlp| Traced { share: Share::new(otlp.traces_ratio), deeds: otlp.trace_acts })
    }

    /// Has everything go where the configuration says now. What says the same as before is
    /// left alone. Waits for last attempts, seconds. Does nothing when the agent ends.
    ///
    /// # Errors
    ///
    /// What cannot be used; it stays as it was, the rest is taken.
    pub(super) fn set(&self, sinks: &Sinks) -> Vec<SinkError> {
        let mut now = self.lock();
        if now.is_over {
            return Vec::new();
        }
        let mut errors = Vec::new();
        let back = sinks.otlp.as_ref().map(|otlp| self.back(now.back.as_ref(), otlp));
        match back.transpose() {
            Ok(back) => now.back = back,
            Err(error) => errors.push(error),
        }
        let wanted = if self.detects { wanted(&sinks.list, now.back.as_ref()) } else { Vec::new() };
        errors.extend(self.sinks.set(&wanted));
        // What else is exported begins and ends here.
        errors.extend(self.export_metrics(&mut now).err());
        self.export_work(now.back.as_ref());
        self.export_connections(now.back.as_ref());
        errors
    }

    /// What is to be told of connections, and to whom, once; `None`: nothing.
    pub(super) fn connections(&self) -> Option<Telling> {
        let connections = self.connections.as_ref()?;
        connections.telling.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lets the last connections be exported, when nobody tells of any more.
    pub(super) async fn end_connections(&self) {
        let Some(connections) = &self.connections else { return };
        // Whoever was to tell may never have begun.
        drop(self.connections());
        let task = connections.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return };
        if tokio::time::timeout(LAST, &mut task).await.is_err() {
            tracing::warn!("the last connections are not told: the back-end does not answer");
            task.abort();
        }
    }

    /// Lets metrics be exported, if that is wanted.
    ///
    /// # Errors
    ///
    /// When the exporter cannot be made.
    pub(super) fn collect(&self, collector: Collector) -> Result<(), SinkError> {
        let runtime = self.runtime.clone();
        let source = move || {
            let usage = runtime.block_on(collector.usage());
            usage.inspect_err(|error| tracing::warn!(?error, "no metrics to export")).ok()
        };
        self.collect_from(Arc::new(source))
    }

    fn collect_from(&self, source: Arc<Source>) -> Result<(), SinkError> {
        let mut now = self.lock();
        now.source = Some(source);
        self.export_metrics(&mut now)
    }

    /// Exports metrics a last time, and takes no other configuration any more. What metrics
    /// tell must still be there.
    pub(super) fn end_metrics(&self) {
        let mut now = self.lock();
        now.is_over = true;
        (now.metrics, now.source) = (None, None);
    }

    /// Lets all sinks make their last attempts. Who reads the configuration may have this,
    /// too, so that it may not be dropped yet.
    pub(super) fn end(&self) {
        self.end_metrics();
        self.sinks.end();
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The back-end of these settings, by the way of before where that is the same.
    fn back(&self, before: Option<&Back>, otlp: &Otlp) -> Result<Back, SinkError> {
        let same = before.filter(|before| before.otlp.is_reached_as(otlp));
        let line = match same {
            Some(before) => Arc::clone(&before.line),
            None => {
                let _inside = self.runtime.enter();
                let export = Export::new(&otlp.endpoint, otlp.protocol, &otlp.access)
                    .map_err(SinkError::of_otlp)?
                    .with_tenant_header(otlp.tenant_header.clone());
                let (host, kubernetes) = (self.host.clone(), self.kubernetes.clone());
                let node = Node { host, kubernetes, further: otlp.resource.clone() };
                Arc::new(Line { export, node })
            }
        };
        Ok(Back { otlp: otlp.clone(), line })
    }

    fn export_metrics(&self, now: &mut Now) -> Result<(), SinkError> {
        let back = now.back.as_ref().filter(|back| back.otlp.metrics);
        let (Some(source), Some(back)) = (&now.source, back) else {
            self.exports.metrics.set(false);
            now.metrics = None;
            return Ok(());
        };
        if now.metrics.as_ref().is_some_and(|pushed| pushed.is_to(back)) {
            return Ok(());
        }
        // First the last export to where they went before: all that is told here is told there.
        now.metrics = None;
        let Back { otlp, line } = back;
        tracing::info!(
            endpoint = otlp.endpoint,
            "exporting metrics; let `/metrics` not get to the same Prometheus, too, or all sums \
             are doubled"
        );
        let way = metrics::Way {
            export: line.export.clone(),
            node: line.node.clone(),
            every: otlp.interval,
            timeout: otlp.timeout,
        };
        let (runtime, figures) = (self.runtime.clone(), self.exports.metrics.counted());
        let metrics = Metrics::start(&way, &runtime, Arc::clone(source), figures)
            .map_err(SinkError::of_otlp)?;
        let (every, timeout) = (otlp.interval, otlp.timeout);
        now.metrics = Some(Pushed { line: Arc::clone(line), every, timeout, _metrics: metrics });
        self.exports.metrics.set(true);
        Ok(())
    }

    /// Says where the agent's own work goes.
    fn export_work(&self, back: Option<&Back>) {
        let Some(outlet) = &self.work else { return };
        let to = back.filter(|back| back.otlp.self_traces).map(|Back { otlp, line }| own::To {
            export: line.export.clone(),
            node: line.node.clone(),
            timeout: otlp.timeout,
        });
        self.exports.work.set(to.is_some());
        outlet.set(to);
    }

    /// Says where connections go. Which are told was settled at the start.
    fn export_connections(&self, back: Option<&Back>) {
        let Some(Connections { goes, .. }) = &self.connections else {
            if back.is_some_and(|back| back.otlp.connections != Scope::None) {
                tracing::warn!("no connections are told before a restart");
            }
            return;
        };
        let to = back.map(|Back { otlp, line }| connections::To {
            export: line.export.clone(),
            node: line.node.clone(),
            share: Share::new(otlp.traces_ratio),
            timeout: otlp.timeout,
        });
        self.exports.connections.set(to.is_some());
        goes.send_replace(to);
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sinks of alerts, those of OpenTelemetry last.
fn wanted(list: &[SinkSettings], back: Option<&Back>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = list.iter().map(Wanted::from).collect();
    let Some(Back { otlp, line }) = back else { return wanted };
    let pace = Pace { timeout: otlp.timeout, ..Pace::default() };
    let mut add = |name: &str, to, share| {
        let route = Route { share, ..Route::default() };
        wanted.push(Wanted { name: name.to_owned(), to, route, pace });
    };
    if otlp.logs {
        add(OTLP, To::Logs(Arc::clone(line)), Share::default());
    }
    if otlp.traces {
        add(TRACES, To::Traces(Arc::clone(line)), Share::new(otlp.traces_ratio));
    }
    wanted
}

#[cfg(test)]
#[path = "deliveries_tests.rs"]
mod tests;
