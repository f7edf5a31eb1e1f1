//! What the node's tenants used: the shape that every sink and every table reads.
//!
//! Field names are the metric names without the prefix `landlord_tenant_`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::api::ApiUsage;
use super::sinks::SinkUsage;

use super::pod::{IdentityUsage, PodUsage, QuotaUsage, TenantFacts};

/// A figure per direction of traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByDirection<T> {
    /// Out of the tenant's sockets.
    pub transmit: T,
    /// Into the tenant's sockets.
    pub receive: T,
}

/// A figure per address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByFamily<T> {
    /// IPv4.
    pub ipv4: T,
    /// IPv6.
    pub ipv6: T,
}

/// A figure per direction of block I/O.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByDiskDirection<T> {
    /// From the device.
    pub read: T,
    /// To the device.
    pub write: T,
}

/// Cumulative use of one tenant on this node, and its present level of memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantUsage {
    /// The tenant's name.
    pub tenant: String,
    /// Live cgroups that belong to it now.
    pub cgroups: u64,
    /// Seconds on a CPU.
    pub cpu_seconds_total: f64,
    /// Seconds runnable but not running.
    pub cpu_wait_seconds_total: f64,
    /// Seconds of that wait by the tenant (possibly itself) that ran meanwhile.
    pub cpu_wait_caused_seconds_total: BTreeMap<String, f64>,
    /// Seconds its cgroups were held back by their own CPU limits, summed over CPUs.
    pub cpu_throttled_seconds_total: f64,
    /// Sum of its CPU limits in cores; absent when none of its cgroups has one.
    pub cpu_limit_cores: Option<f64>,
    /// Calls by name.
    pub syscalls_total: BTreeMap<String, u64>,
    /// Layer 3 bytes.
    pub network_bytes_total: ByDirection<ByFamily<u64>>,
    /// Packets (socket buffers).
    pub network_packets_total: ByDirection<ByFamily<u64>>,
    /// Bytes in use now; absent where the memory controller does not account it.
    pub memory_bytes: Option<u64>,
    /// Sum of its topmost cgroups' highest use, bytes: an upper bound of the
    /// tenant's, since they need not have been at the same time.
    pub memory_peak_bytes: Option<u64>,
    /// Sum of its memory limits, bytes; absent when none of its cgroups has one.
    pub memory_limit_bytes: Option<u64>,
    /// Processes killed for want of memory.
    pub oom_kills_total: u64,
    /// Block I/O bytes.
    pub disk_bytes_total: ByDiskDirection<u64>,
    /// Bytes of its pods' writable layers, logs and local volumes, as the kubelet measures
    /// them; absent where it does not tell.
    #[serde(default)]
    pub ephemeral_storage_bytes: Option<u64>,
    /// The same over time, since the counters began, as far as it was measured.
    #[serde(default)]
    pub ephemeral_storage_byte_seconds_total: f64,
    /// Bytes in persistent volumes that its pods have here, each claim once.
    #[serde(default)]
    pub volume_bytes: Option<u64>,
    /// The same over time.
    #[serde(default)]
    pub volume_byte_seconds_total: f64,
    /// Bytes that these volumes could hold.
    #[serde(default)]
    pub volume_capacity_bytes: Option<u64>,
    /// The same over time.
    #[serde(default)]
    pub volume_capacity_byte_seconds_total: f64,
}

/// The agent's own figures of the same instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentUsage {
    /// What was not counted or not attributed, by cause.
    pub lost_total: BTreeMap<String, u64>,
    /// Cgroups with a slot in the kernel's maps.
    pub cgroups: u64,
    /// Kernel memory of all maps, bytes.
    pub map_memory_bytes: u64,
    /// Wall-clock seconds since 1970 when the counters began at zero.
    pub epoch_start_time_seconds: f64,
    /// What this node can measure: true where it is on, false where the kernel or
    /// the privileges do not allow it.
    #[serde(default)]
    pub features: BTreeMap<String, bool>,
    /// The agent's own process.
    #[serde(default)]
    pub process: ProcessUsage,
    /// The configuration file read anew, by outcome: `ok`, `failed`.
    #[serde(default)]
    pub config_reloads_total: BTreeMap<String, u64>,
    /// What became of the alerts of each sink, ordered as in the configuration.
    #[serde(default)]
    pub sinks: Vec<SinkUsage>,
    /// Whether metrics tell of each pod, as configured.
    #[serde(default)]
    pub pod_metrics: bool,
    /// Whether metrics were scraped since the agent started, and whether they are exported.
    #[serde(default)]
    pub metrics_ways: MetricsWays,
    /// What clients of the local API asked.
    #[serde(default)]
    pub api: ApiUsage,
    /// Events, rules and alerts; absent when the agent only meters.
    #[serde(default)]
    pub detection: Option<DetectionUsage>,
}

/// How metrics get elsewhere. By both ways into one Prometheus every sum is doubled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsWays {
    /// Somebody got `/metrics` since the agent started.
    pub scrape: bool,
    /// They are exported by OTLP.
    pub export: bool,
}

/// What rules cost and found, since the agent started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetectionUsage {
    /// Calls that rules want, by what the kernel side did with them: `early` and
    /// `verdict` (no rule can match), `sent`, `lost`.
    pub calls_total: BTreeMap<String, u64>,
    /// Starts and ends of processes that were sent.
    pub lifecycle_total: u64,
    /// Requests to `io_uring` that were seen.
    #[serde(default)]
    pub requests_total: u64,
    /// Records that could not be sent.
    pub drops: Vec<Drops>,
    /// What the agent could not do with events, by cause.
    pub lost_total: BTreeMap<String, u64>,
    /// Events held against the rules.
    pub events_total: u64,
    /// Alerts written.
    pub alerts_total: u64,
    /// The same by tenant, rule and priority.
    #[serde(default)]
    pub alerts: Vec<AlertUsage>,
    /// Alerts that said the same as one before and were counted.
    pub repeats_total: u64,
    /// Remote ends that alerts told of: by kind, and whether they were certain.
    #[serde(default)]
    pub peers_total: Vec<(String, bool, u64)>,
    /// Ends of connections by what became of them; all outcomes, or none where nobody
    /// asks for them.
    #[serde(default)]
    pub connections_total: BTreeMap<String, u64>,
    /// Processes that are remembered.
    pub processes: u64,
    /// Memory of these, bytes.
    pub process_bytes: u64,
    /// Processes looked up in `/proc`, by outcome: `read`, `vanished` (ended
    /// meanwhile), `refused`, `malformed`.
    #[serde(default)]
    pub process_reads_total: BTreeMap<String, u64>,
    /// Questions about containers, by outcome: `cached`, `found`, `unknown`,
    /// `invalid`, `refused`.
    #[serde(default)]
    pub container_lookups_total: BTreeMap<String, u64>,
    /// What went wrong with them, by cause: `malformed`, `oversized`,
    /// `unreachable`, `evicted`.
    #[serde(default)]
    pub container_failures_total: BTreeMap<String, u64>,
    /// What went wrong with the files of users and groups, by cause:
    /// `unreadable`, `malformed`, `cut`, `evicted`.
    #[serde(default)]
    pub name_failures_total: BTreeMap<String, u64>,
    /// What processes did and alerts cannot tell of any more, by cause: `process` (it did
    /// so much since), `memory`.
    #[serde(default)]
    pub acts_forgotten_total: BTreeMap<String, u64>,
    /// Rules read anew, by outcome: `ok`, `failed`.
    pub reloads_total: BTreeMap<String, u64>,
    /// Of each rule in force.
    pub by_rule: Vec<RuleUsage>,
}

/// Alerts of one rule about one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertUsage {
    /// Who did what they are about; `other`: tenants beyond those that are told apart.
    pub tenant: String,
    /// The rule.
    pub rule: String,
    /// How urgent it was, such as `Warning`.
    pub priority: String,
    /// How many.
    pub count: u64,
    /// The last of them that is exported as a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<AlertTrace>,
}

/// An alert that is exported as a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTrace {
    /// Id of the alert and its trace, 32 hexadecimal digits.
    pub id: String,
    /// When its event was, nanoseconds since 1970.
    pub time_unix_ns: u64,
}

/// Records of one kind that could not be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drops {
    /// Whose they were.
    pub tenant: String,
    /// The call, or `process exec` and the like.
    pub event: String,
    /// Why: `ring_full`, `rate_limited`, `unreadable`.
    pub cause: String,
    /// How many.
    pub count: u64,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleUsage {
    /// Its name.
    pub rule: String,
    /// Events of its types that the kernel side let through.
    pub kernel_passes: u64,
    /// Events that it was held against.
    pub evaluations: u64,
    /// Events that it matched.
    pub matches: u64,
    /// Seconds that took, by sampling.
    pub seconds: f64,
}

/// What the agent itself costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// User and system seconds on a CPU, all threads.
    pub cpu_seconds_total: f64,
    /// Resident memory, bytes.
    pub resident_memory_bytes: u64,
    /// Wall-clock seconds since 1970 when the process started.
    pub start_time_seconds: f64,
}

/// One instant of the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeUsage {
    /// Milliseconds since 1970 when reading the counters began.
    pub read_at_unix_ms: u64,
    /// The agent's own figures.
    pub agent: AgentUsage,
    /// Ordered by name.
    pub tenants: Vec<TenantUsage>,
    /// What is in no tenant's figures, as the owner is still to be told.
    #[serde(default)]
    pub pending: PendingUsage,
    /// Pods of this node, ordered by namespace and name; those that ended lately
    /// included. Empty without Kubernetes.
    #[serde(default)]
    pub pods: Vec<PodUsage>,
    /// Who is a tenant and of what, ordered by name. Empty without Kubernetes.
    #[serde(default)]
    pub owners: Vec<TenantFacts>,
    /// Quotas of the namespaces that have a pod here. Empty without Kubernetes.
    #[serde(default)]
    pub quotas: Vec<QuotaUsage>,
    /// How well the agent knows who is who; absent without Kubernetes.
    #[serde(default)]
    pub identity: Option<IdentityUsage>,
}

/// What was used by owners that are still to be told. It goes down when they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PendingUsage {
    /// How many there are, such as pods.
    pub owners: u64,
    /// Seconds on a CPU.
    pub cpu_seconds: f64,
    /// Layer 3 bytes, both directions.
    pub network_bytes: u64,
    /// Block I/O bytes, read and written.
    pub disk_bytes: u64,
}
