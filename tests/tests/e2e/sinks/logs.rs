//! Alerts as log records, by OTLP.

use std::collections::BTreeMap;

use landlord_tests::agent::watch::Alert;
use landlord_tests::collector::{Collector, Log};
use serde_json::{Value, json};

use super::{PATIENCE, RULE, Scene, ways};
use crate::stage::is_too_long;

/// The attributes that a log record must have by what the agent wrote to standard output.
fn expected(alert: &Alert) -> BTreeMap<String, Value> {
    let renamed = BTreeMap::from([
        ("proc.name", "process.executable.name"),
        ("proc.cmdline", "process.command_line"),
        ("proc.ppid", "process.parent_pid"),
    ]);
    let fields = alert.0["output_fields"].as_object().unwrap();
    let mut expected: BTreeMap<String, Value> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(field, value)| {
            let falco = || format!("falco.{field}");
            let name = renamed.get(field.as_str()).map_or_else(falco, |it| (*it).to_owned());
            (name, value.clone())
        })
        .collect();
    let of_the_alert = [
        ("landlord.alert.id", alert.0["id"].clone()),
        ("security_rule.name", json!(RULE)),
        ("security_rule.tags", alert.0["tags"].clone()),
        ("falco.evt.type", json!("openat")),
    ];
    expected.extend(of_the_alert.map(|(name, value)| (name.to_owned(), value)));
    expected
}

fn check(alert: &Alert, log: &Log) {
    assert_eq!((log.event.as_str(), log.severity), ("landlord.alert", 13));
    assert_eq!(log.severity_text, alert.0["priority"]);
    let output = alert.0["output"].as_str().unwrap();
    assert!(output.ends_with(log.body.as_str().unwrap()), "{output}: {:?}", log.body);
    assert_eq!(json!(log.time_unix_ns), *alert.field("evt.rawtime"));
    let mut rest = log.attributes.clone();
    for (name, value) in expected(alert) {
        assert_eq!(rest.remove(&name), Some(value), "{name} of {log:#?}");
    }
    // What Falco's JSON does not say.
    assert!(rest.remove("process.pid").is_some_and(|pid| pid.as_u64() > Some(1)));
    assert_eq!(rest.remove("tenant"), Some(log.resource["tenant"].clone()));
    assert!(rest.remove("landlord.identity").is_some());
    rest.retain(|name, _| !name.starts_with("landlord.tenant.label."));
    assert!(rest.is_empty(), "too much: {rest:#?}");
    assert_eq!(log.resource["service.name"], "landlord");
    assert_eq!(log.resource["k8s.cluster.name"], "lab");
}

#[test]
fn alerts_arrive_by_otlp_as_standard_output_has_them() {
    const ALERTS: usize = 20;
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    for (endpoint, protocol) in ways(&collector) {
        let scene = Scene::new(&format!(
            "otlp: {{ endpoint: '{endpoint}', protocol: {protocol}, metrics: false, resource: \
             k8s.cluster.name=lab }}\n"
        ));
        let before = collector.received().unwrap().logs.len();
        let mut watch = scene.watch();
        let alerts = scene.alerts(&mut watch, ALERTS);
        let logs = collector.wait_for(PATIENCE, |received| {
            let new = received.logs[before..].iter();
            let of_rule = new.filter(|log| log.attributes["security_rule.name"] == RULE);
            let of_rule: Vec<Log> = of_rule.cloned().collect();
            (of_rule.len() >= ALERTS).then_some(of_rule)
        });
        let logs = logs.unwrap();
        assert_eq!(logs.len(), ALERTS);
        for (alert, log) in alerts.iter().zip(&logs) {
            check(alert, log);
        }
        let usage = watch.agent().usage().unwrap();
        let sink = &usage.0["agent"]["sinks"];
        assert!(sink.to_string().contains("otlp"), "{sink}");
        watch.stop().unwrap();
    }
}
