//! What tenants' pods ask for and may have, as the API server tells it.
//!
//! Of tenants that have a pod on this node, and a name of their own among the metrics.

use super::{Emit, Kind, Metric, Unit, Value};
use crate::usage::pod::{Amounts, TenantFacts};
use crate::usage::tenant::NodeUsage;

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "landlord_pods",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["tenant", "qos"],
        help: "Its pods on this node, by quality of service",
        samples: |node, emit| {
            for tenant in here(node) {
                for (qos, &pods) in &tenant.qos {
                    emit(&[&tenant.tenant, qos], Value::Integer(pods));
                }
            }
        },
    },
    Metric {
        name: "landlord_pod_restarts",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["tenant"],
        help: "Restarts of the containers of its present pods",
        samples: |node, emit| {
            for tenant in here(node) {
                emit(&[&tenant.tenant], Value::Integer(tenant.restarts));
            }
        },
    },
    Metric {
        name: "landlord_pod_requests_cpu_cores",
        kind: Kind::Gauge,
        unit: Unit::Cores,
        labels: &["tenant"],
        help: "CPU that its pods request; absent without any",
        samples: |node, emit| each(node, emit, |it| cores(&it.requests)),
    },
    Metric {
        name: "landlord_pod_requests_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Memory that its pods request; absent without any",
        samples: |node, emit| each(node, emit, |it| it.requests.memory_bytes.map(Value::Integer)),
    },
    Metric {
        name: "landlord_pod_requests_ephemeral_storage_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Local storage that its pods request; absent without any",
        samples: |node, emit| each(node, emit, |it| storage(&it.requests)),
    },
    Metric {
        name: "landlord_pod_limits_cpu_cores",
        kind: Kind::Gauge,
        unit: Unit::Cores,
        labels: &["tenant"],
        help: "CPU that those of its pods may use that have a limit; absent without any",
        samples: |node, emit| each(node, emit, |it| cores(&it.limits)),
    },
    Metric {
        name: "landlord_pod_limits_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Memory that those of its pods may use that have a limit; absent without any",
        samples: |node, emit| each(node, emit, |it| it.limits.memory_bytes.map(Value::Integer)),
    },
    Metric {
        name: "landlord_pod_limits_ephemeral_storage_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Local storage that those of its pods may use that have a limit; absent without any",
        samples: |node, emit| each(node, emit, |it| storage(&it.limits)),
    },
    Metric {
        name: "landlord_quota_hard",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["tenant", "resource"],
        help: "Quotas of all its namespaces in the cluster, in cores, bytes or numbers; the same on every node that has a pod of it",
        samples: |node, emit| quotas(node, emit, |it| it.0),
    },
    Metric {
        name: "landlord_quota_used",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["tenant", "resource"],
        help: "What of these quotas is used",
        samples: |node, emit| quotas(node, emit, |it| it.1),
    },
];

/// Resources whose quotas are metrics: others have any number of names.
pub(super) const RESOURCES: [&str; 14] = [
    "configmaps",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "persistentvolumeclaims",
    "pods",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Tenants that are told of.
fn here(node: &NodeUsage) -> impl Iterator<Item = &TenantFacts> {
    let named = |it: &&TenantFacts| {
        it.pods > 0 && node.tenants.binary_search_by(|of| of.tenant.cmp(&it.tenant)).is_ok()
    };
    node.owners.iter().filter(named)
}

fn each(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&TenantFacts) -> Option<Value>) {
    for tenant in here(node) {
        if let Some(value) = figure(tenant) {
            emit(&[&tenant.tenant], value);
        }
    }
}

fn quotas(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&(f64, f64)) -> f64) {
    for tenant in here(node) {
        for (resource, amounts) in &tenant.quotas {
            if RESOURCES.contains(&resource.as_str()) {
                emit(&[&tenant.tenant, resource], Value::Float(figure(amounts)));
            }
        }
    }
}

fn cores(amounts: &Amounts) -> Option<Value> {
    amounts.cpu_cores.map(Value::Float)
}

fn storage(amounts: &Amounts) -> Option<Value> {
    amounts.ephemeral_storage_bytes.map(Value::Integer)
}
