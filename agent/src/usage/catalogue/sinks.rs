//! Metrics of the sinks of alerts.

use super::{Emit, Kind, Metric, Unit, Value};
use crate::usage::sinks::SinkUsage;
use crate::usage::tenant::NodeUsage;

/// See the module.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "landlord_sink_delivered_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink"],
        help: "Alerts that arrived; one counts again when it was not known that it had",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.delivered_total))),
    },
    Metric {
        name: "landlord_sink_refused_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink"],
        help: "Alerts that the back-end refused for good, or that could not be read again",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.refused_total))),
    },
    Metric {
        name: "landlord_sink_unwritten_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink"],
        help: "Alerts that could not be put on the disk, and were lost",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.unwritten_total))),
    },
    Metric {
        name: "landlord_sink_unsampled_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink"],
        help: "Alerts that were not chosen, where only a part of them is sent: traces by `otlp.traces_ratio`",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.unsampled_total))),
    },
    Metric {
        name: "landlord_sink_dropped_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink", "priority"],
        help: "Alerts dropped from the queue for want of room, the least urgent first",
        samples: |node, emit| by(node, emit, |it| &it.dropped_total),
    },
    Metric {
        name: "landlord_sink_failures_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink", "cause"],
        help: "Deliveries that failed and are tried again",
        samples: |node, emit| by(node, emit, |it| &it.failures_total),
    },
    Metric {
        name: "landlord_sink_deliveries_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink"],
        help: "Deliveries, those that failed included; each may be of many alerts",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.deliveries_total))),
    },
    Metric {
        name: "landlord_sink_delivery_seconds_total",
        kind: Kind::Counter,
        unit: Unit::Seconds,
        labels: &["sink"],
        help: "Time that deliveries took",
        samples: |node, emit| each(node, emit, |it| Some(Value::Float(it.delivery_seconds_total))),
    },
    Metric {
        name: "landlord_sink_waiting",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["sink"],
        help: "Alerts that wait on the disk",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.waiting))),
    },
    Metric {
        name: "landlord_sink_disk_bytes",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &["sink"],
        help: "Size of the files in which alerts wait",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.disk_bytes))),
    },
    Metric {
        name: "landlord_sink_damaged_files_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["sink"],
        help: "Files of the queue that were put aside, as they could not be read",
        samples: |node, emit| each(node, emit, |it| Some(Value::Integer(it.damaged_files_total))),
    },
    Metric {
        name: "landlord_sink_last_delivery_time_seconds",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["sink"],
        help: "Unix time when an alert arrived last; absent when none has",
        samples: |node, emit| {
            each(node, emit, |it| it.last_delivery_time_seconds.map(Value::Float));
        },
    },
];

fn each(node: &NodeUsage, emit: &mut Emit<'_>, figure: fn(&SinkUsage) -> Option<Value>) {
    for sink in &node.agent.sinks {
        if let Some(value) = figure(sink) {
            emit(&[&sink.sink], value);
        }
    }
}

fn by(
    node: &NodeUsage,
    emit: &mut Emit<'_>,
    figures: fn(&SinkUsage) -> &std::collections::BTreeMap<String, u64>,
) {
    for sink in &node.agent.sinks {
        for (word, &count) in figures(sink) {
            emit(&[&sink.sink, word], Value::Integer(count));
        }
    }
}
