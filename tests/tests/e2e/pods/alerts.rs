//! Alerts say whose pod it was.

use std::time::Duration;

use landlord_tests::agent::watch::Watch;
use serde_json::json;

use super::{Cluster, Pod, is_synced, until};

const RULES: &str = "\
- rule: Secret read
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /secret and evt.is_open_read=true
  output: tenant=%tenant.name ns=%k8s.ns.name pod=%k8s.pod.name app=%k8s.pod.label[app] team=%tenant.labels[team]
  priority: WARNING
";

#[test]
fn alerts_carry_the_pod_also_when_it_is_told_of_late() {
    if !landlord_tests::may_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let cluster = Cluster::new();
    let known = Pod::new("blue", "known", 21);
    cluster.put(&known);
    let home = cluster.home();
    let mut watch = home.watch(&[rules], &[]).unwrap();
    until(watch.agent(), "sources", is_synced);
    let mut seen = 0;
    let mut check = |watch: &mut Watch<'_>, pod: &Pod, tenant: &str, tell: &dyn Fn()| {
        pod.read(&secret);
        tell();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        let alerts = loop {
            let alerts = watch.of_rule("Secret read", seen).unwrap();
            if !alerts.is_empty() {
                break alerts;
            }
            assert!(std::time::Instant::now() < deadline, "no alert of {}", pod.name);
        };
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        seen = watch.alerts().unwrap().len();
        let fields = [
            ("tenant.name", tenant),
            ("k8s.ns.name", pod.namespace),
            ("k8s.pod.name", pod.name),
            ("k8s.pod.label[app]", pod.name),
            ("tenant.labels[team]", "drilling"),
        ];
        for (field, expected) in fields {
            assert_eq!(alerts[0].field(field), &json!(expected), "{field} of {}", pod.name);
        }
    };
    check(&mut watch, &known, "acme", &|| ());
    let late = Pod::new("green", "late", 22);
    check(&mut watch, &late, "oil", &|| {
        std::thread::sleep(Duration::from_millis(300));
        cluster.put(&late);
    });
    // The same pod, now another tenant's.
    cluster.namespace("green", "tin");
    until(watch.agent(), "the new owner", |usage| {
        super::told(usage, &late)["used"]["tenant"] == "tin"
    });
    std::thread::sleep(Duration::from_millis(1500));
    check(&mut watch, &late, "tin", &|| ());
}
