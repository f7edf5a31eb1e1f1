//! Alerts as traces: the processes that led to one as spans, the oldest ancestor first.
//!
//! The trace has the id of the alert, so that log record and trace are found by each
//! other. A span goes from the start of its process to the alert: whether it ends later
//! is not known then. What a process did last are events of its span; the alert is the last
//! one of the process that raised it. A connection that it is about is a span of its own.

use std::future::ready;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use super::Export;
use super::attributes::{Attributes, flag, number, text, texts};
use super::logs::EVENT;
use super::requests::{Asked, Requests, Signal};
use super::resource::{Node, scope};
use crate::event::deed::Object;
use crate::event::{Deed, Initiator, RemoteEnd};
use crate::process::Ancestor;
use crate::sinks::delivery::{Message, Peer, Remote, Share, Verdict};

/// Bytes of a request that has more than one alert: back-ends take 4 MiB by gRPC.
const REQUEST: usize = 3 << 20;
/// That a span is sampled, and that its trace's id is random.
pub(super) const FLAGS: u32 = 3;
/// Alerts from this priority on are errors; it is `warning`.
const ERROR: u8 = 4;

/// See the module.
pub type AlertTraces = Requests<Traces>;

/// Requests of traces.
#[derive(Debug)]
pub struct Traces {
    export: Export,
    node: Node,
    share: Share,
}

impl AlertTraces {
    /// To a back-end, of the agent of a node. `share`: which of all alerts it gets.
    #[must_use]
    pub const fn new(export: Export, node: Node, share: Share) -> Self {
        Self::of(Traces { export, node, share })
    }
}

impl Signal for Traces {
    /// Each alert is as many spans as it has ancestors.
    const BATCH: usize = 64;
    const CALLED: &'static str = "a trace";

    fn export(&self) -> &Export {
        &self.export
    }

    fn ask<'a>(&'a self, messages: &'a [Message]) -> Asked<'a> {
        let tenant = messages.first().map_or("", |message| &message.tenant);
        let request = request(messages, &self.node, self.share);
        if request.encoded_len() > REQUEST && messages.len() > 1 {
            return Box::pin(ready(Err(Verdict::Never("they are too much at once".to_owned()))));
        }
        // How many spans are refused, it says, and not of which alerts: of as many at most.
        Box::pin(self.export.traces(request, tenant))
    }
}

/// All messages with a resource each: their tenants differ.
pub(super) fn request(
    messages: &[Message],
    node: &Node,
    share: Share,
) -> ExportTraceServiceRequest {
    let resource_spans = messages.iter().map(|message| ResourceSpans {
        resource: Some(node.of_namespace(&message.tenant, message.namespace.as_deref())),
        scope_spans: vec![ScopeSpans {
            scope: Some(scope()),
            spans: spans(message, share),
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

/// The trace of an alert: 16 bytes.
pub(super) fn trace_id(message: &Message) -> Vec<u8> {
    let number = u128::from_str_radix(&message.id, 16).unwrap_or_default();
    number.to_be_bytes().to_vec()
}

/// The span of a process: 8 bytes, none of which is all of zeros.
pub(super) fn span_id(process: &Ancestor) -> Vec<u8> {
    let number = (u64::from(process.pid) << 32) | (process.start_unix_ns & 0xffff_ffff);
    number.max(1).to_be_bytes().to_vec()
}

fn spans(message: &Message, share: Share) -> Vec<Span> {
    let parents = message.lineage.iter().skip(1).map(Some).chain([None]);
    let mut spans: Vec<Span> = message
        .lineage
        .iter()
        .zip(parents)
        .map(|(process, parent)| {
            let (attributes, dropped_attributes_count) = attributes(process, message);
            Span {
                trace_id: trace_id(message),
                span_id: span_id(process),
                parent_span_id: parent.map(span_id).unwrap_or_default(),
                trace_state: share.trace_state(message.priority),
                flags: FLAGS,
                name: process.name.clone(),
                kind: SpanKind::Internal.into(),
                start_time_unix_nano: process.start_unix_ns.min(message.time_unix_ns),
                end_time_unix_nano: message.time_unix_ns,
                attributes,
                dropped_attributes_count,
                events: process.deeds.iter().map(deed).collect(),
                dropped_events_count: process.deeds_dropped,
                ..Span::default()
            }
        })
        .collect();
    if let Some(actor) = spans.first_mut() {
        actor.events.push(event(message));
        if message.priority <= ERROR {
            let code = StatusCode::Error.into();
            actor.status = Some(Status { message: message.rule.clone(), code });
        }
    }
    // As they began.
    spans.reverse();
    spans.extend(message.remote.as_ref().map(|remote| connection(remote, message, share)));
    spans
}

/// The connection that an alert is about, as this end sees it. What is known is its
/// beginning, or what was sent at that moment.
fn connection(remote: &Remote, message: &Message, share: Share) -> Span {
    let actor = message.lineage.first().map(span_id).unwrap_or_default();
    let kind = match remote.end.initiator {
        Initiator::Local => SpanKind::Client,
        Initiator::Remote => SpanKind::Server,
        Initiator::Unknown => SpanKind::Internal,
    };
    let (attributes, dropped_attributes_count) = ends(remote, message);
    // Its name tells a back-end that groups by it what was done, and to what.
    let to = remote.peer.as_ref().map_or("", |peer| peer.kind.as_str());
    Span {
        trace_id: trace_id(message),
        span_id: connection_id(&actor, message.time_unix_ns),
        parent_span_id: actor,
        trace_state: share.trace_state(message.priority),
        flags: FLAGS,
        name: format!("{} {to}", message.event).trim_end().to_owned(),
        kind: kind.into(),
        start_time_unix_nano: message.time_unix_ns,
        end_time_unix_nano: message.time_unix_ns,
        attributes,
        dropped_attributes_count,
        ..Span::default()
    }
}

/// Another id than that of the process.
fn connection_id(actor: &[u8], time_unix_ns: u64) -> Vec<u8> {
    let actor = actor.try_into().map_or(0, u64::from_be_bytes);
    // The low half of an actor's id is a time, too.
    (!actor ^ time_unix_ns.rotate_left(32)).max(1).to_be_bytes().to_vec()
}

fn ends(remote: &Remote, message: &Message) -> (Vec<KeyValue>, u32) {
    let mut attributes = Attributes::default();
    let RemoteEnd { address, port, protocol, initiator } = remote.end;
    let (address, port) = (address.to_string(), u64::from(port));
    attributes.add("tenant", text(&message.tenant));
    attributes.add("network.peer.address", text(&address));
    attributes.add("network.peer.port", number(port));
    let side = match initiator {
        Initiator::Local => Some(["server.address", "server.port"]),
        Initiator::Remote => Some(["client.address", "client.port"]),
        Initiator::Unknown => None,
    };
    if let Some([of_address, of_port]) = side {
        attributes.add(of_address, text(&address));
        attributes.add(of_port, number(port));
    }
    match protocol {
        Some(6) => attributes.add("network.transport", text("tcp")),
        Some(17) => attributes.add("network.transport", text("udp")),
        _ => {}
    }
    if let Some(other) = &remote.peer {
        peer(other, &mut attributes);
    }
    attributes.done()
}

/// Who is at the other end.
pub(super) fn peer(peer: &Peer, attributes: &mut Attributes) {
    let Peer { kind, namespace, name, tenant, certain } = peer;
    attributes.add("landlord.peer.kind", text(kind));
    attributes.add("landlord.peer.certain", flag(*certain));
    for (key, fact) in [("tenant", tenant), ("namespace", namespace), ("name", name)] {
        if let Some(fact) = fact {
            attributes.add(format!("landlord.peer.{key}"), text(fact));
        }
    }
}

fn attributes(process: &Ancestor, message: &Message) -> (Vec<KeyValue>, u32) {
    let mut attributes = Attributes::default();
    attributes.add("process.pid", number(u64::from(process.pid)));
    attributes.add("process.executable.name", text(&process.name));
    attributes.add("process.executable.path", text(&process.exe));
    attributes.add("process.command_line", text(&process.command_line));
    attributes.add("process.user.id", number(u64::from(process.uid)));
    attributes.add("tenant", text(&message.tenant));
    attributes.done()
}

/// What a process did, as an event of its span.
fn deed(deed: &Deed) -> Event {
    let mut attributes = Attributes::default();
    match &deed.object {
        Object::File { path, access } => {
            attributes.add("file.path", text(path));
            attributes.add("landlord.file.access", text(&access.text()));
        }
        Object::Program(path) => attributes.add("process.executable.path", text(path)),
        Object::Connection { local, peer, transport } => {
            attributes.add("network.peer.address", text(&peer.ip().to_string()));
            attributes.add("network.peer.port", number(peer.port().into()));
            if let Some(local) = local {
                attributes.add("network.local.address", text(&local.ip().to_string()));
                attributes.add("network.local.port", number(local.port().into()));
            }
            if let Some(transport) = transport {
                attributes.add("network.transport", text(transport));
            }
        }
        Object::Local(path) => {
            attributes.add("network.peer.address", text(path));
            attributes.add("network.transport", text("unix"));
        }
    }
    if let Some(error) = &deed.error {
        attributes.add("error.type", text(error));
    }
    if deed.times > 1 {
        attributes.add("landlord.times", number(deed.times.into()));
    }
    let (attributes, dropped_attributes_count) = attributes.done();
    Event {
        time_unix_nano: deed.time_unix_ns,
        name: deed.event.clone().into_owned(),
        attributes,
        dropped_attributes_count,
    }
}

fn event(message: &Message) -> Event {
    let mut attributes = Attributes::default();
    attributes.add("landlord.alert.id", text(&message.id));
    attributes.add("security_rule.name", text(&message.rule));
    attributes.add("security_rule.tags", texts(&message.tags));
    attributes.add("landlord.alert.message", text(&message.message));
    attributes.add("falco.evt.type", text(&message.event));
    for (name, fact) in [("k8s.pod.name", &message.pod), ("container.id", &message.container)] {
        if let Some(fact) = fact {
            attributes.add(name, text(fact));
        }
    }
    let (attributes, dropped_attributes_count) = attributes.done();
    Event {
        time_unix_nano: message.time_unix_ns,
        name: EVENT.to_owned(),
        attributes,
        dropped_attributes_count,
    }
}
