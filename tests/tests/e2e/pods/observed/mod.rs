//! What people look at and are woken by, with real back-ends: the chart's rules and dashboards in
//! Prometheus, and alerts at Alertmanager, from Prometheus and straight from the agent.

mod panels;
mod scene;

use std::time::{Duration, Instant, SystemTime};

use landlord_tests::agent::Home;
use landlord_tests::alertmanager::{Alert, Group};
use landlord_tests::prometheus::Prometheus;
use serde_json::Value;

use self::scene::{Backends, RULE, Tenants};
use super::{NODE, is_synced, trouble, until};
use crate::stage::is_too_long;

const PATIENCE: Duration = Duration::from_secs(120);
/// Seconds of work before it is looked at, if it is not as short as can be.
const LOOK: &str = "LANDLORD_LOOK_SECONDS";

/// Asks until it holds.
fn wait_for(what: &str, mut holds: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(why) = holds() {
        assert!(Instant::now() < deadline, "not in time: {what}: {why}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Every rule is evaluated without an error, and every recording has samples.
fn rules_are_healthy(prometheus: &Prometheus) -> Result<(), String> {
    let rules = prometheus.rules().unwrap();
    if rules.len() <= 20 {
        return Err(format!("too few rules: {rules:#?}"));
    }
    for rule in &rules {
        if rule["health"] != "ok" || rule["lastError"].is_string() {
            return Err(rule.to_string());
        }
        let name = rule["name"].as_str().unwrap();
        if rule["type"] == "recording" && prometheus.query(name).unwrap().is_empty() {
            return Err(format!("{name} has no samples"));
        }
    }
    Ok(())
}

/// The alert with these labels, and that of its group.
fn find(groups: &[Group], labels: &[(&str, &str)]) -> Option<(Group, Alert)> {
    let is_it = |alert: &&Alert| {
        labels
            .iter()
            .all(|(name, value)| alert.labels.get(*name).map(String::as_str) == Some(value))
    };
    groups.iter().find_map(|group| Some((group.clone(), group.alerts.iter().find(is_it)?.clone())))
}

#[test]
fn rules_and_dashboards_show_real_tenants_and_alerts_come_and_go() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(backends) = Backends::start() else { return };
    let Backends { webhook, alertmanager } = &backends;
    let mut tenants = Tenants::settle();
    let folder = tempfile::tempdir().unwrap();
    let configuration = tenants.configuration(&folder.path().join("spool"), &alertmanager.url());
    let home = Home::new(&configuration).unwrap();
    let watch = scene::agent(&home, folder.path());
    until(watch.agent(), "all sources", |usage| {
        is_synced(usage) && trouble(usage, "kubelet").is_empty()
    });
    let Some(prometheus) = scene::prometheus(&home, &alertmanager.url()) else { return };
    let since = SystemTime::now();
    tenants.go();

    // The agent tells Alertmanager itself.
    let secret = folder.path().join("landlord-e2e-secret");
    std::fs::write(&secret, "").unwrap();
    for _ in 0..3 {
        tenants.read("shop", &secret);
    }
    let told = |labels: &'static [(&str, &str)]| {
        alertmanager.wait_for(PATIENCE, |groups| find(groups, labels)).unwrap()
    };
    let (group, direct) = told(&[("alertname", RULE)]);
    assert_eq!(group.labels["tenant"], "acme");
    assert_eq!(group.alerts.len(), 1, "three events are one alert: {group:#?}");

    // Prometheus does: of a file with errors, and of a tenant that waits for others.
    let before = "landlord_config_reloads_total{outcome=\"failed\"} == 0";
    wait_for("a scrape before", || match prometheus.query(before).unwrap().len() {
        0 => Err(String::new()),
        _ => Ok(()),
    });
    home.configure("interval: [").unwrap();
    let (_, broken) = told(&[("alertname", "LandlordConfigNotReloaded")]);
    // On a busy machine it may be the machine itself that it waits for.
    let (group, noisy) = told(&[("alertname", "LandlordNoisyNeighbour"), ("tenant", "acme")]);
    assert_eq!(group.labels["tenant"], "acme");
    for (one, other, label) in
        [(&direct, &broken, "node"), (&direct, &noisy, "tenant"), (&direct, &noisy, "severity")]
    {
        assert_eq!(one.labels[label], other.labels[label], "{label}: {one:#?} {other:#?}");
    }
    assert_eq!(direct.labels["node"], NODE);
    let page = &noisy.annotations["runbook_url"];
    assert!(page.ends_with("docs/runbooks.md#landlordnoisyneighbour"), "{page}");

    wait_for("healthy rules", || rules_are_healthy(&prometheus));
    let look = std::env::var(LOOK).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    for turn in 0..look {
        // Something to be seen goes on.
        if turn % 7 == 0 {
            tenants.read("shop", &secret);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    wait_for("no empty panel", || {
        let empty = panels::empty(&prometheus);
        if empty.is_empty() { Ok(()) } else { Err(format!("{empty:#?}")) }
    });
    panels::write(&prometheus, since);

    // All of it ends.
    home.configure(&configuration).unwrap();
    for name in ["LandlordConfigNotReloaded", RULE] {
        wait_for(name, || {
            let bodies = webhook.taken();
            let all: Vec<Value> =
                bodies.iter().map(|body| serde_json::from_slice(body).unwrap()).collect();
            let is_over =
                |it: &Value| it["status"] == "resolved" && it["groupLabels"]["alertname"] == name;
            if all.iter().any(is_over) { Ok(()) } else { Err(format!("{all:#?}")) }
        });
    }
    watch.stop().unwrap();
}
