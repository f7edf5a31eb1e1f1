//! What is read of objects that are only wanted for their addresses.
//!
//! The whole cluster's pods pass through every node's agent, so nothing of them is
//! decoded that is not wanted: the rest is skipped without an allocation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer};

use crate::identity::cluster::object::{Labels, Node, RemotePod, Service};

/// Annotations that network plug-ins note their bridges' and tunnels' addresses in:
/// Calico's, Flannel's, Cilium's.
const NODE_ADDRESSES: [&str; 9] = [
    "projectcalico.org/IPv4IPIPTunnelAddr",
    "projectcalico.org/IPv4VXLANTunnelAddr",
    "projectcalico.org/IPv6VXLANTunnelAddr",
    "projectcalico.org/IPv4WireguardInterfaceAddr",
    "flannel.alpha.coreos.com/public-ip",
    "network.cilium.io/ipv4-cilium-host",
    "network.cilium.io/ipv6-cilium-host",
    "network.cilium.io/ipv4-health-ip",
    "network.cilium.io/ipv6-health-ip",
];

/// An object of the kind `K`, of which only spec and status are read, as far as `S`
/// and `U` tell.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + Default, U: Deserialize<'de> + Default"))]
pub(super) struct Narrow<K, S, U> {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: S,
    #[serde(default)]
    status: U,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K, S: Clone, U: Clone> Clone for Narrow<K, S, U> {
    fn clone(&self) -> Self {
        Self {
            metadata: self.metadata.clone(),
            spec: self.spec.clone(),
            status: self.status.clone(),
            kind: PhantomData,
        }
    }
}

impl<K: Resource<DynamicType = ()>, S, U> Resource for Narrow<K, S, U> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Reads only what is used of `metadata`; `managedFields` alone may be half an object.
pub(super) fn metadata<'de, D: Deserializer<'de>>(input: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Read {
        name: Option<String>,
        namespace: Option<String>,
        resource_version: Option<String>,
        creation_timestamp: Option<Time>,
        labels: Option<BTreeMap<String, String>>,
        annotations: Option<BTreeMap<String, String>>,
    }
    let read = Read::deserialize(input)?;
    Ok(ObjectMeta {
        name: read.name,
        namespace: read.namespace,
        resource_version: read.resource_version,
        creation_timestamp: read.creation_timestamp,
        labels: read.labels,
        annotations: read.annotations,
        ..ObjectMeta::default()
    })
}

/// A pod of any node.
pub(super) type PodAddresses = Narrow<api::Pod, PodNetwork, PodState>;
/// A node.
pub(super) type NodeAddresses = Narrow<api::Node, NodeNetwork, NodeState>;
/// A Service.
pub(super) type ServiceAddresses = Narrow<api::Service, ServiceNetwork, ServiceState>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeNetwork {
    #[serde(rename = "podCIDR")]
    pod_cidr: Option<Box<str>>,
    #[serde(rename = "podCIDRs")]
    pod_cidrs: Option<Vec<Box<str>>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodNetwork {
    host_network: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodState {
    phase: Option<Box<str>>,
    #[serde(rename = "podIP")]
    pod_ip: Option<Box<str>>,
    #[serde(rename = "podIPs")]
    pod_ips: Option<Vec<Ip>>,
    start_time: Option<Time>,
    init_container_statuses: Option<Vec<ContainerState>>,
    container_statuses: Option<Vec<ContainerState>>,
}

impl PodState {
    /// When its first container started: later than `startTime`, which is when its node
    /// accepted it, and by then others may still have its address.
    fn started_unix_s(&self) -> Option<i64> {
        let init = self.init_container_statuses.iter().flatten();
        let states = init.chain(self.container_statuses.iter().flatten());
        let began = states.flat_map(|of| of.state.began().chain(of.last_state.began())).min();
        // Not everything that plays a kubelet tells of containers.
        let is_running = self.phase.as_deref() == Some("Running");
        began.or_else(|| self.start_time.as_ref().filter(|_| is_running).map(|it| it.0.as_second()))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerState {
    state: State,
    last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<Began>,
    terminated: Option<Began>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Began {
    started_at: Option<Time>,
}

impl State {
    /// Seconds since 1970; what never started is said to have done so at 0.
    fn began(&self) -> impl Iterator<Item = i64> {
        let all = self.running.iter().chain(&self.terminated);
        all.filter_map(|began| Some(began.started_at.as_ref()?.0.as_second())).filter(|at| *at > 0)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Ip {
    ip: Option<Box<str>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeState {
    addresses: Option<Vec<NodeAddress>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct NodeAddress {
    address: Box<str>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServiceNetwork {
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<Box<str>>,
    #[serde(rename = "clusterIPs")]
    cluster_ips: Option<Vec<Box<str>>>,
    #[serde(rename = "externalIPs")]
    external_ips: Option<Vec<Box<str>>>,
    ports: Option<Vec<Port>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    protocol: Option<Box<str>>,
    node_port: Option<u16>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ServiceState {
    load_balancer: LoadBalancer,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct LoadBalancer {
    ingress: Option<Vec<Ip>>,
}

/// A pod with those of its labels whose keys are among these.
pub(super) fn remote_pod(pod: PodAddresses, wanted: &[Box<str>]) -> Option<RemotePod> {
    let status = pod.status;
    let started_unix_s = status.started_unix_s();
    let ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let has_begun = started_unix_s.is_some() || status.phase.as_deref() == Some("Running");
    let ips = if ended || pod.spec.host_network || !has_begun {
        Vec::new()
    } else {
        let all = status.pod_ips.into_iter().flatten().filter_map(|ip| ip.ip);
        addresses(status.pod_ip.into_iter().chain(all))
    };
    Some(RemotePod {
        namespace: pod.metadata.namespace?.into(),
        name: pod.metadata.name?.into(),
        labels: only(pod.metadata.labels, |key| wanted.iter().any(|wanted| **wanted == *key)),
        ips,
        started_unix_s,
    })
}

/// A node.
pub(super) fn node(node: NodeAddresses) -> Option<Node> {
    let told = node.status.addresses.into_iter().flatten().map(|told| told.address);
    let noted = only(node.metadata.annotations, |key| NODE_ADDRESSES.contains(&key));
    let all = node.spec.pod_cidrs.into_iter().flatten();
    let ranges: BTreeSet<IpNet> =
        node.spec.pod_cidr.into_iter().chain(all).filter_map(|text| text.parse().ok()).collect();
    Some(Node {
        name: node.metadata.name?.into(),
        ips: addresses(told.chain(noted.into_values())),
        pod_ranges: ranges.into_iter().collect(),
        created_unix_s: node.metadata.creation_timestamp.map(|time| time.0.as_second()),
    })
}

/// A Service.
pub(super) fn service(service: ServiceAddresses) -> Option<Service> {
    let spec = service.spec;
    let balancers = service.status.load_balancer.ingress.into_iter().flatten();
    let outer = spec.external_ips.into_iter().flatten();
    let ports = spec.ports.into_iter().flatten().filter_map(|port| {
        Some((protocol(port.protocol.as_deref())?, port.node_port.filter(|port| *port != 0)?))
    });
    let created = service.metadata.creation_timestamp;
    Some(Service {
        created_unix_s: created.map(|time| time.0.as_second()),
        namespace: service.metadata.namespace?.into(),
        name: service.metadata.name?.into(),
        cluster_ips: addresses(
            spec.cluster_ip.into_iter().chain(spec.cluster_ips.into_iter().flatten()),
        ),
        outer_ips: addresses(outer.chain(balancers.filter_map(|ip| ip.ip))),
        node_ports: ports.collect(),
    })
}

/// The number that the protocol has in an IP header.
fn protocol(name: Option<&str>) -> Option<u8> {
    match name {
        None | Some("TCP") => Some(6),
        Some("UDP") => Some(17),
        Some("SCTP") => Some(132),
        Some(_) => None,
    }
}

/// Those that are addresses, each once: `None` is a headless Service's, a node may have
/// names, and an annotation may end in the length of a prefix.
fn addresses(texts: impl Iterator<Item = Box<str>>) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for text in texts {
        let text = text.split_once('/').map_or(&*text, |(address, _)| address);
        if let Ok(address) = text.parse()
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

fn only(all: Option<BTreeMap<String, String>>, wanted: impl Fn(&str) -> bool) -> Labels {
    let all = all.into_iter().flatten().filter(|(key, _)| wanted(key));
    all.map(|(key, value)| (key.into(), value.into())).collect()
}

#[cfg(test)]
#[path = "narrow_tests.rs"]
mod tests;
