//! Who had which address when, as cases.

mod behind;
mod laws;
mod memory;

use std::net::IpAddr;

use super::{Addresses, Limits, Owner};
use crate::identity::cluster::change::{AddressChange, Health, Source, Trouble, Update};
use crate::identity::cluster::object::{Labels, Node, RemotePod, Service};

const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;

fn ips(texts: &str) -> Vec<IpAddr> {
    texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
}

/// `namespace/name`, its addresses, and when it started, in seconds.
fn pod(path: &str, addresses: &str, started: i64) -> RemotePod {
    let (namespace, name) = path.split_once('/').unwrap();
    RemotePod {
        namespace: namespace.into(),
        name: name.into(),
        labels: Labels::new(),
        ips: ips(addresses),
        started_unix_s: Some(started),
    }
}

fn service(path: &str, cluster: &str, outer: &str, node_ports: &[(u8, u16)]) -> Service {
    let (namespace, name) = path.split_once('/').unwrap();
    Service {
        namespace: namespace.into(),
        name: name.into(),
        cluster_ips: ips(cluster),
        outer_ips: ips(outer),
        node_ports: node_ports.to_vec(),
        created_unix_s: Some(1),
    }
}

fn node(name: &str, addresses: &str) -> Node {
    Node { name: name.into(), ips: ips(addresses), pod_ranges: Vec::new(), created_unix_s: Some(1) }
}

fn put(pod: RemotePod) -> AddressChange {
    AddressChange::Pods(Update::Put(pod))
}

fn gone(pod: RemotePod) -> AddressChange {
    AddressChange::Pods(Update::Gone(pod))
}

/// News, each with the second in which it came.
fn addresses(news: impl IntoIterator<Item = (u64, AddressChange)>) -> Addresses {
    let mut addresses = Addresses::new(Limits::default());
    for (second, change) in news {
        addresses.apply(&change, second * SECOND);
    }
    addresses
}

/// `namespace/name`, `host NAME`, with `?` where it is not certain, or `-`.
fn told(addresses: &Addresses, address: &str, at_ns: u64) -> String {
    let Some(found) = addresses.owner(address.parse().unwrap(), at_ns) else {
        return "-".to_owned();
    };
    let doubt = if found.is_certain { "" } else { "?" };
    match found.owner {
        Owner::Pod { namespace, name, .. } => format!("{namespace}/{name}{doubt}"),
        Owner::Service { namespace, name } => {
            let name = name.map_or("any".to_owned(), |name| name.to_string());
            format!("{namespace}/{name}{doubt}")
        }
        Owner::Host { node } => {
            format!("host {}{doubt}", node.map_or("itself".to_owned(), |name| name.to_string()))
        }
    }
}

#[test]
fn owners_of_every_kind() {
    let mut known = addresses([
        (5, put(pod("shop/web-5d4f8-x2k4q", "10.0.0.1 fd00::1", 5))),
        (5, put(pod("shop/agent", "", 5))),
        (5, put(pod("shop/a-name-with-a-long-end", "10.0.0.2", 5))),
        (5, put(pod("shop/web-0", "10.0.0.3", 5))),
        (5, AddressChange::Nodes(Update::Put(node("node-1", "192.0.2.1 2001:db8::1 10.0.9.1")))),
        (5, AddressChange::Services(Update::Put(service("shop/web", "10.96.0.1", "", &[])))),
        (5, AddressChange::Services(Update::Put(service("shop/headless", "", "", &[])))),
    ]);
    known.set_local(&ips("192.0.2.7"));
    let check = |address: &str, expected: &str| {
        assert_eq!(told(&known, address, 9 * SECOND), expected, "{address}");
    };
    check("10.0.0.1", "shop/web-5d4f8-x2k4q");
    check("::ffff:10.0.0.1", "shop/web-5d4f8-x2k4q");
    check("fd00::1", "shop/web-5d4f8-x2k4q");
    check("10.0.0.2", "shop/a-name-with-a-long-end");
    check("10.0.0.3", "shop/web-0");
    check("192.0.2.1", "host node-1");
    check("2001:db8::1", "host node-1");
    check("10.0.9.1", "host node-1");
    check("192.0.2.7", "host itself");
    check("10.96.0.1", "shop/web");
    check("10.0.0.9", "-");
    check("198.51.100.1", "-");
}

#[test]
fn an_address_that_is_used_again_is_split_at_the_right_moment() {
    let check = |news: Vec<(u64, AddressChange)>, expected: &[(u64, &str)]| {
        let known = addresses(news);
        for (at_ms, owner) in expected {
            assert_eq!(told(&known, "10.0.0.1", at_ms * MILLI), *owner, "at {at_ms} ms");
        }
    };
    let (first, second) =
        (|at| pod("a/first", "10.0.0.1", at), |at| pod("b/second", "10.0.0.1", at));
    // The end is told before the next begins.
    check(
        vec![(10, put(first(10))), (20, gone(first(10))), (22, put(second(21)))],
        &[
            (9_999, "-"),
            (10_000, "a/first?"),
            (11_000, "a/first"),
            (19_999, "a/first"),
            (20_500, "-"),
            (21_000, "b/second?"),
            (22_000, "b/second"),
            (99_000, "b/second"),
        ],
    );
    // It is told after the next began: what lies between may be either's.
    check(
        vec![(10, put(first(10))), (23, gone(first(10))), (24, put(second(21)))],
        &[(20_999, "a/first"), (21_000, "-"), (22_999, "-"), (23_000, "b/second")],
    );
    // It is told last of all.
    check(
        vec![(10, put(first(10))), (22, put(second(21))), (25, gone(first(10)))],
        &[(20_999, "a/first"), (21_500, "-"), (22_000, "b/second"), (26_000, "b/second")],
    );
    // Or never, as the pod lingers on, and is told once more.
    check(
        vec![(10, put(first(10))), (22, put(second(21))), (25, put(first(10)))],
        &[(20_999, "a/first"), (22_000, "b/second"), (26_000, "b/second")],
    );
    // Both started within the second: neither can be told from the other.
    check(
        vec![(10, put(first(10))), (11, put(second(10))), (12, gone(first(10)))],
        &[(10_500, "-"), (11_500, "-"), (12_000, "b/second")],
    );
    // Of three, the middle one lived for less than a second.
    check(
        vec![
            (10, put(first(10))),
            (20, gone(first(10))),
            (21, put(pod("c/short", "10.0.0.1", 20))),
            (21, gone(pod("c/short", "10.0.0.1", 20))),
            (22, put(second(21))),
        ],
        &[(19_999, "a/first"), (20_500, "c/short?"), (21_000, "b/second?")],
    );
}

#[test]
fn pods_that_have_ended_or_move_release_their_address() {
    let mut known = addresses([(10, put(pod("a/job", "10.0.0.1 fd00::1", 10)))]);
    known.apply(&put(pod("a/job", "10.0.0.1 fd00::2", 10)), 15 * SECOND);
    assert_eq!(told(&known, "fd00::1", 14 * SECOND), "a/job");
    assert_eq!(told(&known, "fd00::1", 15 * SECOND), "-");
    assert_eq!(told(&known, "fd00::2", 15 * SECOND), "a/job");
    known.apply(&put(pod("a/job", "", 10)), 20 * SECOND);
    assert_eq!(told(&known, "10.0.0.1", 19 * SECOND), "a/job");
    assert_eq!(told(&known, "10.0.0.1", 20 * SECOND), "-");
    assert_eq!((known.figures().holders, known.figures().addresses), (0, 0));
}

#[test]
fn what_a_new_list_lacks_has_ended() {
    let mut known = addresses([
        (10, put(pod("a/one", "10.0.0.1", 10))),
        (10, put(pod("a/two", "10.0.0.2", 10))),
        (10, AddressChange::Nodes(Update::Put(node("n", "192.0.2.1")))),
    ]);
    // They changed places, which only works where what was is ended first.
    let all = vec![pod("a/two", "10.0.0.1", 10), pod("a/three", "10.0.0.2", 15)];
    known.apply(&AddressChange::Pods(Update::All(all)), 20 * SECOND);
    assert_eq!(told(&known, "10.0.0.1", 19 * SECOND), "-", "since when is not known");
    assert_eq!(told(&known, "10.0.0.1", 20 * SECOND), "a/two");
    assert_eq!(told(&known, "10.0.0.2", 14 * SECOND), "a/two");
    assert_eq!(told(&known, "10.0.0.2", 20 * SECOND), "a/three");
    assert_eq!(told(&known, "192.0.2.1", 20 * SECOND), "host n");
    assert_eq!(known.figures().holders, 3);
}

#[test]
fn while_the_api_server_is_away_nothing_is_certain() {
    let down = Health::Interrupted(Trouble::Unreachable(String::new()));
    let mut known = addresses([(10, put(pod("a/one", "10.0.0.1", 10)))]);
    known.health(Source::RemotePods, &down, 100 * SECOND);
    known.health(Source::Quotas, &Health::Synced, 101 * SECOND);
    assert_eq!(told(&known, "10.0.0.1", 99 * SECOND), "a/one");
    assert_eq!(told(&known, "10.0.0.1", 150 * SECOND), "a/one?");
    // It ended meanwhile, nobody knows when.
    known.health(Source::RemotePods, &Health::Synced, 3600 * SECOND);
    known.apply(&gone(pod("a/one", "10.0.0.1", 10)), 3601 * SECOND);
    assert_eq!(told(&known, "10.0.0.1", 99 * SECOND), "a/one");
    assert_eq!(told(&known, "10.0.0.1", 150 * SECOND), "-");
}

#[test]
fn outer_addresses_of_services_may_be_shared_and_may_be_a_nodes() {
    let services = |of: Vec<Service>| AddressChange::Services(Update::All(of));
    let mut known = addresses([
        (5, AddressChange::Nodes(Update::Put(node("n", "192.0.2.1")))),
        (
            5,
            services(vec![
                service("a/one", "10.96.0.1", "192.0.2.1 203.0.113.1 203.0.113.2", &[(6, 30080)]),
                service("a/two", "10.96.0.2", "203.0.113.1", &[(17, 30053)]),
                service("b/three", "", "203.0.113.2", &[]),
            ]),
        ),
    ]);
    let check = |known: &Addresses, address: &str, expected: &str| {
        assert_eq!(told(known, address, 9 * SECOND), expected, "{address}");
    };
    check(&known, "192.0.2.1", "host n");
    check(&known, "203.0.113.1", "a/any");
    check(&known, "203.0.113.2", "-");
    let behind = |known: &Addresses, protocol, port| {
        known.behind(protocol, port).and_then(|owner| owner.namespace().map(str::to_owned))
    };
    assert_eq!(behind(&known, 6, 30080).as_deref(), Some("a"));
    assert_eq!(behind(&known, 17, 30080), None);
    known.apply(&AddressChange::Services(Update::Gone(service("a/one", "", "", &[]))), 6 * SECOND);
    check(&known, "203.0.113.1", "a/two");
    check(&known, "203.0.113.2", "b/three");
    check(&known, "10.96.0.1", "-");
    assert_eq!(behind(&known, 6, 30080), None);
    known.apply(&services(Vec::new()), 7 * SECOND);
    assert_eq!((known.figures().holders, known.outer.len(), known.node_ports.len()), (1, 0, 0));
}

#[test]
fn labels_hold_for_their_time() {
    let labelled = |tenant: &str| {
        let labels = Labels::from([("tenant".into(), tenant.into())]);
        put(RemotePod { labels, ..pod("a/one", "10.0.0.1", 10) })
    };
    let known = addresses([(10, labelled("acme")), (20, labelled("umbrella"))]);
    let check = |second: u64, expected: &str| {
        let found = known.owner("10.0.0.1".parse().unwrap(), second * SECOND).unwrap();
        let Owner::Pod { labels, .. } = found.owner else { panic!("{found:?}") };
        assert_eq!(&*labels["tenant"], expected);
    };
    check(19, "acme");
    check(20, "umbrella");
}

#[test]
fn the_past_is_bounded_in_age_and_number() {
    let mut known =
        Addresses::new(Limits { keep_ns: 100 * SECOND, intervals: 3, ..Limits::default() });
    for n in 0..5 {
        let one = pod(&format!("ns{n}/p"), "10.0.0.1", 10 * n);
        let start = u64::try_from(10 * n).unwrap() * SECOND;
        known.apply(&put(one.clone()), start);
        known.apply(&gone(one), start + 5 * SECOND);
    }
    known.apply(&AddressChange::Pods(Update::All(Vec::new())), 50 * SECOND);
    assert_eq!((known.figures().past, known.figures().forgotten), (3, 2));
    assert_eq!(told(&known, "10.0.0.1", 12 * SECOND), "-");
    assert_eq!(told(&known, "10.0.0.1", 42 * SECOND), "ns4/p");
    known.apply(&AddressChange::Pods(Update::All(Vec::new())), 200 * SECOND);
    assert_eq!((known.figures().past, known.figures().forgotten), (0, 2));
    assert_eq!(known.table.texts(), 0, "all texts were released");
}

#[test]
fn outside_is_what_nobody_in_the_cluster_can_have() {
    let ranges = |texts: &str| texts.split_whitespace().map(|text| text.parse().unwrap()).collect();
    let mut known = addresses([
        (
            10,
            AddressChange::Nodes(Update::Put(Node {
                pod_ranges: ranges("10.1.0.0/24 fd00:1::/64"),
                ..node("n", "192.0.2.1")
            })),
        ),
        (10, AddressChange::Nodes(Update::Put(node("m", "192.0.2.2")))),
        (10, put(pod("a/one", "10.0.0.1", 5))),
        (10, put(pod("a/two", "10.0.0.2", 5))),
        (20, gone(pod("a/two", "", 5))),
        (20, AddressChange::Services(Update::Put(service("a/s", "", "203.0.113.1", &[])))),
    ]);
    let check = |known: &Addresses, at: u64, addresses: &str, expected: bool| {
        for address in ips(addresses) {
            assert_eq!(known.is_outside(address, at * SECOND), expected, "{address} at {at}");
        }
    };
    // Not all has been told yet.
    check(&known, 25, "198.51.100.1", false);
    for source in Source::OF_ADDRESSES {
        check(&known, 25, "198.51.100.1", false);
        known.health(source, &Health::Synced, 20 * SECOND);
    }
    check(&known, 19, "198.51.100.1", false);
    check(&known, 25, "198.51.100.1 10.1.1.0 10.0.255.255 fd00:2:: ::ffff:9.9.9.9", true);
    check(&known, 25, "10.0.0.1 192.0.2.1 192.0.2.2 203.0.113.1", false);
    // Whoever had it may be the one who is asked about.
    check(&known, 25, "10.0.0.2", false);
    // A pod that is still to be told may have it.
    check(&known, 25, "10.1.0.1 10.1.0.255 ::ffff:10.1.0.7 fd00:1::7", false);
    // While the API server is away, pods may begin and end that nobody will ever tell of.
    let down = Health::Interrupted(Trouble::Unreachable(String::new()));
    known.health(Source::RemotePods, &down, 30 * SECOND);
    check(&known, 29, "198.51.100.1", true);
    check(&known, 35, "198.51.100.1", false);
    known.health(Source::RemotePods, &Health::Synced, 40 * SECOND);
    check(&known, 35, "198.51.100.1", false);
    check(&known, 40, "198.51.100.1", true);
    // Networks go with their nodes.
    known.apply(&AddressChange::Nodes(Update::All(vec![node("m", "192.0.2.2")])), 50 * SECOND);
    check(&known, 50, "10.1.0.7", true);
}

#[test]
fn addresses_are_bounded_in_number() {
    let mut known = Addresses::new(Limits { addresses: 2, ..Limits::default() });
    for source in Source::OF_ADDRESSES {
        known.health(source, &Health::Synced, SECOND);
    }
    known.apply(&put(pod("a/one", "10.0.0.1 10.0.0.2", 1)), 5 * SECOND);
    assert!(known.is_outside(ips("198.51.100.1")[0], 5 * SECOND));
    known.apply(&put(pod("a/two", "10.0.0.3", 1)), 5 * SECOND);
    let many = service("a/s", "", "203.0.113.1 203.0.113.2 203.0.113.3", &[]);
    known.apply(&AddressChange::Services(Update::Put(many)), 5 * SECOND);
    let figures = known.figures();
    assert_eq!((figures.addresses, figures.refused, known.outer.len()), (2, 2, 2));
    // Whoever has an address may have found no room.
    assert!(!known.is_outside(ips("198.51.100.1")[0], 5 * SECOND));
    assert_eq!(told(&known, "10.0.0.3", 5 * SECOND), "-");
    known.apply(&gone(pod("a/one", "", 1)), 6 * SECOND);
    known.apply(&put(pod("a/two", "10.0.0.3", 1)), 6 * SECOND);
    assert_eq!(told(&known, "10.0.0.3", 6 * SECOND), "a/two");
    assert_eq!(known.figures().holders, 2);
}
