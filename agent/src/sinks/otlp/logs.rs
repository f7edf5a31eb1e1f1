//! Alerts as log records: an event with a name, a severity and attributes, in a resource
//! for each namespace.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};

use super::Export;
use super::attributes::{Attributes, name, number, text, texts, value};
use super::requests::{Asked, Requests, Signal};
use super::resource::{Node, scope};
use super::traces::{span_id, trace_id};
use crate::sinks::delivery::Message;

/// What the event is called.
pub const EVENT: &str = "landlord.alert";

/// See the module.
pub type AlertLogs = Requests<Logs>;

/// Requests of log records.
#[derive(Debug)]
pub struct Logs {
    export: Export,
    node: Node,
}

impl AlertLogs {
    /// To a back-end, of the agent of a node.
    #[must_use]
    pub const fn new(export: Export, node: Node) -> Self {
        Self::of(Logs { export, node })
    }
}

impl Signal for Logs {
    const BATCH: usize = 512;
    const CALLED: &'static str = "an alert";

    fn export(&self) -> &Export {
        &self.export
    }

    fn ask<'a>(&'a self, messages: &'a [Message]) -> Asked<'a> {
        let tenant = messages.first().map_or("", |message| &message.tenant);
        Box::pin(self.export.logs(request(messages, &self.node), tenant))
    }
}

/// All messages in as few resources as there are namespaces.
pub(super) fn request(messages: &[Message], node: &Node) -> ExportLogsServiceRequest {
    type Whose<'a> = (&'a str, Option<&'a str>);
    let mut groups: Vec<(Whose<'_>, Vec<LogRecord>)> = Vec::new();
    for message in messages {
        let whose = (message.tenant.as_str(), message.namespace.as_deref());
        let record = record(message);
        match groups.iter_mut().find(|(known, _)| *known == whose) {
            Some((_, records)) => records.push(record),
            None => groups.push((whose, vec![record])),
        }
    }
    let resource_logs = groups
        .into_iter()
        .map(|((tenant, namespace), log_records)| ResourceLogs {
            resource: Some(node.of_namespace(tenant, namespace)),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        })
        .collect();
    ExportLogsServiceRequest { resource_logs }
}

fn record(message: &Message) -> LogRecord {
    let mut attributes = Attributes::default();
    attributes.add("landlord.alert.id", text(&message.id));
    attributes.add("security_rule.name", text(&message.rule));
    attributes.add("security_rule.tags", texts(&message.tags));
    attributes.add("tenant", text(&message.tenant));
    attributes.add("landlord.identity", text(&message.identity));
    for (label, value) in &message.tenant_labels {
        attributes.add(format!("landlord.tenant.label.{label}"), text(value));
    }
    let known = [
        ("k8s.namespace.name", &message.namespace),
        ("k8s.pod.name", &message.pod),
        ("container.id", &message.container),
    ];
    for (name, fact) in known {
        if let Some(fact) = fact {
            attributes.add(name, text(fact));
        }
    }
    attributes.add("process.executable.name", text(&message.process));
    attributes.add("process.pid", number(u64::from(message.pid)));
    attributes.add("falco.evt.type", text(&message.event));
    if message.repeats > 0 {
        attributes.add("landlord.alert.repeats", number(message.repeats));
    }
    for (field, found) in message.output_fields() {
        if let Some(found) = value(&found) {
            attributes.add(name(&field), found);
        }
    }
    let (attributes, dropped_attributes_count) = attributes.done();
    LogRecord {
        time_unix_nano: message.time_unix_ns,
        observed_time_unix_nano: message.time_unix_ns,
        severity_number: severity(message.priority).into(),
        severity_text: message.priority_name().to_owned(),
        body: Some(text(&message.message)),
        attributes,
        dropped_attributes_count,
        // That of the alert's trace, whether it is exported or not.
        trace_id: trace_id(message),
        span_id: message.lineage.first().map(span_id).unwrap_or_default(),
        event_name: EVENT.to_owned(),
        ..LogRecord::default()
    }
}

/// As the data model maps the severities of syslog.
const fn severity(priority: u8) -> SeverityNumber {
    match priority {
        0 => SeverityNumber::Fatal,
        1 => SeverityNumber::Error3,
        2 => SeverityNumber::Error2,
        3 => SeverityNumber::Error,
        4 => SeverityNumber::Warn,
        5 => SeverityNumber::Info2,
        6 => SeverityNumber::Info,
        _ => SeverityNumber::Debug,
    }
}
