//! What is told by OTLP and straight to Alertmanager, held against real ones.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use landlord::sinks::backends::alertmanager::Alertmanager as Sender;
use landlord::sinks::backends::falco_http::FalcoHttp;
use landlord::sinks::client::{Access, Client};
use landlord::sinks::delivery::{Destination, Message, Outcome};
use landlord::sinks::otlp::logs::{AlertLogs, EVENT};
use landlord::sinks::otlp::metrics::{Figures, Metrics, Way};
use landlord::sinks::otlp::{Export, Node, Protocol};
use landlord::telemetry::SinkFailure;
use landlord::usage::catalogue;
use landlord::usage::tenant::{AgentUsage, NodeUsage, TenantUsage};
use landlord_tests::alertmanager::{Alertmanager, Group};
use landlord_tests::backend::{Backend, Behaviour, Validity};
use landlord_tests::collector::{Collector, Kind, Received};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn node() -> Node {
    let further = vec![("k8s.cluster.name".to_owned(), "lab".to_owned())];
    Node { host: "host-1".to_owned(), kubernetes: Some("node-1".to_owned()), further }
}

fn nanoseconds_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_nanos().try_into().unwrap()
}

fn message(number: u32, tenant: &str, namespace: Option<&str>) -> Message {
    let fields = json!({
        "evt.time": 1, "proc.name": "sh", "proc.cmdline": "sh -c \"ä\"", "fd.name": null,
        "fd.rport": 443, "user.loginuid": -1, "evt.is_open_write": true,
    });
    Message {
        id: format!("{number:032x}"),
        time_unix_ns: nanoseconds_now(),
        rule: "Shell in a container".to_owned(),
        priority: 2,
        tags: vec!["container".to_owned(), "shell".to_owned()],
        tenant: tenant.to_owned(),
        identity: "informer".to_owned(),
        tenant_labels: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        namespace: namespace.map(str::to_owned),
        pod: Some(format!("web-{number}")),
        container: Some("3ad7b26ded6d".to_owned()),
        event: "execve".to_owned(),
        process: "sh".to_owned(),
        pid: 4000 + number,
        lineage: Vec::new(),
        remote: None,
        message: format!("shell {number}"),
        repeats: 3,
        json: json!({"output_fields": fields}).to_string(),
    }
}

/// What `message` must look like at the other end, attribute by attribute.
fn attributes(message: &Message) -> Value {
    json!({
        "landlord.alert.id": message.id,
        "landlord.alert.repeats": 3,
        "landlord.identity": "informer",
        "landlord.tenant.label.team": "blue",
        "security_rule.name": "Shell in a container",
        "security_rule.tags": ["container", "shell"],
        "tenant": message.tenant,
        "k8s.namespace.name": message.namespace,
        "k8s.pod.name": message.pod,
        "container.id": "3ad7b26ded6d",
        "process.executable.name": "sh",
        "process.command_line": "sh -c \"ä\"",
        "process.pid": message.pid,
        "network.peer.port": 443,
        "falco.evt.type": "execve",
        "falco.evt.time": 1,
        "falco.evt.is_open_write": true,
        "falco.user.loginuid": -1,
    })
}

fn alerts_arrive(protocol: Protocol) {
    let Some(collector) = Collector::start().unwrap() else { return };
    let endpoint = if protocol == Protocol::Grpc { collector.grpc() } else { collector.http() };
    let sent = [
        message(1, "acme", Some("acme-prod")),
        message(2, "globex", Some("globex-prod")),
        message(3, "acme", Some("acme-prod")),
    ];
    runtime().block_on(async {
        let export = Export::new(&endpoint, protocol, &Access::default()).unwrap();
        let outcome = AlertLogs::new(export, node()).deliver(&sent).await;
        assert_eq!(outcome, Outcome::Delivered);
    });
    let mut arrived = collector
        .wait_for(PATIENCE, |it| (it.logs.len() >= sent.len()).then(|| it.logs.clone()))
        .unwrap();
    assert_eq!(arrived.len(), sent.len());
    arrived.sort_by_key(|log| log.attributes["landlord.alert.id"].to_string());
    for (log, sent) in arrived.iter().zip(&sent) {
        assert_eq!(serde_json::to_value(&log.attributes).unwrap(), attributes(sent));
        let resource = json!({
            "service.name": "landlord",
            "service.version": env!("CARGO_PKG_VERSION"),
            "service.instance.id": "node-1",
            "host.name": "host-1",
            "k8s.node.name": "node-1",
            "k8s.cluster.name": "lab",
            "tenant": sent.tenant,
            "k8s.namespace.name": sent.namespace,
        });
        assert_eq!(serde_json::to_value(&log.resource).unwrap(), resource);
        assert_eq!((log.event.as_str(), log.severity_text.as_str()), (EVENT, "Critical"));
        assert_eq!((log.severity, log.time_unix_ns), (18, sent.time_unix_ns));
        assert_eq!(log.body, sent.message.as_str());
    }
}

#[test]
fn alerts_arrive_by_grpc_as_they_were_sent() {
    alerts_arrive(Protocol::Grpc);
}

#[test]
fn alerts_arrive_by_http_as_they_were_sent() {
    alerts_arrive(Protocol::Http);
}

#[test]
fn a_collector_that_was_away_gets_the_next_attempt() {
    let Some(mut collector) = Collector::start().unwrap() else { return };
    let runtime = runtime();
    for protocol in [Protocol::Grpc, Protocol::Http] {
        let endpoint = if protocol == Protocol::Grpc { collector.grpc() } else { collector.http() };
        let export =
            runtime.block_on(async { Export::new(&endpoint, protocol, &Access::default()) });
        let mut alerts = AlertLogs::new(export.unwrap(), node());
        let before = collector.received().unwrap().logs.len();
        let mut deliver = |number| {
            let sent = [message(number, "acme", None)];
            let outcome = async { tokio::time::timeout(PATIENCE, alerts.deliver(&sent)).await };
            runtime.block_on(outcome).unwrap()
        };
        assert_eq!(deliver(1), Outcome::Delivered);
        collector.go_away();
        let outcome = deliver(2);
        assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
        collector.come_back().unwrap();
        // The connection of before may be noticed to be broken only by the first attempt.
        let again = (0..20).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            deliver(3) == Outcome::Delivered
        });
        assert!(again, "{protocol:?}: nothing is delivered any more");
        let arrived = |it: &Received| (it.logs.len() >= before + 2).then_some(());
        collector.wait_for(PATIENCE, arrived).unwrap();
    }
}

fn usage() -> NodeUsage {
    let tenants = ["acme", "globex"].map(|tenant| TenantUsage {
        tenant: tenant.to_owned(),
        cgroups: 3,
        cpu_seconds_total: 1.5,
        cpu_limit_cores: Some(0.5),
        syscalls_total: BTreeMap::from([("read".to_owned(), 1 << 52), ("write".to_owned(), 7)]),
        memory_bytes: Some(4096),
        ..TenantUsage::default()
    });
    let features = BTreeMap::from([("disk".to_owned(), false), ("sched".to_owned(), true)]);
    let agent = AgentUsage { features, cgroups: 6, ..AgentUsage::default() };
    NodeUsage { agent, tenants: tenants.to_vec(), ..NodeUsage::default() }
}

/// Name, unit, kind, attributes and value of every sample that must arrive.
fn expected(usage: &NodeUsage) -> BTreeMap<(String, String), (&'static str, f64)> {
    let mut all = BTreeMap::new();
    for metric in catalogue::metrics() {
        (metric.samples)(usage, &mut |values, value| {
            let labels: BTreeMap<&str, &str> =
                metric.labels.iter().copied().zip(values.iter().copied()).collect();
            let value = match value {
                catalogue::Value::Integer(value) => value as f64,
                catalogue::Value::Float(value) => value,
                catalogue::Value::Traced { count, .. } => count as f64,
            };
            let key = (metric.name.to_owned(), serde_json::to_string(&labels).unwrap());
            all.insert(key, (metric.help, value));
        });
    }
    all
}

/// The name that Prometheus, and the Collector's exporter to it, make of a metric.
fn translated(name: &str, unit: &str, kind: Kind) -> String {
    let name = name.replace('.', "_");
    let unit = match unit {
        "" => String::new(),
        "s" => "_seconds".to_owned(),
        "By" => "_bytes".to_owned(),
        other => format!("_{other}"),
    };
    format!("{name}{unit}{}", if kind == Kind::Counter { "_total" } else { "" })
}

fn metrics_arrive(protocol: Protocol) {
    let Some(collector) = Collector::start().unwrap() else { return };
    let endpoint = if protocol == Protocol::Grpc { collector.grpc() } else { collector.http() };
    let runtime = runtime();
    let usage = usage();
    let expected = expected(&usage);
    let told = Arc::new(usage);
    let export = runtime.block_on(async { Export::new(&endpoint, protocol, &Access::default()) });
    let figures = Arc::<Mutex<Figures>>::default();
    let way = Way {
        export: export.unwrap(),
        node: node(),
        every: Duration::from_secs(3600),
        timeout: PATIENCE,
    };
    let source = Arc::new(move || Some(Arc::clone(&told)));
    let metrics = Metrics::start(&way, runtime.handle(), source, Arc::clone(&figures)).unwrap();
    // Ends with an export.
    drop(metrics);
    let Figures { delivered, failed, last_unix_s, .. } = *figures.lock().unwrap();
    assert_eq!((delivered, failed, last_unix_s.is_some()), (1, 0, true));
    let arrived = collector.wait_for(PATIENCE, |it| (!it.samples.is_empty()).then(|| it.clone()));
    let mut found = BTreeMap::new();
    for sample in arrived.unwrap().samples {
        let name = translated(&sample.name, &sample.unit, sample.kind);
        let key = (name, serde_json::to_string(&sample.attributes).unwrap());
        assert_eq!(sample.resource["service.instance.id"], "node-1");
        assert_eq!(sample.resource.get("tenant"), None);
        assert!(found.insert(key, (sample.description, sample.value)).is_none());
    }
    let found: BTreeMap<_, _> =
        found.iter().map(|(key, (help, value))| (key.clone(), (help.as_str(), *value))).collect();
    assert_eq!(found, expected);
}

#[test]
fn metrics_arrive_by_grpc_as_the_catalogue_has_them() {
    metrics_arrive(Protocol::Grpc);
}

#[test]
fn metrics_arrive_by_http_as_the_catalogue_has_them() {
    metrics_arrive(Protocol::Http);
}

/// The group of a rule and a tenant.
fn group<'a>(groups: &'a [Group], tenant: &str) -> Option<&'a Group> {
    groups.iter().find(|group| {
        group.labels["alertname"] == "Shell in a container" && group.labels["tenant"] == tenant
    })
}

#[test]
fn alertmanager_groups_alerts_tells_of_them_and_resolves_them() {
    let webhook = Backend::start().unwrap();
    let Some(alertmanager) = Alertmanager::start(&webhook.url()).unwrap() else {
        return;
    };
    let sent = [
        message(1, "acme", Some("acme-prod")),
        message(2, "acme", Some("acme-prod")),
        message(3, "acme", Some("acme-test")),
        message(4, "globex", Some("globex-prod")),
    ];
    let resolve = Duration::from_secs(3);
    runtime().block_on(async {
        let uri = format!("{}/api/v2/alerts", alertmanager.url()).parse().unwrap();
        let client = Client::new(&Access::default()).unwrap();
        let mut sender = Sender::new(client, uri, "node-1".to_owned(), resolve);
        assert_eq!(sender.deliver(&sent).await, Outcome::Delivered);
    });
    let acme = alertmanager.wait_for(PATIENCE, |groups| {
        group(groups, "globex")?;
        group(groups, "acme").cloned()
    });
    let mut acme = acme.unwrap();
    // Events of the same namespace are one alert that says what the last was.
    acme.alerts.sort_by(|a, b| a.labels["namespace"].cmp(&b.labels["namespace"]));
    assert_eq!(acme.alerts.len(), 2, "{acme:#?}");
    let labels = json!({
        "alertname": "Shell in a container", "severity": "critical", "priority": "critical",
        "tenant": "acme", "namespace": "acme-prod", "node": "node-1",
    });
    assert_eq!(serde_json::to_value(&acme.alerts[0].labels).unwrap(), labels);
    assert_eq!(acme.alerts[0].annotations["description"], "shell 2");
    assert_eq!(acme.alerts[0].annotations["alert_id"], sent[1].id);
    let told = |status: &str, tenant: &str| {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let bodies = webhook.taken();
            let all = bodies.iter().map(|it| serde_json::from_slice::<Value>(it).unwrap());
            let is_it =
                |it: &Value| it["status"] == status && it["groupLabels"]["tenant"] == tenant;
            if let Some(it) = all.clone().find(is_it) {
                return it["alerts"].as_array().unwrap().len();
            }
            let all: Vec<Value> = all.collect();
            assert!(std::time::Instant::now() < deadline, "no {status} of {tenant} in {all:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    assert_eq!((told("firing", "acme"), told("firing", "globex")), (2, 1));
    assert_eq!((told("resolved", "acme"), told("resolved", "globex")), (2, 1));
    assert_eq!(alertmanager.alerts().unwrap(), []);
}

/// What becomes of an alert within half a second; `None`: nothing yet.
fn attempt(url: &str, access: &Access) -> Option<Outcome> {
    let runtime = runtime();
    let uri = format!("{url}/alerts").parse().unwrap();
    let mut sink = FalcoHttp::new(Client::new(access).unwrap(), uri);
    let sent = [message(1, "acme", None)];
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_millis(500), sink.deliver(&sent)).await.ok()
    })
}

#[track_caller]
fn check_failure(outcome: Option<Outcome>, expected: SinkFailure, expected_after: Option<u64>) {
    match outcome {
        Some(Outcome::Later { cause, after, .. }) => {
            assert_eq!((cause, after), (expected, expected_after.map(Duration::from_secs)));
        }
        other => panic!("{other:?} is not {expected:?}"),
    }
}

#[test]
fn faults_of_back_ends_are_told_apart() {
    let backend = Backend::start().unwrap();
    let told = |behaviour| {
        backend.behave(behaviour);
        attempt(&backend.url(), &Access::default())
    };
    let refuse = |status, retry_after| Behaviour::Refuse { status, retry_after };
    let done = |refused| Some(Outcome::Partly { done: 1, refused });
    assert_eq!(told(Behaviour::Take), done(0));
    assert_eq!(told(Behaviour::Slow(Duration::from_millis(100))), done(0));
    assert_eq!(backend.taken().len(), 2);
    assert_eq!(told(refuse(400, None)), done(1));
    assert_eq!(told(Behaviour::Hang), None);
    check_failure(told(refuse(429, Some(7))), SinkFailure::Throttled, Some(7));
    check_failure(told(refuse(503, None)), SinkFailure::Refused, None);
    check_failure(told(refuse(401, None)), SinkFailure::Unauthorized, None);
    check_failure(told(Behaviour::HalfClosed), SinkFailure::Broken, None);
    assert_eq!(backend.taken().len(), 2);
    let seen = backend.seen();
    assert_eq!(seen[0].path, "/alerts");
    assert_eq!(seen[0].headers["content-type"], "application/json");
    let url = backend.url();
    drop(backend);
    check_failure(attempt(&url, &Access::default()), SinkFailure::Connect, None);
}

#[test]
fn only_a_certificate_that_is_good_now_is_trusted() {
    let good = Backend::start_tls(Validity::Valid).unwrap();
    let trusting =
        |backend: &Backend| Access { ca_file: Some(backend.authority()), ..Access::default() };
    let done = Some(Outcome::Partly { done: 1, refused: 0 });
    assert_eq!(attempt(&good.url(), &trusting(&good)), done);
    let expired = Backend::start_tls(Validity::Expired).unwrap();
    check_failure(attempt(&expired.url(), &trusting(&expired)), SinkFailure::Tls, None);
    check_failure(attempt(&good.url(), &trusting(&expired)), SinkFailure::Tls, None);
    assert_eq!((good.seen().len(), expired.seen().len()), (1, 0));
}
