//! Alerts about connections say who is at the other end, and whether that is certain.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use landlord_tests::agent::watch::{Alert, Watch};
use landlord_tests::agent::{Home, Usage};
use landlord_tests::apiserver::Fault;
use landlord_tests::netns::{Link, Namespace};
use landlord_tests::workload::{self, Order};
use serde_json::{Value, json};

use super::{Cluster, Pod, trouble, until};
use crate::stage::{PATIENCE, is_too_long};

const PORT: u16 = 7171;
/// A port of every node that leads to a Service.
const NODE_PORT: u16 = 30171;
const CONNECTED: &str = "Connected";
const ACCEPTED: &str = "Accepted";
const RULES: &str = "\
- rule: Connected
  desc: d
  condition: evt.type = connect and fd.rport in (7171, 30171) and proc.name = workload
  output: to %fd.rip:%fd.rport by %k8s.pod.name number %evt.num
  priority: NOTICE
- rule: Accepted
  desc: d
  condition: evt.type in (accept, accept4) and fd.lport = 7171 and proc.name = workload
  output: from %fd.rip by %k8s.pod.name number %evt.num
  priority: NOTICE
";
/// Of the documentation: nobody has them.
const SERVICE: &str = "198.51.100.10";
const NODE: &str = "192.0.2.20";
const OUTSIDE: &str = "203.0.113.30";
const BEHIND_SERVICE: &str = "203.0.113.40";

/// The cluster, an agent that watches, and two pods that have a link of their own.
struct Scene<'home> {
    cluster: &'home Cluster,
    watch: Watch<'home>,
    seen: usize,
}

impl Cluster {
    /// With a Service of green's, what is behind another one of theirs, and another node.
    pub(super) fn with_addresses() -> Self {
        let cluster = Self::new();
        let node = json!({
            "kind": "Node", "metadata": {"name": "far", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "status": {"addresses": [{"type": "InternalIP", "address": NODE}]},
        });
        let service = json!({
            "kind": "Service",
            "metadata": {"namespace": "green", "name": "shop",
                "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"type": "NodePort", "clusterIP": SERVICE, "clusterIPs": [SERVICE],
                "ports": [{"protocol": "TCP", "port": PORT, "nodePort": NODE_PORT}]},
        });
        cluster.server.put(node).unwrap();
        // As for a database that is not in the cluster.
        let slice = json!({
            "kind": "EndpointSlice",
            "metadata": {"namespace": "green", "name": "stock-1",
                "labels": {"kubernetes.io/service-name": "stock"}},
            "addressType": "IPv4", "endpoints": [{"addresses": [BEHIND_SERVICE]}],
        });
        cluster.server.put(service).unwrap();
        cluster.server.put(slice).unwrap();
        cluster
    }

    /// Tells of a pod with an address, whose container started so long ago.
    pub(super) fn put_with(&self, pod: &Pod, address: IpAddr, age: Duration) {
        self.put(pod);
        let mut object = self.server.get("pods", pod.namespace, pod.name).unwrap();
        let address = address.to_string();
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().checked_sub(age);
        let started = jiff::Timestamp::from_second(started.unwrap().as_secs().cast_signed());
        let status = &mut object["status"];
        status["podIPs"] = json!([{"ip": address}]);
        status["podIP"] = json!(address);
        status["containerStatuses"][0]["state"] =
            json!({"running": {"startedAt": started.unwrap().to_string()}});
        self.server.put(object).unwrap();
    }

    fn peers_home(&self) -> (Home, tempfile::TempDir) {
        let rules = tempfile::tempdir().unwrap();
        std::fs::write(rules.path().join("rules.yaml"), RULES).unwrap();
        (self.home(), rules)
    }
}

impl<'home> Scene<'home> {
    fn new(cluster: &'home Cluster, home: &'home Home, rules: &tempfile::TempDir) -> Self {
        let watch = home.watch(&[rules.path().join("rules.yaml")], &[]).unwrap();
        until(watch.agent(), "all sources", has_all);
        Self { cluster, watch, seen: 0 }
    }

    /// The next alert of a rule.
    fn alert(&mut self, rule: &str) -> Alert {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let alerts = self.watch.of_rule(rule, self.seen).unwrap();
            if let Some(alert) = alerts.first() {
                self.seen = self.watch.alerts().unwrap().len();
                return alert.clone();
            }
            assert!(std::time::Instant::now() < deadline, "no alert of {rule}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Who is told to be at the other end when a pod connects.
    fn peer(&mut self, pod: &Pod, network: &Namespace, to: &str, port: u16) -> String {
        connect(pod, network, to, port);
        shown(&self.alert(CONNECTED))
    }
}

/// Whether all that tells who has an address has told it.
pub(super) fn has_all(usage: &Usage) -> bool {
    let sources =
        ["pods", "namespaces", "remote_pods", "nodes", "services", "endpoint_slices", "tenants"];
    sources.iter().all(|source| trouble(usage, source).is_empty())
}

/// Begins a connection, whether or not somebody answers.
fn connect(pod: &Pod, network: &Namespace, to: &str, port: u16) {
    let to = SocketAddr::new(to.parse().unwrap(), port).to_string();
    let status = Command::new(workload::binary().unwrap())
        .arg("--cgroup")
        .arg(pod.cgroup.as_ref().unwrap().directory())
        .arg("--netns")
        .arg(network.path())
        .args(["act", "connect", &to, "--nonblocking"])
        .status()
        .unwrap();
    assert!(status.success());
}

/// `kind namespace/name tenant`, with `?` where it is not certain.
fn shown(alert: &Alert) -> String {
    let peer = &alert.0["peer"];
    let text = |key: &str| peer[key].as_str().unwrap_or("-").to_owned();
    let doubt = if peer["certain"] == Value::Bool(true) { "" } else { "?" };
    format!("{} {}/{} {}{doubt}", text("kind"), text("namespace"), text("name"), text("tenant"))
}

pub(super) const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn every_kind_of_peer() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::with_addresses();
    let link = Link::lay().unwrap();
    let client = Pod::new("blue", "client", 41);
    let server = Pod::new("green", "server", 42);
    cluster.put_with(&client, link.left.ipv4(), HOUR);
    cluster.put_with(&server, link.right.ipv4(), HOUR);
    let (home, rules) = cluster.peers_home();
    let mut scene = Scene::new(&cluster, &home, &rules);

    // Both ends of one connection.
    let at = SocketAddr::new(link.right.ipv4(), PORT).to_string();
    let order = Order::new(["tcp-server", "--listen", &at]);
    let inside = server.cgroup.as_ref().unwrap();
    let mut running = order.inside(inside).networked(&link.right).start().unwrap();
    running.go().unwrap();
    let order = Order::new(["tcp-client", "--connect", &at, "--count", "1"]);
    let inside = client.cgroup.as_ref().unwrap();
    order.inside(inside).networked(&link.left).run(PATIENCE).unwrap();
    running.wait(PATIENCE).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let both = loop {
        let told = [CONNECTED, ACCEPTED].map(|rule| scene.watch.of_rule(rule, 0).unwrap());
        if told.iter().all(|alerts| !alerts.is_empty()) {
            break told.map(|alerts| (shown(&alerts[0]), alerts[0].clone()));
        }
        assert!(std::time::Instant::now() < deadline, "{told:?}");
        std::thread::sleep(Duration::from_millis(50));
    };
    scene.seen = scene.watch.alerts().unwrap().len();
    assert_eq!(both[0].0, "pod green/server oil", "the connecting end: {:?}", both[0].1);
    assert_eq!(both[1].0, "pod blue/client acme", "the accepting end: {:?}", both[1].1);
    assert_eq!(both[0].1.field("tenant.name"), "acme");

    let mut check = |to: &str, port, expected: &str| {
        let peer = scene.peer(&client, &link.left, to, port);
        assert_eq!(peer, expected, "to {to}:{port}");
    };
    check(&link.right.ipv6().to_string(), PORT, "outside -/- -");
    check(SERVICE, PORT, "service green/shop oil");
    check(NODE, PORT, "node -/far host");
    check(NODE, NODE_PORT, "service green/shop oil");
    check(BEHIND_SERVICE, PORT, "service green/stock oil");
    check(OUTSIDE, PORT, "outside -/- -");
    check("127.0.0.1", PORT, "loopback -/- -");
    // This node has addresses that no object of it tells.
    if let Some(own) = own_address() {
        check(&own.to_string(), PORT, "node -/- host");
    }

    let counted = "landlord_alert_peers_total{kind=\"outside\",certain=\"true\"} 2\n";
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let metrics = scene.watch.agent().metrics().unwrap();
        if metrics.contains(counted) && metrics.contains("landlord_identity_addresses 5\n") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{metrics}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// An address of this machine that others can reach it by, if it has a route anywhere.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent by that.
    socket.connect((OUTSIDE, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[test]
fn an_address_that_goes_to_the_next_pod_is_told_by_the_time_of_the_event() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::with_addresses();
    let link = Link::lay().unwrap();
    let client = Pod::new("blue", "client", 43);
    let first = Pod::new("green", "first", 44);
    let next = Pod::new("blue", "next", 45);
    let address = link.right.ipv4();
    cluster.put_with(&client, link.left.ipv4(), HOUR);
    cluster.put_with(&first, address, HOUR);
    let (home, rules) = cluster.peers_home();
    let mut scene = Scene::new(&cluster, &home, &rules);
    let to = address.to_string();

    // Starts are told in whole seconds: late in one it connects, in the next one the
    // address goes on, before anybody was asked.
    until_part_of_second(Duration::from_millis(700));
    connect(&client, &link.left, &to, PORT);
    until_part_of_second(Duration::from_millis(20));
    assert!(scene.cluster.server.remove("pods", first.namespace, first.name));
    scene.cluster.put_with(&next, address, Duration::ZERO);
    std::thread::sleep(Duration::from_millis(300));
    connect(&client, &link.left, &to, PORT);
    let mut alerts = Vec::new();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while alerts.len() < 2 {
        assert!(std::time::Instant::now() < deadline, "{alerts:?}");
        std::thread::sleep(Duration::from_millis(50));
        alerts = scene.watch.of_rule(CONNECTED, 0).unwrap();
    }
    scene.seen = scene.watch.alerts().unwrap().len();
    assert_eq!(shown(&alerts[0]), "pod green/first oil");
    // In the second of its start another may still have it.
    assert_eq!(shown(&alerts[1]), "pod blue/next acme?");
    assert_eq!(scene.peer(&client, &link.left, &to, PORT), "pod blue/next acme");
}

/// Waits until the second is so far on.
fn until_part_of_second(part: Duration) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    let part = part.subsec_nanos();
    let wait = (part + 1_000_000_000 - now) % 1_000_000_000;
    std::thread::sleep(Duration::from_nanos(wait.into()));
}

#[test]
fn no_peer_is_certain_while_the_api_server_is_away() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::with_addresses();
    let link = Link::lay().unwrap();
    let client = Pod::new("blue", "client", 46);
    let server = Pod::new("green", "server", 47);
    cluster.put_with(&client, link.left.ipv4(), HOUR);
    cluster.put_with(&server, link.right.ipv4(), HOUR);
    let (home, rules) = cluster.peers_home();
    let mut scene = Scene::new(&cluster, &home, &rules);
    let to = link.right.ipv4().to_string();
    assert_eq!(scene.peer(&client, &link.left, &to, PORT), "pod green/server oil");
    cluster.server.close();
    let sources = ["remote_pods", "nodes", "services"];
    let all = |usage: &Usage, reason| sources.iter().all(|it| trouble(usage, it) == reason);
    until(scene.watch.agent(), "doubts", |usage| {
        all(usage, "unreachable") && trouble(usage, "endpoint_slices") == "unreachable"
    });
    assert_eq!(scene.peer(&client, &link.left, &to, PORT), "pod green/server oil?");
    assert_eq!(scene.peer(&client, &link.left, OUTSIDE, PORT), "unknown -/- -?");
    // All is certain again but for what it may no longer ask for.
    let forbidden = cluster.server.fail(Fault::status(403).of("endpointslices"));
    cluster.server.open().unwrap();
    until(scene.watch.agent(), "all but one source", |usage| {
        all(usage, "") && trouble(usage, "endpoint_slices") == "forbidden"
    });
    assert_eq!(scene.peer(&client, &link.left, &to, PORT), "pod green/server oil");
    let behind = "service green/stock oil?";
    assert_eq!(scene.peer(&client, &link.left, BEHIND_SERVICE, PORT), behind);
    assert_eq!(scene.peer(&client, &link.left, OUTSIDE, PORT), "outside -/- -");
    cluster.server.mend(forbidden);
    until(scene.watch.agent(), "all sources", has_all);
}

#[test]
fn labels_that_begin_to_decide_are_asked_for() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::with_addresses();
    let link = Link::lay().unwrap();
    let client = Pod::new("blue", "client", 48);
    let server = Pod::new("green", "server", 49);
    cluster.put_with(&client, link.left.ipv4(), HOUR);
    cluster.put_with(&server, link.right.ipv4(), HOUR);
    let (home, rules) = cluster.peers_home();
    let mut scene = Scene::new(&cluster, &home, &rules);
    let to = link.right.ipv4().to_string();
    assert_eq!(scene.peer(&client, &link.left, &to, PORT), "pod green/server oil");
    let tenant = json!({
        "kind": "Tenant", "metadata": {"name": "golden"},
        "spec": {"podSelector": {"matchLabels": {"app": "server"}}},
    });
    cluster.server.put(tenant).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let peer = scene.peer(&client, &link.left, &to, PORT);
        if peer == "pod green/server golden" {
            break;
        }
        // Until all pods were told with that label, it is as it was, or in doubt.
        let before = ["pod green/server oil", "pod green/server oil?", "pod green/server golden?"];
        assert!(before.contains(&&*peer), "{peer}");
        assert!(std::time::Instant::now() < deadline, "not in time: {peer}");
    }
    // A Service may be anybody's now.
    assert_eq!(scene.peer(&client, &link.left, SERVICE, PORT), "service green/shop oil?");
}
