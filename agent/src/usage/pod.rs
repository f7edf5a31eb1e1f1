//! What the node's pods used and may use, and how their identity was found: the shape
//! that every sink and every table reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tenant::TenantUsage;

/// One pod of this node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodUsage {
    /// Its UID, as in its cgroup's path.
    pub uid: String,
    /// Its namespace; empty while nobody has told it.
    pub namespace: String,
    /// Its name; empty while nobody has told it.
    pub pod: String,
    /// How its identity was found: `informer`, `runtime`, `late` …
    pub attribution: String,
    /// Whether it has a cgroup now.
    pub alive: bool,
    /// `Guaranteed`, `Burstable` or `BestEffort`; empty when not told.
    pub qos: String,
    /// Restarts of all its containers.
    pub restarts: u64,
    /// Seconds since 1970 when it was created; absent when not told.
    pub created_unix_s: Option<i64>,
    /// Sum of its containers' requests.
    pub requests: Amounts,
    /// Sum of its containers' limits; of a resource only when all have one.
    pub limits: Amounts,
    /// Its persistent volumes, ordered by claim; empty where the kubelet does not tell.
    #[serde(default)]
    pub volumes: Vec<VolumeUsage>,
    /// Inodes of its writable layers, logs and local volumes; absent as well.
    #[serde(default)]
    pub ephemeral_storage_inodes: Option<u64>,
    /// What it used, under the name of its tenant.
    pub used: TenantUsage,
}

/// Amounts of resources; absent: not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    /// Cores.
    pub cpu_cores: Option<f64>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// Bytes of local storage.
    pub ephemeral_storage_bytes: Option<u64>,
}

impl Amounts {
    /// Adds what somebody else has; what neither says stays unsaid.
    pub fn add(&mut self, other: &Self) {
        let sum = |sum: Option<u64>, part: Option<u64>| match (sum, part) {
            (Some(sum), Some(part)) => Some(sum.saturating_add(part)),
            (sum, part) => sum.or(part),
        };
        self.cpu_cores = match (self.cpu_cores, other.cpu_cores) {
            (Some(sum), Some(part)) => Some(sum + part),
            (sum, part) => sum.or(part),
        };
        self.memory_bytes = sum(self.memory_bytes, other.memory_bytes);
        self.ephemeral_storage_bytes =
            sum(self.ephemeral_storage_bytes, other.ephemeral_storage_bytes);
    }
}

/// A persistent volume of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeUsage {
    /// Name of the claim, in the pod's namespace.
    pub claim: String,
    /// Bytes in use; absent before they are measured.
    pub used_bytes: Option<u64>,
    /// Bytes there are; absent before they are measured.
    pub capacity_bytes: Option<u64>,
}

/// Who is a tenant, and of what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantFacts {
    /// The tenant's name.
    pub tenant: String,
    /// `tenant`, `shared`, `unassigned`, `host`, `unknown` or `pending`.
    pub class: String,
    /// Labels that go along, such as `team`.
    pub labels: BTreeMap<String, String>,
    /// Its namespaces in the whole cluster, ordered.
    pub namespaces: Vec<String>,
    /// Its pods on this node.
    pub pods: u64,
    /// The same by quality of service; `unknown` where that is not told.
    #[serde(default)]
    pub qos: BTreeMap<String, u64>,
    /// Restarts of all their containers.
    #[serde(default)]
    pub restarts: u64,
    /// Sum of their requests.
    #[serde(default)]
    pub requests: Amounts,
    /// Sum of the limits of those that have one.
    #[serde(default)]
    pub limits: Amounts,
    /// Quotas of its namespaces in the whole cluster: resource → hard and used, summed, in
    /// cores, bytes or numbers. Of several in a namespace the tightest counts.
    #[serde(default)]
    pub quotas: BTreeMap<String, (f64, f64)>,
}

/// A `ResourceQuota` and how far it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaUsage {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub quota: String,
    /// Whose namespace it is.
    pub tenant: String,
    /// Resource → hard and used, in the units of the resource (CPUs in thousandths).
    pub resources: BTreeMap<String, (u64, u64)>,
}

/// How well the agent knows who is who.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IdentityUsage {
    /// Name of the node whose pods are watched.
    pub node: String,
    /// What is watched at the API server.
    pub sources: Vec<SourceUsage>,
    /// Live cgroups by how their identity was found.
    pub cgroups: BTreeMap<String, u64>,
    /// Pods whose identity was not found, by reason, since the agent started.
    pub unresolved_total: BTreeMap<String, u64>,
    /// Objects that are known, by source.
    pub objects: BTreeMap<String, u64>,
    /// Objects that found no room, each time they were told.
    pub refused_total: u64,
    /// Pods and namespaces that were forgotten sooner than a minute after their end.
    pub forgotten_total: u64,
    /// What is known of addresses; absent where that is not asked.
    #[serde(default)]
    pub addresses: Option<AddressUsage>,
}

/// How much is known of who has which address in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressUsage {
    /// Pods, nodes, Services and EndpointSlices that have addresses.
    pub holders: u64,
    /// Addresses that somebody has.
    pub addresses: u64,
    /// Intervals that have ended and are remembered.
    pub past: u64,
    /// Intervals that were forgotten for want of room.
    pub forgotten_total: u64,
    /// Addresses that found no room, each time they were told.
    pub refused_total: u64,
}

/// One kind of objects that is watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceUsage {
    /// Such as `pods`.
    pub source: String,
    /// Whether all that exists has been told.
    pub synced: bool,
    /// Why the API server is not heard now, in one word; empty when it is.
    pub reason: String,
    /// The same as the API server or the system says it.
    pub detail: String,
    /// How often it stopped being heard since the agent started, by reason.
    pub interruptions_total: BTreeMap<String, u64>,
    /// Seconds since 1970 when it last told anything; absent before.
    pub told_time_seconds: Option<f64>,
}
