use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::sync::watch;

use super::{BATCH, Ended, Figures, QUEUE, Scope, To, export, queue, request, span_id, trace_id};
use crate::event::{Connection, Side};
use crate::sinks::client::Access;
use crate::sinks::delivery::{Peer, Share};
use crate::sinks::otlp::{Export, Node, Protocol};

const CLIENT: &str = "10.0.0.1:40000";
const SERVER: &str = "10.0.0.2:5432";
const NUMBERS: (u32, u32) = (1, u32::MAX);

fn node() -> Node {
    Node {
        host: "host-1".to_owned(),
        kubernetes: None,
        further: vec![("service.name".to_owned(), "ours".to_owned())],
    }
}

/// The end of acme's or oil's, which talk with each other.
fn ended(side: Side) -> Ended {
    let ((local, remote), (tenant, other)) = match side {
        Side::Client => ((CLIENT, SERVER), ("acme", "oil")),
        Side::Server => ((SERVER, CLIENT), ("oil", "acme")),
    };
    let connection = Connection {
        cgroup: 7,
        side: Some(side),
        start_ns: 1,
        end_ns: 2,
        local: local.parse().unwrap(),
        remote: remote.parse().unwrap(),
        sent: 700,
        received: 13_000,
        local_isn: 0,
        remote_isn: 0,
        error: 0,
    };
    Ended {
        connection,
        side,
        numbers: NUMBERS,
        start_unix_ns: 100,
        end_unix_ns: 200,
        tenant: tenant.to_owned(),
        namespace: Some(format!("{tenant}-prod")),
        pod: Some("web-0".to_owned()),
        container: None,
        peer: Some(Peer {
            kind: "pod".to_owned(),
            namespace: Some(format!("{other}-prod")),
            name: Some("db-0".to_owned()),
            tenant: Some(other.to_owned()),
            certain: true,
        }),
        is_told_there: true,
        error: None,
    }
}

fn told(ended: &[Ended]) -> ExportTraceServiceRequest {
    request(ended, &node(), Share::default())
}

#[test]
fn both_ends_tell_of_one_trace_and_who_connected_is_the_parent() {
    let both = told(&[ended(Side::Client), ended(Side::Server)]);
    let spans: Vec<_> = both.resource_spans.iter().map(|it| &it.scope_spans[0].spans[0]).collect();
    let [client, server] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(client.trace_id, server.trace_id);
    assert_eq!((client.trace_id.len(), client.span_id.len()), (16, 8));
    assert_eq!((client.parent_span_id.len(), &server.parent_span_id), (0, &client.span_id));
    assert_ne!(client.span_id, server.span_id);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["tcp to oil", "tcp from acme"]);
}

#[test]
fn nobody_is_a_parent_who_is_not_told() {
    let check = |side, is_told_there, expected| {
        let request = told(&[Ended { is_told_there, ..ended(side) }]);
        let span = &request.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(!span.parent_span_id.is_empty(), expected, "{side:?} {is_told_there}");
    };
    check(Side::Server, true, true);
    check(Side::Server, false, false);
    check(Side::Client, true, false);
}

#[test]
fn ids_are_the_same_on_every_node_and_of_no_other_connection() {
    // Agents of other versions have to make the same.
    assert_eq!(
        format!("{:032x}", trace_id((0x0102_0304, 0x0506_0708))),
        "0acc9c175458d409c834f414dc076571"
    );
    let mut seen = BTreeSet::new();
    for numbers in [(0, 0), (0, 1), (1, 0), (1, 1), (u32::MAX, 0), (0, u32::MAX)] {
        let spans = [Side::Client, Side::Server].map(|side| u128::from(span_id(numbers, side)));
        for id in [trace_id(numbers), spans[0], spans[1]] {
            assert!(id != 0 && seen.insert(id), "{numbers:?} {id:x}");
        }
    }
}

#[test]
fn a_part_is_chosen_by_the_trace_so_that_both_ends_choose_alike() {
    let share = Share::new(0.25);
    let taken = (0..4096_u32)
        .map(|it| trace_id((it, it.wrapping_mul(0x9e37_79b9))))
        .filter(|id| share.takes_trace(*id))
        .count();
    assert!((900..1150).contains(&taken), "{taken}");
    let span = &request(&[ended(Side::Client)], &node(), share).resource_spans[0];
    assert_eq!(span.scope_spans[0].spans[0].trace_state, "ot=th:c");
}

#[test]
fn a_tenant_is_the_service_that_is_shown() {
    let mut other = ended(Side::Server);
    (other.namespace, other.peer, other.error) = (None, None, Some("ECONNRESET"));
    let request = told(&[ended(Side::Client), other, ended(Side::Client)]);
    let counts = request.resource_spans.iter().map(|it| it.scope_spans[0].spans.len());
    assert_eq!(counts.collect::<Vec<_>>(), [2, 1]);
    let [one, two] = &request.resource_spans[..] else { panic!() };
    insta::assert_snapshot!(shown(&one.resource.as_ref().unwrap().attributes), @"
    service.instance.id: host-1
    host.name: host-1
    service.name: acme
    tenant: acme
    k8s.namespace.name: acme-prod
    ");
    insta::assert_snapshot!(shown(&one.scope_spans[0].spans[0].attributes), @"
    tenant: acme
    network.transport: tcp
    network.type: ipv4
    network.local.address: 10.0.0.1
    network.local.port: 40000
    network.peer.address: 10.0.0.2
    network.peer.port: 5432
    client.address: 10.0.0.1
    client.port: 40000
    server.address: 10.0.0.2
    server.port: 5432
    landlord.connection.bytes_sent: 700
    landlord.connection.bytes_received: 13000
    k8s.pod.name: web-0
    landlord.peer.kind: pod
    landlord.peer.certain: true
    landlord.peer.tenant: oil
    landlord.peer.namespace: oil-prod
    landlord.peer.name: db-0
    ");
    let failed = &two.scope_spans[0].spans[0];
    assert_eq!(failed.name, "tcp from unknown");
    assert_eq!(failed.status.as_ref().unwrap().message, "ECONNRESET");
    insta::assert_snapshot!(shown(&failed.attributes), @"
    tenant: oil
    network.transport: tcp
    network.type: ipv4
    network.local.address: 10.0.0.2
    network.local.port: 5432
    network.peer.address: 10.0.0.1
    network.peer.port: 40000
    client.address: 10.0.0.1
    client.port: 40000
    server.address: 10.0.0.2
    server.port: 5432
    landlord.connection.bytes_sent: 700
    landlord.connection.bytes_received: 13000
    k8s.pod.name: web-0
    error.type: ECONNRESET
    ");
}

fn shown(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let lines = attributes.iter().map(|it| {
        let value = match it.value.as_ref().and_then(|it| it.value.as_ref()).unwrap() {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            Value::BoolValue(flag) => flag.to_string(),
            other => panic!("{other:?}"),
        };
        format!("{}: {value}", it.key)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Spans of each request.
type Seen = Arc<Mutex<Vec<usize>>>;

async fn backend(status: StatusCode) -> (Export, Seen) {
    async fn take(State((seen, status)): State<(Seen, StatusCode)>, body: Bytes) -> StatusCode {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let spans = request.resource_spans.iter().flat_map(|it| &it.scope_spans);
        seen.lock().unwrap().push(spans.map(|it| it.spans.len()).sum());
        status
    }
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let state = (Arc::clone(&seen), status);
    let router = Router::new().route("/v1/traces", post(take)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let address = format!("http://{address}");
    (Export::new(&address, Protocol::Http, &Access::default()).unwrap(), seen)
}

/// What becomes of as many as fit and ten more, half of them of another tenant.
async fn exported(export_to: Option<Export>) -> Figures {
    let (to, from) = queue();
    for number in 0..QUEUE + 10 {
        let side = if number % 2 == 0 { Side::Client } else { Side::Server };
        assert_eq!(to.try_send(ended(side)).is_ok(), number < QUEUE, "{number}");
    }
    // The end is not waited for any longer than it takes.
    drop(to);
    let figures = Arc::<Mutex<Figures>>::default();
    let timeout = Duration::from_secs(60);
    let goes =
        export_to.map(|export| To { export, node: node(), share: Share::default(), timeout });
    let (_goes, to) = watch::channel(goes);
    export(from, to, Arc::clone(&figures)).await;
    *figures.lock().unwrap()
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_all_else_is_sent_in_batches() {
    let (to, seen) = backend(StatusCode::OK).await;
    let figures = exported(Some(to)).await;
    assert_eq!(*seen.lock().unwrap(), vec![BATCH; QUEUE / BATCH]);
    let Figures { delivered, lost, requests, failed, .. } = figures;
    assert_eq!([delivered, lost, requests, failed], [QUEUE as u64, 0, 8, 0]);
}

#[tokio::test]
async fn requests_have_one_tenant_each_where_the_back_end_is_told_whose_they_are() {
    let (to, seen) = backend(StatusCode::OK).await;
    let figures = exported(Some(to.with_tenant_header(Some("x-tenant".parse().unwrap())))).await;
    assert_eq!(*seen.lock().unwrap(), vec![BATCH / 2; 2 * QUEUE / BATCH]);
    assert_eq!((figures.delivered, figures.requests), (QUEUE as u64, 16));
}

#[tokio::test]
async fn what_is_not_taken_is_counted_and_gone() {
    let check = |figures: Figures, attempts| {
        let Figures { delivered, lost, requests, failed, .. } = figures;
        assert_eq!([delivered, lost, requests, failed], [0, QUEUE as u64, attempts, attempts]);
    };
    let (to, _) = backend(StatusCode::SERVICE_UNAVAILABLE).await;
    check(exported(Some(to)).await, 8);
    // Nobody is told any more.
    check(exported(None).await, 0);
}

#[test]
fn scopes_have_words() {
    let check = |word: &str, expected| {
        assert_eq!(serde_json::from_value::<Scope>(word.into()).unwrap(), expected);
    };
    check("none", Scope::None);
    check("tenants", Scope::Tenants);
    check("all", Scope::All);
}
