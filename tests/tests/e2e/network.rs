//! Bytes against the counters of the interface that carried them.

use std::net::{IpAddr, SocketAddr};

use landlord_tests::agent::Usage;
use landlord_tests::netns::{Counters, Link};
use landlord_tests::truth::{exactly, must_fail};
use landlord_tests::workload::Order;

use crate::stage::{PATIENCE, amount, home, tenant};

const PORT: u16 = 7070;

/// A service in one namespace and its client in the other.
fn check_bytes(name: &str, family: &str, server: &[&str], client: &[&str]) {
    let home = home();
    let agent = home.start().unwrap();
    let link = Link::lay().unwrap();
    let address = |namespace: &landlord_tests::netns::Namespace| -> IpAddr {
        if family == "ipv4" { namespace.ipv4() } else { namespace.ipv6() }
    };
    let listen = SocketAddr::new(address(&link.right), PORT).to_string();
    let (inside, out) = (tenant(&format!("{name}-server")), tenant(&format!("{name}-client")));
    let with = |work: &[&str], flag: &str| -> Vec<String> {
        let rest = work.iter().skip(1).map(|word| (*word).to_owned());
        [work[0].to_owned(), flag.to_owned(), listen.clone()].into_iter().chain(rest).collect()
    };
    let mut server = Order::new(with(server, "--listen"))
        .inside(&inside.0)
        .networked(&link.right)
        .start()
        .unwrap();
    let mut client =
        Order::new(with(client, "--connect")).inside(&out.0).networked(&link.left).start().unwrap();
    server.go().unwrap();
    client.go().unwrap();
    client.wait(PATIENCE).unwrap();
    server.wait(PATIENCE).unwrap();

    let usage = agent.usage().unwrap();
    assert!(link.right.counters().unwrap().receive.bytes > 0, "nothing was carried");
    check_end(&usage, &inside.1, family, link.right.counters().unwrap());
    check_end(&usage, &out.1, family, link.left.counters().unwrap());
}

/// One end's sockets against its interface, both directions, bytes and packets.
fn check_end(usage: &Usage, tenant: &str, family: &str, wire: Counters) {
    let other = if family == "ipv4" { "ipv6" } else { "ipv4" };
    for (direction, traffic) in [("transmit", wire.transmit), ("receive", wire.receive)] {
        let what = format!("{tenant} {direction} {family}");
        let read = |table: &str, family: &str| {
            usage.count(tenant, &format!("{table}/{direction}/{family}")).unwrap()
        };
        let unseen = unseen_answers(tenant, direction, family);
        let (true_bytes, true_packets) =
            (traffic.bytes - unseen * SYN_ACK_BYTES, traffic.packets - unseen);
        let bytes = read("network_bytes_total", family);
        exactly(&what, bytes, true_bytes).unwrap();
        must_fail(&what, &exactly(&what, bytes, true_bytes + 1)).unwrap();
        exactly(&what, read("network_packets_total", family), true_packets).unwrap();
        exactly(&what, read("network_bytes_total", other), 0).unwrap();
    }
}

/// An IPv6 header and the TCP header, with its options, of a connection's answer.
const SYN_ACK_BYTES: u64 = 40 + 40;

/// Packets that the kernel sends past the programs of a cgroup: up to 6.1 (and not
/// on 6.12) the answer to a connection request over IPv6.
fn unseen_answers(tenant: &str, direction: &str, family: &str) -> u64 {
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy().into_owned();
    let old = release.starts_with("5.") || release.starts_with("6.1.");
    let accepted = !tenant.contains("udp") && tenant.ends_with("server");
    u64::from(old && accepted && direction == "transmit" && family == "ipv6")
}

fn requests(family: &str) {
    if landlord_tests::may_run() {
        let count = amount(20_000, 500).to_string();
        let name = format!("tcp-{family}");
        check_bytes(&name, family, &["tcp-server"], &["tcp-client", "--count", &count]);
    }
}

#[test]
fn tcp_requests_over_ipv4() {
    requests("ipv4");
}

#[test]
fn tcp_requests_over_ipv6() {
    requests("ipv6");
}

fn stream(family: &str) {
    if landlord_tests::may_run() {
        let count = amount(2_000, 100).to_string();
        let name = format!("stream-{family}");
        check_bytes(&name, family, &["tcp-sink"], &["tcp-stream", "--count", &count]);
    }
}

#[test]
fn a_tcp_stream_over_ipv4() {
    stream("ipv4");
}

#[test]
fn a_tcp_stream_over_ipv6() {
    stream("ipv6");
}

fn datagrams(family: &str) {
    if landlord_tests::may_run() {
        let count = amount(20_000, 1_000).to_string();
        let sink = ["udp-sink", "--count", &count];
        let send = ["udp-send", "--bytes", "700", "--count", &count];
        check_bytes(&format!("udp-{family}"), family, &sink, &send);
    }
}

#[test]
fn datagrams_over_ipv4() {
    datagrams("ipv4");
}

#[test]
fn datagrams_over_ipv6() {
    datagrams("ipv6");
}
