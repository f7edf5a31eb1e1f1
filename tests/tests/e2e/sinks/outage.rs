//! Back-ends that are away, and agents that are killed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use landlord_tests::agent::watch::Alert;
use landlord_tests::backend::{Backend, Behaviour};
use landlord_tests::collector::Collector;

use super::{PATIENCE, RULE, Scene};
use crate::stage::is_too_long;

fn id(alert: &Alert) -> String {
    alert.0["id"].as_str().unwrap().to_owned()
}

/// How often each alert of the rule has arrived, by its id, and what it said.
fn arrived(collector: &Collector) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for log in collector.received().unwrap().logs {
        if log.attributes["security_rule.name"] == RULE {
            let id = log.attributes["landlord.alert.id"].as_str().unwrap().to_owned();
            all.entry(id).or_default().push(log.body.to_string());
        }
    }
    all
}

#[test]
fn what_was_shown_arrives_after_an_outage_and_a_kill() {
    const ALERTS: usize = 50;
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(mut collector) = Collector::start().unwrap() else { return };
    let scene = Scene::new(&format!(
        "otlp: {{ endpoint: '{}', protocol: grpc, metrics: false, timeout: 2s }}\n",
        collector.grpc()
    ));
    let mut shown = BTreeSet::new();
    let mut watch = scene.watch();
    shown.extend(scene.alerts(&mut watch, ALERTS).iter().map(id));
    collector.wait_for(PATIENCE, |it| (it.logs.len() >= ALERTS).then_some(())).unwrap();
    collector.go_away();
    for number in 0..ALERTS {
        super::read(scene.folder.path(), number);
    }
    shown.extend(watch.of_rule(RULE, 0).unwrap().iter().map(id));
    assert_eq!(shown.len(), 2 * ALERTS);
    // Killed, not asked to end.
    drop(watch);
    assert!(arrived(&collector).len() < shown.len(), "there was no outage");
    let mut watch = scene.watch();
    shown.extend(scene.alerts(&mut watch, ALERTS).iter().map(id));
    assert_eq!(shown.len(), 3 * ALERTS);
    collector.come_back().unwrap();
    let is_all = |_: &_| shown.iter().all(|id| arrived(&collector).contains_key(id)).then_some(());
    collector.wait_for(PATIENCE * 2, is_all).unwrap();
    let arrived = arrived(&collector);
    assert_eq!(arrived.keys().collect::<BTreeSet<_>>(), shown.iter().collect());
    for said in arrived.values() {
        assert!(said.iter().all(|it| it == &said[0]), "one id, different alerts: {said:?}");
    }
    watch.stop().unwrap();
}

#[test]
fn who_does_not_answer_holds_up_nobody_else() {
    const ALERTS: usize = 20;
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let (silent, closed, good) =
        (Backend::start().unwrap(), Backend::start().unwrap(), Backend::start().unwrap());
    silent.behave(Behaviour::Hang);
    closed.behave(Behaviour::HalfClosed);
    let sink = |name: &str, backend: &Backend| {
        let url = backend.url();
        format!("{{ name: {name}, kind: falco_http, to: '{url}', tags: [lab], timeout: 1s }}")
    };
    let sinks = [sink("silent", &silent), sink("closed", &closed), sink("good", &good)].join(", ");
    let scene = Scene::new(&format!("sinks: [ {sinks} ]\n"));
    let mut watch = scene.watch();
    scene.alerts(&mut watch, ALERTS);
    let failed = |sink: &str, cause: &str| {
        let page = watch.agent().metrics().unwrap();
        let series = format!("landlord_sink_failures_total{{sink=\"{sink}\",cause=\"{cause}\"}} ");
        page.lines().any(|line| line.strip_prefix(&series).is_some_and(|count| count != "0"))
    };
    let deadline = std::time::Instant::now() + PATIENCE;
    while good.taken().len() < ALERTS || !failed("silent", "timeout") || !failed("closed", "broken")
    {
        let page = watch.agent().metrics().unwrap();
        let of_sinks: Vec<&str> =
            page.lines().filter(|line| line.starts_with("landlord_sink")).collect();
        assert!(std::time::Instant::now() < deadline, "{of_sinks:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!((silent.taken().len(), closed.taken().len()), (0, 0));
    // In the end all of it arrives everywhere.
    silent.behave(Behaviour::Take);
    closed.behave(Behaviour::Take);
    super::alerts::taken(&silent, |all| all.len() >= ALERTS);
    super::alerts::taken(&closed, |all| all.len() >= ALERTS);
    watch.stop().unwrap();
}
