//! What goes where when the configuration says something else.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};

use super::*;
use crate::config::{self, Overrides};
use crate::pipeline::exports;
use crate::sinks::delivery::message::tests::message;
use crate::sinks::delivery::{Outbox, Output};
use crate::usage::tenant::NodeUsage;

/// Requests by path, and by what their header `who` says.
type Seen = Arc<Mutex<BTreeMap<(String, String), usize>>>;

/// A back-end that takes everything.
async fn backend() -> (String, Seen) {
    async fn take(State(seen): State<Seen>, uri: Uri, headers: HeaderMap) {
        let who = headers.get("who").map_or("", |it| it.to_str().unwrap()).to_owned();
        *seen.lock().unwrap().entry((uri.path().to_owned(), who)).or_default() += 1;
    }
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

/// Deliveries by a configuration, and somebody who hands alerts on.
struct Lab {
    folder: tempfile::TempDir,
    deliveries: Arc<Deliveries>,
    outbox: Outbox,
}

fn loaded(folder: &Path, otlp: &str) -> Config {
    let path = folder.join("landlord.yaml");
    let spool = folder.join("spool");
    let text = format!("spool: {{ path: '{}' }}\notlp: {{ {otlp} }}\n", spool.display());
    std::fs::write(&path, text).unwrap();
    config::load(Some(&path), &Overrides::default()).unwrap()
}

impl Lab {
    fn new(otlp: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = loaded(folder.path(), otlp);
        let deliveries = Arc::new(Deliveries::start(&config, None, None).unwrap());
        let outbox = Outbox::start(std::io::sink(), deliveries.ways()).unwrap();
        deliveries.collect_from(Arc::new(|| Some(Arc::new(NodeUsage::default())))).unwrap();
        Self { folder, deliveries, outbox }
    }

    /// Has another configuration be read; what is wrong with it.
    async fn set(&self, otlp: &str) -> Vec<String> {
        let sinks = loaded(self.folder.path(), otlp).sinks;
        let deliveries = Arc::clone(&self.deliveries);
        // As it is in the agent: where it may wait.
        let set = tokio::task::spawn_blocking(move || deliveries.set(&sinks));
        set.await.unwrap().iter().map(ToString::to_string).collect()
    }

    fn put(&self, number: u32) {
        self.outbox.put(Output { message: Some(message(number)), line: None });
    }

    /// The sinks that are told of, and what they delivered.
    fn sinks(&self) -> Vec<(String, u64)> {
        let ways = self.deliveries.ways().now();
        let told = exports::usage(&ways, &self.deliveries.exports());
        told.into_iter().map(|it| (it.sink, it.delivered_total)).collect()
    }
}

/// Waits for a request, by path and by what it says.
async fn arrived(seen: &Seen, path: &str, who: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !seen.lock().unwrap().contains_key(&(path.to_owned(), who.to_owned())) {
        assert!(Instant::now() < deadline, "no {path} of `{who}` in {seen:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn names(sinks: &[(String, u64)]) -> Vec<&str> {
    sinks.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_goes_where_the_configuration_says_now() {
    let [(one, at_one), (two, at_two)] = [backend().await, backend().await];
    let lab = Lab::new(&format!("endpoint: '{one}', interval: 3600s"));
    lab.put(1);
    arrived(&at_one, "/v1/logs", "").await;
    let next = format!("endpoint: '{two}', headers: who=me, interval: 1s, traces: true");
    assert_eq!(lab.set(&next).await, [""; 0]);
    lab.put(2);
    for path in ["/v1/logs", "/v1/traces", "/v1/metrics"] {
        arrived(&at_two, path, "me").await;
    }
    // Metrics were told a last time where they went before.
    let paths: Vec<String> = at_one.lock().unwrap().keys().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics"]);
    let sinks = lab.sinks();
    assert_eq!(names(&sinks), ["otlp", "otlp_traces", "otlp_metrics"]);
    // What was delivered elsewhere before is not forgotten.
    assert_eq!(sinks[0].1, 2);
    assert!(sinks[2].1 >= 2, "{sinks:?}");
    assert_eq!(lab.set("endpoint: ''").await, [""; 0]);
    assert_eq!((lab.sinks(), lab.deliveries.traced()), (vec![], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_stays_as_it_was() {
    let (one, at_one) = backend().await;
    let lab = Lab::new(&format!("endpoint: '{one}', interval: 1s"));
    let wrong = format!("endpoint: '{one}', headers: who=me, traces: true, token_file: /nothing");
    let errors = lab.set(&wrong).await;
    assert!(matches!(&errors[..], [it] if it.starts_with("sink `otlp`: /nothing")), "{errors:?}");
    lab.put(1);
    arrived(&at_one, "/v1/logs", "").await;
    arrived(&at_one, "/v1/metrics", "").await;
    assert_eq!(
        (names(&lab.sinks()), lab.deliveries.traced()),
        (vec!["otlp", "otlp_metrics"], None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_begins_anew() {
    const SAME: &str = "endpoint: 'http://127.0.0.1:1', metrics: false";
    let lab = Lab::new(&format!("{SAME}, traces: true"));
    let trays = || lab.deliveries.ways().now();
    let line = || Arc::clone(&lab.deliveries.lock().back.as_ref().unwrap().line);
    let (before, line_before) = (trays(), line());
    assert_eq!(
        lab.set(&format!("{SAME}, traces: true, traces_ratio: 0.5, logs: false")).await,
        [""; 0]
    );
    let after = trays();
    assert!(after.len() == 1 && Arc::ptr_eq(&before[1].1, &after[0].1));
    assert_eq!(after[0].0.share, Share::new(0.5));
    assert!(Arc::ptr_eq(&line_before, &line()));
    assert_eq!(lab.deliveries.traced(), Some(Traced { share: Share::new(0.5), deeds: 16 }));
    assert_eq!(lab.set(&format!("{SAME}, traces: true, resource: a=b")).await, [""; 0]);
    assert!(!Arc::ptr_eq(&line_before, &line()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_begins_when_the_agent_ends() {
    let lab = Lab::new("endpoint: ''");
    lab.deliveries.end();
    assert_eq!(lab.set("endpoint: 'http://127.0.0.1:1'").await, [""; 0]);
    assert_eq!(lab.sinks(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_where_the_file_says_now_if_they_did_at_the_start() {
    let (url, _) = backend().await;
    let plain = format!("endpoint: '{url}', metrics: false, logs: false");
    let asked = format!("{plain}, connections: all");
    let lab = Lab::new(&format!("{asked}, traces_ratio: 0.5"));
    let telling = lab.deliveries.connections().unwrap();
    assert!(lab.deliveries.connections().is_none());
    let share = || telling.goes.borrow().as_ref().map(|to| to.share);
    assert_eq!((telling.scope, share()), (Scope::All, Some(Share::new(0.5))));
    let is_told = || lab.sinks().iter().any(|(sink, _)| sink == "otlp_connections");
    assert!(is_told());
    lab.set(&asked).await;
    assert_eq!((share(), is_told()), (Some(Share::default()), true));
    lab.set("metrics: false").await;
    assert_eq!((share(), is_told()), (None, false));
    drop(telling);
    lab.deliveries.end_connections().await;

    let other = Lab::new(&plain);
    other.set(&asked).await;
    assert!(other.deliveries.connections().is_none());
    other.deliveries.end_connections().await;
}
