//! Time on a CPU against `cpu.stat`, time in the run queue against the threads'
//! own accounts, and who made whom wait.

use landlord_tests::truth::within_and_controlled;
use landlord_tests::workload::Order;

use crate::stage::{PATIENCE, amount, home, tenant};

/// Runs a hog beside the agent and compares what both say of its cgroup.
fn check_cpu(name: &str, duty: &str) {
    let seconds = amount(10, 4).to_string();
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant(name);
    let work = ["hog", "--seconds", &seconds, "--duty", duty];
    Order::new(work).inside(&cgroup).run(PATIENCE).unwrap();

    let measured = agent.usage().unwrap().figure(&tenant, "cpu_seconds_total").unwrap();
    let truth = cgroup.cpu_usage_usec().unwrap() as f64 / 1e6;
    within_and_controlled("CPU seconds", measured, truth, 0.5).unwrap();
}

#[test]
fn a_busy_core_is_charged_as_the_kernel_charges_it() {
    if landlord_tests::may_run() {
        check_cpu("busy", "1");
    }
}

#[test]
fn a_tenth_of_a_core_is_charged_as_the_kernel_charges_it() {
    if landlord_tests::may_run() {
        check_cpu("tenth", "0.1");
    }
}

#[test]
fn a_running_hog_is_charged_before_it_ever_gives_way() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("unyielding");
    let mut hog = Order::new(["hog", "--seconds", "600"]).inside(&cgroup).start().unwrap();
    hog.go().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    // The hog runs on while we look, so its truth is taken before and after.
    let seconds = || cgroup.cpu_usage_usec().unwrap() as f64 / 1e6;
    let before = seconds();
    let measured = agent.usage().unwrap().figure(&tenant, "cpu_seconds_total").unwrap();
    let after = seconds();
    // Both figures lag behind by up to a tick of the scheduler.
    let tick = 0.02;
    let charged = |seconds: f64| (before - tick..=after + tick).contains(&seconds);
    assert!(charged(measured), "{measured} s, not {before} s to {after} s");
    assert!(!charged(measured * 0.5) && !charged(measured * 2.0), "anything would do");
}

#[test]
fn two_tenants_on_one_cpu_wait_for_each_other_and_it_is_known_for_whom() {
    if !landlord_tests::may_run() {
        return;
    }
    let seconds = amount(6, 4).to_string();
    let home = home();
    let agent = home.start().unwrap();
    let hogs = [tenant("victim"), tenant("culprit")].map(|(cgroup, tenant)| {
        let order = Order::new(["hog", "--seconds", &seconds]).inside(&cgroup).on_cpu(0);
        (order.start().unwrap(), cgroup, tenant)
    });
    let mut hogs = hogs;
    // The threads' own accounts begin with their work, the cgroup's with the process.
    let idle = agent.usage().unwrap();
    for (hog, ..) in &mut hogs {
        hog.go().unwrap();
    }
    let truths: Vec<_> = hogs.iter_mut().map(|(hog, ..)| hog.wait(PATIENCE).unwrap()).collect();

    let usage = agent.usage().unwrap();
    for (place, (_, _, victim)) in hogs.iter().enumerate() {
        let culprit = &hogs[1 - place].2;
        let waited = usage.figure(victim, "cpu_wait_seconds_total").unwrap()
            - idle.figure(victim, "cpu_wait_seconds_total").unwrap();
        let known = truths[place].wait_ns.expect("this kernel accounts waiting") as f64 / 1e9;
        within_and_controlled("seconds waited", waited, known, 5.0).unwrap();

        let caused = format!("cpu_wait_caused_seconds_total/{culprit}");
        let caused = usage.figure(victim, &caused).unwrap();
        let others = format!("cpu_wait_caused_seconds_total/{victim}");
        let itself = usage.figure(victim, &others).unwrap();
        // Other work of this machine runs on the same CPU now and then.
        assert!(caused > waited * 0.5, "{victim}: {caused} s of {waited} s by {culprit}");
        assert!(caused <= waited * 1.05, "{victim}: {caused} s of {waited} s by {culprit}");
        assert!(itself < waited * 0.1, "{victim}: {itself} s of {waited} s by itself");
    }
}

#[test]
fn a_tenant_alone_on_its_cpu_makes_nobody_wait() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (quiet, sleeper) = tenant("sleeper");
    let (busy, hog) = tenant("loner");
    let order = Order::new(["hog", "--seconds", "3"]).inside(&busy).on_cpu(0);
    let mut running = order.start().unwrap();
    let idle = Order::new(["hog", "--seconds", "3", "--duty", "0.01"]).inside(&quiet).on_cpu(1);
    let mut idle = idle.start().unwrap();
    running.go().unwrap();
    idle.go().unwrap();
    running.wait(PATIENCE).unwrap();
    idle.wait(PATIENCE).unwrap();
    let usage = agent.usage().unwrap();
    let caused = usage.figure(&sleeper, &format!("cpu_wait_caused_seconds_total/{hog}")).unwrap();
    assert!(caused < 0.1, "{caused} s waited for a tenant on another CPU");
}
