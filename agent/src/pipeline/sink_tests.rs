//! Who is told when.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Mutex;

use super::*;
use crate::identity::cluster::change::{AddressChange, Change, Health, Source, Update};
use crate::identity::cluster::object::{Node, RemotePod, Service};
use crate::identity::cluster::samples::namespace;
use crate::identity::cluster::{Directory, addresses, directory};
use crate::identity::tenant::{RuleSpec, TenantRules};
use crate::identity::{Moment, Provenance};
use crate::pipeline::clock;
use crate::rules::rule::Priority;
use crate::sinks::delivery::{PRIORITIES, Pace, Route, Share, Tray};
use crate::sinks::spool::Spool;

const SECOND: u64 = 1_000_000_000;
const TCP: u8 = 6;

fn unix_ns() -> u64 {
    clock::now().unix_ns
}

fn ips(text: &str) -> Vec<IpAddr> {
    vec![text.parse().unwrap()]
}

/// All there is, told a minute ago: a pod of `shop`, a Service at a port of the node.
fn known() -> Arc<Known> {
    let rules = r#"[{"match": {"namespace": "shop"}, "tenant": "of-{namespace}"}]"#;
    let specs = serde_json::from_str::<Vec<RuleSpec>>(rules).unwrap();
    let rules = TenantRules::compile(specs).unwrap();
    let directory = Directory::new(rules, directory::Limits::default());
    let known = Known::with_addresses(directory, addresses::Limits::default());
    let unix_ns = unix_ns() - 60 * SECOND;
    let created = Some(i64::try_from(unix_ns / SECOND).unwrap() - 60);
    let pod = RemotePod {
        namespace: "shop".into(),
        name: "web-1".into(),
        labels: Default::default(),
        ips: ips("10.0.0.1"),
        started_unix_s: created,
    };
    let node = Node {
        name: "node-1".into(),
        ips: ips("192.0.2.1"),
        pod_ranges: Vec::new(),
        created_unix_s: created,
    };
    let service = Service {
        namespace: "shop".into(),
        name: "web".into(),
        cluster_ips: ips("10.96.0.1"),
        outer_ips: Vec::new(),
        node_ports: vec![(TCP, 30080)],
        created_unix_s: created,
    };
    let news = [
        Change::Namespaces(Update::All(vec![namespace("shop", "")])),
        Change::Addresses(AddressChange::Pods(Update::All(vec![pod]))),
        Change::Addresses(AddressChange::Nodes(Update::All(vec![node]))),
        Change::Addresses(AddressChange::Services(Update::All(vec![service]))),
    ];
    let synced = Source::OF_ADDRESSES.map(|source| Change::Health(source, Health::Synced));
    for change in news.into_iter().chain(synced) {
        known.apply(change, Moment { monotonic_ns: 1, unix_ns });
    }
    Arc::new(known)
}

fn sink(known: Arc<Known>) -> (Sink, Arc<Recent>) {
    let recent = Arc::new(Recent::default());
    let format = AlertFormat::Json;
    let (ways, recent_too) = (Ways::default(), Arc::clone(&recent));
    let out = Out { outbox: None, format, ways, traces: None, recent: recent_too };
    (Sink::new(out, known, boot_unix_ns()), recent)
}

fn alert(age_ns: u64, remote: Option<RemoteEnd>) -> Alert {
    Alert {
        id: String::new(),
        tags: [].into(),
        tenant_labels: Arc::default(),
        lineage: Vec::new(),
        time_unix_ns: unix_ns() - age_ns,
        rule: "R".into(),
        priority: Priority::Notice,
        tenant: "acme".into(),
        identity: Provenance::Cgroup,
        namespace: None,
        pod: None,
        container: None,
        peer: None,
        remote,
        event: "connect",
        process: "p".to_owned(),
        pid: 7,
        message: "m".to_owned(),
        repeats: 0,
        text: b"m".to_vec(),
        json: br#"{"output":"m"}"#.to_vec(),
    }
}

fn end(address: &str, port: u16, initiator: Initiator) -> Option<RemoteEnd> {
    let address = address.parse().unwrap();
    Some(RemoteEnd { address, port, protocol: Some(TCP), initiator })
}

/// `kind namespace/name tenant`, with `?` where it is not certain; `-`: nothing.
fn shown(alert: &serde_json::Value) -> String {
    let Some(peer) = alert.get("peer") else { return "-".to_owned() };
    let text = |key: &str| peer[key].as_str().unwrap_or("-").to_owned();
    let doubt = if peer["certain"] == true { "" } else { "?" };
    format!("{} {}/{} {}{doubt}", text("kind"), text("namespace"), text("name"), text("tenant"))
}

fn peers(recent: &Recent) -> Vec<String> {
    recent.page(None).alerts.iter().map(shown).collect()
}

#[test]
fn who_is_at_the_other_end() {
    let check = |address: &str, port, initiator, expected: &str| {
        let (mut sink, recent) = sink(known());
        sink.alert(alert(2 * SECOND, end(address, port, initiator)));
        assert_eq!(peers(&recent), [expected], "{address} {port} {initiator:?}");
    };
    use Initiator::{Local, Remote, Unknown};
    check("10.0.0.1", 80, Local, "pod shop/web-1 of-shop");
    check("10.0.0.1", 40000, Remote, "pod shop/web-1 of-shop");
    check("10.96.0.1", 80, Local, "service shop/web of-shop");
    check("192.0.2.1", 30080, Local, "service shop/web of-shop");
    check("192.0.2.1", 30080, Remote, "node -/node-1 host");
    check("192.0.2.1", 30080, Unknown, "node -/node-1 host?");
    check("192.0.2.1", 22, Unknown, "node -/node-1 host");
    check("203.0.113.1", 443, Local, "outside -/- -");
    check("127.0.0.1", 443, Local, "loopback -/- -");
}

#[test]
fn only_young_events_with_a_remote_end_wait() {
    let (mut sink, recent) = sink(known());
    sink.alert(alert(SECOND / 10, end("10.0.0.1", 80, Initiator::Local)));
    sink.alert(alert(0, None));
    sink.alert(alert(0, end("127.0.0.1", 80, Initiator::Local)));
    sink.turn();
    assert_eq!(peers(&recent), ["-", "loopback -/- -"]);
    std::thread::sleep(std::time::Duration::from_millis(950));
    sink.turn();
    assert_eq!(peers(&recent)[2..], ["pod shop/web-1 of-shop"]);
}

#[test]
fn who_does_not_wait_for_long_enough_is_not_certain() {
    let (mut sink, recent) = sink(known());
    for _ in 0..=WAITING_MAX {
        sink.alert(alert(0, end("10.0.0.1", 80, Initiator::Local)));
    }
    assert_eq!(peers(&recent), ["pod shop/web-1 of-shop?"]);
    sink.finish();
    assert_eq!(sink.peers().iter().collect::<Vec<_>>(), [(&("pod", false), &1025)]);
}

#[test]
fn where_nobody_tells_of_addresses_nothing_waits() {
    let rules = TenantRules::compile(Vec::new()).unwrap();
    let (mut sink, recent) = sink(Arc::new(Known::new(Directory::without_cluster(rules))));
    sink.alert(alert(0, end("10.0.0.1", 80, Initiator::Local)));
    assert_eq!(peers(&recent), ["-"]);
}

#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What standard output shows of a young alert `m` about a connection, once it shows the
/// one `x` after it that is about none.
fn shown_with(ways: Vec<(Route, Arc<Tray>)>) -> String {
    let ways: Ways = ways.into_iter().collect();
    let shown = Shown::default();
    let out = Out {
        outbox: Some(Outbox::start(shown.clone(), ways.clone()).unwrap()),
        format: AlertFormat::Text,
        ways,
        traces: None,
        recent: Arc::default(),
    };
    let mut sink = Sink::new(out, known(), boot_unix_ns());
    sink.alert(alert(0, end("10.0.0.1", 80, Initiator::Local)));
    sink.alert(Alert { text: b"x".to_vec(), ..alert(0, None) });
    let text = || String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
    while !text().ends_with("x\n") {
        std::thread::yield_now();
    }
    text()
}

#[test]
fn ids_are_different_and_their_ends_by_chance() {
    let mut ids = super::Ids::new();
    let ids: BTreeSet<String> = (0..4096).map(|_| ids.next()).collect();
    assert_eq!(ids.len(), 4096);
    assert!(ids.iter().all(|id| id.len() == 32));
    let half = Share::new(0.5);
    let chosen = ids.iter().filter(|id| half.takes(id, Priority::Notice as u8)).count();
    assert!((1850..2250).contains(&chosen), "{chosen}");
}

#[test]
fn nothing_is_shown_before_the_sinks_have_it() {
    assert_eq!(shown_with(Vec::new()), "m\nx\n");
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), 1 << 24).unwrap();
    let tray = Arc::new(Tray::new("all", spool, Pace::default()));
    assert_eq!(shown_with(vec![(Route::default(), tray)]), "x\n");
}

#[test]
fn sinks_call_priorities_as_rules_do() {
    assert_eq!(Priority::ALL.map(Priority::name), PRIORITIES);
    for (urgency, priority) in Priority::ALL.into_iter().enumerate() {
        assert_eq!(priority as usize, urgency);
    }
}
