//! The thread that owns the meter: collects at an interval, and on request.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::config_file::Reloads;
use super::exports::{self, Exports};
use super::meter::Meter;
use super::watch::Watch;
use super::watch_figures::{WatchFigures, detection_usage};
use crate::{
    identity::{TenantRules, cluster::Change},
    sinks::delivery::Ways,
    sinks::http::{Readiness, SourceError, UsageSource},
    sinks::listener::Clients,
    sinks::recent::Recent,
    usage::api::ApiRequests,
    usage::tenant::{MetricsWays, NodeUsage},
};

/// Younger figures are handed out again: however many clients ask, the kernel is
/// read this often at most.
const FRESH: Duration = Duration::from_millis(100);

/// What makes somebody another's.
enum News {
    /// Of the cluster.
    Cluster(Change),
    /// Of the configuration.
    Rules(TenantRules),
}

type Answer = Result<Arc<NodeUsage>, SourceError>;

enum Request {
    Usage(oneshot::Sender<Answer>),
    /// What makes somebody another's, and whom to tell that it is taken.
    News(Box<News>, oneshot::Sender<()>),
    Stop,
}

/// Asks the collecting thread for figures.
#[derive(Clone)]
pub(super) struct Collector {
    requests: Sender<Request>,
    /// Why the last collection failed; `None` when it did not.
    failure: Arc<Mutex<Option<String>>>,
    recent: Option<Arc<Recent>>,
}

/// The collecting thread.
pub(super) struct Worker {
    requests: Sender<Request>,
    thread: JoinHandle<()>,
}

/// Starts the thread.
pub(super) fn spawn(
    meter: Meter,
    interval: Duration,
    watch: Option<&Watch>,
    told: Told,
) -> std::io::Result<(Collector, Worker)> {
    let (requests, inbox) = channel();
    let recent = watch.map(Watch::recent);
    let figures = watch.map(Watch::figures);
    let failure = Arc::new(Mutex::new(None));
    let shared = Arc::clone(&failure);
    let thread = std::thread::Builder::new().name("collector".to_owned()).spawn(move || {
        let figures = Figures { watch: figures, told, is_doubt_told: AtomicBool::new(false) };
        collect(meter, interval, &inbox, &shared, &figures);
    })?;
    Ok((Collector { requests: requests.clone(), failure, recent }, Worker { requests, thread }))
}

impl Worker {
    /// Collects a last time, saves, and ends the thread.
    pub(super) fn stop(self) {
        // The thread is gone already when it cannot be told; its panic is below.
        if self.requests.send(Request::Stop).is_err() {
            tracing::warn!("the collector ended before it was asked to");
        }
        if self.thread.join().is_err() {
            tracing::error!("the collector panicked");
        }
    }
}

impl Collector {
    /// Has news of the cluster taken, after what was used until now has been counted.
    pub(super) async fn change(&self, change: Change) {
        self.tell(News::Cluster(change)).await;
    }

    /// The same of rules of tenants.
    pub(super) async fn set_rules(&self, rules: TenantRules) {
        self.tell(News::Rules(rules)).await;
    }

    async fn tell(&self, news: News) {
        let (done, taken) = oneshot::channel();
        if self.requests.send(Request::News(Box::new(news), done)).is_err() || taken.await.is_err()
        {
            tracing::debug!("the collector ended before it took news");
        }
    }
}

impl UsageSource for Collector {
    async fn usage(&self) -> Answer {
        let ended = || SourceError::Unready("the collector has ended".to_owned());
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Usage(answer)).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }

    fn readiness(&self) -> Readiness {
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Readiness::Ready,
            Some(reason) => Readiness::Unready(reason.clone()),
        }
    }

    fn alerts(&self) -> Option<Arc<Recent>> {
        self.recent.clone()
    }
}

/// Who else tells something.
pub(super) struct Told {
    /// The configuration that is read again.
    pub(super) reloads: Arc<Reloads>,
    /// The sinks.
    pub(super) ways: Ways,
    /// What became of exports.
    pub(super) exports: Exports,
    /// Those who ask the local API.
    pub(super) clients: Arc<Clients>,
}

/// Figures of others that go along.
struct Figures {
    watch: Option<Arc<Mutex<WatchFigures>>>,
    told: Told,
    /// Whether it was said that sums may be doubled.
    is_doubt_told: AtomicBool,
}

impl Figures {
    fn add(&self, mut usage: NodeUsage) -> NodeUsage {
        let Told { reloads, ways, exports, clients } = &self.told;
        let outcomes = [("ok", reloads.ok()), ("failed", reloads.failed())];
        usage.agent.config_reloads_total =
            outcomes.map(|(it, count)| (it.to_owned(), count)).into();
        usage.agent.sinks = exports::usage(&ways.now(), exports);
        usage.agent.api = clients.usage();
        let is_scrape = |it: &ApiRequests| it.page == "/metrics" && it.status == 200;
        let ways = MetricsWays {
            scrape: usage.agent.api.requests.iter().any(is_scrape),
            export: exports.metrics.is_on(),
        };
        if ways.scrape && ways.export && !self.is_doubt_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "metrics are scraped and exported by OTLP: where both get to the same Prometheus \
                 every sum is doubled; `otlp.metrics: false` ends one of them"
            );
        }
        usage.agent.metrics_ways = ways;
        usage.agent.detection = self.watch.as_ref().map(|figures| {
            detection_usage(&figures.lock().unwrap_or_else(PoisonError::into_inner))
        });
        usage
    }
}

fn collect(
    mut meter: Meter,
    interval: Duration,
    inbox: &Receiver<Request>,
    failure: &Mutex<Option<String>>,
    figures: &Figures,
) {
    let add = |usage: NodeUsage| figures.add(usage);
    let mut last: Option<(Instant, Arc<NodeUsage>)> = None;
    let mut next_tick = Instant::now() + interval;
    loop {
        match inbox.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
            Ok(Request::Usage(client)) => {
                let answer = match &last {
                    Some((at, usage)) if at.elapsed() < FRESH => Ok(Arc::clone(usage)),
                    _ => {
                        let began = Instant::now();
                        let answer = note(meter.collect().map(add), failure);
                        last = answer.as_ref().ok().map(|usage| (began, Arc::clone(usage)));
                        answer
                    }
                };
                if client.send(answer).is_err() {
                    tracing::debug!("a client hung up before its figures were read");
                }
            }
            Ok(Request::News(news, done)) => {
                let taken = match *news {
                    News::Cluster(change) => meter.change(change),
                    News::Rules(rules) => meter.set_rules(rules),
                };
                if let Err(error) = taken {
                    // What was used since the last collection goes to the new owner.
                    tracing::error!(%error, "cannot collect before an owner changes");
                }
                if done.send(()).is_err() {
                    tracing::debug!("who told of it ended while the news was taken");
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                next_tick = Instant::now() + interval;
                // The figures are as old as the beginning: cleaning up takes a while.
                let began = Instant::now();
                if let Ok(usage) = note(meter.tick().map(add), failure) {
                    last = Some((began, usage));
                }
            }
            Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(error) = meter.stop() {
        tracing::error!(%error, "the last collection was not saved");
    }
}

/// Keeps why a collection failed for whoever asks whether the agent is ready.
fn note(
    collected: Result<NodeUsage, super::PipelineError>,
    failure: &Mutex<Option<String>>,
) -> Answer {
    let answer = collected.map(Arc::new).map_err(|error| {
        tracing::error!(%error, "cannot collect");
        SourceError::Failed(error.to_string())
    });
    *failure.lock().unwrap_or_else(PoisonError::into_inner) =
        answer.as_ref().err().map(ToString::to_string);
    answer
}
