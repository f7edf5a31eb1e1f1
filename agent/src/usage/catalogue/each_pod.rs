//! What each pod uses, where that is asked for.
//!
//! Of the whole life of a pod, under the tenant that it has now: bills are made of the
//! tenants' own metrics, which split use at the moment of a change.

use super::{Emit, Kind, Metric, Unit, Value};
use crate::usage::pod::PodUsage;
use crate::usage::tenant::{ByFamily, NodeUsage};

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "landlord_pod_cpu_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["tenant", "namespace", "pod", "uid"],
        help: "Time that the pod was on a CPU",
        samples: |node, emit| each(node, emit, |it| Some(Value::Float(it.used.cpu_seconds_total))),
    },
    Metric {
        name: "landlord_pod_cpu_wait_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["tenant", "namespace", "pod", "uid"],
        help: "Time that it was runnable but not running, because the CPU was busy",
        samples: |node, emit| {
            each(node, emit, |it| Some(Value::Float(it.used.cpu_wait_seconds_total)));
        },
    },
    Metric {
        name: "landlord_pod_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant", "namespace", "pod", "uid"],
        help: "Memory in use, page cache included; absent without the memory controller",
        samples: |node, emit| each(node, emit, |it| it.used.memory_bytes.map(Value::Integer)),
    },
    Metric {
        name: "landlord_pod_syscalls_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["tenant", "namespace", "pod", "uid"],
        help: "System calls that ended",
        samples: |node, emit| {
            each(node, emit, |it| Some(Value::Integer(it.used.syscalls_total.values().sum())));
        },
    },
    Metric {
        name: "landlord_pod_network_bytes_total",
        kind: Kind::Counter,
        unit: Unit::Bytes,
        labels: &["tenant", "namespace", "pod", "uid", "direction"],
        help: "Bytes of its sockets at layer 3, IP headers included",
        samples: |node, emit| {
            directions(node, emit, |it| {
                let bytes = &it.used.network_bytes_total;
                [("transmit", sum(&bytes.transmit)), ("receive", sum(&bytes.receive))]
            });
        },
    },
    Metric {
        name: "landlord_pod_disk_bytes_total",
        kind: Kind::Counter,
        unit: Unit::Bytes,
        labels: &["tenant", "namespace", "pod", "uid", "direction"],
        help: "Bytes read from and written to block devices",
        samples: |node, emit| {
            directions(node, emit, |it| {
                let bytes = &it.used.disk_bytes_total;
                [("read", bytes.read), ("write", bytes.write)]
            });
        },
    },
    Metric {
        name: "landlord_pod_ephemeral_storage_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant", "namespace", "pod", "uid"],
        help: "Its writable layers, logs and local volumes; absent where the kubelet does not tell",
        samples: |node, emit| {
            each(node, emit, |it| it.used.ephemeral_storage_bytes.map(Value::Integer));
        },
    },
    Metric {
        name: "landlord_pod_volume_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant", "namespace", "pod", "uid"],
        help: "In use of its persistent volumes; absent where the kubelet does not tell",
        samples: |node, emit| each(node, emit, |it| it.used.volume_bytes.map(Value::Integer)),
    },
];

/// Pods that are told of. One whose name nobody has told has its UID all the same.
fn chosen(node: &NodeUsage) -> impl Iterator<Item = &PodUsage> {
    node.pods.iter().filter(|_| node.agent.pod_metrics)
}

fn each(node: &NodeUsage, emit: &mut Emit<'_>, value: impl Fn(&PodUsage) -> Option<Value>) {
    for pod in chosen(node) {
        if let Some(value) = value(pod) {
            emit(&[&pod.used.tenant, &pod.namespace, &pod.pod, &pod.uid], value);
        }
    }
}

fn directions(
    node: &NodeUsage,
    emit: &mut Emit<'_>,
    bytes: impl Fn(&PodUsage) -> [(&'static str, u64); 2],
) {
    for pod in chosen(node) {
        for (direction, bytes) in bytes(pod) {
            let labels = [&*pod.used.tenant, &pod.namespace, &pod.pod, &pod.uid, direction];
            emit(&labels, Value::Integer(bytes));
        }
    }
}

const fn sum(families: &ByFamily<u64>) -> u64 {
    families.ipv4 + families.ipv6
}
