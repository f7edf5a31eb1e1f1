//! Calls that were made N times are counted N times.

use landlord_tests::agent::Usage;
use landlord_tests::truth::{exactly, must_fail};
use landlord_tests::workload::Order;

use crate::stage::{PATIENCE, amount, home, missed, tenant};

/// Demands an exact count. After 6.18 a task can be preempted inside a sensor, and
/// the kernel then skips that sensor for others on the CPU: what is not counted must
/// have been told as missed.
fn check_count(usage: &Usage, call: &str, counted: u64, truth: u64) {
    let missed = missed(usage);
    if missed == 0 {
        exactly(call, counted, truth).unwrap();
        must_fail(call, &exactly(call, counted, truth + 1)).unwrap();
        return;
    }
    assert!(counted <= truth, "{call}: {counted} of {truth}");
    assert!(counted + missed >= truth, "{call}: {counted} of {truth}, {missed} told as missed");
}

/// Runs a workload and demands that each call it knows the number of is counted
/// exactly; one more or one less must not pass.
fn check_calls(name: &str, work: &[&str]) {
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant(name);
    let truth = Order::new(work.iter().copied()).inside(&cgroup).run(PATIENCE).unwrap();

    let usage = agent.usage().unwrap();
    let native = truth.syscalls.iter().map(|(call, count)| (call.clone(), *count));
    let compat = truth.compat_syscalls.iter().map(|(call, count)| (format!("ia32_{call}"), *count));
    let known: Vec<_> = native.chain(compat).collect();
    assert!(!known.is_empty(), "the workload told of no calls");
    for (call, count) in known {
        let counted = usage.count(&tenant, &format!("syscalls_total/{call}")).unwrap();
        check_count(&usage, &call, counted, count);
    }
}

#[test]
fn a_tight_loop() {
    if landlord_tests::may_run() {
        let count = amount(3_000_000, 300_000).to_string();
        check_calls("loop", &["syscalls", "--count", &count]);
    }
}

#[test]
fn eight_threads_at_once() {
    if landlord_tests::may_run() {
        let count = amount(1_000_000, 50_000).to_string();
        check_calls("threads", &["syscalls", "--threads", "8", "--count", &count]);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn calls_through_the_32_bit_table() {
    if landlord_tests::may_run() {
        check_calls("compat", &["compat", "--count", "100000"]);
    }
}

#[test]
fn returns_from_signal_handlers() {
    if landlord_tests::may_run() {
        check_calls("signals", &["signals", "--count", "5000"]);
    }
}

#[test]
fn children_that_exit() {
    if landlord_tests::may_run() {
        let count = amount(500, 100).to_string();
        check_calls("exits", &["exit-storm", "--count", &count]);
    }
}

#[test]
fn children_that_are_killed_in_a_call() {
    if landlord_tests::may_run() {
        let count = amount(200, 50).to_string();
        check_calls("killed", &["killed", "--count", &count]);
    }
}

#[test]
fn two_tenants_on_one_cpu_are_told_apart() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let count = amount(2_000_000, 200_000);
    let calls = ["getppid", "getuid"];
    let mut storms: Vec<_> = calls
        .iter()
        .map(|call| {
            let (cgroup, tenant) = tenant(call);
            let work = ["syscalls", "--name", call, "--count", &count.to_string()];
            let order = Order::new(work.map(str::to_owned)).inside(&cgroup).on_cpu(0);
            (order.start().unwrap(), cgroup, tenant)
        })
        .collect();
    for (storm, ..) in &mut storms {
        storm.go().unwrap();
    }
    for (storm, ..) in &mut storms {
        storm.wait(PATIENCE).unwrap();
    }
    let usage = agent.usage().unwrap();
    for (own, (_, _, tenant)) in calls.iter().zip(&storms) {
        for call in calls {
            let counted = usage.count(tenant, &format!("syscalls_total/{call}")).unwrap();
            check_count(&usage, call, counted, if call == *own { count } else { 0 });
        }
    }
}
