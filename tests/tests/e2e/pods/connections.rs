//! Connections between tenants arrive at a Collector as two spans of one trace, with exactly
//! the bytes that went through them.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use landlord_tests::agent::Home;
use landlord_tests::backend::Backend;
use landlord_tests::collector::{Collector, Received, Span};
use landlord_tests::exposition::Page;
use landlord_tests::netns::Link;
use landlord_tests::truth::{Truth, exactly, must_fail};
use landlord_tests::workload::Order;

use super::peers::{HOUR, has_all};
use super::{Cluster, Pod, SOON, until};
use crate::stage::{PATIENCE, is_too_long};

/// Kinds of spans.
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
const RULES: &str = "\
- rule: Nothing
  desc: d
  condition: evt.type = connect and proc.name = nobody
  output: o
  priority: NOTICE
";

/// Two pods of two tenants at the ends of a link, and one that has another address there.
struct Scene {
    link: Link,
    client: Pod,
    server: Pod,
    twin: Pod,
}

impl Scene {
    fn new(cluster: &Cluster) -> Self {
        let link = Link::lay().unwrap();
        let client = Pod::new("blue", "caller", 81);
        let server = Pod::new("green", "called", 82);
        let twin = Pod::new("blue", "twin", 83);
        cluster.put_with(&client, link.left.ipv4(), HOUR);
        cluster.put_with(&server, link.right.ipv4(), HOUR);
        cluster.put_with(&twin, link.right.ipv6(), HOUR);
        Self { link, client, server, twin }
    }

    /// What the client says that it moved, which is what the server moved the other way round.
    fn talk(&self, server: &Pod, address: IpAddr, port: u16, more: &[&str]) -> Truth {
        let at = SocketAddr::new(address, port).to_string();
        let sizes = ["--request", "700", "--response", "13000"];
        let order = [&["tcp-server", "--listen", &at], &sizes[..]].concat();
        let inside = server.cgroup.as_ref().unwrap();
        let order = Order::new(order).inside(inside);
        let mut running = order.networked(&self.link.right).start().unwrap();
        running.go().unwrap();
        let order = [&["tcp-client", "--connect", &at, "--count", "40"], &sizes[..], more].concat();
        let inside = self.client.cgroup.as_ref().unwrap();
        let order = Order::new(order).inside(inside).networked(&self.link.left);
        let truth = order.run(PATIENCE).unwrap();
        let is_reset = more.contains(&"--reset");
        assert_eq!(running.wait(PATIENCE).is_err(), is_reset, "the server");
        truth
    }
}

/// Both spans of the connections to a port, who connected first.
fn both(received: &Received, port: u16) -> Option<[Span; 2]> {
    let of_port = received.spans.iter().filter(|it| it.attributes["server.port"] == port);
    let mut spans: Vec<Span> = of_port.cloned().collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.kind));
    spans.try_into().ok()
}

/// Bytes of a span: sent, received.
fn bytes(span: &Span) -> [u64; 2] {
    ["sent", "received"]
        .map(|way| span.attributes[&format!("landlord.connection.bytes_{way}")].as_u64().unwrap())
}

fn text<'s>(span: &'s Span, key: &str) -> &'s str {
    span.attributes.get(key).and_then(|value| value.as_str()).unwrap_or("-")
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().try_into().unwrap()
}

#[test]
fn both_ends_are_spans_of_one_trace_with_their_bytes() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    let cluster = Cluster::with_addresses();
    let scene = Scene::new(&cluster);
    // It is there before the agent.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let early = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let early_port = early.peer_addr().unwrap().port();
    let accepted = listener.accept().unwrap();

    let rules = tempfile::tempdir().unwrap();
    let rules_file = rules.path().join("rules.yaml");
    std::fs::write(&rules_file, RULES).unwrap();
    let home: Home = cluster.home_with(&format!(
        "kubelet: {{ enabled: false }}\notlp: {{ endpoint: '{}', metrics: false, logs: false, \
         traces: true, connections: tenants }}\n",
        collector.http()
    ));
    let watch = home.watch(&[rules_file], &[]).unwrap();
    until(watch.agent(), "all sources", has_all);
    drop((early, accepted));

    let began_ns = now_ns();
    let (ipv4, ipv6) = (scene.link.right.ipv4(), scene.link.right.ipv6());
    let ended = scene.talk(&scene.server, ipv4, 7181, &[]);
    let reset = scene.talk(&scene.server, ipv4, 7182, &["--reset"]);
    // All in one tenant.
    scene.talk(&scene.twin, ipv6, 7183, &[]);
    let arrived =
        collector.wait_for(SOON, |received| both(received, 7181).zip(both(received, 7182)));
    let (of_ended, of_reset) = arrived.unwrap();
    let over_ns = now_ns();

    for (truth, [client, server]) in [(&ended, &of_ended), (&reset, &of_reset)] {
        assert_eq!(truth.sent_bytes, 40 * 700);
        for (span, [sent, received]) in [
            (client, [truth.sent_bytes, truth.received_bytes]),
            (server, [truth.received_bytes, truth.sent_bytes]),
        ] {
            let told = bytes(span);
            exactly("bytes sent", told[0], sent).unwrap();
            exactly("bytes received", told[1], received).unwrap();
            must_fail("bytes received", &exactly("bytes", told[1], received + 1)).unwrap();
            assert!(began_ns <= span.start_unix_ns && span.end_unix_ns <= over_ns, "{span:#?}");
            assert!(span.start_unix_ns < span.end_unix_ns, "{span:#?}");
        }
        assert_eq!((client.kind, server.kind), (CLIENT, SERVER));
        assert_eq!(client.trace, server.trace);
        assert_eq!((client.parent.as_str(), &server.parent), ("", &client.id));
        assert_ne!(client.id, server.id);
        let ends = |span: &Span| {
            let names = ["tenant", "landlord.peer.tenant", "k8s.pod.name", "landlord.peer.name"];
            names.map(|name| text(span, name).to_owned()).join(" ")
        };
        assert_eq!(ends(client), "acme oil caller called");
        assert_eq!(ends(server), "oil acme called caller");
        let service = |span: &Span| span.resource["service.name"].clone();
        assert_eq!((service(client), service(server)), ("acme".into(), "oil".into()));
        assert_eq!(server.resource["k8s.namespace.name"], "green");
        assert_eq!((client.name.as_str(), server.name.as_str()), ("tcp to oil", "tcp from acme"));
        let local = scene.link.left.ipv4().to_string();
        assert_eq!(text(client, "network.local.address"), local);
        assert_eq!(text(server, "network.peer.address"), local);
        let port = &client.attributes["network.local.port"];
        assert_eq!(
            (port, port),
            (&server.attributes["client.port"], &server.attributes["network.peer.port"])
        );
        assert_eq!(client.attributes["landlord.peer.certain"], true);
    }
    assert_ne!(of_ended[0].trace, of_reset[0].trace);
    let errors = [&of_ended[0], &of_ended[1], &of_reset[0], &of_reset[1]];
    let errors = errors.map(|span| text(span, "error.type"));
    assert_eq!(errors, ["-", "-", "-", "ECONNRESET"]);

    let page = Page::parse(&watch.agent().metrics().unwrap()).unwrap();
    let count = |outcome: &str| {
        let of = |it: &&landlord_tests::exposition::Sample| {
            it.series.0 == "landlord_connections_total" && it.series.1["outcome"] == outcome
        };
        page.samples().find(of).unwrap().value
    };
    assert_eq!(["told", "rate_limited", "queue_full"].map(count), [4.0, 0.0, 0.0]);
    assert!(count("unseen") >= 2.0 && count("left_out") >= 2.0, "{page:?}");
    watch.stop().unwrap();
    let all = collector.received().unwrap().spans;
    let strangers: Vec<&Span> = all
        .iter()
        .filter(|it| [7183, early_port].iter().any(|port| it.attributes["server.port"] == *port))
        .collect();
    assert!(strangers.is_empty(), "{strangers:#?}");
    assert_eq!(all.len(), 4);
}

/// What a request tells of its spans, without a Collector that could read it: trace and id
/// of each, and the numbers of an attribute.
struct Raw(Vec<u8>);

impl Raw {
    /// Fields 1 and 2 of a span: 16 bytes and 8.
    fn spans(&self) -> Vec<([u8; 16], [u8; 8])> {
        let found =
            self.0.windows(28).filter(|it| it[..2] == [0x0a, 16] && it[18..20] == [0x12, 8]);
        found.map(|it| (it[2..18].try_into().unwrap(), it[20..28].try_into().unwrap())).collect()
    }

    /// Behind its name a whole number is field 3 of field 2.
    fn numbers(&self, name: &str) -> Vec<u64> {
        let found = self.0.windows(name.len()).enumerate().filter(|(_, it)| *it == name.as_bytes());
        let value = |at: usize| {
            let [0x12, _, 0x18, digits @ ..] = &self.0[at + name.len()..] else { panic!("{name}") };
            let len = digits.iter().position(|digit| digit & 0x80 == 0).unwrap();
            let digits = digits[..=len].iter().rev();
            digits.fold(0, |number, digit| number << 7 | u64::from(digit & 0x7f))
        };
        found.map(|(at, _)| value(at)).collect()
    }
}

/// What depends on the kernel, also where there is no Collector.
#[test]
fn every_kernel_counts_the_bytes_of_connections() {
    if !landlord_tests::may_run() {
        return;
    }
    let backend = Backend::start().unwrap();
    let cluster = Cluster::with_addresses();
    let scene = Scene::new(&cluster);
    let rules = tempfile::tempdir().unwrap();
    let rules_file = rules.path().join("rules.yaml");
    std::fs::write(&rules_file, RULES).unwrap();
    let home: Home = cluster.home_with(&format!(
        "kubelet: {{ enabled: false }}\notlp: {{ endpoint: '{}', metrics: false, logs: false, \
         connections: all }}\n",
        backend.url()
    ));
    let watch = home.watch(&[rules_file], &[]).unwrap();
    until(watch.agent(), "all sources", has_all);
    let metrics = watch.agent().metrics().unwrap();
    let feature = "landlord_feature_enabled{feature=\"connections\"} 1\n";
    assert!(metrics.contains(feature), "{metrics}");

    let (ipv4, ipv6) = (scene.link.right.ipv4(), scene.link.right.ipv6());
    let ended = scene.talk(&scene.server, ipv4, 7191, &[]);
    scene.talk(&scene.twin, ipv6, 7192, &["--reset"]);
    // The last ones are told at its end.
    watch.stop().unwrap();
    let seen = backend.seen();
    let bodies = seen.iter().filter(|it| it.path == "/v1/traces").map(|it| it.body.to_vec());
    let raw = Raw(bodies.flatten().collect());
    let spans = raw.spans();
    let mut traces: Vec<_> = spans.iter().map(|(trace, _)| trace).collect();
    traces.sort_unstable();
    assert_eq!(traces.len(), 4, "{spans:x?}");
    assert!(traces[0] == traces[1] && traces[2] == traces[3], "{spans:x?}");
    assert_ne!(traces[1], traces[2]);
    // Both connections moved the same; what one end sent the other received.
    let mut expected = [ended.sent_bytes, ended.received_bytes].repeat(2);
    expected.sort_unstable();
    for way in ["sent", "received"] {
        let mut told = raw.numbers(&format!("landlord.connection.bytes_{way}"));
        told.sort_unstable();
        assert_eq!(told, expected, "bytes {way}");
    }
}
