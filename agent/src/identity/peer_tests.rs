//! Peers of every kind, and when they are in doubt.

use super::*;
use crate::identity::cluster::addresses::Limits;
use crate::identity::cluster::change::{AddressChange, Health, Source, Trouble, Update};
use crate::identity::cluster::object::{EndpointSlice, Node, RemotePod, Service};
use crate::identity::cluster::samples::{labels, namespace, object, selector};
use crate::identity::cluster::tenancy::{Expression, Operator, TenantObject};
use crate::identity::cluster::{Change, directory};
use crate::identity::tenant::{RuleSpec, TenantRules};

const SECOND: u64 = 1_000_000_000;
const TCP: u8 = 6;

fn ips(texts: &str) -> Vec<IpAddr> {
    texts.split_whitespace().map(|text| text.parse().unwrap()).collect()
}

fn pod(path: &str, addresses: &str, labelled: &str) -> AddressChange {
    let (namespace, name) = path.split_once('/').unwrap();
    AddressChange::Pods(Update::Put(RemotePod {
        namespace: namespace.into(),
        name: name.into(),
        labels: labels(labelled),
        ips: ips(addresses),
        started_unix_s: Some(1),
    }))
}

/// A slice, the Service that it is of, and addresses that are no pods'.
fn slice(path: &str, service: &str, addresses: &str) -> AddressChange {
    let (namespace, name) = path.split_once('/').unwrap();
    AddressChange::EndpointSlices(Update::Put(EndpointSlice {
        namespace: namespace.into(),
        name: name.into(),
        service: Some(service.into()),
        ips: ips(addresses),
    }))
}

/// Two tenants' pods, one that waits for its namespace, a Service with a node's port, a
/// node; all of it was told.
fn addresses() -> Addresses {
    let mut addresses = Addresses::new(Limits::default());
    let node = Node {
        name: "node-1".into(),
        ips: ips("192.0.2.1"),
        pod_ranges: Vec::new(),
        created_unix_s: Some(1),
    };
    let service = Service {
        namespace: "shop".into(),
        name: "web".into(),
        cluster_ips: ips("10.96.0.1"),
        outer_ips: Vec::new(),
        node_ports: vec![(TCP, 30080)],
        created_unix_s: Some(1),
    };
    let news = [
        pod("shop/web-1", "10.0.0.1 fd00::1", "app=web"),
        pod("bank/vault-1", "10.0.0.2", "app=vault"),
        pod("new/x", "10.0.0.3", ""),
        pod("shop/gone", "10.0.0.4", ""),
        AddressChange::Nodes(Update::Put(node)),
        AddressChange::Services(Update::Put(service)),
        slice("shop/db-1", "db", "198.51.100.20"),
        slice("shop/db-2", "db-too", "198.51.100.21 198.51.100.20"),
        slice("bank/db", "db", "198.51.100.22"),
        slice("shop/bank", "bank", "198.51.100.22 10.0.0.2 192.0.2.1"),
    ];
    for change in news {
        addresses.apply(&change, 5 * SECOND);
    }
    for source in Source::OF_ADDRESSES {
        addresses.health(source, &Health::Synced, 5 * SECOND);
    }
    addresses.apply(&pod("shop/gone", "", ""), 6 * SECOND);
    addresses
}

fn directory(rules: &str, objects: Vec<TenantObject>) -> Directory {
    let specs = serde_json::from_str::<Vec<RuleSpec>>(rules).unwrap();
    let mut directory =
        Directory::new(TenantRules::compile(specs).unwrap(), directory::Limits::default());
    let known = vec![namespace("shop", ""), namespace("bank", "")];
    directory.apply(Change::Namespaces(Update::All(known)), 1);
    directory.apply(Change::Tenants(Update::All(objects)), 1);
    directory
}

const BY_NAMESPACE: &str = r#"[{"match": {"namespace": "shop|bank"}, "tenant": "of-{namespace}"}]"#;

/// `kind namespace/name tenant`, with `?` where it is not certain.
fn told(peer: &Peer<'_>) -> String {
    let name = peer.name.map(|name| name.to_string()).unwrap_or_default();
    let namespace = peer.namespace.map(|text| format!("{text}/")).unwrap_or_default();
    let doubt = if peer.is_certain { "" } else { "?" };
    let tenant = peer.tenant().unwrap_or("-");
    format!("{} {namespace}{name} {tenant}{doubt}", peer.kind.label())
}

#[test]
fn peers_of_every_kind() {
    let (addresses, directory) = (addresses(), directory(BY_NAMESPACE, Vec::new()));
    let peers = Peers::new(&addresses, &directory, |_| false);
    let check = |address: &str, expected: &str| {
        let found = peers.find(address.parse().unwrap(), 10 * SECOND);
        assert_eq!(told(&found), expected, "{address}");
    };
    check("10.0.0.1", "pod shop/web-1 of-shop");
    check("::ffff:10.0.0.1", "pod shop/web-1 of-shop");
    check("fd00::1", "pod shop/web-1 of-shop");
    check("10.0.0.2", "pod bank/vault-1 of-bank");
    // Its namespace was not told.
    check("10.0.0.3", "pod new/x -");
    check("10.96.0.1", "service shop/web of-shop");
    check("192.0.2.1", "node node-1 host");
    // Behind Services without being in the cluster.
    check("198.51.100.21", "service shop/db-too of-shop");
    check("198.51.100.20", "service shop/ of-shop");
    check("198.51.100.22", "unknown  -?");
    check("127.0.0.9", "loopback  -");
    check("::ffff:127.0.0.1", "loopback  -");
    check("::1", "loopback  -");
    check("0.0.0.0", "loopback  -");
    check("198.51.100.1", "outside  -");
    // Of many hosts, or of another one on each link.
    check("224.0.0.251", "unknown  -?");
    check("255.255.255.255", "unknown  -?");
    check("fe80::1", "unknown  -?");
    // It was a pod's four seconds ago: no matter whose it is now, it is not outside.
    check("10.0.0.4", "unknown  -?");
}

#[test]
fn a_port_of_a_node_may_be_a_services() {
    let (addresses, directory) = (addresses(), directory(BY_NAMESPACE, Vec::new()));
    let peers = Peers::new(&addresses, &directory, |_| false);
    let check = |address: &str, protocol, port, expected: &str| {
        let address = address.parse().unwrap();
        let found = peers.find_destination(address, protocol, port, 10 * SECOND);
        assert_eq!(told(&found), expected, "{address} {protocol} {port}");
    };
    check("192.0.2.1", TCP, 30080, "service shop/web of-shop");
    check("192.0.2.1", 17, 30080, "node node-1 host");
    check("192.0.2.1", TCP, 30081, "node node-1 host");
    check("10.0.0.2", TCP, 30080, "pod bank/vault-1 of-bank");
    check("198.51.100.1", TCP, 30080, "outside  -");
}

#[test]
fn behind_a_node_may_be_a_service_where_nobody_tells_who_connected() {
    let (addresses, directory) = (addresses(), directory(BY_NAMESPACE, Vec::new()));
    let peers = Peers::new(&addresses, &directory, |_| false);
    let check = |address: &str, protocol, port, expected: &str| {
        let found = peers.find_either(address.parse().unwrap(), protocol, port, 10 * SECOND);
        assert_eq!(told(&found), expected, "{address} {protocol:?} {port}");
    };
    check("192.0.2.1", Some(TCP), 30080, "node node-1 host?");
    check("192.0.2.1", None, 30080, "node node-1 host?");
    check("192.0.2.1", Some(17), 30080, "node node-1 host");
    check("192.0.2.1", None, 30081, "node node-1 host");
    check("10.0.0.2", Some(TCP), 30080, "pod bank/vault-1 of-bank");
}

#[test]
fn while_the_api_server_is_away_no_peer_is_certain() {
    let (mut addresses, directory) = (addresses(), directory(BY_NAMESPACE, Vec::new()));
    let down = Health::Interrupted(Trouble::Unreachable(String::new()));
    addresses.health(Source::RemotePods, &down, 8 * SECOND);
    let peers = Peers::new(&addresses, &directory, |_| false);
    let check = |address: &str, at: u64, expected: &str| {
        let found = peers.find(address.parse().unwrap(), at * SECOND);
        assert_eq!(told(&found), expected, "{address} at {at}");
    };
    check("10.0.0.1", 7, "pod shop/web-1 of-shop");
    check("10.0.0.1", 9, "pod shop/web-1 of-shop?");
    check("198.51.100.1", 7, "outside  -");
    check("198.51.100.1", 9, "unknown  -?");
    check("127.0.0.1", 9, "loopback  -");
}

#[test]
fn labels_that_are_not_kept_leave_a_doubt() {
    let addresses = addresses();
    let of_pods = TenantObject { pod_selector: Some(selector("app=vault")), ..object("vip", 1) };
    let missing =
        Expression { key: "free".into(), operator: Operator::DoesNotExist, values: Vec::new() };
    let mut by_lack = of_pods.clone();
    by_lack.pod_selector.as_mut().unwrap().expressions.push(missing);
    let by_label = r#"[{"match": {"pod_label": "app=web"}, "tenant": "{pod_label}"},
                       {"match": {"namespace": ".*"}, "tenant": "of-{namespace}"}]"#;
    let by_path = r#"[{"match": {"namespace": ".*", "path": "x"}, "tenant": "x"},
                      {"match": {"namespace": ".*"}, "tenant": "of-{namespace}"}]"#;
    let check = |rules: &str, objects: &[&TenantObject], kept: &[&str], expected: [&str; 3]| {
        let directory = directory(rules, objects.iter().map(|it| (*it).clone()).collect());
        let peers = Peers::new(&addresses, &directory, |key| kept.contains(&key));
        let found = ["10.0.0.1", "10.0.0.2", "10.96.0.1"]
            .map(|address| told(&peers.find(address.parse().unwrap(), 10 * SECOND)));
        assert_eq!(found, expected, "{rules} {kept:?}");
    };
    let of = |web: &'static str, vault: &'static str, service: &'static str| [web, vault, service];
    check(
        BY_NAMESPACE,
        &[&of_pods],
        &["app"],
        of("pod shop/web-1 of-shop", "pod bank/vault-1 vip", "service shop/web of-shop?"),
    );
    check(
        BY_NAMESPACE,
        &[&by_lack],
        &["app"],
        of("pod shop/web-1 of-shop?", "pod bank/vault-1 vip?", "service shop/web of-shop?"),
    );
    check(
        by_label,
        &[],
        &["app", "other"],
        of("pod shop/web-1 web", "pod bank/vault-1 of-bank", "service shop/web of-shop?"),
    );
    check(
        by_label,
        &[],
        &[],
        of("pod shop/web-1 web?", "pod bank/vault-1 of-bank?", "service shop/web of-shop?"),
    );
    let by_namespace_first = r#"[{"match": {"namespace": "shop"}, "tenant": "of-{namespace}"},
                                 {"match": {"pod_label": "app=vault"}, "tenant": "{pod_label}"},
                                 {"match": {"namespace": ".*"}, "tenant": "of-{namespace}"}]"#;
    check(
        by_namespace_first,
        &[],
        &["app"],
        of("pod shop/web-1 of-shop", "pod bank/vault-1 vault", "service shop/web of-shop"),
    );
    check(
        by_path,
        &[],
        &[],
        of("pod shop/web-1 of-shop?", "pod bank/vault-1 of-bank?", "service shop/web of-shop?"),
    );
}

#[test]
fn labels_that_decide_are_those_of_rules_and_objects() {
    let rules = r#"[{"match": {"pod_label": "a=b"}, "tenant": "x"},
                    {"match": {"pod_label": "c"}, "tenant": "y"}]"#;
    let object = TenantObject { pod_selector: Some(selector("d=e,a=f")), ..object("o", 1) };
    let directory = directory(rules, vec![object]);
    let keys: Vec<&str> = pod_label_keys(directory.tenancy()).into_iter().collect();
    assert_eq!(keys, ["a", "c", "d"]);
}
