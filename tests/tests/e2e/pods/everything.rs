//! An agent with everything on tells every metric of its catalogue and no other one, to who
//! scrapes it and to a Collector.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use landlord_tests::agent::Home;
use landlord_tests::apiserver::Fault;
use landlord_tests::backend::Backend;
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::collector::Collector;
use landlord_tests::exposition::{Family, Page};
use landlord_tests::kubelet::{Kubelet, pod};
use landlord_tests::workload::{self, Order};
use serde_json::{Value, json};

use super::{Cluster, Pod, SOON};
use crate::sinks::metrics::translated;
use crate::stage::{PATIENCE, is_too_long};

const RULES: &str = "\
- rule: Opened
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /everything
  output: file=%fd.name
  priority: NOTICE
- rule: Connected
  desc: d
  condition: evt.type = connect and fd.rport = 7171 and proc.name = workload
  output: to %fd.rip:%fd.rport number %evt.num
  priority: NOTICE
";
/// Events a second that a cgroup may send, and opens of a cgroup that sends more.
const RATE: u64 = 200;
const OPENS: &str = "20000";

/// A metric as the program's own page has it: kind, unit and labels by name.
type Row = (String, String, BTreeSet<String>);

/// The catalogue, from the binary.
fn catalogue(home: &Home) -> BTreeMap<String, Row> {
    let output = home.command().args(["docs", "metrics"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let table = page.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').splitn(5, '|').map(str::trim).collect();
        let plain = |cell: &str| cell.trim_matches('`').to_owned();
        let labels = cells[3].split(", ").filter(|it| !it.is_empty()).map(plain).collect();
        (plain(cells[0]), (cells[1].to_owned(), cells[2].to_owned(), labels))
    });
    rows.collect()
}

/// What samples of a metric are called.
fn full_name(family: &Family) -> String {
    let end = match family.kind.as_str() {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    format!("{}{end}", family.name)
}

/// Holds a page against the catalogue; what has samples there.
fn check(page: &Page, catalogue: &BTreeMap<String, Row>) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for family in &page.families {
        let name = full_name(family);
        let (kind, unit, labels) =
            catalogue.get(&name).unwrap_or_else(|| panic!("{name} is in no catalogue"));
        assert_eq!((&family.kind, &family.unit), (kind, unit), "{name}");
        assert!(!family.help.is_empty(), "{name}");
        for sample in &family.samples {
            let found: BTreeSet<String> = sample.series.1.keys().cloned().collect();
            assert_eq!(found, *labels, "{name}");
            assert!(kind != "counter" || sample.value >= 0.0, "{name} {}", sample.value);
            told.insert(name.clone());
        }
    }
    told
}

/// A pod with requests and limits of all kinds.
fn put(cluster: &Cluster, pod: &Pod) {
    cluster.put(pod);
    let mut object = cluster.server.get("pods", pod.namespace, pod.name).unwrap();
    let amounts = json!({"cpu": "250m", "memory": "64Mi", "ephemeral-storage": "1Gi"});
    object["spec"]["containers"][0]["resources"] = json!({"requests": amounts, "limits": amounts});
    cluster.server.put(object).unwrap();
}

/// Gives a cgroup limits of CPU and memory, by the hierarchy that has the controllers. What
/// is made for it goes with what comes back.
fn limit(cgroup: &Cgroup) -> Vec<Cgroup> {
    let files = [
        ("cpu", "cpu.max", "50000 100000", "cpu.cfs_quota_us", "50000"),
        ("memory", "memory.max", "268435456", "memory.limit_in_bytes", "268435456"),
    ];
    let mut made = Vec::new();
    for (controller, file, value, v1_file, v1_value) in files {
        if cgroup.enable(controller).unwrap() {
            cgroup.write(file, value).unwrap();
        } else if let Some(v1) = Hierarchy::v1(controller).unwrap() {
            let twin = v1.create(cgroup.path()).unwrap();
            twin.write(v1_file, v1_value).unwrap();
            made.push(twin);
        }
    }
    made
}

fn settings(kubelet: &Kubelet, sink: &Backend, collector: &Collector, spool: &Path) -> String {
    format!(
        "pod_metrics: true\nevents: {{ rate: {RATE} }}\nkubelet: {{ address: '{}', interval: 1s }}\nspool: {{ path: \
         '{}' }}\nsinks:\n  - {{ name: lab, kind: falco_http, to: '{}' }}\notlp: {{ endpoint: \
         '{}', interval: 1s, traces: true, connections: all }}\n",
        kubelet.address(),
        spool.display(),
        sink.url(),
        collector.http(),
    )
}

/// What losses are told from the start, at 0: who alerts on an increase sees the first.
fn losses_begin_at_zero(page: &Page) {
    let labelled = |name: &str| -> Vec<(&BTreeMap<String, String>, f64)> {
        let samples = page.samples().filter(|it| it.series.0 == name);
        samples.map(|it| (&it.series.1, it.value)).collect()
    };
    let sinks: BTreeSet<&str> =
        labelled("landlord_sink_waiting").iter().map(|it| it.0["sink"].as_str()).collect();
    assert!(sinks.is_superset(&["lab", "otlp", "otlp_traces"].into()), "{sinks:?}");
    let count = |name: &str, label: &str, word: &str| {
        labelled(name).iter().filter(|(labels, _)| labels[label] == word).count()
    };
    for cause in ["slots_exhausted", "syscall_table_full", "state_unwritten"] {
        assert_eq!(count("landlord_lost_total", "cause", cause), 1, "{cause}");
    }
    for cause in ["record_unreadable", "ring_damaged", "alert_unwritten"] {
        assert_eq!(count("landlord_events_lost_total", "cause", cause), 1, "{cause}");
    }
    assert_eq!(count("landlord_events_calls_total", "outcome", "lost"), 1);
    // Not the exports of metrics and of connections, which have no queue on the disk.
    for priority in ["emergency", "debug"] {
        let dropped = count("landlord_sink_dropped_total", "priority", priority);
        assert!(dropped >= sinks.len() - 2, "{priority}: {dropped}");
    }
    for cause in ["connect", "tls", "timeout", "unauthorized", "refused"] {
        let failures = count("landlord_sink_failures_total", "cause", cause);
        assert!(failures >= sinks.len() - 2, "{cause}: {failures}");
    }
}

#[test]
fn every_metric_of_the_catalogue_is_told_and_no_other() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    let cluster = Cluster::new();
    let amounts = json!({"requests.cpu": "4", "pods": "10"});
    let quota = json!({"kind": "ResourceQuota", "metadata": {"namespace": "blue", "name": "all"},
        "status": {"hard": amounts, "used": amounts}});
    cluster.server.put(quota).unwrap();
    // Until it is mended, there is a trouble to tell of.
    let refused = cluster.server.fail(Fault::status(403).of("resourcequotas"));
    let kubelet = Kubelet::start(cluster.server.signer()).unwrap();
    let pods = [Pod::new("blue", "all-db", 61), Pod::new("green", "all-web", 62)];
    pods.iter().for_each(|it| put(&cluster, it));
    let said: Vec<Value> = pods
        .iter()
        .map(|it| pod((it.namespace, it.name, &it.uid), 500, &[("data", 300, 5000)]))
        .collect();
    kubelet.set_pods(said);
    let cgroup = pods[0].cgroup.as_ref().unwrap();
    let _twins = limit(cgroup);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("everything");
    let rules: PathBuf = folder.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    std::fs::write(&file, "x").unwrap();
    let sink = Backend::start().unwrap();
    let spool = folder.path().join("spool");
    let home = cluster.home_with(&settings(&kubelet, &sink, &collector, &spool));
    let catalogue = catalogue(&home);
    assert!(catalogue.len() > 70, "{} metrics", catalogue.len());
    let watch = home.watch(&[rules], &[]).unwrap();
    losses_begin_at_zero(&Page::parse(&watch.agent().metrics().unwrap()).unwrap());

    let deadline = Instant::now() + SOON;
    let (mut told, mut pushed) = (BTreeSet::new(), BTreeSet::new());
    let mut is_refused = true;
    loop {
        let page = Page::parse(&watch.agent().metrics().unwrap()).unwrap();
        told.extend(check(&page, &catalogue));
        let received = collector.received().unwrap();
        pushed.extend(received.samples.iter().map(|sample| translated(sample).0));
        let trouble = "landlord_identity_source_trouble_info";
        if is_refused && told.contains(trouble) && pushed.contains(trouble) {
            cluster.server.mend(refused);
            is_refused = false;
            pods[0].work(1000);
            pods[1].read(&file);
            let mut connect = Command::new(workload::binary().unwrap());
            connect.arg("--cgroup").arg(cgroup.directory());
            connect.args(["act", "connect", "127.0.0.1:7171", "--nonblocking"]);
            assert!(connect.status().unwrap().success());
            // More than it may send; last, as the rest of a second is lost, too.
            let order = Order::new(["opens", file.to_str().unwrap(), "--count", OPENS]);
            order.inside(cgroup).run(PATIENCE).unwrap();
        }
        let missing = |told: &BTreeSet<String>| -> Vec<String> {
            catalogue.keys().filter(|name| !told.contains(*name)).cloned().collect()
        };
        let (unscraped, unpushed) = (missing(&told), missing(&pushed));
        if unscraped.is_empty() && unpushed.is_empty() {
            let strangers: Vec<&String> =
                pushed.iter().filter(|name| !catalogue.contains_key(*name)).collect();
            assert!(strangers.is_empty(), "{strangers:?} are in no catalogue");
            println!(
                "{} metrics, {} series, {} samples pushed in all",
                catalogue.len(),
                page.samples().count(),
                received.samples.len()
            );
            break;
        }
        assert!(Instant::now() < deadline, "not told: {unscraped:?}; not pushed: {unpushed:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
    watch.stop().unwrap();
}
