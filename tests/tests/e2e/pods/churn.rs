//! Pods in a real containerd, 200 of them within a minute: what they use and do is theirs,
//! whenever the API server tells of them, and nobody else's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use landlord_tests::agent::Usage;
use landlord_tests::agent::watch::Alert;
use landlord_tests::apiserver::ApiServer;
use landlord_tests::cgroup::Hierarchy;
use landlord_tests::container::{Image, remove_cgroups};
use landlord_tests::containerd::{self, Containerd, PodContainer};
use landlord_tests::netns::Namespace;
use landlord_tests::truth::{exactly, must_fail, within_and_controlled};
use landlord_tests::workload;
use serde_json::{Value, json};

use super::{Cluster, NODE, is_synced, until};
use crate::rules::busybox;
use crate::stage::{PATIENCE, amount, has_minutes, missed, skip_here};

const NAMESPACES: usize = 10;
const TENANTS: usize = 5;
/// Pods that are made at the same time.
const AT_ONCE: usize = 4;
/// A call that neither runc nor a shell makes inside a container.
const CALL: &str = "getegid";
/// Bytes of a datagram, and of one with its headers.
const DATAGRAM: u64 = 100;
const PACKET: u64 = DATAGRAM + 20 + 8;
/// How long all of it takes where machines are real and idle.
const MINUTE: Duration = Duration::from_secs(60);
const RULES: &str = "\
- rule: Work
  desc: d
  condition: evt.type = execve and evt.rawres = 0 and proc.name = workload and proc.args contains syscalls
  output: >
    args=%proc.args ns=%k8s.ns.name pod=%k8s.pod.name uid=%k8s.pod.uid tenant=%tenant.name
  priority: NOTICE
";

/// When the API server tells of a pod, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Before,
    WhileItRuns,
    AfterItEnded,
    /// Never; containerd was told, and its files tell.
    ByItsRuntime,
    /// Never, and nobody else does.
    Never,
}

/// A pod with one container.
struct Pod {
    number: usize,
    namespace: String,
    name: String,
    uid: String,
    id: String,
    /// The cgroup of the pod, below the mount.
    cgroup: String,
    told: Told,
}

impl Pod {
    fn new(number: usize) -> Self {
        // What is left of a run before is not taken for this one's.
        let run = std::process::id();
        let uid = format!("0000c0c0-{number:04x}-4000-8000-{run:012x}");
        // Both drivers of cgroups: systemd's names and plain ones.
        let cgroup = if number.is_multiple_of(2) {
            let name = uid.replace('-', "_");
            format!("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{name}.slice")
        } else {
            format!("kubepods/burstable/pod{uid}")
        };
        let told = match number % 10 {
            0 if (number / 10).is_multiple_of(2) => Told::ByItsRuntime,
            0 => Told::Never,
            1..=3 => Told::AfterItEnded,
            4..=6 => Told::WhileItRuns,
            _ => Told::Before,
        };
        Self {
            number,
            namespace: format!("space-{}", number / 10 % NAMESPACES),
            name: format!("pod-{number}"),
            uid,
            id: format!("{run:032x}{number:032x}"),
            cgroup,
            told,
        }
    }

    fn tenant(&self) -> String {
        format!("tenant-{}", self.number / 10 % NAMESPACES % TENANTS)
    }

    /// Calls of [`CALL`] that it makes: none makes as many as another.
    fn calls(&self) -> u64 {
        1000 + self.number as u64
    }

    /// Datagrams that it sends to itself.
    fn datagrams(&self) -> u64 {
        1 + self.number as u64 % 50
    }

    /// The path of its container's cgroup.
    fn container(&self) -> String {
        let Self { cgroup, id, number, .. } = self;
        if number.is_multiple_of(2) {
            format!("/{cgroup}/cri-containerd-{id}.scope")
        } else {
            format!("/{cgroup}/{id}")
        }
    }

    fn object(&self) -> Value {
        let Self { namespace, name, uid, id, .. } = self;
        json!({
            "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "uid": uid,
                "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": NODE, "containers": [{"name": "main"}]},
            "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [
                {"name": "main", "containerID": format!("containerd://{id}"), "restartCount": 0}
            ]},
        })
    }
}

/// The node: its containerd, and the cluster that tells whose pods are.
struct Node {
    cluster: Cluster,
    containerd: Containerd,
    image: Image,
    network: Namespace,
}

impl Node {
    fn new(busybox: &Path) -> Self {
        let cluster = Cluster::new();
        for number in 0..NAMESPACES {
            let tenant = format!("tenant-{}", number % TENANTS);
            cluster.namespace(&format!("space-{number}"), &tenant);
        }
        let image = Image::new(busybox, &[&workload::binary().unwrap()]).unwrap();
        let containerd = Containerd::start().unwrap();
        Self { cluster, containerd, image, network: Namespace::lonely().unwrap() }
    }
}

/// What worker threads need of a node.
struct Hands<'a> {
    server: &'a ApiServer,
    containerd: &'a Containerd,
    root: &'a Path,
    network: &'a Path,
}

impl Hands<'_> {
    fn tell(&self, pod: &Pod) {
        self.server.put(pod.object()).unwrap();
    }

    /// Makes a pod, lets it work, and deletes it.
    fn live(&self, pod: &Pod) {
        match pod.told {
            Told::Before => {
                self.tell(pod);
                self.run(pod);
            }
            Told::WhileItRuns => std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(300));
                    self.tell(pod);
                });
                self.run(pod);
            }),
            Told::AfterItEnded => {
                self.run(pod);
                std::thread::sleep(Duration::from_millis(300));
                self.tell(pod);
            }
            Told::ByItsRuntime | Told::Never => return self.run(pod),
        }
        assert!(self.server.remove("pods", &pod.namespace, &pod.name), "{}", pod.name);
    }

    fn run(&self, pod: &Pod) {
        let script = format!(
            "/bin/workload --now syscalls --name {CALL} --count {} && \
             /bin/workload --now udp-alone --bytes {DATAGRAM} --count {} && exec sleep 0.2",
            pod.calls(),
            pod.datagrams()
        );
        let container = PodContainer {
            pod: &pod.name,
            namespace: &pod.namespace,
            uid: &pod.uid,
            id: &pod.id,
            cgroup: &pod.container(),
            network: self.network,
            is_described: pod.told != Told::Never,
        };
        self.containerd.run(container, self.root, &["/bin/sh", "-c", &script], PATIENCE).unwrap();
    }
}

/// Lets all pods live, a few at a time.
fn churn(node: &Node, pods: &[Pod]) -> Duration {
    let hands = Hands {
        server: &node.cluster.server,
        containerd: &node.containerd,
        root: node.image.root(),
        network: node.network.path(),
    };
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(pod) = pods.get(next.fetch_add(1, Ordering::Relaxed)) {
                    hands.live(pod);
                }
            });
        }
    });
    started.elapsed()
}

/// The cgroups of pods, which containerd leaves to the kubelet; dropping it removes them.
struct Remains<'a>(&'a [Pod]);

impl Drop for Remains<'_> {
    fn drop(&mut self) {
        for pod in self.0 {
            remove_cgroups(&pod.cgroup);
        }
    }
}

/// What a tenant has to come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Truth {
    calls: u64,
    bytes: u64,
    cpu_usec: u64,
}

/// What each tenant's pods did, as they and the kernel's own account say.
fn truths(pods: &[Pod]) -> BTreeMap<String, Truth> {
    let hierarchy = Hierarchy::find().unwrap();
    let mut truths: BTreeMap<String, Truth> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| pod.told != Told::Never) {
        let truth = truths.entry(pod.tenant()).or_default();
        truth.calls += pod.calls();
        truth.bytes += pod.datagrams() * PACKET;
        truth.cpu_usec += cpu_usec(&hierarchy, pod);
    }
    truths
}

/// CPU of a pod's container, which its own cgroup keeps after that of the container is gone.
fn cpu_usec(hierarchy: &Hierarchy, pod: &Pod) -> u64 {
    let file = hierarchy.mount().join(&pod.cgroup).join("cpu.stat");
    let text = std::fs::read_to_string(file).unwrap();
    let usage = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
    usage.unwrap().parse().unwrap()
}

fn calls(usage: &Usage, tenant: &str) -> u64 {
    usage.count(tenant, &format!("syscalls_total/{CALL}")).unwrap_or(0)
}

/// As many as there were, but for those that the agent tells passed its sensors.
fn all_but(what: &str, measured: u64, truth: u64, missed: u64) {
    let lacking = truth.checked_sub(measured);
    assert!(
        lacking.is_some_and(|lacking| lacking <= missed),
        "{what}: measured {measured}, truth {truth}, {missed} passed the sensors"
    );
}

/// No tenant has more or less than its pods, and no pod has what is another's. Tells how
/// many of the pods still have a row.
fn check_usage(usage: &Usage, pods: &[Pod], truths: &BTreeMap<String, Truth>) -> usize {
    let missed = missed(usage);
    for (tenant, truth) in truths {
        all_but(&format!("{tenant}'s calls"), calls(usage, tenant), truth.calls, missed);
        for direction in ["transmit", "receive"] {
            let path = format!("network_bytes_total/{direction}/ipv4");
            let bytes = usage.count(tenant, &path).unwrap();
            exactly(&format!("{tenant}'s bytes, {direction}"), bytes, truth.bytes).unwrap();
        }
        let seconds = usage.figure(tenant, "cpu_seconds_total").unwrap();
        let truth = truth.cpu_usec as f64 / 1e6;
        // A switch that passed the sensor lets a time slice go to the task before it.
        if missed == 0 {
            within_and_controlled(&format!("{tenant}'s CPU"), seconds, truth, 1.0).unwrap();
        }
    }
    let (tenant, truth) = truths.first_key_value().unwrap();
    must_fail("calls", &exactly("calls", calls(usage, tenant), truth.calls + 1)).unwrap();

    let rows = usage.0["pods"].as_array().unwrap().iter();
    let ours = rows.filter_map(|row| Some((row, pods.iter().find(|pod| row["uid"] == *pod.uid)?)));
    let mut count = 0;
    for (row, pod) in ours {
        count += 1;
        let counted = row["used"]["syscalls_total"][CALL].as_u64().unwrap_or(0);
        all_but(&format!("{}'s calls", pod.name), counted, pod.calls(), missed);
        if pod.told == Told::Never {
            assert_eq!((&row["pod"], &row["namespace"]), (&json!(""), &json!("")), "{row}");
            let tenant = row["used"]["tenant"].as_str().unwrap();
            assert!(!tenant.starts_with("tenant-"), "{row}");
        } else {
            assert_eq!(
                (&row["pod"], &row["namespace"]),
                (&json!(pod.name), &json!(pod.namespace)),
                "{row}"
            );
            assert_eq!(row["used"]["tenant"], pod.tenant(), "{row}");
        }
    }
    count
}

/// Whether all pods have the names that the API server told.
fn are_told(usage: &Usage, pods: &[Pod]) -> bool {
    let rows = usage.0["pods"].as_array().unwrap();
    let is_told = |pod: &&Pod| !matches!(pod.told, Told::Never | Told::ByItsRuntime);
    pods.iter()
        .filter(is_told)
        .all(|pod| rows.iter().any(|row| row["uid"] == *pod.uid && row["pod"] == *pod.name))
}

/// The first program of every pod that works is seen, and is its pod's.
fn check_alerts(alerts: &[Alert], pods: &[Pod], missed: u64) {
    let work: Vec<_> = alerts.iter().filter(|alert| alert.rule() == "Work").collect();
    all_but("alerts", work.len() as u64, pods.len() as u64, missed);
    for alert in work {
        let args = alert.field("proc.args").as_str().unwrap();
        let count: u64 = args.rsplit(' ').next().unwrap().parse().unwrap();
        let pod = pods.iter().find(|pod| pod.calls() == count).unwrap();
        let seen = ["k8s.ns.name", "k8s.pod.name", "tenant.name"].map(|name| alert.field(name));
        if pod.told == Told::Never {
            assert!(!seen[2].as_str().unwrap_or("").starts_with("tenant-"), "{alert:?}");
        } else {
            let expected = [&pod.namespace, &pod.name, &pod.tenant()].map(|text| json!(text));
            assert_eq!(seen, expected.each_ref(), "{:?}: {alert:?}", pod.told);
        }
        assert_eq!(alert.field("k8s.pod.uid"), &json!(pod.uid), "{alert:?}");
    }
}

#[test]
fn two_hundred_pods_of_containerd_within_a_minute_are_told_apart() {
    if !landlord_tests::may_run() {
        return;
    }
    if !has_minutes() {
        return skip_here("it takes minutes; ask for it by its name");
    }
    let Some(busybox) = busybox() else { return skip_here("busybox is not there") };
    if !containerd::is_there() {
        return skip_here("containerd is not there; LANDLORD_CONTAINERD names its folder");
    }
    let pods: Vec<Pod> = (0..usize::try_from(amount(200, 40)).unwrap()).map(Pod::new).collect();
    let node = Node::new(&busybox);
    if !node.containerd.is_where_agents_look() {
        return skip_here("another containerd runs here, and its states are where agents look");
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    let home = node.cluster.home();
    let mut watch = home.watch(&[rules], &[]).unwrap();
    until(watch.agent(), "sources", is_synced);

    let remains = Remains(&pods);
    let elapsed = churn(&node, &pods);
    let truths = truths(&pods);
    report(&pods, elapsed);
    let usage = until(watch.agent(), "the tenants", |usage| {
        let missed = missed(usage);
        truths.iter().all(|(tenant, truth)| calls(usage, tenant) + missed >= truth.calls)
            && are_told(usage, &pods)
    });
    assert_eq!(check_usage(&usage, &pods, &truths), pods.len());
    // Once more, when nothing of the pods is there any more.
    drop(remains);
    std::thread::sleep(Duration::from_secs(4));
    check_usage(&watch.agent().usage().unwrap(), &pods, &truths);
    watch.settle().unwrap();
    let missed = missed(&watch.agent().usage().unwrap());
    let alerts = watch.stop().unwrap();
    check_alerts(&alerts, &pods, missed);
}

#[expect(clippy::print_stdout, reason = "the test command shows what tests measured")]
fn report(pods: &[Pod], elapsed: Duration) {
    println!("{} pods lived and died in {:.1} s", pods.len(), elapsed.as_secs_f64());
    if elapsed > MINUTE {
        println!("that is longer than a minute: the machine is emulated, or busy");
    }
}
