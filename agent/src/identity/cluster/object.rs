//! Objects of the API server, reduced to what identity and the bill need.
//!
//! Times are seconds since 1970 as the API server writes them, quantities are in the
//! units that their names say, rounded up as Kubernetes does.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::identity::cgroup_path::Qos;

/// Labels or annotations: key → value.
pub type Labels = BTreeMap<Box<str>, Box<str>>;

/// A pod of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.uid`.
    pub uid: Box<str>,
    /// The hash that the kubelet uses instead of the UID for a static pod, in its
    /// cgroup's path, too: annotation `kubernetes.io/config.hash` of the mirror pod.
    pub config_hash: Option<Box<str>>,
    /// `metadata.namespace`.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// `metadata.labels`.
    pub labels: Labels,
    /// Kind and name of the controlling owner, such as `ReplicaSet`, `web-5d4f`.
    pub owner: Option<(Box<str>, Box<str>)>,
    /// `status.podIPs`, all families; those of the node when `host_network`.
    pub ips: Vec<IpAddr>,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// `status.phase`.
    pub phase: Phase,
    /// `status.qosClass`; `None` before the API server has set it.
    pub qos: Option<Qos>,
    /// `metadata.creationTimestamp`.
    pub created_unix_s: i64,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// All containers: init, ephemeral and ordinary ones.
    pub containers: Vec<PodContainer>,
    /// Persistent volume claims that the pod mounts: volume → claim.
    pub claims: Vec<(Box<str>, Box<str>)>,
}

impl Pod {
    /// One of which nothing is known but who it is, and nothing of its state.
    #[must_use]
    pub fn named(uid: &str, namespace: &str, name: &str, labels: Labels) -> Self {
        Self {
            uid: uid.into(),
            config_hash: None,
            namespace: namespace.into(),
            name: name.into(),
            labels,
            owner: None,
            ips: Vec::new(),
            host_network: false,
            phase: Phase::Unknown,
            qos: None,
            created_unix_s: 0,
            deleting: false,
            containers: Vec::new(),
            claims: Vec::new(),
        }
    }

    /// Name of the container that the runtime calls by this id.
    #[must_use]
    pub fn container_name(&self, id: &str) -> Option<&str> {
        let found = self.containers.iter().find(|container| container.id.as_deref() == Some(id));
        found.map(|container| &*container.name)
    }

    /// Whether it says anything else of who it is than another state of the same pod.
    #[must_use]
    pub fn says_other_than(&self, other: &Self) -> bool {
        let same_containers = || {
            let (mine, theirs) = (self.containers.iter(), other.containers.iter());
            let names = theirs.map(|it| (&it.name, &it.id));
            mine.map(|it| (&it.name, &it.id)).eq(names)
        };
        self.config_hash != other.config_hash
            || self.namespace != other.namespace
            || self.name != other.name
            || self.labels != other.labels
            || self.owner != other.owner
            || !same_containers()
    }
}

/// `status.phase` of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Accepted, not all containers were started.
    Pending,
    /// Bound to a node, at least one container runs or will run.
    Running,
    /// All containers ended well; its addresses are released.
    Succeeded,
    /// All containers ended, one badly; its addresses are released.
    Failed,
    /// The node cannot be asked.
    Unknown,
}

impl Phase {
    /// Whether the pod's addresses may have been given to another.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodContainer {
    /// Its name in the pod.
    pub name: Box<str>,
    /// What the runtime calls it, without the `runtime://` before it; `None` before it
    /// was made.
    pub id: Option<Box<str>>,
    /// `status.containerStatuses[].restartCount`.
    pub restarts: u32,
    /// `resources.requests`.
    pub requests: Resources,
    /// `resources.limits`.
    pub limits: Resources,
}

/// Amounts of what a container or a quota asks for or may have; `None`: not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// `cpu`, thousandths of a CPU.
    pub cpu_millis: Option<u64>,
    /// `memory`, bytes.
    pub memory_bytes: Option<u64>,
    /// `ephemeral-storage`, bytes.
    pub ephemeral_storage_bytes: Option<u64>,
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// `metadata.name`.
    pub name: Box<str>,
    /// `metadata.labels`.
    pub labels: Labels,
    /// `metadata.annotations`, only those that rules of tenants name.
    pub annotations: Labels,
}

/// A `ResourceQuota`: what a namespace may use of each resource, and does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// `metadata.namespace`.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// Resource as the API server names it (`requests.cpu`, `pods` …) → hard, used, in
    /// thousandths of CPUs for CPUs, bytes for memory and storage, plain numbers
    /// otherwise.
    pub resources: BTreeMap<Box<str>, (u64, u64)>,
}

/// Whether amounts of a quota's resource are of CPUs.
#[must_use]
pub fn is_cpu(resource: &str) -> bool {
    resource == "cpu" || resource.ends_with(".cpu")
}

/// A pod of any node, as far as its addresses tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePod {
    /// `metadata.namespace`.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// Those of its labels that were asked for.
    pub labels: Labels,
    /// The addresses that are its own, all families: none when it uses its node's
    /// network, none before a container of it has started, and none any more when it
    /// has ended.
    pub ips: Vec<IpAddr>,
    /// When its first container started, rounded down to seconds, as far as is known:
    /// nothing was sent or answered by it before.
    pub started_unix_s: Option<i64>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// `metadata.name`.
    pub name: Box<str>,
    /// `status.addresses` that are addresses, and those that network plug-ins note for
    /// their bridges and tunnels: from there a node's own traffic to pods comes.
    pub ips: Vec<IpAddr>,
    /// `spec.podCIDRs`: networks that its pods get addresses of, and its bridge. Not
    /// all network plug-ins use them.
    pub pod_ranges: Vec<IpNet>,
    /// `metadata.creationTimestamp`.
    pub created_unix_s: Option<i64>,
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `metadata.namespace`.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// `spec.clusterIPs`: none if it is headless or an external name.
    pub cluster_ips: Vec<IpAddr>,
    /// `spec.externalIPs` and those of its load balancer, which may be those of nodes
    /// and may be shared with other Services.
    pub outer_ips: Vec<IpAddr>,
    /// `spec.ports[].nodePort`: IP protocol and port, on every node.
    pub node_ports: Vec<(u8, u16)>,
    /// `metadata.creationTimestamp`.
    pub created_unix_s: Option<i64>,
}

/// An `EndpointSlice` that is not made of pods, as far as its addresses tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSlice {
    /// `metadata.namespace`.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// The Service that it is of; `None`: nobody's, and so nobody has its addresses.
    pub service: Option<Box<str>>,
    /// `endpoints[].addresses` that are not those of a pod, each once: none if they are
    /// names.
    pub ips: Vec<IpAddr>,
}
