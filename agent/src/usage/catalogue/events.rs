//! Events, rules and alerts.

use super::{Kind, Metric, Unit, Value};
use crate::usage::tenant::{AlertUsage, DetectionUsage, NodeUsage};

pub(super) const METRICS: &[Metric] = &[
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
        labels: &["tenant", "rule", "priority"],
        help: "Alerts about what `tenant` did, since the agent started",
        samples: |node, emit| {
            detection(node, |it| {
                for alert in &it.alerts {
                    let labels = [&*alert.tenant, &alert.rule, &alert.priority];
                    emit(&labels, counted(alert));
                }
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
        name: "landlord_alert_peers_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["kind", "certain"],
        help: "Remote ends of connections that alerts told of; of what is not certain nobody is accused",
        samples: |node, emit| {
            detection(node, |it| {
                for (kind, is_certain, count) in &it.peers_total {
                    let certain = if *is_certain { "true" } else { "false" };
                    emit(&[kind, certain], Value::Integer(*count));
                }
            });
        },
    },
    Metric {
        name: "landlord_connections_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["outcome"],
        help: "Ends of TCP connections by what became of them, where `otlp.connections` asks for them",
        samples: |node, emit| {
            detection(node, |it| {
                for (outcome, count) in &it.connections_total {
                    emit(&[outcome], Value::Integer(*count));
                }
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
        name: "landlord_process_table_bytes",
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
        name: "landlord_trace_acts_forgotten_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["cause"],
        help: "Acts of processes that traces cannot tell of any more, as the process did so many since or for want of memory",
        samples: |node, emit| {
            detection(node, |it| {
                for (cause, &count) in &it.acts_forgotten_total {
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
];

/// How many, with the last one that is a trace.
fn counted(alerts: &AlertUsage) -> Value {
    let count = alerts.count;
    let trace = alerts.trace.as_ref().and_then(|it| {
        let trace = u128::from_str_radix(&it.id, 16).ok()?;
        Some(Value::Traced { count, trace, time_unix_ns: it.time_unix_ns })
    });
    trace.unwrap_or(Value::Integer(count))
}

/// The figures of events and rules, if there are any.
fn detection(node: &NodeUsage, mut show: impl FnMut(&DetectionUsage)) {
    if let Some(usage) = &node.agent.detection {
        show(usage);
    }
}
