//! What people and scripts see: the commands, run for real.

use std::process::Output;

use landlord_tests::agent::Home;
use landlord_tests::workload::Order;
use serde_json::Value;

use crate::stage::{PATIENCE, home, tenant};

/// Runs a command of the binary and demands success.
fn said(home: &Home, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = home.command().args(arguments).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[test]
fn top_shows_the_running_agents_tenants() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let _agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("shown");
    let mut hog = Order::new(["hog", "--seconds", "600"]).inside(&cgroup).start().unwrap();
    hog.go().unwrap();
    let address = home.address().to_string();
    let top = ["top", "--once", "--address", &address, "-o"];

    let table = said(&home, &[&top[..], &["table"]].concat());
    assert!(table.contains(&tenant), "{table}");
    let json = said(&home, &[&top[..], &["json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let row = json.as_array().unwrap().iter().find(|row| row["tenant"] == tenant.as_str()).unwrap();
    assert!(row["cpu_seconds_total"].as_f64() > Some(0.5), "{row}");
    let cores = row["rates"]["cpu_cores"].as_f64().unwrap();
    assert!((0.3..=1.05).contains(&cores), "{cores} cores");
}

#[test]
fn top_measures_by_itself_where_no_agent_runs() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let (cgroup, tenant) = tenant("alone");
    let mut hog = Order::new(["hog", "--seconds", "600"]).inside(&cgroup).start().unwrap();
    hog.go().unwrap();
    let output = home
        .command()
        .args(["top", "--once", "-o", "json"])
        .env("LANDLORD_LISTEN", home.address().to_string())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("no agent"), "{told}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = json.as_array().unwrap().iter().find(|row| row["tenant"] == tenant.as_str());
    assert!(row.unwrap()["rates"]["cpu_cores"].as_f64() > Some(0.3), "{json}");
    assert!(!home.pin().exists(), "it left pins behind");
}

#[test]
fn a_tenants_calls_are_listed() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let _agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("listed");
    Order::new(["syscalls", "--count", "4242"]).inside(&cgroup).run(PATIENCE).unwrap();
    let address = home.address().to_string();
    let list = said(&home, &["syscalls", "--tenant", &tenant, "--top", "1", "--address", &address]);
    assert!(list.contains("getppid") && list.contains("4242"), "{list}");
}

#[test]
fn the_doctor_finds_this_machine_fit() {
    if landlord_tests::may_run() {
        let home = home();
        let report = said(&home, &["doctor"]);
        assert!(report.contains("BTF") && report.contains("128 CPUs"), "{report}");
        let json: Value = serde_json::from_str(&said(&home, &["doctor", "-o", "json"])).unwrap();
        assert!(json.is_object() || json.is_array());
    }
}

#[test]
fn metrics_have_the_promised_names() {
    if !landlord_tests::may_run() {
        return;
    }
    let home = home();
    let agent = home.start().unwrap();
    let (cgroup, tenant) = tenant("named");
    Order::new(["syscalls", "--count", "99"]).inside(&cgroup).run(PATIENCE).unwrap();
    let metrics = agent.metrics().unwrap();
    let calls =
        format!("landlord_tenant_syscalls_total{{tenant=\"{tenant}\",syscall=\"getppid\"}} 99");
    assert!(metrics.lines().any(|line| line == calls), "no `{calls}`");
    for name in ["landlord_build_info", "landlord_lost_total", "landlord_tenant_cpu_seconds_total"]
    {
        assert!(metrics.contains(name), "no {name}");
    }
    assert!(metrics.ends_with("# EOF\n"));
}
