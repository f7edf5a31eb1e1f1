//! Connections of tenants as spans: one for each end, made when it is over.
//!
//! Both ends of a connection know the sequence numbers that it began with, whatever
//! translates addresses between them. The ids of its trace and of both its spans are made
//! of these alone, so that the agents of two nodes tell of the same trace, and of who
//! connected as the parent of who accepted, without a word between them.
//!
//! They wait for nobody: what does not fit or is not taken is counted and gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use super::Export;
use super::attributes::{Attributes, number, text};
use super::resource::{Node, scope};
use super::traces::{FLAGS, peer};
use crate::event::{Connection, Side};
use crate::sinks::delivery::{Peer, Share};

/// Spans that wait to be exported at most.
const QUEUE: usize = 4096;
/// Spans of a request at most.
const BATCH: usize = 512;
/// For how long spans are collected before they are sent.
const EVERY: Duration = Duration::from_secs(5);
/// A priority that is no reason to tell of something in any case.
const ORDINARY: u8 = 7;

/// Which connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// None.
    None,
    /// Those between two tenants that are both known.
    Tenants,
    /// All of tenants.
    All,
}

/// A connection whose ends are known as far as they will be.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What the kernel told.
    pub connection: Connection,
    /// Which end it is.
    pub side: Side,
    /// The numbers that client and server began with.
    pub numbers: (u32, u32),
    /// When it was established, nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// When it ended.
    pub end_unix_ns: u64,
    /// Whose this end is.
    pub tenant: String,
    /// Namespace of the pod.
    pub namespace: Option<String>,
    /// Name of the pod.
    pub pod: Option<String>,
    /// Id of the container in full.
    pub container: Option<String>,
    /// Who is at the other end; `None` where nobody tells.
    pub peer: Option<Peer>,
    /// Whether the other end's agent tells of it as well, as far as can be known here.
    pub is_told_there: bool,
    /// Name of the error that the socket failed with.
    pub error: Option<&'static str>,
}

/// Where spans go.
#[derive(Clone, Debug)]
pub struct To {
    /// The back-end.
    pub export: Export,
    /// Of whose node they are.
    pub node: Node,
    /// Which part of all they are.
    pub share: Share,
    /// How long a request may take.
    pub timeout: Duration,
}

/// What became of the spans since the agent started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Spans that arrived.
    pub delivered: u64,
    /// Spans that did not.
    pub lost: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that did not arrive.
    pub failed: u64,
    /// The time that requests took together, seconds.
    pub seconds: f64,
}

/// A queue for [`export`], which takes no more than it has room for.
#[must_use]
pub fn queue() -> (Sender<Ended>, Receiver<Ended>) {
    channel(QUEUE)
}

/// The trace of a connection.
#[must_use]
pub fn trace_id(numbers: (u32, u32)) -> u128 {
    u128::from(spread(numbers, 1)) << 64 | u128::from(spread(numbers, 2))
}

/// The span of one of its ends, never 0.
fn span_id(numbers: (u32, u32), side: Side) -> u64 {
    let salt = match side {
        Side::Client => 3,
        Side::Server => 4,
    };
    spread(numbers, salt).max(1)
}

/// Another number for each pair, the same on every node.
const fn spread((client, server): (u32, u32), salt: u64) -> u64 {
    // Steps that can be undone one by one, so that no two pairs give the same.
    let pair = (client as u64) << 32 | server as u64;
    let mut bits = pair.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Exports until nobody can send any more. `goes`: where to; what has nowhere to go is lost.
/// `figures`: where it is told what became of them.
pub async fn export(
    mut ended: Receiver<Ended>,
    goes: watch::Receiver<Option<To>>,
    figures: Arc<Mutex<Figures>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(first) = ended.recv().await {
        batch.push(first);
        let until = tokio::time::Instant::now() + EVERY;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                () = sleep_until(until) => break,
                received = ended.recv_many(&mut batch, room) => if received == 0 { break },
            }
        }
        let to = goes.borrow().clone();
        let Some(To { export, node, share, timeout: wait }) = to else {
            let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
            figures.lost += batch.len() as u64;
            batch.clear();
            continue;
        };
        for (tenant, of_tenant) in parts(&export, std::mem::take(&mut batch)) {
            let spans = of_tenant.len() as u64;
            let began = Instant::now();
            let sent = export.traces(request(&of_tenant, &node, share), &tenant);
            let sent = timeout(wait, sent).await;
            let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
            figures.seconds += began.elapsed().as_secs_f64();
            figures.requests += 1;
            let lost = match sent {
                Ok(Ok(refused)) => spans.min(refused as u64),
                failure => {
                    figures.failed += 1;
                    tracing::debug!(?failure, "spans of connections are not taken");
                    spans
                }
            };
            figures.delivered += spans - lost;
            figures.lost += lost;
        }
    }
}

/// What goes in a request each: of one tenant, where the back-end is told whose it is.
fn parts(export: &Export, batch: Vec<Ended>) -> BTreeMap<String, Vec<Ended>> {
    let mut parts = BTreeMap::<String, Vec<Ended>>::new();
    for ended in batch {
        let tenant = if export.tells_tenants() { ended.tenant.clone() } else { String::new() };
        parts.entry(tenant).or_default().push(ended);
    }
    parts
}

/// All with a resource for each tenant and namespace.
pub(super) fn request(ended: &[Ended], node: &Node, share: Share) -> ExportTraceServiceRequest {
    let mut groups = BTreeMap::<(&str, Option<&str>), Vec<Span>>::new();
    for it in ended {
        groups.entry((&it.tenant, it.namespace.as_deref())).or_default().push(span(it, share));
    }
    let resource_spans = groups.into_iter().map(|((tenant, namespace), spans)| ResourceSpans {
        resource: Some(node.of_tenant(tenant, namespace)),
        scope_spans: vec![ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    });
    ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
}

fn span(ended: &Ended, share: Share) -> Span {
    let Ended { side, numbers, .. } = *ended;
    let parent = match side {
        Side::Server if ended.is_told_there => span_id(numbers, Side::Client).to_be_bytes().into(),
        Side::Client | Side::Server => Vec::new(),
    };
    let (attributes, dropped_attributes_count) = attributes(ended);
    Span {
        trace_id: trace_id(numbers).to_be_bytes().to_vec(),
        span_id: span_id(numbers, side).to_be_bytes().to_vec(),
        parent_span_id: parent,
        trace_state: share.trace_state(ORDINARY),
        flags: FLAGS,
        name: name(ended),
        kind: match side {
            Side::Client => SpanKind::Client.into(),
            Side::Server => SpanKind::Server.into(),
        },
        start_time_unix_nano: ended.start_unix_ns.min(ended.end_unix_ns),
        end_time_unix_nano: ended.end_unix_ns,
        attributes,
        dropped_attributes_count,
        status: ended
            .error
            .map(|error| Status { message: error.to_owned(), code: StatusCode::Error.into() }),
        ..Span::default()
    }
}

/// What was done and with whom: few names, so that a back-end can group by them.
fn name(ended: &Ended) -> String {
    let peer = ended.peer.as_ref();
    let whom = peer.map_or("unknown", |peer| peer.tenant.as_deref().unwrap_or(&peer.kind));
    match ended.side {
        Side::Client => format!("tcp to {whom}"),
        Side::Server => format!("tcp from {whom}"),
    }
}

fn attributes(ended: &Ended) -> (Vec<KeyValue>, u32) {
    let Connection { local, remote, sent, received, .. } = ended.connection;
    let mut attributes = Attributes::default();
    attributes.add("tenant", text(&ended.tenant));
    attributes.add("network.transport", text("tcp"));
    attributes.add("network.type", text(if remote.is_ipv4() { "ipv4" } else { "ipv6" }));
    let (client, server) = match ended.side {
        Side::Client => (local, remote),
        Side::Server => (remote, local),
    };
    for (of, end) in
        [("network.local", local), ("network.peer", remote), ("client", client), ("server", server)]
    {
        attributes.add(format!("{of}.address"), text(&end.ip().to_string()));
        attributes.add(format!("{of}.port"), number(end.port().into()));
    }
    attributes.add("landlord.connection.bytes_sent", number(sent));
    attributes.add("landlord.connection.bytes_received", number(received));
    for (name, fact) in [("k8s.pod.name", &ended.pod), ("container.id", &ended.container)] {
        if let Some(fact) = fact {
            attributes.add(name, text(fact));
        }
    }
    if let Some(error) = ended.error {
        attributes.add("error.type", text(error));
    }
    if let Some(other) = &ended.peer {
        peer(other, &mut attributes);
    }
    attributes.done()
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
