//! The configuration file changes while the agent runs: what it says of tenants counts,
//! and use is split at that moment.

use std::collections::BTreeMap;
use std::process::Command;

use landlord_tests::agent::{Agent, Home, Usage};
use landlord_tests::truth::{exactly, must_fail};
use landlord_tests::workload::Order;
use serde_json::{Value, json};

use super::{Cluster, NODE, Pod, TENANT, calls, is_synced, told, until};
use crate::stage::{PATIENCE, is_too_long, tenant};

/// Rules that make the namespace `blue` a tenant's.
fn blue_is(tenant: &str) -> String {
    format!("tenants:\n  - match: {{ namespace: blue }}\n    tenant: {tenant}\n")
}

/// So often the file was read anew: well, and badly.
fn reloads(usage: &Usage) -> (u64, u64) {
    let count = |outcome: &str| usage.0["agent"]["config_reloads_total"][outcome].as_u64().unwrap();
    (count("ok"), count("failed"))
}

/// All calls of somebody, by name.
fn all_calls(used: &Value) -> BTreeMap<String, u64> {
    let calls = used["syscalls_total"].as_object().unwrap().iter();
    calls.map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect()
}

/// What these tenants used together is what the pod's cgroups did.
fn check_sums(usage: &Usage, pod: &Pod, tenants: &[&str]) {
    let pod = &told(usage, pod)["used"];
    let (mut calls, mut seconds) = (BTreeMap::<String, u64>::new(), 0.0);
    for tenant in tenants {
        let used = usage.tenant(tenant).unwrap();
        for (name, count) in all_calls(used) {
            *calls.entry(name).or_default() += count;
        }
        seconds += used["cpu_seconds_total"].as_f64().unwrap();
    }
    assert_eq!(calls, all_calls(pod), "{tenants:?}");
    assert!((seconds - pod["cpu_seconds_total"].as_f64().unwrap()).abs() < 1e-6, "{tenants:?}");
}

#[test]
fn a_pod_moves_when_the_file_changes_and_another_agent_knows() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let web = Pod::new("blue", "edited", 31);
    cluster.put(&web);
    let home = cluster.home_with(&blue_is("first"));
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    let becomes = |agent: &Agent<'_>, tenant: &str| {
        until(agent, tenant, |usage| told(usage, &web)["used"]["tenant"] == tenant)
    };
    web.work(1000);
    becomes(&agent, "first");
    // An editor writes in place.
    home.configure(&cluster.configuration(&blue_is("second"))).unwrap();
    becomes(&agent, "second");
    web.work(500);
    // The kubelet swaps a folder, twice.
    home.swap(&cluster.configuration(&blue_is("third")), 1).unwrap();
    becomes(&agent, "third");
    web.work(70);
    home.swap(&cluster.configuration(&blue_is("fourth")), 2).unwrap();
    becomes(&agent, "fourth");
    web.work(9);
    // A mistake changes nothing.
    let before = reloads(&agent.usage().unwrap());
    home.swap(
        &cluster.configuration("tenants:\n  - match: { namespace: '(' }\n    tenant: x\n"),
        3,
    )
    .unwrap();
    let usage = until(&agent, "the mistake", |usage| reloads(usage).1 == before.1 + 1);
    assert_eq!(reloads(&usage), (before.0, 1), "{}", home.log());
    let log = home.log();
    for part in
        ["the configuration stays as it was", "landlord.yaml:3:", "not a regular expression"]
    {
        assert!(log.contains(part), "no `{part}` in {log}");
    }
    let metric = "landlord_config_reloads_total{outcome=\"failed\"} 1";
    assert!(agent.metrics().unwrap().contains(metric));
    web.work(3);
    let check = |agent: &Agent<'_>| {
        let usage = agent.usage().unwrap();
        for (tenant, count) in [("first", 1000), ("second", 500), ("third", 70), ("fourth", 12)] {
            exactly(tenant, calls(&usage, tenant), count).unwrap();
            must_fail(tenant, &exactly(tenant, calls(&usage, tenant), count + 1)).unwrap();
        }
        check_sums(&usage, &web, &["first", "second", "third", "fourth"]);
    };
    check(&agent);
    home.swap(&cluster.configuration(&blue_is("fourth")), 4).unwrap();
    until(&agent, "it is mended", |usage| reloads(usage).0 == before.0 + 1);
    // Nothing was saved but with the changes.
    agent.kill().unwrap();
    let agent = home.start().unwrap();
    becomes(&agent, "fourth");
    check(&agent);
}

#[test]
fn rules_wait_for_annotations_that_nobody_has_kept() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let (labels, annotations) = (json!({TENANT: "acme"}), json!({"acme.com/bill-to": "payer"}));
    let metadata = json!({"name": "blue", "labels": labels, "annotations": annotations});
    cluster.server.put(json!({"kind": "Namespace", "metadata": metadata})).unwrap();
    let web = Pod::new("blue", "billed", 32);
    cluster.put(&web);
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    web.work(100);
    until(&agent, "acme", |usage| calls(usage, "acme") == 100);
    let rules = "tenants:\n  - match: { namespace_annotation: acme.com/bill-to }\n    \
                 tenant: '{namespace_annotation}'\n  - match: { namespace: blue }\n    tenant: wrong\n";
    home.configure(&cluster.configuration(rules)).unwrap();
    until(&agent, "the payer", |usage| told(usage, &web)["used"]["tenant"] == "payer");
    web.work(20);
    let usage = agent.usage().unwrap();
    exactly("acme", calls(&usage, "acme"), 100).unwrap();
    exactly("payer", calls(&usage, "payer"), 20).unwrap();
    assert!(usage.tenant("wrong").is_err(), "somebody was given what is another's");
    check_sums(&usage, &web, &["acme", "payer"]);
}

#[test]
fn alerts_follow_the_file_and_other_keys_wait_for_a_restart() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (rules, secret) = (folder.path().join("rules.yaml"), folder.path().join("secret"));
    let rule = "- rule: Secret\n  desc: d\n  condition: evt.type in (open, openat, openat2) and \
                fd.name endswith /secret\n  output: tenant=%tenant.name\n  priority: NOTICE\n";
    std::fs::write(&rules, rule).unwrap();
    std::fs::write(&secret, "x").unwrap();
    let (cgroup, name) = tenant("config");
    let configuration = |tenant: &str, more: &str| {
        format!(
            "interval: 1s\n{more}kubernetes: {{ enabled: never, node: {NODE} }}\ntenants:\n  \
             - match: {{ path: '^/{name}' }}\n    tenant: {tenant}\n"
        )
    };
    let home = Home::new(&configuration("one", "")).unwrap();
    let mut watch = home.watch(&[rules], &[]).unwrap();
    let work = || {
        let procs = cgroup.directory().join("cgroup.procs");
        let script = format!("echo $$ >{}; exec cat {}", procs.display(), secret.display());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        Order::new(["syscalls", "--count", "321"]).inside(&cgroup).run(PATIENCE).unwrap();
    };
    work();
    until(watch.agent(), "one", |usage| calls(usage, "one") == 321);
    home.configure(&configuration("two", "max_tenants: 5\n")).unwrap();
    until(watch.agent(), "the change", |usage| reloads(usage) == (1, 0));
    // All cgroups are looked at again within a second.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    work();
    let alerts = watch.of_rule("Secret", 0).unwrap();
    let tenants: Vec<_> = alerts.iter().map(|alert| alert.field("tenant.name").clone()).collect();
    assert_eq!(tenants, [json!("one"), json!("two")]);
    let usage = watch.agent().usage().unwrap();
    exactly("one", calls(&usage, "one"), 321).unwrap();
    exactly("two", calls(&usage, "two"), 321).unwrap();
    let log = home.log();
    assert!(log.contains("needs a restart") && log.contains("max_tenants"), "{log}");
    // Asked for, also what says the same is read.
    let pid = i32::try_from(watch.agent().pid()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    until(watch.agent(), "SIGHUP", |usage| reloads(usage) == (2, 0));
}
