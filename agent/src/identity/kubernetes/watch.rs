//! What is watched, and how it is told.
//!
//! A task a source, each with a connection of its own. It begins with all that exists
//! ([`Update::All`]), then tells what changes; after an interruption it goes on from
//! where it was, or if the API server no longer remembers begins anew. A source that
//! cannot be had says so once ([`Health`](crate::identity::cluster::Health)) and tries
//! again, more and more seldom.

mod follow;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as api;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::follow::Watch;
use super::client::Access;
use super::convert;
use super::narrow::{self, NodeAddresses, PodAddresses, ServiceAddresses};
use super::slices::{self, SliceAddresses};
use crate::identity::cluster::{AddressChange, Change, Source, Update};

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
        let (watch, api) = Watch::new(access, wanted, news, plan);
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
                config: large.clone(),
                preface: None,
                convert: Box::new(|object, _| narrow::service(object)),
                tell: |update| Change::Addresses(AddressChange::Services(update)),
                annotations: None,
            },
        );
        self.add(
            access,
            wanted,
            news,
            Plan {
                source: Source::EndpointSlices,
                api: Api::<SliceAddresses>::all,
                config: large.labels(slices::NOT_OF_PODS),
                preface: None,
                convert: Box::new(|object, _| slices::slice(object)),
                tell: |update| Change::Addresses(AddressChange::EndpointSlices(update)),
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
        let (watch, api) = Watch::new(access, wanted, news, plan);
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
