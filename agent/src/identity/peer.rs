//! Who is at the other end of a connection.
//!
//! Only for the remote end: a process's own address may be one that others have, too,
//! and its cgroup tells whose it is. What is not known is said to be so, and nobody is
//! accused on the ground of it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::identity::cgroup_path::Workload;
use crate::identity::cluster::addresses::{Name, Owner};
use crate::identity::cluster::object::{Labels, Pod};
use crate::identity::cluster::{Addresses, Directory, Tenancy};
use crate::identity::{Assignment, Subject};

/// What kind of thing is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerKind {
    /// A pod with an address of its own.
    Pod,
    /// A Service: one of the pods behind it, or whatever else answers for it.
    Service,
    /// A node, or a pod that uses its node's network, or whoever is translated to its
    /// node's address on the way.
    Node,
    /// The same network namespace.
    Loopback,
    /// Nobody of the cluster.
    Outside,
    /// It cannot be told: two may have the address, or not all of the cluster is known.
    Unknown,
}

impl PeerKind {
    /// The word for it in events and in labels of metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Service => "service",
            Self::Node => "node",
            Self::Loopback => "loopback",
            Self::Outside => "outside",
            Self::Unknown => "unknown",
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// What it is.
    pub kind: PeerKind,
    /// The namespace of a pod or a Service.
    pub namespace: Option<&'a str>,
    /// The name of a pod, a Service or another node.
    pub name: Option<Name<'a>>,
    /// Whose it is; `None` outside of the cluster, and where it cannot be told.
    pub assignment: Option<Assignment>,
    /// `false`: it may be somebody else, or somebody else's. The API server could not be
    /// asked at that time, or what decides between tenants is not known of this peer.
    pub is_certain: bool,
}

impl Peer<'_> {
    fn bare(kind: PeerKind, is_certain: bool) -> Self {
        Self { kind, namespace: None, name: None, assignment: None, is_certain }
    }

    /// The tenant's name.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.assignment.as_ref().map(|assignment| assignment.tenant.as_str())
    }
}

/// What peers are found by. Cheap to make, so make it for each batch of events.
#[derive(Clone, Copy, Debug)]
pub struct Peers<'a> {
    addresses: &'a Addresses,
    directory: &'a Directory,
    /// Whether paths decide nothing that namespaces and pods decide, too.
    has_no_path: bool,
    /// Whether all that decides between tenants is known of pods.
    pods_are_certain: bool,
}

impl<'a> Peers<'a> {
    /// `keeps` tells which labels are kept of pods of other nodes, by their keys.
    #[must_use]
    pub fn new(
        addresses: &'a Addresses,
        directory: &'a Directory,
        keeps: impl Fn(&str) -> bool,
    ) -> Self {
        let tenancy = directory.tenancy();
        let has_no_path = !tenancy.rules().mix_paths_and_cluster();
        let asked = pod_label_keys(tenancy);
        Self {
            addresses,
            directory,
            has_no_path,
            pods_are_certain: has_no_path && asked.iter().all(|key| keeps(key)),
        }
    }

    /// Who had the address at that time, nanoseconds since 1970.
    #[must_use]
    pub fn find(&self, address: IpAddr, at_ns: u64) -> Peer<'a> {
        let address = address.to_canonical();
        if is_loopback(address) {
            return Peer::bare(PeerKind::Loopback, true);
        }
        match self.addresses.owner(address, at_ns) {
            Some(found) => self.of(found.owner, found.is_certain),
            None if is_one(address) && self.addresses.is_outside(address, at_ns) => {
                Peer::bare(PeerKind::Outside, true)
            }
            None => Peer::bare(PeerKind::Unknown, false),
        }
    }

    /// The same of an address and port that are connected or sent to: a node's may be a
    /// Service's. Not for who connects; the port of that one is any.
    #[must_use]
    pub fn find_destination(
        &self,
        address: IpAddr,
        protocol: u8,
        port: u16,
        at_ns: u64,
    ) -> Peer<'a> {
        let peer = self.find(address, at_ns);
        if peer.kind != PeerKind::Node {
            return peer;
        }
        match self.addresses.behind(protocol, port) {
            Some(owner) => self.of(owner, peer.is_certain),
            None => peer,
        }
    }

    /// The same where nobody tells which end connected: behind a node's port that is a
    /// Service's may be the Service, or somebody who connects from a port that is any.
    #[must_use]
    pub fn find_either(
        &self,
        address: IpAddr,
        protocol: Option<u8>,
        port: u16,
        at_ns: u64,
    ) -> Peer<'a> {
        let peer = self.find(address, at_ns);
        let of = |protocol| self.addresses.behind(protocol, port).is_some();
        let may_be_service = || protocol.map_or_else(|| PROTOCOLS.iter().any(|it| of(*it)), of);
        let is_certain = peer.is_certain && !(peer.kind == PeerKind::Node && may_be_service());
        Peer { is_certain, ..peer }
    }

    fn of(&self, owner: Owner<'a>, is_certain: bool) -> Peer<'a> {
        match owner {
            Owner::Pod { namespace, name, labels } => Peer {
                kind: PeerKind::Pod,
                namespace: Some(namespace),
                name: Some(name),
                assignment: self.owner_of_pod(namespace, name, labels),
                is_certain: is_certain && self.pods_are_certain,
            },
            Owner::Service { namespace, name } => Peer {
                kind: PeerKind::Service,
                namespace: Some(namespace),
                name,
                assignment: self.directory.owner_of_namespace(namespace),
                is_certain: is_certain && self.has_no_path && !self.is_parted(namespace),
            },
            Owner::Host { node } => Peer {
                kind: PeerKind::Node,
                namespace: None,
                name: node,
                assignment: Some(Assignment::host()),
                is_certain,
            },
        }
    }

    /// Whether labels of pods part a namespace: a Service's pods may be of any part.
    fn is_parted(&self, namespace: &str) -> bool {
        let workload = Workload::default();
        let subject = |namespace| Subject {
            path: None,
            workload: &workload,
            pod: None,
            namespace: Some(namespace),
        };
        let namespace = self.directory.namespace(namespace);
        namespace.is_some_and(|it| self.directory.tenancy().depends_on_pod_labels(&subject(it)))
    }

    fn owner_of_pod(&self, namespace: &str, name: Name<'_>, labels: &Labels) -> Option<Assignment> {
        let pod = Pod::named("", namespace, &name.to_string(), labels.clone());
        self.directory.owner_of_pod(&pod)
    }
}

/// IP protocols whose ports Services have: TCP, UDP and SCTP.
const PROTOCOLS: [u8; 3] = [6, 17, 132];

/// Whether whoever connects there stays in its own network namespace.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

/// Whether it is an address of one host, wherever that is asked.
fn is_one(address: IpAddr) -> bool {
    let is_near = match address {
        IpAddr::V4(address) => address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_near && !address.is_multicast()
}

/// Keys of the labels of pods that decide whose a pod is: those to ask the API server
/// for.
#[must_use]
pub fn pod_label_keys(tenancy: &Tenancy) -> BTreeSet<&str> {
    let of_rules = tenancy.rules().specs().iter().filter_map(|spec| {
        let ask = spec.matches.pod_label.as_deref()?;
        Some(ask.split_once('=').map_or(ask, |(key, _)| key))
    });
    let selectors = tenancy.objects().filter_map(|object| object.pod_selector.as_ref());
    let of_objects = selectors.flat_map(|selector| {
        let keys = selector.labels.keys();
        keys.chain(selector.expressions.iter().map(|expression| &expression.key)).map(|key| &**key)
    });
    of_rules.chain(of_objects).collect()
}

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;
