//! What pods keep on disks, as the kubelet says, and whose it is.

use landlord_tests::agent::{Home, Usage};
use landlord_tests::kubelet::{Fault, Kubelet, pod};
use serde_json::{Value, json};

use super::{Cluster, Pod, is_synced, told, trouble, until};
use crate::stage::is_too_long;

/// A kubelet that the cluster's CA vouches for, and an agent's home that asks it.
fn kubelet(cluster: &Cluster) -> (Kubelet, Home) {
    let kubelet = Kubelet::start(cluster.server.signer()).unwrap();
    let address = kubelet.address();
    let settings =
        format!("pod_metrics: true\nkubelet: {{ address: '{address}', interval: 1s }}\n");
    let home = cluster.home_with(&settings);
    (kubelet, home)
}

/// Of the pod in the kubelet's words.
fn says(of: &Pod, ephemeral: u64, claims: &[(&str, u64, u64)]) -> Value {
    pod((of.namespace, of.name, &of.uid), ephemeral, claims)
}

fn level(usage: &Usage, tenant: &str, figure: &str) -> Value {
    usage.tenant(tenant).map_or(Value::Null, |it| it[figure].clone())
}

#[test]
fn storage_is_of_pods_and_their_tenants() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let (kubelet, home) = kubelet(&cluster);
    let pods =
        [Pod::new("blue", "db", 31), Pod::new("blue", "web", 32), Pod::new("green", "shop", 33)];
    pods.iter().for_each(|pod| cluster.put(pod));
    let [db, web, shop] = &pods;
    kubelet.set_pods(vec![
        says(db, 1000, &[("data", 300, 5000), ("shared", 40, 100)]),
        says(web, 200, &[("shared", 40, 100)]),
        says(shop, 7, &[]),
    ]);
    let agent = home.start().unwrap();
    let usage = until(&agent, "storage", |usage| {
        is_synced(usage)
            && trouble(usage, "kubelet").is_empty()
            && level(usage, "acme", "volume_byte_seconds_total").as_f64() > Some(340.0)
    });
    let acme = |figure| level(&usage, "acme", figure);
    assert_eq!(acme("ephemeral_storage_bytes"), 1200);
    // The claim that both pods have counts once.
    assert_eq!((acme("volume_bytes"), acme("volume_capacity_bytes")), (json!(340), json!(5100)));
    assert_eq!(level(&usage, "oil", "ephemeral_storage_bytes"), 7);
    assert_eq!(level(&usage, "oil", "volume_bytes"), Value::Null);
    let pod = told(&usage, db);
    assert_eq!(pod["used"]["ephemeral_storage_bytes"], 1000);
    assert_eq!(pod["ephemeral_storage_inodes"], 3);
    let volumes = json!([
        {"claim": "data", "used_bytes": 300, "capacity_bytes": 5000},
        {"claim": "shared", "used_bytes": 40, "capacity_bytes": 100},
    ]);
    assert_eq!(pod["volumes"], volumes);
    assert_eq!(told(&usage, web)["used"]["volume_bytes"], 40);

    let metrics = agent.metrics().unwrap();
    let each = |figure: &str, pod: &Pod, value: u64| {
        let Pod { namespace, name, uid, .. } = pod;
        let labels =
            format!("tenant=\"acme\",namespace=\"{namespace}\",pod=\"{name}\",uid=\"{uid}\"");
        format!("landlord_pod_{figure}{{{labels}}} {value}")
    };
    for line in [
        &*each("ephemeral_storage_bytes", db, 1000),
        &each("volume_bytes", db, 340),
        &each("volume_bytes", web, 40),
        "landlord_tenant_ephemeral_storage_bytes{tenant=\"acme\"} 1200",
        "landlord_tenant_volume_bytes{tenant=\"acme\"} 340",
        "landlord_tenant_volume_capacity_bytes{tenant=\"acme\"} 5100",
        "landlord_identity_source_synced{source=\"kubelet\"} 1",
        "landlord_pods{tenant=\"acme\",qos=\"Burstable\"} 2",
        "landlord_pod_restarts{tenant=\"acme\"} 6",
        "landlord_pod_requests_cpu_cores{tenant=\"acme\"} 0.5",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} is not in {metrics}");
    }
    let address = home.address().to_string();
    let arguments = ["pods", "-o", "wide", "--no-headers", "--address", &address, "db"];
    let output = home.command().args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("1.0 KiB") || text.contains("1000 B"), "{text}");
    assert!(text.contains("340 B"), "{text}");

    // Sums go on where they were when another agent begins.
    let before = level(&usage, "acme", "volume_byte_seconds_total").as_f64().unwrap();
    assert!(agent.terminate().unwrap().success());
    kubelet.set_fault(Some(Fault::Refused(503)));
    let agent = home.start().unwrap();
    let usage = until(&agent, "sums", |usage| usage.tenant("acme").is_ok());
    let after = level(&usage, "acme", "volume_byte_seconds_total").as_f64().unwrap();
    assert!((before..before + 340.0 * 60.0).contains(&after), "{before} {after}");
    assert_eq!(level(&usage, "acme", "volume_bytes"), Value::Null);
}

#[test]
fn a_kubelet_that_cannot_be_asked() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let (kubelet, home) = kubelet(&cluster);
    let web = Pod::new("blue", "disk", 34);
    cluster.put(&web);
    kubelet.set_pods(vec![says(&web, 500, &[])]);
    kubelet.set_fault(Some(Fault::Refused(403)));
    let agent = home.start().unwrap();
    let check = |reason: &str| {
        let usage = until(&agent, reason, |usage| {
            trouble(usage, "kubelet") == reason
                && level(usage, "acme", "ephemeral_storage_bytes").is_null()
        });
        // All else is as ever.
        assert!(is_synced(&usage) || reason == "forbidden", "{}", usage.0["identity"]);
    };
    let recovers = |mend: &dyn Fn()| {
        mend();
        until(&agent, "storage", |usage| {
            trouble(usage, "kubelet").is_empty()
                && level(usage, "acme", "ephemeral_storage_bytes") == 500
        });
    };
    check("forbidden");
    recovers(&|| kubelet.set_fault(None));
    // What it said is not true for ever.
    kubelet.set_fault(Some(Fault::Text("no summary".to_owned())));
    check("other");
    recovers(&|| kubelet.set_fault(None));
    kubelet.set_token("second");
    check("unauthenticated");
    recovers(&|| kubelet.set_token("first"));
}

#[test]
fn doctor_tells_of_certificates_that_nobody_vouches_for() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let cluster = Cluster::new();
    let (kubelet, home) = kubelet(&cluster);
    let own = landlord_tests::apiserver::Authority::new("landlord-e2e-node-ca@1").unwrap();
    kubelet.show_name_only(&own).unwrap();
    let output = home
        .command()
        .arg("doctor")
        .arg("--config")
        .arg(home.configuration_file())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("kubelet") && text.contains("untrusted"), "{text}");
    assert!(text.contains("`kubelet.authority`"), "{text}");
    assert_eq!(kubelet.asked(), (0, 0), "the token was said to a stranger");
}
