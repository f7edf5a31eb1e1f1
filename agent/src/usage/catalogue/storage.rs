//! What tenants keep on disks, as the kubelet measures it.

use super::{Emit, Kind, Metric, Unit, Value};
use crate::usage::tenant::{NodeUsage, TenantUsage};

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "landlord_tenant_ephemeral_storage_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Writable layers, logs and local volumes of its pods; absent where the kubelet does not tell",
        samples: |node, emit| level(node, emit, |t| t.ephemeral_storage_bytes),
    },
    Metric {
        name: "landlord_tenant_ephemeral_storage_byte_seconds_total",
        kind: Kind::Counter,
        unit: Unit::ByteSeconds,
        labels: &["tenant"],
        help: "The same over time, as far as the kubelet told it",
        samples: |node, emit| sum(node, emit, |t| t.ephemeral_storage_byte_seconds_total),
    },
    Metric {
        name: "landlord_tenant_volume_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "In use of the persistent volumes that pods have on this node, each claim once; those of all nodes count a claim once a node",
        samples: |node, emit| level(node, emit, |t| t.volume_bytes),
    },
    Metric {
        name: "landlord_tenant_volume_byte_seconds_total",
        kind: Kind::Counter,
        unit: Unit::ByteSeconds,
        labels: &["tenant"],
        help: "The same over time, as far as the kubelet told it",
        samples: |node, emit| sum(node, emit, |t| t.volume_byte_seconds_total),
    },
    Metric {
        name: "landlord_tenant_volume_capacity_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "What these volumes can hold",
        samples: |node, emit| level(node, emit, |t| t.volume_capacity_bytes),
    },
    Metric {
        name: "landlord_tenant_volume_capacity_byte_seconds_total",
        kind: Kind::Counter,
        unit: Unit::ByteSeconds,
        labels: &["tenant"],
        help: "The same over time, as far as the kubelet told it",
        samples: |node, emit| sum(node, emit, |t| t.volume_capacity_byte_seconds_total),
    },
];

fn level(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&TenantUsage) -> Option<u64>) {
    for tenant in &node.tenants {
        if let Some(bytes) = figure(tenant) {
            emit(&[&tenant.tenant], Value::Integer(bytes));
        }
    }
}

/// Only where there is a cluster: nobody else has a kubelet.
fn sum(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&TenantUsage) -> f64) {
    if node.identity.is_some() {
        for tenant in &node.tenants {
            emit(&[&tenant.tenant], Value::Float(figure(tenant)));
        }
    }
}
