//! News of the API server, on its way to whoever counts.
//!
//! Nothing waits for it: an agent without the API server meters all the same, and holds
//! what pods use until it is told whose they are.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{MissedTickBehavior, interval};

use super::config_file::Annotations;
use super::{PROC, PipelineError, local_addresses};
use crate::config::{Config, KubeletSettings};
use crate::identity::Known;
use crate::identity::cluster::addresses;
use crate::identity::cluster::change::Trouble;
use crate::identity::cluster::directory::Limits;
use crate::identity::cluster::{Change, Directory, Source};
use crate::identity::kubernetes::kubelet::{Kubelet, KubeletReader};
use crate::identity::kubernetes::tenant_crd::TenantResource;
use crate::identity::kubernetes::tenant_status::{EVERY, StatusWriter};
use crate::identity::kubernetes::watch::{Keys, Patience};
use crate::identity::kubernetes::{Access, Wanted, Watches, trial};

/// News that may wait to be taken; a full room holds the watches up.
const ROOM: usize = 1024;
/// How long the beginning of an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// The same where a person waits for it.
const ANSWER_TO_PERSON: Duration = Duration::from_secs(3);
/// How long the lease of the writer of statuses may take to be given back.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often this node's own addresses are read.
const LOCAL_EVERY: Duration = Duration::from_secs(10);
/// Where a pod finds the namespace it is in.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The cluster that this node is of.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Its name.
    pub(super) name: Box<str>,
    /// What is asked of the API server, and of the kubelet.
    pub(super) watched: Vec<Source>,
}

impl Node {
    /// Whether it is asked who has which address.
    fn asks_addresses(&self) -> bool {
        self.watched.contains(&Source::RemotePods)
    }
}

/// What is asked, when the configuration wants that.
pub(super) fn node(config: &Config) -> Option<Node> {
    let Config { kubernetes: config, kubelet, .. } = config;
    if !config.is_wanted(Access::is_in_cluster()) {
        return None;
    }
    let name = match config.node.as_str() {
        // As the kubelet names itself when nobody does.
        "" => rustix::system::uname().nodename().to_string_lossy().to_lowercase(),
        name => name.to_owned(),
    };
    let mut watched = vec![Source::Pods, Source::Namespaces, Source::Quotas];
    if config.tenants {
        watched.push(Source::Tenants);
    }
    if config.addresses {
        watched.extend(Source::OF_ADDRESSES);
    }
    if kubelet.enabled {
        watched.push(Source::Kubelet);
    }
    Some(Node { name: name.into(), watched })
}

/// What is known before anybody has told anything.
pub(super) fn known(config: &Config, node: Option<&Node>) -> Arc<Known> {
    let rules = config.tenants.clone();
    let Some(node) = node else {
        return Arc::new(Known::new(Directory::without_cluster(rules)));
    };
    let directory = Directory::new(rules, Limits::default());
    Arc::new(match node.asks_addresses() {
        true => Known::with_addresses(directory, addresses::Limits::default()),
        false => Known::new(directory),
    })
}

/// Asks the API server and the kubelet once for what the agent would. `None`: it would
/// not.
///
/// # Errors
///
/// When no thread can be started.
pub fn try_api_server(config: &Config) -> Result<Option<Trial>, PipelineError> {
    let Some(Node { name, watched }) = node(config) else { return Ok(None) };
    let access = Access::new(config.kubernetes.kubeconfig(), ANSWER_TO_PERSON);
    let (answers, kubelet) = super::runtime()?.block_on(async {
        let answers = trial::ask(&access, &name, &watched).await;
        let kubelet = match watched.contains(&Source::Kubelet) {
            true => Some(reader(&access, &config.kubelet, &name).ask().await),
            false => None,
        };
        (answers, kubelet.map(|told| told.map(|pods| pods.len())))
    });
    let kubelet = kubelet.map(|answer| (config.kubelet.address, answer));
    Ok(Some(Trial { node: name, answers, kubelet }))
}

fn reader(access: &Access, kubelet: &KubeletSettings, node: &str) -> KubeletReader {
    let kubelet = Kubelet {
        address: kubelet.address,
        node: node.into(),
        authority: kubelet.authority().map(Path::to_owned),
        insecure: kubelet.insecure,
    };
    KubeletReader::new(access, &kubelet)
}

/// What the API server and the kubelet tell an agent here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Name of the node whose pods were asked for.
    pub node: Box<str>,
    /// Each source and what is wrong with it.
    pub answers: Vec<(Source, Option<Trouble>)>,
    /// The kubelet, and how many pods it told of; `None`: it is not to be asked.
    pub kubelet: Option<(SocketAddr, Result<usize, Trouble>)>,
}

/// The watches and their way; dropped, they end.
pub(super) struct Cluster {
    /// Keys of the annotations with which all namespaces have been told.
    annotations: watch::Receiver<Keys>,
    /// By which others are asked for.
    keys: watch::Sender<Keys>,
    /// Dropped to end the watches.
    runs: oneshot::Sender<()>,
    way: JoinHandle<()>,
    /// Writes statuses, and gives its lease back at the end.
    writer: Option<JoinHandle<()>>,
    kubelet: Option<AbortHandle>,
}

impl Cluster {
    /// Begins to watch. Each piece of news is given to `take`, and the next when that is
    /// done.
    pub(super) fn start<F>(
        config: &Config,
        node: &Node,
        known: &Arc<Known>,
        take: impl Fn(Change) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let access = Access::new(config.kubernetes.kubeconfig(), ANSWER);
        let keys = config.tenants.annotations();
        let wanted = Wanted {
            node: node.name.clone(),
            addresses: node.asks_addresses(),
            quotas: true,
            annotations: keys.map(Box::from).collect(),
            pod_labels: known.pod_label_keys(),
            patience: Patience::default(),
        };
        let (sender, news) = mpsc::channel(ROOM);
        let mut watches = Watches::start(&access, &wanted, &sender);
        let has_objects = node.watched.contains(&Source::Tenants);
        if has_objects {
            watches.add_kind::<TenantResource, _>(
                &access,
                &wanted,
                &sender,
                Source::Tenants,
                |resource| Some(resource.into()),
                Change::Tenants,
            );
        }
        let kubelet = node.watched.contains(&Source::Kubelet).then(|| {
            if config.kubelet.insecure {
                tracing::warn!(
                    address = %config.kubelet.address,
                    "the kubelet's certificate is not looked at (`kubelet.insecure`): whoever takes \
                     its address is told the token of this agent"
                );
            }
            let reader = reader(&access, &config.kubelet, &node.name);
            tokio::spawn(reader.run(config.kubelet.interval, sender.clone())).abort_handle()
        });
        let writer = has_objects.then(|| write_statuses(config, &access, &node.name)).flatten();
        let (reports, writer) = writer.unzip();
        let (told, annotations) = watch::channel([].into());
        let keys = watches.annotations();
        let running = Running { watches, access, wanted, sender };
        let (runs, stopped) = oneshot::channel();
        let notes = Notes { reports, annotations: told };
        let way = tokio::spawn(lead(news, running, stopped, take, Arc::clone(known), notes));
        tracing::info!(node = &*node.name, "asking the API server whose pods are");
        Self { annotations, keys, runs, way, writer, kubelet }
    }

    /// A way to ask for annotations of namespaces.
    pub(super) fn annotations(&self) -> Annotations {
        Annotations::new(self.keys.clone(), self.annotations.clone())
    }

    /// Ends it.
    pub(super) async fn stop(self) {
        if let Some(kubelet) = self.kubelet {
            kubelet.abort();
        }
        drop(self.runs);
        if let Err(error) = self.way.await {
            tracing::error!(%error, "the way of news from the API server ended badly");
        }
        if let Some(writer) = self.writer
            && tokio::time::timeout(FAREWELL, writer).await.is_err()
        {
            tracing::debug!("the API server does not take the lease back; it ends by itself");
        }
    }
}

/// What is told of `Tenant` objects.
type Reports = watch::Sender<crate::identity::kubernetes::tenant_status::Reports>;

/// Begins to write the status of objects, where this is a pod that knows its namespace.
fn write_statuses(config: &Config, access: &Access, me: &str) -> Option<(Reports, JoinHandle<()>)> {
    let path = Path::new(OWN_NAMESPACE);
    if config.kubernetes.kubeconfig().is_some() || !path.exists() {
        return None;
    }
    let namespace = std::fs::read_to_string(path)
        .inspect_err(|error| tracing::warn!(%error, "the status of tenants is not written"))
        .ok()?;
    let (sender, reports) = watch::channel(Default::default());
    let writer = StatusWriter::new(access.client(), namespace.trim(), me);
    Some((sender, tokio::spawn(writer.run(reports))))
}

/// The watches and what it takes to begin one anew.
struct Running {
    watches: Watches,
    access: Access,
    wanted: Wanted,
    sender: mpsc::Sender<Change>,
}

impl Running {
    /// Has pods of other nodes told with the labels that decide whose they are, when
    /// these are others now.
    async fn follow_labels(&mut self, known: &Known) {
        let keys = known.pod_label_keys();
        if !self.wanted.addresses || keys == self.wanted.pod_labels {
            return;
        }
        tracing::info!(?keys, "other labels of pods decide now: asking for all pods anew");
        self.wanted.pod_labels = keys;
        self.watches.renew_remote_pods(&self.access, &self.wanted, &self.sender).await;
    }
}

/// Who is told of what is known.
struct Notes {
    reports: Option<Reports>,
    annotations: watch::Sender<Keys>,
}

async fn lead<F: Future<Output = ()>>(
    mut news: mpsc::Receiver<Change>,
    running: Running,
    mut stopped: oneshot::Receiver<()>,
    take: impl Fn(Change) -> F,
    known: Arc<Known>,
    notes: Notes,
) {
    let mut running = Some(running);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut local = interval(LOCAL_EVERY);
    local.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut can_read_local = true;
    let mut told = known.generation();
    loop {
        tokio::select! {
            change = news.recv() => match change {
                Some(Change::Annotations(keys)) => drop(notes.annotations.send_replace(keys)),
                Some(change) => {
                    let may_ask_other_labels = change.source() == Source::Tenants;
                    take(change).await;
                    if let Some(running) = running.as_mut().filter(|_| may_ask_other_labels) {
                        running.follow_labels(&known).await;
                    }
                }
                // All watches have ended, and what they told is taken.
                None => return,
            },
            // Nobody sends by it; it ends.
            _ = &mut stopped, if running.is_some() => {
                if let Some(Running { watches, .. }) = running.take() {
                    watches.stop().await;
                }
            }
            _ = local.tick(), if known.has_addresses() => {
                can_read_local = read_local(&known, can_read_local);
            }
            _ = ticks.tick() => {
                let now = known.generation();
                if std::mem::replace(&mut told, now) == now {
                    continue;
                }
                if let Some(reports) = &notes.reports {
                    reports.send_replace(known.reports());
                }
                // The rules of the configuration may have changed, too.
                if let Some(running) = &mut running {
                    running.follow_labels(&known).await;
                }
            }
        }
    }
}

/// Tells of the addresses of this node, which may have others than before. False when
/// they cannot be read, which is said if they `could` be before.
fn read_local(known: &Known, could: bool) -> bool {
    let read = local_addresses::read(Path::new(PROC));
    match &read {
        Ok(addresses) => known.set_local_addresses(addresses),
        Err(error) if could => tracing::warn!(%error, "the node's own addresses are not read"),
        Err(_) => {}
    }
    read.is_ok()
}
