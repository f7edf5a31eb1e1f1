//! The status of `Tenant` objects, written by agents in the chart's own pod with a service
//! account: with what they have counted, and by one of them.

use std::time::{Duration, Instant};

use landlord_tests::agent::Home;
use landlord_tests::apiserver::{ApiServer, Verb};
use landlord_tests::pod::{NAMESPACE, Pod};
use serde_json::{Value, json};

use super::SOON;
use crate::privileges::may_confine;
use crate::stage::emulated;

use crate::stage::is_too_long;

/// In this time every agent looks twice what there is to write, and who does.
const TWO_LOOKS: Duration = Duration::from_secs(25);
/// In this time it does once, and no lease runs out that was renewed lately.
const ONE_LOOK: Duration = Duration::from_secs(18);
const LEASE: &str = "landlord-tenants";
const NODES: [&str; 2] = ["landlord-e2e-one", "landlord-e2e-two"];

/// A namespace that is the tenant's.
fn grow(server: &ApiServer, name: &str) {
    server.put(json!({"kind": "Namespace", "metadata": {"name": name}})).unwrap();
}

fn namespaces(server: &ApiServer) -> Value {
    server.get("tenants", "", "acme").unwrap()["status"]["namespaces"].clone()
}

/// The node whose agent has the lease.
fn holder(server: &ApiServer) -> Value {
    let lease = server.get("leases", NAMESPACE, LEASE);
    lease.map(|lease| lease["spec"]["holderIdentity"].clone()).unwrap_or_default()
}

fn until(what: &str, home: &Home, patience: Duration, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}\n{}", home.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn one_agent_writes_the_status_of_tenants_and_the_next_takes_over() {
    if !may_confine() || is_too_long() {
        return;
    }
    let pods = NODES.map(|node| Pod::new(None).unwrap().on_node(node));
    let server = pods[0].namespace().inside(ApiServer::start).unwrap();
    // Each pod has a network of its own, and reaches the same server there.
    pods[1].namespace().inside(|| server.open()).unwrap();
    server.serve_kind("landlord.dev/v1alpha1", "tenants", "Tenant");
    let tenant = json!({"apiVersion": "landlord.dev/v1alpha1", "kind": "Tenant",
        "metadata": {"name": "acme", "generation": 3}, "spec": {"namespaces": ["acme*"]}});
    server.put(tenant).unwrap();
    grow(&server, "acme");
    grow(&server, "other");
    let [first, second] = pods.map(|pod| Home::in_pod(pod.with_account(&server).unwrap()).unwrap());

    let agent = first.start().unwrap();
    until("a status", &first, SOON, || namespaces(&server) == 1);
    let status = server.get("tenants", "", "acme").unwrap()["status"].clone();
    assert_eq!((&status["observedGeneration"], &status["conflictCount"]), (&json!(3), &json!(0)));
    assert_eq!(status["conditions"][0]["type"], "Applied");
    assert_eq!(holder(&server), NODES[0]);

    let _other = second.start().unwrap();
    let leases = || {
        let requests = server.requests();
        let about = |what: &'static str| requests.iter().filter(move |it| it.resource == what);
        let patches = about("tenants").filter(|request| request.verb == Verb::Patch).count();
        (about("leases").filter(|request| request.verb == Verb::Get).count(), patches)
    };
    leases();
    grow(&server, "acme-2");
    until("another status", &first, SOON, || namespaces(&server) == 2);
    // Both look at the lease every ten seconds.
    std::thread::sleep(TWO_LOOKS);
    let (looks, patches) = leases();
    assert!(looks >= 4, "{looks} looks at the lease\n{}", second.log());
    assert_eq!((holder(&server), patches), (json!(NODES[0]), 1), "the other one leaves it");

    // Whoever ends gives the lease back, so that nobody waits until it has run out.
    assert!(agent.terminate().unwrap().success(), "{}", first.log());
    grow(&server, "acme-3");
    let patience = if emulated() { SOON } else { ONE_LOOK };
    until("the status by the next", &second, patience, || namespaces(&server) == 3);
    assert_eq!(holder(&server), NODES[1]);
}
