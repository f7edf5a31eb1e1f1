//! Tasks, channels and shutdown: joins the sensors, the identity of cgroups, the
//! accounts and the sinks.
//!
//! One thread owns everything that counts ([`meter::Meter`]); whoever wants
//! figures asks it. It decides nothing about tenants and parses nothing.

mod alert_counts;
mod alert_sinks;
mod clock;
mod cluster;
mod collector;
mod config_file;
mod connections;
mod deliveries;
mod exports;
mod feeder;
mod file_watch;
mod heard;
mod hosts;
mod local_addresses;
mod met;
pub mod meter;
mod name_reader;
pub mod replay;
mod roster;
mod rule_loader;
mod settling;
mod sink;
mod stored;
mod watch;
mod watch_figures;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    capture::CaptureError,
    config::{AlertFormat, Config, Sinks},
    detection::RuleSetError,
    identity::cluster::Source,
    kernel::KernelError,
    sinks::{
        credentials::CredentialError,
        delivery::{Outbox, Ways},
        http::{self, Guard},
        listener::{self, BindError, ClientToken, Clients, Door},
        otlp::own::Work,
    },
    usage::{saved::StateError, state_file::StateFileError},
};
use cluster::Cluster;
pub use cluster::{Trial, try_api_server};
use collector::Told;
use config_file::{ConfigFile, Reloads};
use connections::Telling;
use deliveries::{Deliveries, Traced};
pub use deliveries::{SinkError, SinkProblem};
use file_watch::FileWatch;
pub use meter::Meter;
use watch::{Parts, Watch};
pub use watch_figures::WatchFigures;

/// Where processes are described.
const PROC: &str = "/proc";

/// Why the agent cannot run, or cannot collect.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The kernel side.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The address of the local API.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// What secures it.
    #[error("the local API: {0}")]
    Credentials(#[from] CredentialError),
    /// The saved totals could not be made.
    #[error(transparent)]
    State(#[from] StateError),
    /// The saved totals could not be written or read.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
    /// The rules have errors.
    #[error(transparent)]
    Rules(#[from] RuleSetError),
    /// A recording cannot be written or read.
    #[error("{}: {reason}", .path.display())]
    Capture {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: CaptureError,
    },
    /// A sink of alerts.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A thread ended by a bug.
    #[error("the {0} panicked")]
    Panicked(&'static str),
    /// This kernel or these privileges give no events.
    #[error("this machine gives no events for rules: `landlord doctor` says why")]
    NoEvents,
    /// The operating system refused something else.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl PipelineError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// Runs the agent until SIGTERM or SIGINT; SIGHUP reads rules and configuration anew.
///
/// # Errors
///
/// When the address is taken, another agent is running, the rules have errors, or this
/// kernel or these privileges do not allow the sensors; nothing is left attached then.
/// `work`: the spans of the agent's work, where they are exported.
pub fn run(config: &Config, work: Option<Work>) -> Result<(), PipelineError> {
    runtime()?.block_on(serve(config, work))
}

fn runtime() -> Result<tokio::runtime::Runtime, PipelineError> {
    tokio::runtime::Builder::new_multi_thread()
        // The API is small; a node agent should not take a thread per core for it.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(PipelineError::io("starting the runtime"))
}

/// The signals that end the agent, and the one that reads files anew.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self, PipelineError> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())
                .map_err(PipelineError::io("watching SIGTERM"))?,
            interrupt: signal(SignalKind::interrupt())
                .map_err(PipelineError::io("watching SIGINT"))?,
            hangup: signal(SignalKind::hangup()).map_err(PipelineError::io("watching SIGHUP"))?,
        })
    }

    /// Waits until one asks to end; `reload` is called at each SIGHUP.
    async fn asked(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return tracing::info!("SIGTERM: stopping"),
                _ = self.interrupt.recv() => return tracing::info!("SIGINT: stopping"),
                _ = self.hangup.recv() => {
                    tracing::info!("SIGHUP: reading rules and configuration anew");
                    reload();
                }
            }
        }
    }
}

async fn serve(config: &Config, work: Option<Work>) -> Result<(), PipelineError> {
    let mut signals = Signals::new()?;
    // Before the sensors: a busy port must not leave anything attached.
    let listener = listener::bind(config.listen).await?;
    let address = listener.local_addr().map_err(PipelineError::io("own address"))?;
    let clients = Arc::<Clients>::default();
    let door = Door::new(&config.api, Arc::clone(&clients))?;
    let token = config.api.token.clone().map(ClientToken::new).transpose()?;
    let certificates = config.api.client_ca.is_some();
    let guard = Guard { token, certificates, clients: Arc::clone(&clients) };
    let node = cluster::node(config);
    let mut meter = Meter::of_node(config, meter::Lifetime::Pinned, node.clone())?;
    let known = meter.known();
    let tenants = meter.tenants();
    let node_name = node.as_ref().map(|node| &*node.name);
    let deliveries = Arc::new(Deliveries::start(config, node_name, work)?);
    let (ways, traced) = (deliveries.ways(), deliveries.traced());
    let to = Alerted { ways, traced, connections: deliveries.connections() };
    let watch = watch(config, &mut meter, to, None)?;
    let reloads = Arc::<Reloads>::default();
    let (collector, worker) = collector::spawn(
        meter,
        config.interval,
        watch.as_ref(),
        told(&reloads, &deliveries, &clients),
    )
    .map_err(PipelineError::io("starting the collector"))?;
    deliveries.collect(collector.clone())?;
    let cluster = node.map(|node| {
        let collector = collector.clone();
        Cluster::start(config, &node, &known, move |change| {
            let collector = collector.clone();
            async move { collector.change(change).await }
        })
    });
    let annotations = cluster.as_ref().map(Cluster::annotations);
    let takes_rules = collector.clone();
    let take_rules = move |rules| {
        let collector = takes_rules.clone();
        async move { collector.set_rules(rules).await }
    };
    let reload = watch.as_ref().map(Watch::reload);
    let (told, detector) = (Arc::clone(&deliveries), reload.clone());
    let take_sinks = move |sinks: &Sinks| {
        let errors = told.set(sinks);
        if detector.as_ref().is_some_and(|detector| !detector.trace(told.traced())) {
            tracing::debug!("the detector has ended");
        }
        errors
    };
    let config_file = ConfigFile::follow(config, &reloads, annotations, take_rules, take_sinks);
    let files = watch_files(config, watch.as_ref());

    tracing::info!(%address, tenants, "ready");
    if config.detection.as_ref().is_none_or(|it| it.format != AlertFormat::Json) {
        let scheme = if config.api.certificate.is_some() { "https" } else { "http" };
        let ready = format!("landlord ready: {tenants} tenants, {scheme}://{address}/metrics");
        if let Err(error) = writeln!(std::io::stdout(), "{ready}") {
            tracing::debug!(%error, "nobody reads the ready line");
        }
    }

    let asked = signals.asked(|| {
        config_file.reload();
        match &reload {
            Some(reload) => {
                if !reload.reload() {
                    tracing::error!("the detector has ended; the rules stay as they were");
                }
            }
            None => tracing::info!("no rules are in force"),
        }
    });
    listener::serve(listener, door, http::router(collector.clone(), guard), asked).await;
    drop(config_file);
    if let Some(cluster) = cluster {
        cluster.stop().await;
    }
    deliveries.end_metrics();
    drop(collector);
    drop(files);
    let watched = watch.map(Watch::stop);
    // The last alerts are with their sinks now.
    deliveries.end_connections().await;
    deliveries.end();
    worker.stop();
    if let Some(pins) = &config.pin {
        tracing::info!(
            pins = %pins.display(),
            "stopped; the sensors go on counting for the next agent (`landlord detach` removes them)"
        );
    } else {
        tracing::info!("stopped");
    }
    watched.unwrap_or(Ok(()))
}

/// What the collector tells beside the figures of the meter.
fn told(reloads: &Arc<Reloads>, deliveries: &Deliveries, clients: &Arc<Clients>) -> Told {
    let (reloads, clients) = (Arc::clone(reloads), Arc::clone(clients));
    let (ways, exports) = (deliveries.ways(), deliveries.exports());
    Told { reloads, ways, exports, clients }
}

/// Who gets alerts, and what they are to tell for that.
#[derive(Default)]
struct Alerted {
    ways: Ways,
    traced: Option<Traced>,
    /// What is told of connections beside.
    connections: Option<Telling>,
}

/// Begins to watch, when rules are wanted and the kernel gives events.
fn watch(
    config: &Config,
    meter: &mut Meter,
    Alerted { ways, traced, connections }: Alerted,
    record: Option<PathBuf>,
) -> Result<Option<Watch>, PipelineError> {
    let Some(detection) = &config.detection else {
        if connections.is_some() {
            tracing::warn!("no connections are told: `otlp.connections` needs rules in force");
        }
        return Ok(None);
    };
    let Some((events, paths)) = meter.take_events() else {
        tracing::error!("this machine gives no events for rules; `landlord doctor` says why");
        return Ok(None);
    };
    let outbox = (record.is_none())
        .then(|| Outbox::start(std::io::stdout(), ways.clone()))
        .transpose()
        .map_err(PipelineError::io("starting the outbox of alerts"))?;
    let (known, detection) = (meter.known(), detection.clone());
    let parts =
        Parts { events, paths, known, detection, outbox, ways, traced, connections, record };
    Watch::start(parts).map(Some)
}

/// Reads the rules anew when their files change; without that they are read on SIGHUP.
fn watch_files(config: &Config, watch: Option<&Watch>) -> Option<FileWatch> {
    let paths = &config.detection.as_ref()?.paths;
    if paths.is_empty() {
        return None;
    }
    let reload = watch?.reload();
    file_watch::watch("rule-files", paths, move || reload.changed())
        .inspect_err(|error| {
            tracing::warn!(%error, "changes of rule files are not noticed; SIGHUP reads them");
        })
        .ok()
}

/// What is recorded where.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file.
    pub file: PathBuf,
    /// For how long; `None`: until interrupted.
    pub duration: Option<Duration>,
}

/// Records what the rules want until SIGTERM, SIGINT or the end of the time.
/// `began` is called when everything is in place.
///
/// # Errors
///
/// When the file cannot be written, or as for [`run`].
pub fn record(
    config: &Config,
    recording: &Recording,
    began: impl FnOnce(),
) -> Result<WatchFigures, PipelineError> {
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let mut node = cluster::node(config);
        if let Some(node) = &mut node {
            // Of what pods keep nothing is recorded.
            node.watched.retain(|source| *source != Source::Kubelet);
        }
        let mut meter = Meter::of_node(config, meter::Lifetime::Process, node.clone())?;
        let known = meter.known();
        let cluster = node.map(|node| {
            let knows = Arc::clone(&known);
            // Nothing is counted here.
            Cluster::start(config, &node, &known, move |change| {
                knows.apply(change, clock::now());
                std::future::ready(())
            })
        });
        let watch = watch(config, &mut meter, Alerted::default(), Some(recording.file.clone()))?
            .ok_or(PipelineError::NoEvents)?;
        began();
        match recording.duration {
            Some(duration) => {
                let asked = signals.asked(|| {});
                // Whichever comes first.
                drop(tokio::time::timeout(duration, asked).await);
            }
            None => signals.asked(|| {}).await,
        }
        let figures = watch.figures();
        watch.stop()?;
        if let Some(cluster) = cluster {
            cluster.stop().await;
        }
        let figures = figures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(figures.clone())
    })
}
