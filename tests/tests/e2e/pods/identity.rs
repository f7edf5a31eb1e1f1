//! Whose the use of pods is, whenever they are told of.

use std::time::Duration;

use landlord_tests::agent::Usage;
use landlord_tests::truth::{exactly, must_fail};
use serde_json::json;

use super::{Cluster, Pod, calls, is_synced, told, until, until_within};
use crate::stage::has_minutes;

#[test]
fn the_use_of_pods_is_their_tenants() {
    if !landlord_tests::may_run() {
        return;
    }
    let cluster = Cluster::new();
    let (web, shop) = (Pod::new("blue", "web", 1), Pod::new("green", "shop", 2));
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    cluster.put(&web);
    cluster.put(&shop);
    web.work(12_345);
    shop.work(54_321);
    let usage = until(&agent, "both pods", |usage| {
        [&web, &shop].iter().all(|pod| told(usage, pod)["pod"] == pod.name)
    });
    exactly("acme's getppid", calls(&usage, "acme"), 12_345).unwrap();
    exactly("oil's getppid", calls(&usage, "oil"), 54_321).unwrap();
    must_fail("oil's", &exactly("getppid", calls(&usage, "oil"), 54_320)).unwrap();
    let pod = told(&usage, &web);
    assert_eq!(pod["used"]["syscalls_total"]["getppid"], 12_345);
    assert_eq!(pod["used"]["tenant"], "acme");
    assert_eq!(pod["namespace"], "blue");
    assert_eq!((&pod["restarts"], &pod["qos"]), (&json!(3), &json!("Burstable")));
    assert_eq!(pod["requests"]["cpu_cores"], 0.25);

    let ask = |arguments: &[&str]| {
        let address = home.address().to_string();
        let output = home.command().args(arguments).args(["--address", &address]).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let pods = ask(&["pods", "--no-headers"]);
    assert!(pods.lines().any(|line| line.starts_with("blue") && line.contains("acme")), "{pods}");
    assert_eq!(ask(&["pods", "--namespace", "green", "--output", "name"]), "pod/shop\n");
    let tenants = ask(&["tenants", "--selector", "team=drilling", "--output", "name"]);
    assert_eq!(tenants, "tenant/acme\ntenant/oil\n");
}

/// Owners of whom nobody has told.
fn pending(usage: &Usage) -> u64 {
    usage.0["pending"]["owners"].as_u64().unwrap()
}

#[test]
fn what_a_pod_used_before_it_was_told_of_is_its_tenants() {
    if !landlord_tests::may_run() {
        return;
    }
    let cluster = Cluster::new();
    let home = cluster.home();
    let agent = home.start().unwrap();
    // The machine may have pods of its own, or what is left of an earlier run.
    let before = pending(&until(&agent, "sources", is_synced));
    let late = Pod::new("blue", "late", 3);
    late.work(4321);
    let usage = until(&agent, "the pod", |usage| told(usage, &late)["attribution"] == "pending");
    exactly("acme's getppid", calls(&usage, "acme"), 0).unwrap();
    assert_eq!(pending(&usage), before + 1, "{}", usage.0["pending"]);
    cluster.put(&late);
    let usage = until(&agent, "its owner", |usage| told(usage, &late)["pod"] == "late");
    let usage = if calls(&usage, "acme") == 0 { agent.usage().unwrap() } else { usage };
    exactly("acme's getppid", calls(&usage, "acme"), 4321).unwrap();
    assert_eq!(told(&usage, &late)["attribution"], "late");
    assert_eq!(pending(&usage), before);
}

#[test]
fn another_agent_settles_what_one_before_it_held() {
    if !landlord_tests::may_run() {
        return;
    }
    let cluster = Cluster::new();
    let home = cluster.home();
    let agent = home.start().unwrap();
    let before = pending(&until(&agent, "sources", is_synced));
    let mut late = Pod::new("blue", "bequest", 4);
    late.work(777);
    until(&agent, "the pod", |usage| told(usage, &late)["attribution"] == "pending");
    late.end();
    // Long enough for its slot to be given back.
    std::thread::sleep(Duration::from_secs(4));
    agent.kill().unwrap();
    cluster.put(&late);
    let agent = home.start().unwrap();
    until(&agent, "the owner", |usage| calls(usage, "acme") == 777);
    let usage = agent.usage().unwrap();
    assert_eq!(pending(&usage), before);
}

#[test]
fn a_pod_that_was_never_told_of_is_unknown_and_counted() {
    if !landlord_tests::may_run() {
        return;
    }
    if !has_minutes() {
        return crate::stage::skip_here("it takes minutes; ask for it by its name");
    }
    let cluster = Cluster::new();
    let mut ghost = Pod::new("blue", "ghost", 5);
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    let before = calls(&agent.usage().unwrap(), "unknown");
    ghost.work(888);
    until(&agent, "the pod", |usage| told(usage, &ghost)["attribution"] == "pending");
    ghost.end();
    let patience = Duration::from_secs(150);
    let usage = until_within(patience, &agent, "no owner", |usage| {
        usage.0["identity"]["unresolved_total"]["never_told"] == 1
    });
    exactly("unknown getppid", calls(&usage, "unknown") - before, 888).unwrap();
    let metrics = agent.metrics().unwrap();
    let counted = "landlord_identity_unresolved_total{reason=\"never_told\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn use_is_split_when_a_namespace_becomes_anothers() {
    if !landlord_tests::may_run() {
        return;
    }
    let cluster = Cluster::new();
    let web = Pod::new("blue", "moving", 6);
    cluster.put(&web);
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    web.work(1000);
    cluster.namespace("blue", "oil");
    until(&agent, "the new owner", |usage| told(usage, &web)["used"]["tenant"] == "oil");
    web.work(500);
    let usage = agent.usage().unwrap();
    exactly("acme's getppid", calls(&usage, "acme"), 1000).unwrap();
    exactly("oil's getppid", calls(&usage, "oil"), 500).unwrap();
    assert_eq!(told(&usage, &web)["used"]["syscalls_total"]["getppid"], 1500);
}

#[test]
fn objects_come_before_rules_and_count_at_once() {
    if !landlord_tests::may_run() {
        return;
    }
    let cluster = Cluster::new();
    let web = Pod::new("blue", "claimed", 7);
    cluster.put(&web);
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    web.work(100);
    let tenant = json!({"apiVersion": "landlord.dev/v1alpha1", "kind": "Tenant",
        "metadata": {"name": "tin"}, "spec": {"namespaces": ["bl*"], "labels": {"team": "ore"}}});
    cluster.server.put(tenant).unwrap();
    until(&agent, "the object's", |usage| told(usage, &web)["used"]["tenant"] == "tin");
    web.work(10);
    let usage = agent.usage().unwrap();
    exactly("acme's getppid", calls(&usage, "acme"), 100).unwrap();
    exactly("tin's getppid", calls(&usage, "tin"), 10).unwrap();
    let owners = usage.0["owners"].as_array().unwrap();
    let tin = owners.iter().find(|it| it["tenant"] == "tin").unwrap();
    assert_eq!(tin["labels"]["team"], "ore");
}
