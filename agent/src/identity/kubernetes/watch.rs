//! What is watched, and how it is told.
//!
//! A task a source, each with a connection of its own. It begins with all that exists
//! ([`Update::All`]), then tells what changes; after an interruption it goes on from
//! where it was, or if the API server no longer remembers begins anew. A source that
//! cannot be had says so once ([`Health`]) and tries again, more and more seldom.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1 as api;
use kube::core::PartialObjectMeta;
use kube::runtime::utils::Backoff as _;
use kube::runtime::watcher::{self, DefaultBackoff, Event};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Span, info, info_span, warn};

use super::client::{Access, Signs};
use super::narrow::{self, NodeAddresses, PodAddresses, ServiceAddresses};
use super::{convert, trouble};
use crate::identity::cluster::change::Trouble;
use crate::identity::cluster::{AddressChange, Change, Health, Source, Update};
use crate::telemetry::{self, WORK};

/// What is wanted of the API server.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The node whose pods are told.
    pub node: Box<str>,
    /// Whether the addresses of the whole cluster are wanted.
    pub addresses: bool,
    /// Whether quotas are wanted.
    pub quotas: bool,
    /// Keys of annotations of namespaces that are kept.
    pub annotations: Keys,
    /// Keys of labels that are kept of pods of other nodes.
    pub pod_labels: Keys,
    /// How patient watches are.
    pub patience: Patience,
}

/// How patient watches are.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long the next piece of a list may take.
    pub piece: Duration,
    /// After how long the API server is asked to end a watch, whole seconds. One that
    /// says nothing for 5 s more is given up.
    pub watch: Duration,
    /// How long at least between two requests for what the account may not see.
    pub forbidden: Duration,
    /// The same for objects of a kind that the cluster does not have.
    pub missing: Duration,
    /// Whether large lists are asked for as watches, object by object, which spares
    /// both sides' memory. Servers that cannot are noticed.
    pub streams: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            piece: Duration::from_secs(30),
            watch: Duration::from_secs(240),
            forbidden: Duration::from_secs(10),
            missing: Duration::from_secs(60),
            streams: true,
        }
    }
}

/// Keys of the annotations that are kept.
pub type Keys = Arc<[Box<str>]>;

/// The watches that run; dropped, they end.
#[derive(Debug)]
pub struct Watches {
    tasks: JoinSet<()>,
    annotations: watch::Sender<Keys>,
    /// The one of pods of all nodes, which can be begun anew.
    remote_pods: JoinSet<()>,
}

/// What is kept of an object, and of its annotations those of these keys.
type Convert<K, T> = Box<dyn Fn(K, &Keys) -> Option<T> + Send + Sync>;

/// One source: what is listed and how.
struct Plan<K, T> {
    source: Source,
    api: fn(kube::Client) -> Api<K>,
    config: watcher::Config,
    /// What is told before anything else.
    preface: Option<Change>,
    convert: Convert<K, T>,
    tell: fn(Update<T>) -> Change,
    /// Which annotations are kept; `None` where none ever are.
    annotations: Option<watch::Receiver<Keys>>,
}

impl Watches {
    /// Starts to watch what is wanted; news goes to `news`. A full channel holds the
    /// watches up, a closed one ends them.
    #[must_use]
    pub fn start(access: &Access, wanted: &Wanted, news: &mpsc::Sender<Change>) -> Self {
        let (annotations, kept) = watch::channel(Arc::clone(&wanted.annotations));
        let mut watches = Self { tasks: JoinSet::new(), annotations, remote_pods: JoinSet::new() };
        let small = config(wanted, false);
        watches.add(
            access,
            wanted,
            news,
            Plan {
                source: Source::Pods,
                api: Api::<api::Pod>::all,
                config: small.clone().fields(&format!("spec.nodeName={}", wanted.node)),
                preface: None,
                convert: Box::new(|object, _| convert::pod(object)),
                tell: Change::Pods,
                annotations: None,
            },
        );
        watches.add(
            access,
            wanted,
            news,
            Plan {
                source: Source::Namespaces,
                api: Api::<PartialObjectMeta<api::Namespace>>::all,
                config: small.clone(),
                preface: None,
                convert: Box::new(|object, keys| convert::namespace(object, keys)),
                tell: Change::Namespaces,
                annotations: Some(kept),
            },
        );
        if wanted.quotas {
            watches.add(
                access,
                wanted,
                news,
                Plan {
                    source: Source::Quotas,
                    api: Api::<api::ResourceQuota>::all,
                    config: small,
                    preface: None,
                    convert: Box::new(|object, _| convert::quota(object)),
                    tell: Change::Quotas,
                    annotations: None,
                },
            );
        }
        if wanted.addresses {
            watches.add_remote_pods(access, wanted, news);
            watches.add_addresses(access, wanted, news);
        }
        watches
    }

    /// Begins the watch of pods of all nodes anew, with other `pod_labels`, once the
    /// former has ended: nothing of that one is told any more.
    pub async fn renew_remote_pods(
        &mut self,
        access: &Access,
        wanted: &Wanted,
        news: &mpsc::Sender<Change>,
    ) {
        self.remote_pods.shutdown().await;
        self.add_remote_pods(access, wanted, news);
    }

    fn add_remote_pods(&mut self, access: &Access, wanted: &Wanted, news: &mpsc::Sender<Change>) {
        let labels = Arc::clone(&wanted.pod_labels);
        let plan = Plan {
            source: Source::RemotePods,
            api: Api::<PodAddresses>::all,
            config: config(wanted, true),
            preface: Some(Change::Addresses(AddressChange::PodLabels(Arc::clone(&labels)))),
            convert: Box::new(move |object, _| narrow::remote_pod(object, &labels)),
            tell: |update| Change::Addresses(AddressChange::Pods(update)),
            annotations: None,
        };
        let (watch, api) = watch(access, wanted, news, plan);
        self.remote_pods.spawn(watch.run(api));
    }

    fn add_addresses(&mut self, access: &Access, wanted: &Wanted, news: &mpsc::Sender<Change>) {
        let large = config(wanted, true);
        self.add(
            access,
            wanted,
            news,
            Plan {
                source: Source::Nodes,
                api: Api::<NodeAddresses>::all,
                config: large.clone(),
                preface: None,
                convert: Box::new(|object, _| narrow::node(object)),
                tell: |update| Change::Addresses(AddressChange::Nodes(update)),
                annotations: None,
            },
        );
        self.add(
            access,
            wanted,
            news,
            Plan {
                source: Source::Services,
                api: Api::<ServiceAddresses>::all,
                config: large,
                preface: None,
                convert: Box::new(|object, _| narrow::service(object)),
                tell: |update| Change::Addresses(AddressChange::Services(update)),
                annotations: None,
            },
        );
    }

    /// Watches objects of one more kind, all of them, such as a custom resource.
    pub fn add_kind<K, T>(
        &mut self,
        access: &Access,
        wanted: &Wanted,
        news: &mpsc::Sender<Change>,
        source: Source,
        convert: impl Fn(K) -> Option<T> + Send + Sync + 'static,
        tell: fn(Update<T>) -> Change,
    ) where
        K: Resource<DynamicType = ()> + Watched,
        T: Send + 'static,
    {
        let config = config(wanted, false);
        let convert = Box::new(move |object, _: &Keys| convert(object));
        let plan =
            Plan { source, api: Api::all, config, preface: None, convert, tell, annotations: None };
        self.add(access, wanted, news, plan);
    }

    fn add<K, T>(
        &mut self,
        access: &Access,
        wanted: &Wanted,
        news: &mpsc::Sender<Change>,
        plan: Plan<K, T>,
    ) where
        K: Resource<DynamicType = ()> + Watched,
        T: Send + 'static,
    {
        let (watch, api) = watch(access, wanted, news, plan);
        self.tasks.spawn(watch.run(api));
    }

    /// A way to say which annotations of namespaces are kept from now on. All namespaces
    /// are then told anew, and after that [`Change::Annotations`].
    #[must_use]
    pub fn annotations(&self) -> watch::Sender<Keys> {
        self.annotations.clone()
    }

    /// Ends them all, and returns when they have.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.remote_pods.shutdown().await;
    }
}

/// A watch that is still to run, and what it asks.
fn watch<K, T>(
    access: &Access,
    wanted: &Wanted,
    news: &mpsc::Sender<Change>,
    plan: Plan<K, T>,
) -> (Watch<K, T>, Api<K>) {
    let signs = Arc::<Signs>::default();
    let api = (plan.api)(access.observed_client(Arc::clone(&signs)));
    let watch = Watch {
        plan,
        signs,
        patience: wanted.patience,
        news: news.clone(),
        trouble: None,
        backoff: DefaultBackoff::default(),
    };
    (watch, api)
}

/// What an object must be to be watched.
pub trait Watched: Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static {}

impl<K: Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static> Watched for K {}

/// Small lists come from the API server's cache: as many nodes ask for them at once
/// when the agent is rolled out, none may reach its database.
fn config(wanted: &Wanted, large: bool) -> watcher::Config {
    let seconds = u32::try_from(wanted.patience.watch.as_secs()).unwrap_or(u32::MAX);
    let config = watcher::Config::default().timeout(seconds);
    match (large, wanted.patience.streams) {
        (false, _) => config.any_semantic(),
        (true, true) => config.streaming_lists(),
        // Only what does not come from the cache comes in pages.
        (true, false) => config,
    }
}

/// A watch that runs.
struct Watch<K, T> {
    plan: Plan<K, T>,
    signs: Arc<Signs>,
    patience: Patience,
    news: mpsc::Sender<Change>,
    /// What was told last, unless all is well.
    trouble: Option<Trouble>,
    backoff: DefaultBackoff,
}

/// Nobody listens any more.
struct Closed;

/// How a watch came to its end.
enum End {
    /// Begin with a list.
    Anew,
    /// The same, and as this server cannot list by a watch, by pages.
    Paged,
}

impl<K, T> Plan<K, T> {
    /// Which annotations are kept now.
    fn kept(&mut self) -> Keys {
        let annotations = self.annotations.as_mut();
        annotations.map_or_else(|| [].into(), |it| Arc::clone(&it.borrow_and_update()))
    }

    /// Returns when others are to be kept than [`Self::kept`] said.
    async fn keeps_others(&mut self) {
        if let Some(annotations) = &mut self.annotations
            && annotations.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl<K, T> Watch<K, T>
where
    K: Resource<DynamicType = ()> + Watched,
    T: Send + 'static,
{
    async fn run(mut self, api: Api<K>) {
        if let Some(preface) = self.plan.preface.take()
            && self.send(preface).await.is_err()
        {
            return;
        }
        let mut config = self.plan.config.clone();
        loop {
            match self.follow(api.clone(), config.clone()).await {
                Ok(End::Anew) => {}
                Ok(End::Paged) => {
                    config = watcher::Config {
                        initial_list_strategy: watcher::InitialListStrategy::ListWatch,
                        ..config
                    }
                }
                Err(Closed) => return,
            }
        }
    }

    /// The work of listing all that exists.
    fn list_begins(&self) -> Span {
        let source = self.plan.source.label();
        info_span!(target: WORK, "kubernetes.list", source, objects = Empty, error = Empty)
    }

    /// Lists and watches until that cannot go on.
    async fn follow(&mut self, api: Api<K>, config: watcher::Config) -> Result<End, Closed> {
        let streams = config.initial_list_strategy == watcher::InitialListStrategy::StreamingList;
        let keys = self.plan.kept();
        let mut stream = pin!(watcher::watcher(api, config));
        // All that exists, while it is being listed.
        let mut all = Some(Vec::new());
        let mut list = Span::none();
        loop {
            let listing = all.is_some();
            let event = tokio::select! {
                biased;
                () = self.signs.granted.notified(), if !listing => {
                    self.backoff.reset();
                    self.recovered().await?;
                    continue;
                }
                () = self.plan.keeps_others() => return Ok(End::Anew),
                event = stream.next() => event,
                () = tokio::time::sleep(self.patience.piece), if listing => {
                    let silent = format!("the list stopped for {} s", self.patience.piece.as_secs_f32());
                    self.interrupted(Trouble::Unreachable(silent)).await?;
                    // Perhaps it will never say that this was all.
                    return Ok(if streams { End::Paged } else { End::Anew });
                }
            };
            match event {
                None => return Ok(End::Anew),
                Some(Ok(Event::Init)) => {
                    all = Some(Vec::new());
                    list = self.list_begins();
                }
                Some(Ok(Event::InitApply(object))) => {
                    if let (Some(all), Some(object)) =
                        (&mut all, (self.plan.convert)(object, &keys))
                    {
                        all.push(object);
                    }
                }
                Some(Ok(Event::InitDone)) => {
                    let all = all.take().unwrap_or_default();
                    list.record("objects", all.len() as u64);
                    list = Span::none();
                    self.tell(Update::All(all)).await?;
                    if self.plan.annotations.is_some() {
                        self.send(Change::Annotations(Arc::clone(&keys))).await?;
                    }
                    self.backoff.reset();
                    self.synced().await?;
                }
                Some(Ok(Event::Apply(object))) => self.changed(object, &keys, Update::Put).await?,
                Some(Ok(Event::Delete(object))) => {
                    self.changed(object, &keys, Update::Gone).await?;
                }
                Some(Err(error)) => {
                    telemetry::failed(&list, Some(&error));
                    if streams && listing && trouble::refuses_streams(&error) {
                        return Ok(End::Paged);
                    }
                    self.wait(&error).await?;
                    if trouble::is_gone(&error) {
                        return Ok(End::Anew);
                    }
                }
            }
        }
    }

    async fn changed(
        &mut self,
        object: K,
        keys: &Keys,
        update: fn(T) -> Update<T>,
    ) -> Result<(), Closed> {
        match (self.plan.convert)(object, keys) {
            Some(object) => self.tell(update(object)).await,
            None => Ok(()),
        }
    }

    /// Waits before the next attempt, and tells why if that is worth telling: that a
    /// connection broke is not before the next one fails, too.
    async fn wait(&mut self, error: &watcher::Error) -> Result<(), Closed> {
        let Some(trouble) = trouble::of(error) else {
            return Ok(());
        };
        let wished = self.signs.take_retry_after();
        let pause = trouble::pause(&trouble, wished, &self.patience)
            .max(self.backoff.next().unwrap_or_default());
        if !matches!(error, watcher::Error::WatchFailed(_)) {
            self.interrupted(trouble).await?;
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn interrupted(&mut self, trouble: Trouble) -> Result<(), Closed> {
        if self.trouble.as_ref() == Some(&trouble) {
            return Ok(());
        }
        let reason = trouble.label();
        if self.trouble.as_ref().map(Trouble::label) != Some(reason) {
            let (source, text) = (self.plan.source.label(), trouble.text());
            warn!(source, reason, "the API server does not answer as wanted: {text}");
        }
        self.trouble = Some(trouble.clone());
        self.send(Change::Health(self.plan.source, Health::Interrupted(trouble))).await
    }

    async fn recovered(&mut self) -> Result<(), Closed> {
        if self.trouble.is_some() { self.synced().await } else { Ok(()) }
    }

    async fn synced(&mut self) -> Result<(), Closed> {
        if self.trouble.take().is_some() {
            info!(source = self.plan.source.label(), "the API server answers again");
        }
        self.send(Change::Health(self.plan.source, Health::Synced)).await
    }

    async fn tell(&self, update: Update<T>) -> Result<(), Closed> {
        self.send((self.plan.tell)(update)).await
    }

    async fn send(&self, change: Change) -> Result<(), Closed> {
        self.news.send(change).await.map_err(|_| Closed)
    }
}
