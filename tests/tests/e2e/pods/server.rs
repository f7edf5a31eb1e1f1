//! The API server cannot be had: the agent meters on, says what is missing, and recovers
//! by itself.

use landlord_tests::agent::Agent;
use landlord_tests::apiserver::Fault;
use landlord_tests::truth::exactly;

use super::{Cluster, Pod, calls, is_synced, told, trouble, until};
use crate::stage::is_too_long;

/// A pod works while nobody can tell whose it is; `mend` lets somebody.
fn check(agent: &Agent<'_>, pod: &Pod, reason: &str, mend: impl FnOnce()) {
    until(agent, reason, |usage| trouble(usage, "pods") == reason);
    pod.work(2000);
    let usage = agent.usage().unwrap();
    exactly("acme's getppid", calls(&usage, "acme"), 0).unwrap();
    assert_eq!(told(&usage, pod)["attribution"], "pending", "{reason}");
    let metrics = agent.metrics().unwrap();
    let said = "landlord_identity_source_synced{source=\"pods\"} 0";
    assert!(metrics.contains(said), "{metrics}");
    mend();
    until(agent, "the owner", |usage| is_synced(usage) && calls(usage, "acme") == 2000);
}

#[test]
fn away_when_the_agent_starts() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    cluster.server.close();
    let pod = Pod::new("blue", "early", 11);
    let home = cluster.home();
    let agent = home.start().unwrap();
    cluster.put(&pod);
    check(&agent, &pod, "unreachable", || cluster.server.open().unwrap());
}

#[test]
fn away_later() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let known = Pod::new("green", "known", 12);
    cluster.put(&known);
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    cluster.server.close();
    // Who is known stays so.
    known.work(100);
    let pod = Pod::new("blue", "meanwhile", 13);
    cluster.put(&pod);
    check(&agent, &pod, "unreachable", || cluster.server.open().unwrap());
    exactly("oil's getppid", calls(&agent.usage().unwrap(), "oil"), 100).unwrap();
}

#[test]
fn an_expired_token() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let pod = Pod::new("blue", "refused", 14);
    let home = cluster.home();
    let agent = home.start().unwrap();
    until(&agent, "sources", is_synced);
    cluster.server.set_token("second");
    cluster.server.hang_up();
    cluster.put(&pod);
    check(&agent, &pod, "unauthenticated", || cluster.server.write_kubeconfig("second").unwrap());
}

#[test]
fn rights_that_are_missing() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let fault = cluster.server.fail(Fault::status(403).of("pods"));
    let pod = Pod::new("blue", "hidden", 15);
    cluster.put(&pod);
    let home = cluster.home();
    let agent = home.start().unwrap();
    check(&agent, &pod, "forbidden", || cluster.server.mend(fault));
}
