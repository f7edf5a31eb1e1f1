//! Alerts in Falco's JSON, and straight to Alertmanager.

use std::time::{Duration, Instant};

use landlord_tests::alertmanager::{Alertmanager, Group};
use landlord_tests::backend::Backend;
use serde_json::Value;

use super::{PATIENCE, RULE, Scene};
use crate::stage::is_too_long;

/// What a back-end has taken, once `is_enough` says so.
pub(super) fn taken(backend: &Backend, is_enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let bodies = backend.taken();
        let all = bodies.iter().map(|body| serde_json::from_slice(body).unwrap());
        let all: Vec<Value> = all.collect();
        if is_enough(&all) {
            return all;
        }
        assert!(Instant::now() < deadline, "not all of it arrived: {all:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn falcos_json_arrives_as_standard_output_has_it() {
    const ALERTS: usize = 20;
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let backend = Backend::start().unwrap();
    let scene = Scene::new(&format!(
        "sinks: [ {{ name: sidekick, kind: falco_http, to: '{}', tags: [lab] }} ]\n",
        backend.url()
    ));
    let mut watch = scene.watch();
    let alerts = scene.alerts(&mut watch, ALERTS);
    let arrived = taken(&backend, |all| all.len() >= ALERTS);
    // The markers of the lab have no tags, and so another way.
    assert_eq!(arrived.len(), ALERTS);
    for (alert, arrived) in alerts.iter().zip(&arrived) {
        let mut expected = alert.0.clone();
        expected["output_fields"]["landlord.id"] = alert.0["id"].clone();
        assert_eq!(arrived, &expected);
    }
    watch.stop().unwrap();
}

#[test]
fn alertmanager_is_told_of_a_rule_and_resolves_it() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let webhook = Backend::start().unwrap();
    let Some(alertmanager) = Alertmanager::start(&webhook.url()).unwrap() else {
        return;
    };
    let scene = Scene::new(&format!(
        "sinks: [ {{ name: am, kind: alertmanager, to: '{}', resolve: 4s, priority: warning }} ]\n",
        alertmanager.url()
    ));
    let mut watch = scene.watch();
    let alerts = scene.alerts(&mut watch, 3);
    let last = alerts.last().unwrap();
    let find = |groups: &[Group]| {
        let mut all = groups.iter().flat_map(|group| &group.alerts);
        all.find(|alert| alert.annotations["alert_id"] == last.0["id"]).cloned()
    };
    let alert = alertmanager.wait_for(PATIENCE, find).unwrap();
    assert_eq!(alert.labels["alertname"], RULE);
    assert_eq!(alert.labels["severity"], "warning");
    let output = last.0["output"].as_str().unwrap();
    assert!(output.ends_with(&alert.annotations["description"]), "{output}");
    // Three events are one alert, and markers are none.
    assert_eq!(alertmanager.alerts().unwrap().len(), 1);
    let told = |status: &str| {
        let is_it = |it: &Value| it["status"] == status;
        let all = taken(&webhook, |all| all.iter().any(is_it));
        all.into_iter().find(is_it).unwrap()
    };
    let firing = told("firing");
    assert_eq!(firing["groupLabels"]["alertname"], RULE);
    assert_eq!(firing["groupLabels"]["tenant"], alert.labels["tenant"].as_str());
    assert_eq!(told("resolved")["alerts"].as_array().unwrap().len(), 1);
    watch.stop().unwrap();
}
