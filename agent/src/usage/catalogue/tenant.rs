//! What tenants use.

use super::{Emit, Kind, Metric, Unit, Value};
use crate::usage::tenant::{NodeUsage, TenantUsage};

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "landlord_tenant_cpu_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["tenant"],
        help: "Time on a CPU",
        samples: |node, emit| each(node, emit, |t| Some(Value::Float(t.cpu_seconds_total))),
    },
    Metric {
        name: "landlord_tenant_cpu_wait_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["tenant"],
        help: "Time runnable but not running, because the CPU was busy",
        samples: |node, emit| each(node, emit, |t| Some(Value::Float(t.cpu_wait_seconds_total))),
    },
    Metric {
        name: "landlord_tenant_cpu_wait_caused_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["tenant", "by"],
        help: "Part of the wait of `tenant` during which `by` (possibly itself) ran on that CPU",
        samples: |node, emit| {
            for tenant in &node.tenants {
                for (by, &seconds) in &tenant.cpu_wait_caused_seconds_total {
                    emit(&[&tenant.tenant, by], Value::Float(seconds));
                }
            }
        },
    },
    Metric {
        name: "landlord_tenant_cpu_throttled_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["tenant"],
        help: "Time its cgroups were held back by their own CPU limits, summed over CPUs",
        samples: |node, emit| {
            each(node, emit, |t| Some(Value::Float(t.cpu_throttled_seconds_total)));
        },
    },
    Metric {
        name: "landlord_tenant_cpu_limit_cores",
        kind: Kind::Gauge,
        unit: Unit::Cores,
        labels: &["tenant"],
        help: "Sum of its CPU limits; absent without any",
        samples: |node, emit| each(node, emit, |t| t.cpu_limit_cores.map(Value::Float)),
    },
    Metric {
        name: "landlord_tenant_syscalls_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["tenant", "syscall"],
        help: "System calls that ended; 32-bit calls are prefixed `ia32_` or `arm32_`",
        samples: |node, emit| {
            for tenant in &node.tenants {
                for (syscall, &calls) in &tenant.syscalls_total {
                    emit(&[&tenant.tenant, syscall], Value::Integer(calls));
                }
            }
        },
    },
    Metric {
        name: "landlord_tenant_network_bytes_total",
        kind: Kind::Counter,
        unit: Unit::Bytes,
        labels: &["tenant", "direction", "family"],
        help: "Bytes of its sockets at layer 3, IP headers included",
        samples: |node, emit| {
            for t in &node.tenants {
                let figures = &t.network_bytes_total;
                for (direction, by_family) in
                    [("transmit", figures.transmit), ("receive", figures.receive)]
                {
                    emit(&[&t.tenant, direction, "ipv4"], Value::Integer(by_family.ipv4));
                    emit(&[&t.tenant, direction, "ipv6"], Value::Integer(by_family.ipv6));
                }
            }
        },
    },
    Metric {
        name: "landlord_tenant_network_packets_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["tenant", "direction", "family"],
        help: "Packets of its sockets; one made by segmentation offload counts once",
        samples: |node, emit| {
            for t in &node.tenants {
                let figures = &t.network_packets_total;
                for (direction, by_family) in
                    [("transmit", figures.transmit), ("receive", figures.receive)]
                {
                    emit(&[&t.tenant, direction, "ipv4"], Value::Integer(by_family.ipv4));
                    emit(&[&t.tenant, direction, "ipv6"], Value::Integer(by_family.ipv6));
                }
            }
        },
    },
    Metric {
        name: "landlord_tenant_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Memory in use, page cache included; absent without the memory controller",
        samples: |node, emit| each(node, emit, |t| t.memory_bytes.map(Value::Integer)),
    },
    Metric {
        name: "landlord_tenant_memory_peak_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Sum of its topmost cgroups' highest memory use (kernel 5.19)",
        samples: |node, emit| each(node, emit, |t| t.memory_peak_bytes.map(Value::Integer)),
    },
    Metric {
        name: "landlord_tenant_memory_limit_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["tenant"],
        help: "Sum of its memory limits; absent without any",
        samples: |node, emit| each(node, emit, |t| t.memory_limit_bytes.map(Value::Integer)),
    },
    Metric {
        name: "landlord_tenant_oom_kills_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["tenant"],
        help: "Processes killed for want of memory",
        samples: |node, emit| each(node, emit, |t| Some(Value::Integer(t.oom_kills_total))),
    },
    Metric {
        name: "landlord_tenant_disk_bytes_total",
        kind: Kind::Counter,
        unit: Unit::Bytes,
        labels: &["tenant", "direction"],
        help: "Bytes read from and written to block devices",
        samples: |node, emit| {
            for t in &node.tenants {
                emit(&[&t.tenant, "read"], Value::Integer(t.disk_bytes_total.read));
                emit(&[&t.tenant, "write"], Value::Integer(t.disk_bytes_total.write));
            }
        },
    },
    Metric {
        name: "landlord_tenant_cgroups",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["tenant"],
        help: "Live cgroups that belong to it",
        samples: |node, emit| each(node, emit, |t| Some(Value::Integer(t.cgroups))),
    },
];

/// One sample per tenant that has the figure.
fn each(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&TenantUsage) -> Option<Value>) {
    for tenant in &node.tenants {
        if let Some(value) = figure(tenant) {
            emit(&[&tenant.tenant], value);
        }
    }
}
