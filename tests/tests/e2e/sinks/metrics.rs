//! Metrics by OTLP, held against what the agent tells when it is scraped.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use landlord_tests::cgroup::Hierarchy;
use landlord_tests::collector::{Collector, Kind, Received, Sample};
use landlord_tests::exposition::{Page, Series};
use landlord_tests::workload::Order;

use super::{PATIENCE, Scene, ways};
use crate::stage::is_too_long;

/// The samples of a page in OpenMetrics.
fn scraped(page: &str) -> BTreeMap<Series, f64> {
    Page::parse(page).unwrap().values()
}

/// As Prometheus, and the Collector's exporter to it, name what arrives.
pub(crate) fn translated(sample: &Sample) -> Series {
    let unit = match sample.unit.as_str() {
        "" => String::new(),
        "s" => "_seconds".to_owned(),
        "By" => "_bytes".to_owned(),
        other => format!("_{other}"),
    };
    let total = if sample.kind == Kind::Counter { "_total" } else { "" };
    let name = format!("{}{unit}{total}", sample.name.replace('.', "_"));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let labels = sample.attributes.iter().map(|(name, value)| (name.clone(), text(value)));
    (name, labels.collect())
}

/// The samples of the last export, if it was begun after `after`.
fn last_export(received: &Received, after: u64) -> Option<Vec<Sample>> {
    let last = received.samples.iter().map(|sample| sample.time_unix_ns).max()?;
    // Half of the time between exports tells one from the one before.
    let begun = last.saturating_sub(1_000_000_000);
    let of_it = received.samples.iter().filter(|sample| sample.time_unix_ns > begun);
    (begun > after).then(|| of_it.cloned().collect())
}

#[test]
fn what_is_pushed_is_what_is_scraped() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    for (endpoint, protocol) in ways(&collector) {
        let scene = Scene::new(&format!(
            "otlp: {{ endpoint: '{endpoint}', protocol: {protocol}, interval: 2s }}\n"
        ));
        let mut watch = scene.watch();
        scene.alerts(&mut watch, 2);
        let cgroup = Hierarchy::find().unwrap().create("landlord-e2e-pushed.slice").unwrap();
        Order::new(["syscalls", "--count", "27182"]).inside(&cgroup).run(PATIENCE).unwrap();
        watch.agent().usage().unwrap();
        let before = scraped(&watch.agent().metrics().unwrap());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(1);
        let now = u64::try_from(now.as_nanos()).unwrap();
        let arrived = collector.wait_for(PATIENCE, |it| last_export(it, now)).unwrap();
        let after = scraped(&watch.agent().metrics().unwrap());
        let kinds: BTreeMap<String, Kind> =
            arrived.iter().map(|sample| (translated(sample).0, sample.kind)).collect();
        let arrived: BTreeMap<Series, f64> =
            arrived.iter().map(|sample| (translated(sample), sample.value)).collect();
        // A tenant of the machine may come or go meanwhile.
        for series in before.keys().filter(|series| after.contains_key(*series)) {
            assert!(arrived.contains_key(series), "{protocol}: {series:?} did not arrive");
        }
        let mut counters = 0;
        for (series, value) in &arrived {
            let bounds = (before.get(series), after.get(series));
            assert_ne!(bounds, (None, None), "{protocol}: {series:?} is not scraped");
            let (Some(least), Some(most)) = bounds else { continue };
            if kinds[&series.0] == Kind::Counter {
                counters += 1;
                // What reads the JSON rounds the last digit of some.
                let slack = value * 1e-12;
                let is_between = (least - slack..=most + slack).contains(value);
                assert!(is_between, "{protocol}: {series:?}: {value}, not {least}..={most}");
            }
        }
        assert!(counters > 50, "{counters} counters");
        let labels = [("tenant", "landlord-e2e-pushed"), ("syscall", "getppid")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let calls = ("landlord_tenant_syscalls_total".to_owned(), labels.into());
        assert_eq!(arrived.get(&calls), Some(&27_182.0));
        watch.stop().unwrap();
    }
}
