//! The agent itself and its sensors.

use super::{Kind, Metric, Unit, Value};

pub(super) const METRICS: &[Metric] = &[
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
];
