//! The counters survive the agent.

use landlord_tests::agent::Home;
use landlord_tests::netns::Link;
use landlord_tests::truth::{exactly, must_fail, within_and_controlled};
use landlord_tests::workload::Order;

use crate::stage::{PATIENCE, amount, home, tenant};

#[test]
fn an_agent_killed_under_load_loses_nothing_and_counts_nothing_twice() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let mut agent = home.start().unwrap();
    let link = Link::lay().unwrap();
    let ((storm_place, storm), (hog_place, hog)) = (tenant("storm"), tenant("spinner"));
    let ((server_place, server), (client_place, client)) = (tenant("answers"), tenant("asks"));
    let calls = amount(20_000_000, 1_000_000);
    let listen = std::net::SocketAddr::new(link.right.ipv4(), 7071).to_string();
    let orders = [
        Order::new(["syscalls", "--count", &calls.to_string()]).inside(&storm_place),
        Order::new(["hog", "--seconds", "8", "--duty", "0.3"]).inside(&hog_place),
        Order::new(["tcp-server", "--listen", &listen])
            .inside(&server_place)
            .networked(&link.right),
        Order::new(["tcp-client", "--connect", &listen, "--seconds", "8"])
            .inside(&client_place)
            .networked(&link.left),
    ];
    let mut running: Vec<_> = orders.iter().map(|order| order.start().unwrap()).collect();
    for workload in &mut running {
        workload.go().unwrap();
    }
    let mut before = 0;
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let now = agent.usage().unwrap().count(&storm, "syscalls_total/getppid").unwrap();
        assert!(now >= before, "the counter fell from {before} to {now}");
        before = now;
        agent.kill().unwrap();
        // Nobody reads for a while, but the kernel counts on.
        std::thread::sleep(std::time::Duration::from_millis(300));
        agent = home.start().unwrap();
    }
    for workload in &mut running {
        workload.wait(PATIENCE).unwrap();
    }
    let usage = agent.usage().unwrap();
    let counted = usage.count(&storm, "syscalls_total/getppid").unwrap();
    exactly("getppid", counted, calls).unwrap();
    must_fail("getppid", &exactly("getppid", counted, calls - 1)).unwrap();
    for (tenant, wire) in [(&server, &link.right), (&client, &link.left)] {
        let wire = wire.counters().unwrap();
        for (direction, truth) in [("transmit", wire.transmit), ("receive", wire.receive)] {
            let path = format!("network_bytes_total/{direction}/ipv4");
            exactly(&path, usage.count(tenant, &path).unwrap(), truth.bytes).unwrap();
        }
    }
    let cpu = usage.figure(&hog, "cpu_seconds_total").unwrap();
    let truth = hog_place.cpu_usage_usec().unwrap() as f64 / 1e6;
    within_and_controlled("CPU seconds", cpu, truth, 0.5).unwrap();
}

#[test]
fn a_cgroup_that_lives_and_dies_between_two_agents_is_charged() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    home.start().unwrap().kill().unwrap();
    let (cgroup, tenant) = tenant("unwatched");
    Order::new(["syscalls", "--count", "4321"]).inside(&cgroup).run(PATIENCE).unwrap();
    cgroup.remove().unwrap();
    let agent = home.start().unwrap();
    let usage = agent.usage().unwrap();
    exactly("getppid", usage.count(&tenant, "syscalls_total/getppid").unwrap(), 4321).unwrap();
}

#[test]
fn totals_of_ended_cgroups_survive_a_kill() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("remembered");
    Order::new(["syscalls", "--count", "777"]).inside(&cgroup).run(PATIENCE).unwrap();
    cgroup.remove().unwrap();
    // Long enough for the slot to be given back.
    std::thread::sleep(std::time::Duration::from_secs(4));
    agent.kill().unwrap();
    let agent = home.start().unwrap();
    let counted = agent.usage().unwrap().count(&tenant, "syscalls_total/getppid").unwrap();
    exactly("getppid", counted, 777).unwrap();
}

#[test]
fn another_layout_is_reported_and_counts_from_zero() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = Home::new("interval: 1s\nmax_cgroups: 128\n").unwrap();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("relaid");
    Order::new(["syscalls", "--count", "1000"]).inside(&cgroup).run(PATIENCE).unwrap();
    let started = |usage: &landlord_tests::agent::Usage| {
        usage.0["agent"]["epoch_start_time_seconds"].as_f64().unwrap()
    };
    let first = agent.usage().unwrap();
    exactly("before", first.count(&tenant, "syscalls_total/getppid").unwrap(), 1000).unwrap();
    assert!(agent.terminate().unwrap().success());

    home.configure("interval: 1s\nmax_cgroups: 256\n").unwrap();
    let agent = home.start().unwrap();
    Order::new(["syscalls", "--count", "10"]).inside(&cgroup).run(PATIENCE).unwrap();
    let second = agent.usage().unwrap();
    exactly("after", second.count(&tenant, "syscalls_total/getppid").unwrap(), 10).unwrap();
    assert!(started(&second) > started(&first), "the epoch is the same");
    let log = home.log();
    assert!(log.contains("another layout"), "nothing was said:\n{log}");
}

#[test]
fn after_a_clean_stop_the_counters_go_on() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let (cgroup, tenant) = tenant("steady");
    for round in 1..=3 {
        let agent = home.start().unwrap();
        Order::new(["syscalls", "--count", "500"]).inside(&cgroup).run(PATIENCE).unwrap();
        let counted = agent.usage().unwrap().count(&tenant, "syscalls_total/getppid").unwrap();
        exactly("getppid", counted, 500 * round).unwrap();
        assert!(agent.terminate().unwrap().success());
    }
}

#[test]
fn detached_means_gone() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let refused = home.command().arg("detach").arg("--pin-path").arg(home.pin()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "detached from a running agent");
    agent.kill().unwrap();
    assert!(home.pin().exists(), "nothing was pinned");
    home.detach().unwrap();
    assert!(!home.pin().exists(), "pins were left");
}
