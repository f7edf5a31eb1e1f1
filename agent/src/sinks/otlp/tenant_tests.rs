//! Requests that say whose their alerts are.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message as _;

use super::logs::AlertLogs;
use super::traces::AlertTraces;
use super::{Export, Node, Protocol};
use crate::sinks::client::Access;
use crate::sinks::delivery::message::tests::message;
use crate::sinks::delivery::{Destination, Message, Outcome, Share};

const HEADER: &str = "x-scope-orgid";

/// Tenant and number of log records of each request; `None`: nobody said one.
type Seen = Arc<Mutex<Vec<(Option<String>, usize)>>>;

/// A back-end that does not take what is of the tenant `away`.
async fn backend() -> (String, Seen) {
    async fn take(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let tenant = headers.get(HEADER).map(|it| it.to_str().unwrap().to_owned());
        let request = ExportLogsServiceRequest::decode(body).unwrap();
        let groups = request.resource_logs.iter().flat_map(|it| &it.scope_logs);
        let records = groups.map(|it| it.log_records.len()).sum();
        let is_away = tenant.as_deref() == Some("away");
        seen.lock().unwrap().push((tenant, records));
        if is_away { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v1/logs", post(take)).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}"), seen)
}

fn node() -> Node {
    Node { host: "host".to_owned(), kubernetes: None, further: Vec::new() }
}

fn of(tenants: &[&str]) -> Vec<Message> {
    let numbered = (1..).zip(tenants);
    numbered.map(|(it, tenant)| Message { tenant: (*tenant).to_owned(), ..message(it) }).collect()
}

#[tokio::test]
async fn each_request_has_the_alerts_of_one_tenant() {
    async fn check(header: bool, tenants: &[&str], requests: &[(Option<&str>, usize)]) -> Outcome {
        let (address, seen) = backend().await;
        let export = Export::new(&address, Protocol::Http, &Access::default()).unwrap();
        let export = export.with_tenant_header(header.then(|| HEADER.parse().unwrap()));
        let mut logs = AlertLogs::new(export, node());
        let outcome = logs.deliver(&of(tenants)).await;
        let seen = seen.lock().unwrap();
        let seen: Vec<_> = seen.iter().map(|(tenant, count)| (tenant.as_deref(), *count)).collect();
        assert_eq!(seen, requests, "{tenants:?}");
        outcome
    }
    let [a, b, away] = ["a", "b", "away"].map(Some);
    let outcome = check(false, &["a", "b", "a"], &[(None, 3)]).await;
    assert_eq!(outcome, Outcome::Delivered);
    let outcome = check(true, &["a", "a", "b", "a"], &[(a, 2), (b, 1), (a, 1)]).await;
    assert_eq!(outcome, Outcome::Delivered);
    let outcome = check(true, &["a", "a", "away", "b"], &[(a, 2), (away, 1)]).await;
    assert_eq!(outcome, Outcome::Partly { done: 2, refused: 0 });
    let outcome = check(true, &["away", "b"], &[(away, 1)]).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    // What can be in no header.
    let outcome = check(true, &["a", "b\u{7}", "b"], &[(a, 1), (b, 1)]).await;
    assert_eq!(outcome, Outcome::Partly { done: 3, refused: 1 });
}

#[tokio::test]
async fn traces_and_grpc_say_it_as_well() {
    let export = |protocol| {
        let export = Export::new("http://127.0.0.1:1", protocol, &Access::default()).unwrap();
        export.with_tenant_header(Some(HEADER.parse().unwrap()))
    };
    let said = export(Protocol::Grpc).metadata("acme").unwrap();
    assert_eq!(said.get(HEADER).unwrap(), "acme");
    let mut traces = AlertTraces::new(export(Protocol::Http), node(), Share::default());
    // It is not even asked.
    let outcome = traces.deliver(&of(&["\u{7}"])).await;
    assert_eq!(outcome, Outcome::Partly { done: 1, refused: 1 });
}
