//! Sinks that become others while the agent runs.

use std::time::{Duration, Instant};

use landlord_tests::agent::watch::Watch;
use landlord_tests::backend::Backend;
use landlord_tests::collector::{Collector, Received, Sample};

use super::alerts::taken;
use super::{PATIENCE, RULE, Scene, read};
use crate::stage::is_too_long;

/// Waits until the metrics have these lines.
fn tell(watch: &Watch<'_>, lines: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = watch.agent().metrics().unwrap();
        if lines.iter().all(|line| metrics.lines().any(|it| it == *line)) {
            return;
        }
        let sinks: Vec<&str> = metrics.lines().filter(|it| it.contains("sink=")).collect();
        assert!(Instant::now() < deadline, "{lines:#?} are not all in {sinks:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn alerts_go_where_the_configuration_says_now() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let [first, second] = [Backend::start().unwrap(), Backend::start().unwrap()];
    let to = |backend: &Backend, more: &str| {
        let url = backend.url();
        format!("sinks: [ {{ name: a, kind: falco_http, to: '{url}', tags: [lab] }}{more} ]\n")
    };
    let scene = Scene::new(&to(&first, ""));
    let mut watch = scene.watch();
    scene.alerts(&mut watch, 2);
    taken(&first, |all| all.len() == 2);

    let file = scene.folder.path().join("alerts.json");
    let more = format!(", {{ name: b, kind: file, to: '{}', tags: [lab] }}", file.display());
    scene.home.configure(&scene.configuration(&to(&second, &more))).unwrap();
    tell(&watch, &["landlord_sink_waiting{sink=\"a\"} 0", "landlord_sink_waiting{sink=\"b\"} 0"]);
    for number in 0..3 {
        read(scene.folder.path(), number);
    }
    watch.of_rule(RULE, 2).unwrap();
    taken(&second, |all| all.len() == 3);
    // What was delivered elsewhere before is not forgotten.
    tell(
        &watch,
        &[
            "landlord_sink_delivered_total{sink=\"a\"} 5",
            "landlord_sink_delivered_total{sink=\"b\"} 3",
        ],
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 3);
    assert_eq!(first.taken().len(), 2);
    let log = scene.home.log();
    assert!(!log.contains("needs a restart"), "{log}");
    watch.stop().unwrap();
}

/// Alerts of the rule that arrived.
fn alerts_of(received: &Received) -> usize {
    received.logs.iter().filter(|log| log.attributes["security_rule.name"] == RULE).count()
}

/// What was told of a metric whose counters outlive the agent.
fn of_use(received: &Received) -> impl Iterator<Item = &Sample> {
    received.samples.iter().filter(|it| it.name == "landlord.tenant.syscalls")
}

#[test]
fn what_is_exported_goes_where_the_configuration_says_now() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(first) = Collector::start().unwrap() else { return };
    let second = Collector::start().unwrap().unwrap();
    let otlp = |endpoint: String, more: &str| {
        format!("otlp: {{ endpoint: '{endpoint}', interval: 1s, {more} }}\n")
    };
    let scene = Scene::new(&otlp(first.grpc(), "protocol: grpc"));
    let mut watch = scene.watch();
    scene.alerts(&mut watch, 2);
    let has_all = |it: &Received| alerts_of(it) == 2 && of_use(it).next().is_some();
    first.wait_for(PATIENCE, |it| has_all(it).then_some(())).unwrap();

    let next = otlp(second.http(), "traces: true, resource: k8s.cluster.name=lab");
    scene.home.configure(&scene.configuration(&next)).unwrap();
    tell(&watch, &["landlord_sink_waiting{sink=\"otlp_traces\"} 0"]);
    // The detector takes it at its next turn: until then alerts need not tell of processes.
    let deadline = Instant::now() + PATIENCE;
    let mut made = 0;
    let at_second = loop {
        read(scene.folder.path(), made);
        made += 1;
        watch.settle().unwrap();
        let has_all = |it: &Received| alerts_of(it) == made && of_use(it).next().is_some();
        let received = second.wait_for(PATIENCE, |it| has_all(it).then(|| it.clone())).unwrap();
        if received.spans.len() > 1 {
            break received;
        }
        assert!(Instant::now() < deadline, "no alert tells of its processes");
    };
    assert!(at_second.logs.iter().all(|log| log.resource["k8s.cluster.name"] == "lab"));

    // Nothing is told at both, nothing is left out, and sums go on where they were.
    let at_first = first.received().unwrap();
    assert_eq!((alerts_of(&at_first), at_first.spans.len()), (2, 0));
    let last = of_use(&at_first).map(|it| it.time_unix_ns).max().unwrap();
    assert!(of_use(&at_second).all(|it| it.time_unix_ns >= last));
    tell(&watch, &["landlord_sink_failures_total{sink=\"otlp_metrics\",cause=\"export\"} 0"]);
    let log = scene.home.log();
    assert!(!log.contains("needs a restart"), "{log}");
    watch.stop().unwrap();
}
