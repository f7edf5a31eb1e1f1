//! Clients of the local API.

use super::{Kind, Metric, Unit, Value};

pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "landlord_metrics_way_used",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &["way"],
        help: "1 for scrape if somebody got /metrics since the agent started, and for export if metrics are exported by OTLP; both into one Prometheus double every sum",
        samples: |node, emit| {
            let ways = node.agent.metrics_ways;
            emit(&["export"], Value::Integer(ways.export.into()));
            emit(&["scrape"], Value::Integer(ways.scrape.into()));
        },
    },
    Metric {
        name: "landlord_api_requests_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["page", "status"],
        help: "Requests to the local API that were answered; 401 without the right token",
        samples: |node, emit| {
            for it in &node.agent.api.requests {
                emit(&[&it.page, &it.status.to_string()], Value::Integer(it.count));
            }
        },
    },
    Metric {
        name: "landlord_api_connections",
        kind: Kind::Gauge,
        unit: Unit::None,
        labels: &[],
        help: "Connections of its clients, at most 32",
        samples: |node, emit| emit(&[], Value::Integer(node.agent.api.connections)),
    },
    Metric {
        name: "landlord_api_client_faults_total",
        kind: Kind::Counter,
        unit: Unit::None,
        labels: &["cause"],
        help: "Connections of clients that ended before they wanted",
        samples: |node, emit| {
            for (cause, &count) in &node.agent.api.faults_total {
                emit(&[cause], Value::Integer(count));
            }
        },
    },
];
