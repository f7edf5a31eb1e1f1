//! What is read of objects that are only wanted for their addresses.
//!
//! The whole cluster's pods pass through every node's agent, so nothing of them is
//! decoded that is not wanted: the rest is skipped without an allocation.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::net::IpAddr;

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
fn metadata<'de, D: Deserializer<'de>>(input: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Read {
        name: Option<String>,
        namespace: Option<String>,
        resource_version: Option<String>,
        labels: Option<BTreeMap<String, String>>,
        annotations: Option<BTreeMap<String, String>>,
    }
    let read = Read::deserialize(input)?;
    Ok(ObjectMeta {
        name: read.name,
        namespace: read.namespace,
        resource_version: read.resource_version,
        labels: read.labels,
        annotations: read.annotations,
        ..ObjectMeta::default()
    })
}

/// A pod of any node.
pub(super) type PodAddresses = Narrow<api::Pod, PodNetwork, PodState>;
/// A node.
pub(super) type NodeAddresses = Narrow<api::Node, Nothing, NodeState>;
/// A Service.
pub(super) type ServiceAddresses = Narrow<api::Service, ServiceNetwork, ServiceState>;

/// Nothing is read.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Nothing {}

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
    let ended = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let ips = if ended || pod.spec.host_network {
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
        started_unix_s: status.start_time.map(|time| time.0.as_second()),
    })
}

/// A node.
pub(super) fn node(node: NodeAddresses) -> Option<Node> {
    let told = node.status.addresses.into_iter().flatten().map(|told| told.address);
    let noted = only(node.metadata.annotations, |key| NODE_ADDRESSES.contains(&key));
    Some(Node { name: node.metadata.name?.into(), ips: addresses(told.chain(noted.into_values())) })
}

/// A Service.
pub(super) fn service(service: ServiceAddresses) -> Option<Service> {
    let spec = service.spec;
    let balancers = service.status.load_balancer.ingress.into_iter().flatten();
    let outer = spec.external_ips.into_iter().flatten();
    let ports = spec.ports.into_iter().flatten().filter_map(|port| {
        Some((protocol(port.protocol.as_deref())?, port.node_port.filter(|port| *port != 0)?))
    });
    Some(Service {
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
