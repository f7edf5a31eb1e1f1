//! How well it is known who is who.

use super::{Kind, Metric, Unit, Value};
use crate::usage::pod::{AddressUsage, IdentityUsage, SourceUsage};
use crate::usage::tenant::NodeUsage;

pub(super) const METRICS: &[Metric] = &[
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
    Metric {
        name: "landlord_identity_address_holders",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Pods, nodes, Services and EndpointSlices of the cluster whose addresses are known",
        samples: |node, emit| addresses(node, |it| emit(&[], Value::Integer(it.holders))),
    },
    Metric {
        name: "landlord_identity_addresses",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Addresses of the cluster that somebody is known to have",
        samples: |node, emit| addresses(node, |it| emit(&[], Value::Integer(it.addresses))),
    },
    Metric {
        name: "landlord_identity_addresses_past",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Addresses that somebody had lately, and until when, as far as that is remembered",
        samples: |node, emit| addresses(node, |it| emit(&[], Value::Integer(it.past))),
    },
    Metric {
        name: "landlord_identity_addresses_forgotten_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Of these, those forgotten too soon for want of room, since the agent started",
        samples: |node, emit| addresses(node, |it| emit(&[], Value::Integer(it.forgotten_total))),
    },
    Metric {
        name: "landlord_identity_addresses_refused_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &[],
        help: "Addresses that found no room, each time they were told, since the agent started",
        samples: |node, emit| addresses(node, |it| emit(&[], Value::Integer(it.refused_total))),
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

/// What is known of addresses, where that is asked.
fn addresses(node: &NodeUsage, mut show: impl FnMut(&AddressUsage)) {
    identity(node, |usage| usage.addresses.iter().for_each(&mut show));
}
