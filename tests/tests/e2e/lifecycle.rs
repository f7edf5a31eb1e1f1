//! Cgroups that come and go.

use landlord_tests::cgroup::Hierarchy;
use landlord_tests::truth::{exactly, must_fail, within_and_controlled};
use landlord_tests::workload::Order;

use crate::stage::{PATIENCE, amount, home, tenant};

/// Cgroups that live at one time.
const AT_ONCE: usize = 8;

#[test]
fn a_thousand_cgroups_of_50_ms_are_all_seen_and_charged() {
    if !landlord_tests::may_run() {
        return;
    }
    let count = usize::try_from(amount(1000, 100)).unwrap();
    let home = home();
    let agent = home.start().unwrap();
    let hierarchy = Hierarchy::find().unwrap();
    let tenant = "landlord-e2e-mayfly";
    let mut truth_usec = 0;
    let mut made = 0;
    while made < count {
        let batch: Vec<_> = (0..AT_ONCE.min(count - made))
            .map(|_| {
                made += 1;
                let path = format!("{tenant}.slice/short-{made}.scope");
                let cgroup = hierarchy.create(&path).unwrap();
                let hog = Order::new(["hog", "--seconds", "0.05"]).inside(&cgroup);
                let mut hog = hog.start().unwrap();
                hog.go().unwrap();
                (hog, cgroup)
            })
            .collect();
        for (mut hog, cgroup) in batch {
            hog.wait(PATIENCE).unwrap();
            truth_usec += cgroup.cpu_usage_usec().unwrap();
            cgroup.remove().unwrap();
        }
    }
    let usage = agent.usage().unwrap();
    let exits = usage.count(tenant, "syscalls_total/exit_group").unwrap();
    exactly("processes that ended", exits, count as u64).unwrap();
    must_fail("processes", &exactly("processes", exits, count as u64 - 1)).unwrap();
    let measured = usage.figure(tenant, "cpu_seconds_total").unwrap();
    within_and_controlled("CPU seconds", measured, truth_usec as f64 / 1e6, 1.0).unwrap();
    let lost = &usage.0["agent"]["lost_total"];
    for cause in ["slots_exhausted", "birth_unseen"] {
        assert_eq!(lost[cause], 0, "{cause}: {lost}");
    }
    // Once their slots are given back, the sum is still there.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let later = agent.usage().unwrap();
    let after = later.figure(tenant, "cpu_seconds_total").unwrap();
    assert!(after >= measured, "{after} s after {measured} s");
    assert!(
        later.0["agent"]["cgroups"].as_u64() < Some(count as u64),
        "the dead still count: {}",
        later.0["agent"]["cgroups"]
    );
}

#[test]
fn what_a_dead_cgroup_used_stays_its_tenants() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("departed");
    let work = ["syscalls", "--count", "12345"];
    Order::new(work).inside(&cgroup).run(PATIENCE).unwrap();
    cgroup.remove().unwrap();
    for _ in 0..3 {
        let usage = agent.usage().unwrap();
        exactly("getppid", usage.count(&tenant, "syscalls_total/getppid").unwrap(), 12345).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1500));
    }
}

#[test]
fn cgroups_that_were_there_before_the_agent_are_known() {
    if !landlord_tests::may_run() {
        return;
    }
    let (cgroup, tenant) = tenant("elder");
    let order = Order::new(["syscalls", "--count", "54321"]).inside(&cgroup);
    let mut running = order.start().unwrap();
    let home = home();
    let agent = home.start().unwrap();
    running.go().unwrap();
    running.wait(PATIENCE).unwrap();
    let usage = agent.usage().unwrap();
    exactly("getppid", usage.count(&tenant, "syscalls_total/getppid").unwrap(), 54321).unwrap();
}

#[test]
fn more_cgroups_than_slots_lose_their_name_but_not_their_use() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = landlord_tests::agent::Home::new("interval: 1s\nmax_cgroups: 64\n").unwrap();
    let agent = home.start().unwrap();
    let hierarchy = Hierarchy::find().unwrap();
    let crowd: Vec<_> = (0..80)
        .map(|number| hierarchy.create(&format!("landlord-e2e-crowd.slice/{number}")).unwrap())
        .collect();
    let last = crowd.last().unwrap();
    Order::new(["syscalls", "--count", "1000"]).inside(last).run(PATIENCE).unwrap();
    let usage = agent.usage().unwrap();
    exactly("getppid", usage.count("unknown", "syscalls_total/getppid").unwrap(), 1000).unwrap();
    let lost = &usage.0["agent"]["lost_total"]["slots_exhausted"];
    assert!(lost.as_u64() > Some(0), "nobody was told: {}", usage.0["agent"]);
}
