//! An address goes from a pod that died to the next one within a second: what was sent from
//! it stays whose it was.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use landlord_tests::cgroup::Hierarchy;
use landlord_tests::netns::{Counters, Link};
use landlord_tests::truth::{exactly, must_fail};
use landlord_tests::workload::{Order, Running};
use serde_json::json;

use super::{Cluster, Pod, is_synced, told, until};
use crate::stage::PATIENCE;

const PORT: u16 = 7071;
const REUSED_WITHIN: Duration = Duration::from_secs(1);

/// Somebody who takes what a pod sends, at the other end of a link of its own. All links
/// have the same addresses.
struct Wire {
    link: Link,
    sink: Running,
    sender: Running,
}

impl Wire {
    fn lay(pod: &Pod, sink: &landlord_tests::cgroup::Cgroup, datagrams: u64) -> Self {
        let link = Link::lay().unwrap();
        let count = datagrams.to_string();
        let at = SocketAddr::new(link.right.ipv4(), PORT).to_string();
        let order = Order::new(["udp-sink", "--listen", &at, "--count", &count]);
        let mut sink = order.inside(sink).networked(&link.right).start().unwrap();
        sink.go().unwrap();
        let order = Order::new(["udp-send", "--connect", &at, "--bytes", "700", "--count", &count]);
        let sender = order.inside(pod.cgroup.as_ref().unwrap()).networked(&link.left);
        Self { link, sink, sender: sender.start().unwrap() }
    }

    /// Lets the pod send; what its interface carried.
    fn send(&mut self) -> Counters {
        self.sender.go().unwrap();
        self.sender.wait(PATIENCE).unwrap();
        self.sink.wait(PATIENCE).unwrap();
        self.link.left.counters().unwrap()
    }
}

impl Cluster {
    /// Tells of a pod that has the address of the link.
    fn put_at(&self, pod: &Pod, wire: &Wire) {
        self.put(pod);
        let mut object = self.server.get("pods", pod.namespace, pod.name).unwrap();
        let address = wire.link.left.ipv4().to_string();
        object["status"]["podIPs"] = json!([{"ip": address}]);
        object["status"]["podIP"] = json!(address);
        self.server.put(object).unwrap();
    }
}

#[test]
fn no_byte_of_a_dead_pod_is_the_next_ones_with_its_address() {
    if !landlord_tests::may_run() {
        return;
    }
    let cluster = Cluster::new();
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    let taker = Hierarchy::find().unwrap().create("landlord-e2e-taker.slice").unwrap();
    let mut dead = Pod::new("blue", "dead", 31);
    let next = Pod::new("green", "next", 32);
    let mut first = Wire::lay(&dead, &taker, 300);
    let mut second = Wire::lay(&next, &taker, 17);
    assert_eq!(first.link.left.ipv4(), second.link.left.ipv4());
    cluster.put_at(&dead, &first);
    let sent = first.send();
    let died = Instant::now();
    dead.end();
    assert!(cluster.server.remove("pods", dead.namespace, dead.name));
    cluster.put_at(&next, &second);
    let took = died.elapsed();
    let sent_next = second.send();
    assert!(took < REUSED_WITHIN, "reused only after {took:?}");

    let bytes = |usage: &landlord_tests::agent::Usage, tenant: &str| {
        usage.count(tenant, "network_bytes_total/transmit/ipv4").unwrap_or(0)
    };
    let usage = until(&agent, "both tenants", |usage| {
        bytes(usage, "acme") > 0 && told(usage, &next)["pod"] == next.name
    });
    exactly("the dead pod's bytes", bytes(&usage, "acme"), sent.transmit.bytes).unwrap();
    let others = bytes(&usage, "oil");
    exactly("the next one's bytes", others, sent_next.transmit.bytes).unwrap();
    must_fail("bytes", &exactly("bytes", others, sent_next.transmit.bytes + 1)).unwrap();
    assert!(sent.transmit.bytes > sent_next.transmit.bytes * 10, "{sent:?} {sent_next:?}");
}
