//! Figures of the cgroup's own files: memory, kills, throttling.

use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::truth::within_and_controlled;
use landlord_tests::workload::Order;

use crate::stage::{PATIENCE, home, skip_here, tenant};

const MIB: u64 = 1 << 20;

/// Whether the controller is to be had in the v2 hierarchy; says so where it is not.
fn has_controller(cgroup: &Cgroup, name: &str) -> bool {
    let has = cgroup.enable(name).unwrap();
    if !has {
        skip_here(&format!("the controller {name} is not in the v2 hierarchy"));
    }
    has
}

#[test]
fn memory_in_use_its_peak_and_its_limit() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("memory");
    if !has_controller(&cgroup, "memory") {
        let usage = agent.usage().unwrap();
        assert!(usage.tenant(&tenant).unwrap()["memory_bytes"].is_null(), "invented a figure");
        return;
    }
    cgroup.write("memory.max", &(256 * MIB).to_string()).unwrap();
    let bytes = (64 * MIB).to_string();
    let order = Order::new(["memory", "--bytes", &bytes, "--seconds", "600"]).inside(&cgroup);
    let mut held = order.start().unwrap();
    held.go().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let usage = agent.usage().unwrap();
    let now = usage.figure(&tenant, "memory_bytes").unwrap();
    within_and_controlled("bytes in use", now, (64 * MIB) as f64, 10.0).unwrap();
    let limit = usage.count(&tenant, "memory_limit_bytes").unwrap();
    assert_eq!(limit, 256 * MIB);
    // memory.peak came with 5.19.
    if cgroup.read("memory.peak").is_ok() {
        let peak = usage.figure(&tenant, "memory_peak_bytes").unwrap();
        assert!(peak >= 64.0 * MIB as f64, "a peak of {peak}");
    }
}

#[test]
fn kills_for_want_of_memory() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("oom");
    if !has_controller(&cgroup, "memory") {
        return;
    }
    cgroup.write("memory.max", &(32 * MIB).to_string()).unwrap();
    if cgroup.read("memory.swap.max").is_ok() {
        cgroup.write("memory.swap.max", "0").unwrap();
    }
    for _ in 0..2 {
        let mut greedy = Order::new(["oom", "--bytes", &(256 * MIB).to_string()])
            .inside(&cgroup)
            .start()
            .unwrap();
        greedy.go().unwrap();
        greedy.wait(PATIENCE).expect_err("it is killed");
    }
    let usage = agent.usage().unwrap();
    assert_eq!(usage.count(&tenant, "oom_kills_total").unwrap(), 2);
}

#[test]
fn time_held_back_by_a_cpu_limit() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("limited");
    if !has_controller(&cgroup, "cpu") {
        return;
    }
    cgroup.write("cpu.max", "25000 100000").unwrap();
    Order::new(["hog", "--seconds", "4"]).inside(&cgroup).run(PATIENCE).unwrap();
    let usage = agent.usage().unwrap();
    let truth = cgroup.figure("cpu.stat", "throttled_usec").unwrap().unwrap() as f64 / 1e6;
    assert!(truth > 1.0, "the kernel did not throttle");
    let throttled = usage.figure(&tenant, "cpu_throttled_seconds_total").unwrap();
    within_and_controlled("seconds throttled", throttled, truth, 1.0).unwrap();
    let limit = usage.figure(&tenant, "cpu_limit_cores").unwrap();
    assert!((limit - 0.25).abs() < 1e-9, "a limit of {limit} cores");
}

#[test]
fn a_hierarchy_is_found_where_it_is_mounted() {
    if landlord_tests::may_run() {
        assert!(Hierarchy::find().unwrap().mount().join("cgroup.procs").exists());
    }
}
