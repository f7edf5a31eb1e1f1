//! Five hundred tenants on a node: what they make of series, and what that costs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use landlord_tests::agent::Agent;
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::collector::Collector;
use landlord_tests::exposition::Page;
use serde_json::json;

use super::{Cluster, NODE, SOON, TENANT};
use crate::sinks::metrics::translated;
use crate::stage::is_too_long;

const TENANTS: usize = 500;
/// Series of a tenant beside those of its system calls and of who made it wait: the sum
/// over the metrics of the values that their labels can have, as docs/metrics.md has it.
const FIXED: usize = 64;
/// What `max_wait_causes` is unless something is said, and the agent's own tenants.
const CAUSES: usize = 32 + 5;
/// Series of the node itself, at most.
const OF_NODE: usize = 1000;
/// Bytes of a series on the page, on average.
const BYTES: usize = 150;
/// How long a scrape may take: far less than Prometheus waits.
const SCRAPE: Duration = Duration::from_secs(3);

/// What a pod of each tenant does: some dozen different system calls.
const WORK: &str = "read path; while [ -n \"$path\" ]; do echo $$ >\"$path/cgroup.procs\"; \
                    cat /etc/hostname >/dev/null; ls / >/dev/null; read path || break; done";

fn tenant(number: usize) -> String {
    format!("crowd-{number}")
}

/// Pods of as many tenants, each with a namespace and a cgroup of its own.
fn pods(cluster: &Cluster) -> Vec<Cgroup> {
    let run = u64::from(std::process::id());
    let hierarchy = Hierarchy::find().unwrap();
    let pod = |number: usize| {
        let uid = format!("0000c0de-{number:04x}-4000-8000-{run:012x}");
        let container = format!("{run:032x}{:032x}", 0xc0de_0000 + number);
        let namespace = format!("crowd-ns-{number}");
        let labels = json!({TENANT: tenant(number)});
        let object =
            json!({"kind": "Namespace", "metadata": {"name": namespace, "labels": labels}});
        cluster.server.put(object).unwrap();
        let amounts = json!({"cpu": "10m", "memory": "1Mi"});
        let object = json!({
            "kind": "Pod",
            "metadata": {"namespace": namespace, "name": "pod", "uid": uid,
                "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": NODE, "containers": [
                {"name": "main", "resources": {"requests": amounts, "limits": amounts}}
            ]},
            "status": {"phase": "Running", "qosClass": "Burstable",
                "containerStatuses": [{"name": "main", "restartCount": 0,
                    "containerID": format!("containerd://{container}")}]},
        });
        cluster.server.put(object).unwrap();
        let path = format!(
            "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice/\
             cri-containerd-{container}.scope",
            uid.replace('-', "_")
        );
        hierarchy.create(&path).unwrap()
    };
    (0..TENANTS).map(pod).collect()
}

/// Lets every pod do its work.
fn work(pods: &[Cgroup]) {
    let mut shell = Command::new("sh").args(["-c", WORK]).stdin(Stdio::piped()).spawn().unwrap();
    let mut paths = shell.stdin.take().unwrap();
    for pod in pods {
        writeln!(paths, "{}", pod.directory().display()).unwrap();
    }
    drop(paths);
    assert!(shell.wait().unwrap().success());
}

/// A page that tells of the calls of all, how large it is and how long it took.
fn page_of_all(agent: &Agent<'_>) -> (Page, usize, Duration) {
    let deadline = Instant::now() + SOON;
    loop {
        let began = Instant::now();
        let text = agent.metrics().unwrap();
        let took = began.elapsed();
        let page = Page::parse(&text).unwrap();
        let of = by_tenant(&page, Some("landlord_tenant_syscalls_total"));
        if of.keys().filter(|it| it.starts_with("crowd-")).count() == TENANTS {
            return (page, text.len(), took);
        }
        assert!(Instant::now() < deadline, "only {} tenants", of.len());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// How many series each tenant has, of a metric or of all.
fn by_tenant(page: &Page, metric: Option<&str>) -> BTreeMap<String, usize> {
    let mut of = BTreeMap::new();
    let wanted = |name: &str| metric.is_none_or(|metric| metric == name);
    for sample in page.samples().filter(|it| wanted(&it.series.0)) {
        if let Some(tenant) = sample.series.1.get("tenant") {
            *of.entry(tenant.clone()).or_default() += 1;
        }
    }
    of
}

#[test]
fn series_of_five_hundred_tenants_are_bounded() {
    if !landlord_tests::may_run() || is_too_long() {
        return;
    }
    let Some(collector) = Collector::start().unwrap() else { return };
    let cluster = Cluster::new();
    let settings = format!(
        "kubelet: {{ enabled: false }}\notlp: {{ endpoint: '{}', interval: 5s }}\n",
        collector.http()
    );
    let home = cluster.home_with(&settings);
    let agent = home.start().unwrap();
    let pods = pods(&cluster);
    work(&pods);
    let (page, bytes, took) = page_of_all(&agent);

    let calls = by_tenant(&page, Some("landlord_tenant_syscalls_total"));
    let waits = by_tenant(&page, Some("landlord_tenant_cpu_wait_caused_seconds_total"));
    let mut most = (0, "");
    let all = by_tenant(&page, None);
    for (tenant, &series) in &all {
        let of = |some: &BTreeMap<String, usize>| some.get(tenant).copied().unwrap_or(0);
        let fixed = series - of(&calls) - of(&waits);
        assert!(fixed <= FIXED, "{tenant}: {fixed} series beside calls and waits");
        assert!(of(&waits) <= CAUSES, "{tenant}: {} causes of waiting", of(&waits));
        most = most.max((series, tenant));
    }
    let total = page.samples().count();
    let of_tenants: usize = all.values().sum();
    assert!(total - of_tenants <= OF_NODE, "{} series of the node", total - of_tenants);
    assert!(bytes <= total * BYTES, "{bytes} bytes for {total} series");
    assert!(took < SCRAPE, "a scrape took {took:?}");
    println!(
        "{} tenants: {total} series, {} of them the node's, {:.1} a tenant, at most {most:?}; \
         {:.2} MB a scrape, {took:?}",
        all.len(),
        total - of_tenants,
        of_tenants as f64 / all.len() as f64,
        bytes as f64 / 1e6,
    );
    pushed_whole(&collector, &page);
    agent.terminate().unwrap();
}

/// Every tenant's series arrive by OTLP, none of them added up with others.
fn pushed_whole(collector: &Collector, page: &Page) {
    let series: BTreeSet<_> = page.samples().map(|sample| &sample.series).collect();
    let mine = |series: &&landlord_tests::exposition::Series| {
        series.1.get("tenant").is_some_and(|tenant| tenant.starts_with("crowd-"))
    };
    let expected: BTreeSet<_> = series.into_iter().filter(mine).collect();
    let arrived = collector.wait_for(SOON, |received| {
        let arrived: BTreeSet<_> = received.samples.iter().map(translated).collect();
        expected.iter().all(|series| arrived.contains(*series)).then_some(arrived)
    });
    let overflow = |(_, labels): &&landlord_tests::exposition::Series| {
        labels.keys().any(|label| label.starts_with("otel"))
    };
    let arrived = arrived.unwrap();
    assert_eq!(arrived.iter().find(overflow), None);
}
