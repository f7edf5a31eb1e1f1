//! A tenant that opens files as fast as it can, beside one that starts processes: of the
//! first, what is not seen is counted; of the second, nothing is missed.

use std::collections::BTreeMap;
use std::time::Duration;

use landlord_tests::agent::Usage;
use landlord_tests::agent::watch::Alert;
use landlord_tests::truth::{Truth, exactly, must_fail};
use landlord_tests::workload::Order;

use super::{detection, drops, matches, rules};
use crate::stage::{PATIENCE, amount, emulated, home, missed, tenant};

const SECONDS: f64 = 5.0;
const EMULATED_SECONDS: f64 = 2.0;
/// Events a second that each may send: fewer than an unoptimised agent can take.
const RATE: u64 = 3000;
const EMULATED_RATE: u64 = 300;
/// Processes a second of the neighbour: of itself it is no storm for an unoptimised agent
/// that shares two processors with both.
const STARTS: &str = "300";
/// Figures are a second old at most.
const FIGURES: Duration = Duration::from_millis(1500);
/// MiB that the agent may keep of processes and events.
const MEMORY_MIB: u64 = 16;
/// MiB of each of the two rings, which are mapped twice.
const BUFFER_MIB: u64 = 4;
/// Beside these: the program, its rules, and answers of its API.
const BASE_MIB: u64 = 64;

/// Opens of the storm say the same, so that they are counted and not written. The
/// numbers of the children tell one from the other.
fn rule_text(folder: &str) -> String {
    format!(
        "- rule: Storm\n  desc: d\n  condition: >\n    evt.type in (open, openat, openat2) and \
         fd.name contains {folder}/storm-\n  output: a file of the storm\n  priority: DEBUG\n\
         - rule: Started\n  desc: d\n  condition: >\n    evt.type = execve and evt.rawres = 0 and \
         proc.exe startswith {folder}/lab-level\n  output: >\n    %proc.args\n  priority: DEBUG\n\
         - rule: Ended\n  desc: d\n  condition: >\n    evt.type = procexit and \
         proc.exe startswith {folder}/lab-level\n  output: >\n    %proc.args\n  priority: DEBUG\n"
    )
}

fn per_second(truth: &Truth) -> f64 {
    truth.operations as f64 / (truth.elapsed_ns as f64 / 1e9)
}

/// Sum of the drops that `/metrics` tells of a tenant.
fn dropped(metrics: &str, tenant: &str) -> u64 {
    let samples = metrics.lines().filter(|line| {
        line.starts_with("landlord_events_dropped_total{")
            && line.contains(&format!("tenant=\"{tenant}\""))
    });
    samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Demands an exact count, or that what it lacks is told to have passed the sensors.
fn check_count(what: &str, counted: u64, truth: u64, missed: u64) {
    if missed == 0 {
        exactly(what, counted, truth).unwrap();
        must_fail(what, &exactly(what, counted, truth + 1)).unwrap();
    } else {
        assert!(counted <= truth, "{what}: {counted} of {truth}");
        assert!(counted + missed >= truth, "{what}: {counted} of {truth}, {missed} missed");
    }
}

/// What came of a storm.
struct Outcome {
    usage: Usage,
    alerts: Vec<Alert>,
    noisy: String,
    quiet: String,
    /// Opens and children.
    opens: u64,
    starts: u64,
    /// Opens that the rule has seen.
    seen: u64,
    metrics: String,
    resident_mib: u64,
}

/// Lets both tenants work at once, with so many events a second for each; 0 is any
/// number.
fn storm(name: &str, rate: u64) -> Outcome {
    let folder = tempfile::Builder::new().prefix("landlord-storm-").tempdir().unwrap();
    let text = folder.path().display().to_string();
    let file = rules(folder.path(), &rule_text(&text));
    // Made before anybody looks: who makes them has a rate, too, and is no part of the storm.
    let files: Vec<String> = (0..64).map(|number| format!("{text}/storm-{number}")).collect();
    for file in &files {
        std::fs::write(file, "").unwrap();
    }
    let home = home();
    let [rate, buffer, memory] = [rate, BUFFER_MIB, MEMORY_MIB].map(|it| it.to_string());
    let mut more = vec!["--alerts-repeats", "10s", "--events-rate", &rate];
    more.extend(["--events-buffer", &buffer, "--events-memory", &memory]);
    let mut watch = home.watch(&[file], &more).unwrap();
    watch.settle().unwrap();
    let (noisy_cgroup, noisy) = tenant(&format!("noisy-{name}"));
    let (quiet_cgroup, quiet) = tenant(&format!("quiet-{name}"));

    let seconds = if emulated() { EMULATED_SECONDS } else { SECONDS }.to_string();
    let opens = ["opens", "--seconds", &seconds].map(str::to_owned);
    let opens = opens.into_iter().chain(files.iter().cloned());
    let mut opens = Order::new(opens).inside(&noisy_cgroup).start().unwrap();
    let starts = ["tree", "--folder", &text, "--seconds", &seconds, "--per-second", STARTS];
    let mut starts = Order::new(starts).inside(&quiet_cgroup).start().unwrap();
    opens.go().unwrap();
    starts.go().unwrap();
    let opens = opens.wait(PATIENCE).unwrap();
    let starts = starts.wait(PATIENCE).unwrap();

    watch.settle().unwrap();
    std::thread::sleep(FIGURES);
    let usage = watch.agent().usage().unwrap();
    let outcome = Outcome {
        seen: matches(&usage, "Storm"),
        usage,
        alerts: watch.alerts().unwrap(),
        noisy,
        quiet,
        opens: opens.operations,
        starts: starts.operations,
        metrics: watch.agent().metrics().unwrap(),
        resident_mib: watch.agent().resident_bytes().unwrap() >> 20,
    };
    println!(
        "{:.0} opens a second, {:.0} processes a second; of {} opens seen {}, lost {:?}; \
         neighbour lost {:?}; resident {} MiB",
        per_second(&opens),
        per_second(&starts),
        outcome.opens,
        outcome.seen,
        drops(&outcome.usage, &outcome.noisy),
        drops(&outcome.usage, &outcome.quiet),
        outcome.resident_mib,
    );
    outcome
}

impl Outcome {
    /// Everything is seen or counted as lost, and memory is bounded.
    fn check(&self) {
        let losses = drops(&self.usage, &self.noisy);
        assert!(losses.iter().all(|(event, ..)| event == "openat"), "{losses:?}");
        let lost: u64 = losses.iter().map(|(.., count)| count).sum();
        let missed = missed(&self.usage);
        check_count("opens seen and lost", self.seen + lost, self.opens, missed);
        exactly("losses in /metrics", dropped(&self.metrics, &self.noisy), lost).unwrap();
        let calls_total = detection(&self.usage)["calls_total"].clone();
        let totals: BTreeMap<String, u64> = serde_json::from_value(calls_total).unwrap();
        let all = detection(&self.usage)["drops"].as_array().unwrap();
        let calls = all.iter().filter(|it| !it["event"].as_str().unwrap().starts_with("process "));
        let sum: u64 = calls.map(|it| it["count"].as_u64().unwrap()).sum();
        exactly("all losses", sum, totals["lost"]).unwrap();

        assert_eq!(drops(&self.usage, &self.quiet), [], "the neighbour lost something");
        for rule in ["Started", "Ended"] {
            check_count(rule, matches(&self.usage, rule), self.starts, missed);
        }
        let limit = BASE_MIB + MEMORY_MIB + 4 * BUFFER_MIB;
        assert!(self.resident_mib < limit, "{} MiB, {limit} allowed", self.resident_mib);
    }
}

#[test]
fn a_storm_costs_its_own_tenant_only() {
    if !landlord_tests::may_run() {
        return;
    }
    let outcome = storm("limited", amount(RATE, EMULATED_RATE));
    outcome.check();
    assert!(outcome.seen < outcome.opens, "this was no storm");
    let usage = &outcome.usage;
    assert_eq!(detection(usage)["lost_total"]["alert_unwritten"], 0, "alerts were not written");
    for rule in ["Started", "Ended"] {
        let alerts = outcome.alerts.iter().filter(|alert| alert.rule() == rule);
        let mut numbers: Vec<u64> = alerts
            .map(|alert| {
                let args = alert.field("proc.args").as_str().unwrap();
                args.split(' ').nth(1).unwrap().parse().unwrap()
            })
            .collect();
        numbers.sort_unstable();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{rule}: twice: {numbers:?}");
        assert!(numbers.iter().all(|number| (1..=outcome.starts).contains(number)), "{numbers:?}");
        check_count(rule, numbers.len() as u64, outcome.starts, missed(usage));
        let labels = format!("tenant=\"{}\",rule=\"{rule}\",priority=\"Debug\"", outcome.quiet);
        let told = format!("landlord_alerts_total{{{labels}}} {}\n", numbers.len());
        assert!(outcome.metrics.contains(&told), "{told}");
    }
}

#[test]
fn a_storm_without_a_limit_is_counted() {
    if landlord_tests::may_run() {
        storm("unlimited", 0).check();
    }
}
