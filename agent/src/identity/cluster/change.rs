//! What happened to the cluster, in the order in which the API server said so.

use std::sync::Arc;

use super::object::{EndpointSlice, Namespace, Node, Pod, Quota, RemotePod, Service};
use super::storage::PodStorage;
use super::tenancy::TenantObject;

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Pods of this node.
    Pods(Update<Pod>),
    /// Namespaces.
    Namespaces(Update<Namespace>),
    /// Quotas.
    Quotas(Update<Quota>),
    /// `Tenant` objects.
    Tenants(Update<TenantObject>),
    /// Who has which address, in the whole cluster.
    Addresses(AddressChange),
    /// Namespaces have been told with their annotations of these keys.
    Annotations(Arc<[Box<str>]>),
    /// What each pod of this node keeps on disks, all of them.
    Storage(Vec<PodStorage>),
    /// Whether what a source last said still holds.
    Health(Source, Health),
}

impl Change {
    /// What it is news of.
    #[must_use]
    pub const fn source(&self) -> Source {
        match self {
            Self::Pods(_) => Source::Pods,
            Self::Namespaces(_) | Self::Annotations(_) => Source::Namespaces,
            Self::Quotas(_) => Source::Quotas,
            Self::Tenants(_) => Source::Tenants,
            Self::Addresses(AddressChange::Pods(_) | AddressChange::PodLabels(_)) => {
                Source::RemotePods
            }
            Self::Storage(_) => Source::Kubelet,
            Self::Addresses(AddressChange::Nodes(_)) => Source::Nodes,
            Self::Addresses(AddressChange::Services(_)) => Source::Services,
            Self::Addresses(AddressChange::EndpointSlices(_)) => Source::EndpointSlices,
            Self::Health(source, _) => *source,
        }
    }
}

/// News of what has addresses.
#[derive(Clone, Debug, PartialEq)]
pub enum AddressChange {
    /// Pods of all nodes.
    Pods(Update<RemotePod>),
    /// From here on pods are told with their labels of these keys, all of them first.
    PodLabels(Arc<[Box<str>]>),
    /// Nodes.
    Nodes(Update<Node>),
    /// Services.
    Services(Update<Service>),
    /// EndpointSlices that are not made of pods.
    EndpointSlices(Update<EndpointSlice>),
}

/// News of objects of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Update<T> {
    /// It is new or has changed.
    Put(T),
    /// It is gone; the last that was known of it.
    Gone(T),
    /// These are all there are: after a start, or when the watch was interrupted.
    All(Vec<T>),
}

/// A kind of objects that is watched, or the node's kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Pods of this node.
    Pods,
    /// Namespaces.
    Namespaces,
    /// Pods of all nodes, for their addresses.
    RemotePods,
    /// Nodes, for their addresses.
    Nodes,
    /// Services, for their addresses.
    Services,
    /// EndpointSlices that are not made of pods, for the addresses of Services.
    EndpointSlices,
    /// Quotas.
    Quotas,
    /// `Tenant` objects.
    Tenants,
    /// What the kubelet of this node measures.
    Kubelet,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Pods,
        Self::Namespaces,
        Self::RemotePods,
        Self::Nodes,
        Self::Services,
        Self::EndpointSlices,
        Self::Quotas,
        Self::Tenants,
        Self::Kubelet,
    ];

    /// Those that together tell who has which address.
    pub const OF_ADDRESSES: [Self; 4] =
        [Self::RemotePods, Self::Nodes, Self::Services, Self::EndpointSlices];

    /// The value of the label `source` of metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Namespaces => "namespaces",
            Self::RemotePods => "remote_pods",
            Self::Nodes => "nodes",
            Self::Services => "services",
            Self::EndpointSlices => "endpoint_slices",
            Self::Quotas => "quotas",
            Self::Tenants => "tenants",
            Self::Kubelet => "kubelet",
        }
    }
}

/// How a watch fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// All that exists has been told, and changes are told as they happen.
    Synced,
    /// The API server cannot be asked; what was told before may be old. Tried again.
    Interrupted(Trouble),
}

/// Why the API server, or the kubelet, did not answer as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection, or it broke.
    Unreachable(String),
    /// Its certificate is not by who was to sign it, or for another name.
    Untrusted(String),
    /// 401: the token is wrong or too old.
    Unauthenticated(String),
    /// 403: the account may not do this.
    Forbidden(String),
    /// 404: this cluster does not have such objects.
    Missing(String),
    /// 429 or 5xx: it asks to be left alone.
    Overloaded(String),
    /// Anything else.
    Other(String),
}

impl Trouble {
    /// The value of the label `reason` of metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Untrusted(_) => "untrusted",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::Missing(_) => "missing",
            Self::Overloaded(_) => "overloaded",
            Self::Other(_) => "other",
        }
    }

    /// What was said, for a log.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Unreachable(text)
            | Self::Untrusted(text)
            | Self::Unauthenticated(text)
            | Self::Forbidden(text)
            | Self::Missing(text)
            | Self::Overloaded(text)
            | Self::Other(text) => text,
        }
    }
}
