//! Tenants at work, and all who look: the agent, Prometheus with the chart's rules, Alertmanager.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use landlord_tests::agent::Home;
use landlord_tests::agent::watch::Watch;
use landlord_tests::alertmanager::Alertmanager;
use landlord_tests::backend::Backend;
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::kubelet::{self, Kubelet};
use landlord_tests::prometheus::{Prometheus, Setup};
use landlord_tests::workload::{Order, Running};
use rustix::thread::{CpuSet, sched_getaffinity};
use serde_json::{Value, json};

use super::super::{Cluster, NODE, Pod};

/// The rule whose alerts go to Alertmanager without Prometheus.
pub(super) const RULE: &str = "Secret read";
const RULES: &str = "\
- rule: Secret read
  desc: d
  condition: evt.type in (open, openat, openat2) and fd.name endswith /landlord-e2e-secret
  output: file=%fd.name
  priority: WARNING
  tags: [lab]
";
const MIB: u64 = 1 << 20;
/// Longer than any test looks at them.
const SECONDS: &str = "900";

/// The tenants' cluster. Their work ends with this value.
pub(super) struct Tenants {
    cluster: Cluster,
    kubelet: Kubelet,
    work: Vec<Running>,
    // Before the places that they are beside.
    _shadows: Vec<Cgroup>,
    pods: Vec<Pod>,
}

/// The back-ends.
pub(super) struct Backends {
    pub(super) webhook: Backend,
    pub(super) alertmanager: Alertmanager,
}

impl Backends {
    /// `None`: there is no Alertmanager here, which was said.
    pub(super) fn start() -> Option<Self> {
        let webhook = Backend::start().unwrap();
        let alertmanager = Alertmanager::start(&webhook.url()).unwrap()?;
        Some(Self { webhook, alertmanager })
    }
}

impl Tenants {
    /// Four tenants with six pods, ready to go: acme and oil fight for a CPU.
    pub(super) fn settle() -> Self {
        let cluster = Cluster::new();
        cluster.namespace("red", "globex");
        cluster.namespace("white", "initech");
        let kubelet = Kubelet::start(cluster.server.signer()).unwrap();
        let pods = vec![
            Pod::new("blue", "shop", 61),
            Pod::new("blue", "search", 62),
            Pod::new("green", "drill", 63),
            Pod::new("red", "cache", 64),
            Pod::new("red", "index", 65),
            Pod::new("white", "mail", 66),
        ];
        let told = |pod: &Pod| {
            put(&cluster, pod);
            let claim = [("data", 40 * MIB * pod.name.len() as u64, 512 * MIB)];
            let place = (pod.namespace, pod.name, &*pod.uid);
            kubelet::pod(place, 9 * MIB * pod.name.len() as u64, &claim)
        };
        kubelet.set_pods(pods.iter().map(told).collect());
        for namespace in ["blue", "green", "red", "white"] {
            cluster.server.put(quota(namespace)).unwrap();
        }
        let shadows = pods.iter().flat_map(|pod| shadows(place(pod))).collect();
        Self { cluster, kubelet, work: Vec::new(), _shadows: shadows, pods }
    }

    /// What the agent is told.
    pub(super) fn configuration(&self, spool: &Path, alertmanager: &str) -> String {
        let more = format!(
            "pod_metrics: true\nspool: {{ path: '{}' }}\nkubelet: {{ address: '{}', interval: 1s }}\n\
             sinks: [ {{ name: pager, kind: alertmanager, to: '{alertmanager}', resolve: 4s, \
             tags: [lab], tenants: [acme] }} ]\n",
            spool.display(),
            self.kubelet.address(),
        );
        self.cluster.configuration(&more)
    }

    /// Lets them work.
    pub(super) fn go(&mut self) {
        let (quiet, contested) = cpus();
        // So many that hardly anybody else has more of that CPU.
        self.start("search", contested, &["hog", "--seconds", SECONDS]);
        self.start("drill", contested, &["hog", "--cores", "8", "--seconds", SECONDS]);
        self.start("cache", quiet, &["memory", "--bytes", "190000000", "--seconds", SECONDS]);
        self.start("index", quiet, &["hog", "--duty", "0.15", "--seconds", SECONDS]);
        self.start("mail", quiet, &["hog", "--duty", "0.05", "--seconds", SECONDS]);
        self.ask("shop", "mail", ["--request", "200", "--response", "20000"]);
        self.ask("mail", "index", ["--request", "9000", "--response", "300"]);
    }

    /// Lets one pod ask another again and again, with messages of these sizes.
    fn ask(&mut self, client: &'static str, server: &'static str, sizes: [&str; 4]) {
        let (quiet, _) = cpus();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let server_args = ["tcp-server", "--listen", &address];
        self.start(server, quiet, &[&server_args[..], &sizes].concat());
        let client_args =
            ["tcp-client", "--connect", &address, "--rest-us", "4000", "--seconds", SECONDS];
        self.start(client, quiet, &[&client_args[..], &sizes].concat());
    }

    fn start<S: AsRef<str>>(&mut self, name: &'static str, cpu: usize, args: &[S]) {
        let cgroup = place(self.pod(name));
        let args = args.iter().map(|it| it.as_ref().to_owned());
        let mut running = Order::new(args).inside(cgroup).on_cpu(cpu).start().unwrap();
        for shadow in shadow_folders(cgroup) {
            std::fs::write(shadow.join("cgroup.procs"), running.pid().to_string()).unwrap();
        }
        running.go().unwrap();
        self.work.push(running);
    }

    /// Lets a pod read a file.
    pub(super) fn read(&self, name: &str, file: &Path) {
        self.pod(name).read(file);
    }

    fn pod(&self, name: &str) -> &Pod {
        self.pods.iter().find(|pod| pod.name == name).unwrap()
    }
}

/// An agent with Landlord's rules and one of these tests', which writes into `folder`.
pub(super) fn agent<'home>(home: &'home Home, folder: &Path) -> Watch<'home> {
    let own = folder.join("rules.yaml");
    std::fs::write(&own, RULES).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    home.watch(&[shipped, own], &[]).unwrap()
}

/// A Prometheus with the chart's rules, where seconds are minutes.
pub(super) fn prometheus(home: &Home, alertmanager: &str) -> Option<Prometheus> {
    let rules = std::fs::read_to_string(chart("files/landlord.rules.yaml")).unwrap();
    let setup =
        Setup { node: NODE, rules: &hastened(&rules), alertmanager, ..Setup::of(home.address()) };
    Prometheus::start(&setup).unwrap()
}

/// A file of the chart.
pub(super) fn chart(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/landlord").join(file)
}

/// Rules that look back and wait for seconds instead of minutes.
fn hastened(rules: &str) -> String {
    let mut hastened = String::new();
    for line in rules.replace("m]", "s]").replace("[1d]", "[1m]").lines() {
        let is_wait = line.trim_start().starts_with("for:");
        hastened.push_str(&if is_wait { line.replace('m', "s") } else { line.to_owned() });
        hastened.push('\n');
    }
    hastened
}

fn place(pod: &Pod) -> &Cgroup {
    pod.cgroup.as_ref().unwrap()
}

/// Tells of a pod with requests and limits.
fn put(cluster: &Cluster, pod: &Pod) {
    cluster.put(pod);
    let mut object = cluster.server.get("pods", pod.namespace, pod.name).unwrap();
    object["spec"]["containers"][0]["resources"] = json!({
        "requests": {"cpu": "250m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
        "limits": {"cpu": "1", "memory": "256Mi", "ephemeral-storage": "2Gi"},
    });
    cluster.server.put(object).unwrap();
}

fn quota(namespace: &str) -> Value {
    let hard =
        json!({"pods": "5", "requests.cpu": "2", "requests.memory": "256Mi", "secrets": "10"});
    let used =
        json!({"pods": "2", "requests.cpu": "500m", "requests.memory": "200Mi", "secrets": "1"});
    json!({
        "kind": "ResourceQuota", "metadata": {"namespace": namespace, "name": "quota"},
        "spec": {"hard": hard}, "status": {"hard": hard, "used": used},
    })
}

/// Where controllers of cgroup v1 have the cgroup of this path.
fn shadow_folders(cgroup: &Cgroup) -> Vec<PathBuf> {
    let controllers = ["memory", "blkio"].map(|name| Path::new("/sys/fs/cgroup").join(name));
    let folders = controllers.map(|root| root.join(cgroup.path().trim_start_matches('/')));
    folders.into_iter().filter(|folder| folder.is_dir()).collect()
}

/// Gives a cgroup what measures memory and disks: with v2 itself, else one of v1 beside it.
fn shadows(cgroup: &Cgroup) -> Vec<Cgroup> {
    let mut made = Vec::new();
    for (v2, v1) in [("memory", "memory"), ("io", "blkio")] {
        let root = Path::new("/sys/fs/cgroup").join(v1);
        if !cgroup.enable(v2).unwrap() && root.join("tasks").is_file() {
            made.push(Hierarchy::at(root).create(cgroup.path()).unwrap());
        }
    }
    made
}

/// The first and the last CPU that this process may use.
fn cpus() -> (usize, usize) {
    let allowed = sched_getaffinity(None).unwrap();
    let mut all = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let first = all.next().unwrap();
    (first, all.next_back().unwrap_or(first))
}
