//! The one list of metrics: name, type, unit, labels, meaning and where the
//! samples come from.
//!
//! The Prometheus exposition and `docs/metrics.md` are made from it, so they
//! cannot differ. It never encodes anything itself. Metrics named
//! `landlord_tenant_X` have the key `X` in the JSON of [`TenantUsage`].

use super::pod::{IdentityUsage, SourceUsage};
use super::tenant::{DetectionUsage, NodeUsage, TenantUsage};

mod page;

pub use page::markdown;

/// How a metric's value behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Grows only; the name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1, says something by its labels; the name ends in `_info`.
    Info,
}

/// Base unit of a metric; its name is the end of the metric's name (before
/// `_total`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// CPU cores, or parts of one.
    Cores,
    /// A number of things.
    None,
}

/// One sample's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Shown without a fraction.
    Integer(u64),
    /// Shown as it is.
    Float(f64),
}

/// Takes one sample: label values in the order of [`Metric::labels`], and value.
pub type Emit<'a> = dyn FnMut(&[&str], Value) + 'a;

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Full name, as it appears in the exposition.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Unit.
    pub unit: Unit,
    /// Label names.
    pub labels: &'static [&'static str],
    /// One line for people, without a full stop at the end.
    pub help: &'static str,
    /// Gives every sample of it, in a fixed order.
    pub samples: fn(&NodeUsage, &mut Emit<'_>),
}

impl Kind {
    /// Its name in the exposition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
        }
    }
}

impl Unit {
    /// Its name at the end of metric names; `None` for a plain number.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Seconds => Some("seconds"),
            Self::Bytes => Some("bytes"),
            Self::Cores => Some("cores"),
            Self::None => None,
        }
    }
}

/// Every metric, in the order of the exposition.
pub const METRICS: &[Metric] = &[
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
    Metric {
        name: "landlord_lost_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["cause"],
        help: "What was not counted, or counted without its owner",
        samples: |node, emit| {
            for (cause, &count) in &node.agent.lost_total {
                emit(&[cause], Value::Integer(count));
            }
        },
    },
    Metric {
        name: "landlord_feature_enabled",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["feature"],
        help: "1 where this node measures it, 0 where kernel or privileges do not allow it",
        samples: |node, emit| {
            for (feature, &enabled) in &node.agent.features {
                emit(&[feature], Value::Integer(u64::from(enabled)));
            }
        },
    },
    Metric {
        name: "landlord_cgroups",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Cgroups with counters in the kernel, those just removed included",
        samples: |node, emit| emit(&[], Value::Integer(node.agent.cgroups)),
    },
    Metric {
        name: "landlord_map_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        help: "Kernel memory of all maps",
        samples: |node, emit| emit(&[], Value::Integer(node.agent.map_memory_bytes)),
    },
    Metric {
        name: "landlord_counters_start_time_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        help: "Unix time when the counters began at zero; it outlives the agent",
        samples: |node, emit| emit(&[], Value::Float(node.agent.epoch_start_time_seconds)),
    },
    Metric {
        name: "landlord_config_reloads_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["outcome"],
        help: "The configuration file read anew; what it says of tenants counts then",
        samples: |node, emit| {
            for (outcome, &count) in &node.agent.config_reloads_total {
                emit(&[outcome], Value::Integer(count));
            }
        },
    },
    Metric {
        name: "landlord_build_info",
        kind: Kind::Info,
        unit: Unit::None,
        labels: &["version", "architecture"],
        help: "The agent's build",
        samples: |_, emit| {
            emit(&[env!("CARGO_PKG_VERSION"), std::env::consts::ARCH], Value::Integer(1));
        },
    },
    Metric {
        name: "process_cpu_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &[],
        help: "CPU time of the agent itself",
        samples: |node, emit| emit(&[], Value::Float(node.agent.process.cpu_seconds_total)),
    },
    Metric {
        name: "process_resident_memory_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        help: "Resident memory of the agent itself",
        samples: |node, emit| emit(&[], Value::Integer(node.agent.process.resident_memory_bytes)),
    },
    Metric {
        name: "process_start_time_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        help: "Unix time when the agent started",
        samples: |node, emit| emit(&[], Value::Float(node.agent.process.start_time_seconds)),
    },
    Metric {
        name: "landlord_events_calls_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["outcome"],
        help: "Calls that rules want, by what became of them: early and verdict are those that no rule can match, found out in the kernel",
        samples: |node, emit| {
            detection(node, |it| {
                for (outcome, &count) in &it.calls_total {
                    emit(&[outcome], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_events_lifecycle_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Starts, changes of program and ends of processes that were seen",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.lifecycle_total));
            });
        },
    },
    Metric {
        name: "landlord_events_requests_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Requests to io_uring that were seen",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.requests_total));
            });
        },
    },
    Metric {
        name: "landlord_events_dropped_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["tenant", "event", "cause"],
        help: "Events that the kernel side could not hand over",
        samples: |node, emit| {
            detection(node, |it| {
                for drops in &it.drops {
                    let labels = [drops.tenant.as_str(), &drops.event, &drops.cause];
                    emit(&labels, Value::Integer(drops.count));
                }
            });
        },
    },
    Metric {
        name: "landlord_events_lost_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["cause"],
        help: "What the agent could not do with events",
        samples: |node, emit| {
            detection(node, |it| {
                for (cause, &count) in &it.lost_total {
                    emit(&[cause], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_events_evaluated_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Events that were held against the rules",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.events_total));
            });
        },
    },
    Metric {
        name: "landlord_alerts_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Alerts that were written",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.alerts_total));
            });
        },
    },
    Metric {
        name: "landlord_alerts_repeated_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Alerts that said the same as one before and were counted instead of written",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.repeats_total));
            });
        },
    },
    Metric {
        name: "landlord_processes",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Processes that are remembered",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.processes));
            });
        },
    },
    Metric {
        name: "landlord_processes_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        help: "Memory of what is remembered of processes",
        samples: |node, emit| {
            detection(node, |it| {
                emit(&[], Value::Integer(it.process_bytes));
            });
        },
    },
    Metric {
        name: "landlord_process_reads_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["outcome"],
        help: "Processes looked up in /proc, by what became of it: vanished ones ended meanwhile",
        samples: |node, emit| {
            detection(node, |it| {
                for (outcome, &count) in &it.process_reads_total {
                    emit(&[outcome], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_container_lookups_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["outcome"],
        help: "Questions about containers, by what became of them",
        samples: |node, emit| {
            detection(node, |it| {
                for (outcome, &count) in &it.container_lookups_total {
                    emit(&[outcome], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_container_failures_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["cause"],
        help: "What went wrong with questions about containers: files and answers not understood or too long, sockets that fail, containers forgotten for want of room",
        samples: |node, emit| {
            detection(node, |it| {
                for (cause, &count) in &it.container_failures_total {
                    emit(&[cause], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_name_failures_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["cause"],
        help: "What went wrong with the files of users and groups: unreadable ones, malformed lines, files cut, containers forgotten for want of room",
        samples: |node, emit| {
            detection(node, |it| {
                for (cause, &count) in &it.name_failures_total {
                    emit(&[cause], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_rules_reloads_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["outcome"],
        help: "Rules read anew",
        samples: |node, emit| {
            detection(node, |it| {
                for (outcome, &count) in &it.reloads_total {
                    emit(&[outcome], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_rule_kernel_passes_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["rule"],
        help: "Events of the types of a rule that the kernel side let through, since the rules were read",
        samples: |node, emit| {
            detection(node, |it| {
                for rule in &it.by_rule {
                    emit(&[&rule.rule], Value::Integer(rule.kernel_passes));
                }
            });
        },
    },
    Metric {
        name: "landlord_rule_evaluations_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["rule"],
        help: "Events that a rule was held against, since the rules were read",
        samples: |node, emit| {
            detection(node, |it| {
                for rule in &it.by_rule {
                    emit(&[&rule.rule], Value::Integer(rule.evaluations));
                }
            });
        },
    },
    Metric {
        name: "landlord_rule_matches_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["rule"],
        help: "Events that a rule matched, since the rules were read",
        samples: |node, emit| {
            detection(node, |it| {
                for rule in &it.by_rule {
                    emit(&[&rule.rule], Value::Integer(rule.matches));
                }
            });
        },
    },
    Metric {
        name: "landlord_rule_evaluation_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["rule"],
        help: "Time that a rule took, by sampling it alone",
        samples: |node, emit| {
            detection(node, |it| {
                for rule in &it.by_rule {
                    emit(&[&rule.rule], Value::Float(rule.seconds));
                }
            });
        },
    },
    Metric {
        name: "landlord_identity_pending_owners",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Pods of which nobody has told whose they are; what they use is held until then",
        samples: |node, emit| identity(node, |_| emit(&[], Value::Integer(node.pending.owners))),
    },
    Metric {
        name: "landlord_identity_pending_cpu_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        help: "Time on a CPU that is held for them, and in no tenant's figures yet",
        samples: |node, emit| identity(node, |_| emit(&[], Value::Float(node.pending.cpu_seconds))),
    },
    Metric {
        name: "landlord_identity_unresolved_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["reason"],
        help: "Pods whose identity was not found since the agent started; their use went to `unknown`",
        samples: |node, emit| {
            identity(node, |it| {
                for (reason, &count) in &it.unresolved_total {
                    emit(&[reason], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_identity_cgroups",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["provenance"],
        help: "Living cgroups by how their identity was found",
        samples: |node, emit| {
            identity(node, |it| {
                for (provenance, &count) in &it.cgroups {
                    emit(&[provenance], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_identity_objects",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["source"],
        help: "Objects of the cluster that are known",
        samples: |node, emit| {
            identity(node, |it| {
                for (source, &count) in &it.objects {
                    emit(&[source], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_identity_objects_refused_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Objects that found no room, each time they were told, since the agent started",
        samples: |node, emit| identity(node, |it| emit(&[], Value::Integer(it.refused_total))),
    },
    Metric {
        name: "landlord_identity_objects_forgotten_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Pods and namespaces forgotten sooner than a minute after their end, since the agent started",
        samples: |node, emit| identity(node, |it| emit(&[], Value::Integer(it.forgotten_total))),
    },
    Metric {
        name: "landlord_identity_source_synced",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["source"],
        help: "1 if the API server has told all objects of this kind and tells their changes",
        samples: |node, emit| {
            sources(node, |it| emit(&[&it.source], Value::Integer(it.synced.into())));
        },
    },
    Metric {
        name: "landlord_identity_source_trouble_info",
        kind: Kind::Info,
        unit: Unit::None,
        labels: &["source", "reason"],
        help: "Why the API server does not tell of objects of this kind now",
        samples: |node, emit| {
            sources(node, |it| {
                if !it.reason.is_empty() {
                    emit(&[&it.source, &it.reason], Value::Integer(1));
                }
            });
        },
    },
    Metric {
        name: "landlord_identity_source_interruptions_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["source", "reason"],
        help: "How often the API server stopped telling of them, since the agent started",
        samples: |node, emit| {
            sources(node, |it| {
                for (reason, &count) in &it.interruptions_total {
                    emit(&[&it.source, reason], Value::Integer(count));
                }
            });
        },
    },
    Metric {
        name: "landlord_identity_source_told_time_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["source"],
        help: "When the API server last told something of them, since 1970",
        samples: |node, emit| {
            sources(node, |it| {
                if let Some(time) = it.told_time_seconds {
                    emit(&[&it.source], Value::Float(time));
                }
            });
        },
    },
];

/// What is known of the cluster, if there is one.
fn identity(node: &NodeUsage, mut show: impl FnMut(&IdentityUsage)) {
    if let Some(usage) = &node.identity {
        show(usage);
    }
}

/// What is watched at the API server.
fn sources(node: &NodeUsage, show: impl FnMut(&SourceUsage)) {
    if let Some(usage) = &node.identity {
        usage.sources.iter().for_each(show);
    }
}

/// The figures of events and rules, if there are any.
fn detection(node: &NodeUsage, mut show: impl FnMut(&DetectionUsage)) {
    if let Some(usage) = &node.agent.detection {
        show(usage);
    }
}

/// One sample per tenant that has the figure.
fn each(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&TenantUsage) -> Option<Value>) {
    for tenant in &node.tenants {
        if let Some(value) = figure(tenant) {
            emit(&[&tenant.tenant], value);
        }
    }
}

#[cfg(test)]
mod tests;
