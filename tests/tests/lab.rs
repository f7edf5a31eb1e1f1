//! The lab against the kernel: every ground truth has a second witness.
//!
//! No agent runs here. What these tests prove is that a difference found by the
//! other tests is the agent's.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use landlord_tests::cgroup::Hierarchy;
use landlord_tests::netns::{Counters, Link, Namespace, Traffic};
use landlord_tests::truth::{exactly, must_fail, within, within_and_controlled};
use landlord_tests::workload::Order;

const PATIENCE: Duration = Duration::from_secs(120);
/// IP and UDP headers.
const UDP_OVER_IPV4: u64 = 20 + 8;
const UDP_OVER_IPV6: u64 = 40 + 8;

#[test]
fn a_cgroup_is_gone_with_its_value_and_its_processes() {
    if !landlord_tests::may_run() {
        return;
    }
    let hierarchy = Hierarchy::find().unwrap();
    let cgroup = hierarchy.create("landlord-lab-birth.slice/inner.scope").unwrap();
    let directory = cgroup.directory().to_owned();
    assert_eq!(cgroup.path(), "/landlord-lab-birth.slice/inner.scope");
    assert!(cgroup.id().unwrap() > 1);

    let mut hog = Order::new(["hog", "--seconds", "600"]).inside(&cgroup).start().unwrap();
    hog.go().unwrap();
    assert_eq!(cgroup.processes().unwrap(), [i32::try_from(hog.pid()).unwrap()]);
    drop(cgroup);

    assert!(!directory.exists(), "the cgroup outlived its value");
    assert!(!directory.parent().unwrap().exists(), "its parent outlived its value");
    hog.wait(PATIENCE).expect_err("it was killed with its cgroup");
}

#[test]
fn a_hogs_own_account_is_the_kernels() {
    if !landlord_tests::may_run() {
        return;
    }
    let cgroup = Hierarchy::find().unwrap().create("landlord-lab-hog.slice").unwrap();
    let mut hog = Order::new(["hog", "--seconds", "3"]).inside(&cgroup).start().unwrap();
    let before = cgroup.cpu_usage_usec().unwrap();
    hog.go().unwrap();
    let truth = hog.wait(PATIENCE).unwrap();
    // The kernel's account has the process's end as well, which is slow in a guest.
    let kernel = seconds(cgroup.cpu_usage_usec().unwrap() - before, 1e6);
    within_and_controlled("cpu.stat", kernel, seconds(truth.cpu_ns, 1e9), 2.0).unwrap();
}

#[test]
fn two_hogs_on_one_cpu_wait_for_each_other() {
    if !landlord_tests::may_run() {
        return;
    }
    let order = Order::new(["hog", "--seconds", "2"]).on_cpu(0);
    let (mut one, mut other) = (order.start().unwrap(), order.start().unwrap());
    one.go().unwrap();
    other.go().unwrap();
    for hog in [&mut one, &mut other] {
        let truth = hog.wait(PATIENCE).unwrap();
        let wait = truth.wait_ns.expect("this kernel accounts waiting");
        // A hog sleeps never: what it does not run, it waits.
        let accounted = seconds(truth.cpu_ns + wait, 1e9);
        within_and_controlled("run and wait", accounted, seconds(truth.elapsed_ns, 1e9), 5.0)
            .unwrap();
        assert!(wait > truth.elapsed_ns / 4, "waited only {wait} ns");
    }
}

#[test]
fn a_silent_link_stays_silent() {
    if !landlord_tests::may_run() {
        return;
    }
    let link = Link::lay().unwrap();
    // Multicast reports and solicitations come within the first seconds.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(link.left.counters().unwrap(), Counters::default());
    assert_eq!(link.right.counters().unwrap(), Counters::default());
}

#[test]
fn datagrams_weigh_what_the_protocol_says() {
    if !landlord_tests::may_run() {
        return;
    }
    let link = Link::lay().unwrap();
    check_udp(&link, link.left.ipv4(), UDP_OVER_IPV4);
    check_udp(&link, link.left.ipv6(), UDP_OVER_IPV6);
}

fn check_udp(link: &Link, address: IpAddr, headers: u64) {
    let before = both(link);
    let address = SocketAddr::new(address, 7000).to_string();
    let mut sink = Order::new(["udp-sink", "--count", "1000", "--listen", &address])
        .networked(&link.left)
        .start()
        .unwrap();
    sink.go().unwrap();
    let sent = Order::new(["udp-send", "--count", "1000", "--bytes", "100", "--connect", &address])
        .networked(&link.right)
        .run(PATIENCE)
        .unwrap();
    assert_eq!(sink.wait(PATIENCE).unwrap().operations, 1000);
    assert_eq!(sent.sent_bytes, 100_000);

    let expected = Traffic { bytes: 1000 * (100 + headers), packets: 1000 };
    let moved = difference(link, before);
    assert_eq!(moved.left.receive, expected);
    assert_eq!(moved.right.transmit, expected);
    assert_eq!(moved.left.transmit, Traffic::default());
    let wrong = exactly("bytes", moved.left.receive.bytes + 1, expected.bytes);
    must_fail("one byte more", &wrong).unwrap();
}

#[test]
fn tcp_weighs_the_same_for_interface_and_ip_layer() {
    if !landlord_tests::may_run() {
        return;
    }
    let link = Link::lay().unwrap();
    check_tcp(&link, link.left.ipv4(), 1);
    check_tcp(&link, link.left.ipv6(), 1);
    // Answers beyond a segment are aggregates on the way.
    check_tcp(&link, link.left.ipv4(), 200_000);
    check_tcp(&link, link.left.ipv6(), 200_000);
}

fn check_tcp(link: &Link, address: IpAddr, response: u64) {
    let before = both(link);
    let address = SocketAddr::new(address, 7000).to_string();
    let response = response.to_string();
    let server = ["tcp-server", "--listen", &address, "--response", &response];
    let client = ["tcp-client", "--connect", &address, "--response", &response, "--count", "500"];
    let mut server = Order::new(server).networked(&link.left).start().unwrap();
    server.go().unwrap();
    let asked = Order::new(client).networked(&link.right).run(PATIENCE).unwrap();
    let answered = server.wait(PATIENCE).unwrap();
    assert_eq!(asked.operations, 500);
    assert_eq!(answered.operations, 500);
    assert_eq!(asked.received_bytes, answered.sent_bytes);

    let moved = difference(link, before);
    assert_eq!(moved.left.transmit, moved.right.receive);
    assert_eq!(moved.left.receive, moved.right.transmit);
    assert!(moved.left.transmit.bytes > answered.sent_bytes);
    // The IP layer counts at layer 3 by itself; nothing was taken off its figures.
    assert_eq!(moved.left_ip.transmit.bytes, moved.left.transmit.bytes);
    assert_eq!(moved.left_ip.receive.bytes, moved.left.receive.bytes);
    assert_eq!(moved.right_ip.transmit.bytes, moved.right.transmit.bytes);
    assert_eq!(moved.right_ip.receive.bytes, moved.right.receive.bytes);
}

#[test]
fn a_stream_arrives_whole() {
    if !landlord_tests::may_run() {
        return;
    }
    let link = Link::lay().unwrap();
    let address = SocketAddr::new(link.left.ipv6(), 7000).to_string();
    let mut sink =
        Order::new(["tcp-sink", "--listen", &address]).networked(&link.left).start().unwrap();
    sink.go().unwrap();
    let sent = Order::new(["tcp-stream", "--connect", &address, "--count", "200"])
        .networked(&link.right)
        .run(PATIENCE)
        .unwrap();
    let received = sink.wait(PATIENCE).unwrap();
    assert_eq!(received.received_bytes, sent.sent_bytes);
    assert_eq!(sent.sent_bytes, 200 * 65536);
    assert!(link.left.counters().unwrap().receive.bytes > sent.sent_bytes);
}

#[test]
fn a_lonely_namespace_has_a_loopback_and_no_link() {
    if !landlord_tests::may_run() {
        return;
    }
    let namespace = Namespace::lonely().unwrap();
    namespace.counters().expect_err("it is joined to nothing");
    let pair =
        Order::new(["tcp-pair", "--count", "10"]).networked(&namespace).run(PATIENCE).unwrap();
    assert_eq!(pair.operations, 10);
}

#[test]
fn calls_and_children_are_told_exactly() {
    if !landlord_tests::may_run() {
        return;
    }
    let run = |order: &[&str]| Order::new(order).run(PATIENCE).unwrap();
    let calls = run(&["syscalls", "--name", "getppid", "--threads", "8", "--count", "5000"]);
    assert_eq!(calls.syscalls["getppid"], 40_000);
    assert_eq!(run(&["exit-storm", "--count", "7"]).syscalls["exit_group"], 8);
    assert_eq!(run(&["signals", "--count", "100"]).syscalls["rt_sigreturn"], 100);
    assert_eq!(run(&["killed", "--count", "3"]).operations, 3);
    assert_eq!(run(&["pingpong", "--count", "1000"]).operations, 1000);
}

#[test]
fn a_duty_is_a_part_of_a_core() {
    if !landlord_tests::may_run() {
        return;
    }
    let truth = Order::new(["hog", "--seconds", "2", "--duty", "0.2"]).run(PATIENCE).unwrap();
    let used = seconds(truth.cpu_ns, 1e9);
    // Others on the machine can only take time away; a look at the clock takes some.
    assert!((0.05..0.6).contains(&used), "{used} s in 2 s");
    within("the time", seconds(truth.elapsed_ns, 1e9), 2.0, 5.0).unwrap();
}

/// Counters of both ends, by the interface and by the IP layer.
#[derive(Clone, Copy)]
struct Both {
    left: Counters,
    right: Counters,
    left_ip: Counters,
    right_ip: Counters,
}

fn both(link: &Link) -> Both {
    Both {
        left: link.left.counters().unwrap(),
        right: link.right.counters().unwrap(),
        left_ip: link.left.ip_counters().unwrap(),
        right_ip: link.right.ip_counters().unwrap(),
    }
}

fn difference(link: &Link, before: Both) -> Both {
    let after = both(link);
    Both {
        left: after.left - before.left,
        right: after.right - before.right,
        left_ip: after.left_ip - before.left_ip,
        right_ip: after.right_ip - before.right_ip,
    }
}

fn seconds(count: u64, per_second: f64) -> f64 {
    // Exact: the counts are far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let count = count as f64;
    count / per_second
}
