//! Sinks that become others while the agent runs.

use std::time::{Duration, Instant};

use landlord_tests::agent::watch::Watch;
use landlord_tests::backend::Backend;

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
