//! A node of a cluster: real processes in cgroups as Kubernetes names them, and a double
//! of the API server that tells whose they are, or does not.

mod alerts;
mod churn;
mod config;
mod connections;
mod everything;
mod identity;
mod many;
mod observed;
mod peers;
mod record;
mod reuse;
mod server;
mod status;
mod storage;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use landlord_tests::agent::{Agent, Home, Usage};
use landlord_tests::apiserver::ApiServer;
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use landlord_tests::workload::Order;
use serde_json::{Value, json};

use crate::stage::PATIENCE;

/// The node whose pods the agent asks for.
const NODE: &str = "landlord-e2e-node";
/// The label that the default rules take tenants from.
const TENANT: &str = "capsule.clastix.io/tenant";
/// Longer than the agent takes to hear of anything.
const SOON: Duration = Duration::from_secs(60);

/// The cluster.
struct Cluster {
    server: ApiServer,
}

/// A pod with its one container's cgroup.
struct Pod {
    namespace: &'static str,
    name: &'static str,
    uid: String,
    container: String,
    cgroup: Option<Cgroup>,
}

impl Cluster {
    /// One of whose namespaces `blue` is acme's and `green` is oil's.
    fn new() -> Self {
        let cluster = Self { server: ApiServer::start().unwrap() };
        cluster.server.serve_kind("landlord.dev/v1alpha1", "tenants", "Tenant");
        cluster.namespace("blue", "acme");
        cluster.namespace("green", "oil");
        cluster
    }

    /// Makes a namespace a tenant's.
    fn namespace(&self, name: &str, tenant: &str) {
        let labels = json!({TENANT: tenant, "team": "drilling"});
        let namespace = json!({"kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.server.put(namespace).unwrap();
    }

    /// Tells of a pod.
    fn put(&self, pod: &Pod) {
        let Pod { namespace, name, uid, container, .. } = pod;
        let id = format!("containerd://{container}");
        let object = json!({
            "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "uid": uid, "labels": {"app": name},
                "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": NODE, "containers": [
                {"name": "main", "resources": {"requests": {"cpu": "250m"}}}
            ]},
            "status": {"phase": "Running", "qosClass": "Burstable", "podIP": "10.9.0.1",
                "podIPs": [{"ip": "10.9.0.1"}],
                "containerStatuses": [{"name": "main", "containerID": id, "restartCount": 3}]},
        });
        self.server.put(object).unwrap();
    }

    /// A home for an agent that asks this cluster, and no kubelet.
    fn home(&self) -> Home {
        self.home_with("kubelet: { enabled: false }\n")
    }

    fn home_with(&self, more: &str) -> Home {
        Home::new(&self.configuration(more)).unwrap()
    }

    fn configuration(&self, more: &str) -> String {
        let kubeconfig = self.server.kubeconfig();
        format!(
            "interval: 1s\n{more}kubernetes:\n  enabled: always\n  node: {NODE}\n  kubeconfig: {}\n",
            kubeconfig.display()
        )
    }
}

impl Pod {
    /// One with a cgroup, of which nobody is told yet. `number` tells it from all others.
    fn new(namespace: &'static str, name: &'static str, number: u64) -> Self {
        // What is left of a run before is not taken for this one's.
        let run = u64::from(std::process::id());
        let uid = format!("0000e2e0-{number:04x}-4000-8000-{run:012x}");
        let container = format!("{run:032x}{number:032x}");
        let path = format!(
            "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice/\
             cri-containerd-{container}.scope",
            uid.replace('-', "_")
        );
        let cgroup = Hierarchy::find().unwrap().create(&path).unwrap();
        Self { namespace, name, uid, container, cgroup: Some(cgroup) }
    }

    /// Calls getppid so often.
    fn work(&self, calls: u64) {
        let order = Order::new(["syscalls", "--count", &calls.to_string()]);
        order.inside(self.cgroup.as_ref().unwrap()).run(PATIENCE).unwrap();
    }

    /// Reads a file from inside.
    fn read(&self, file: &Path) {
        let procs = self.cgroup.as_ref().unwrap().directory().join("cgroup.procs");
        let script = format!("echo $$ >{}; exec cat {}", procs.display(), file.display());
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(status.success());
    }

    /// Removes its cgroup.
    fn end(&mut self) {
        self.cgroup.take().unwrap().remove().unwrap();
    }
}

/// Asks the agent until its answer holds.
fn until(agent: &Agent<'_>, what: &str, holds: impl Fn(&Usage) -> bool) -> Usage {
    until_within(SOON, agent, what, holds)
}

fn until_within(
    patience: Duration,
    agent: &Agent<'_>,
    what: &str,
    holds: impl Fn(&Usage) -> bool,
) -> Usage {
    let deadline = Instant::now() + patience;
    loop {
        let usage = agent.usage().unwrap();
        if holds(&usage) {
            return usage;
        }
        assert!(Instant::now() < deadline, "not in time: {what}: {:#}", usage.0);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How often a tenant called getppid; 0 of one that is not there.
fn calls(usage: &Usage, tenant: &str) -> u64 {
    usage.count(tenant, "syscalls_total/getppid").unwrap_or(0)
}

/// What is told of a pod.
fn told<'u>(usage: &'u Usage, pod: &Pod) -> &'u Value {
    let pods = usage.0["pods"].as_array().unwrap();
    pods.iter().find(|it| it["uid"] == *pod.uid).unwrap_or(&Value::Null)
}

/// Whether all sources have told everything, or why one has not.
fn trouble(usage: &Usage, source: &str) -> String {
    let sources = usage.0["identity"]["sources"].as_array().unwrap();
    let found = sources.iter().find(|it| it["source"] == source).unwrap();
    found["reason"].as_str().unwrap().to_owned()
}

fn is_synced(usage: &Usage) -> bool {
    ["pods", "namespaces"].iter().all(|source| trouble(usage, source).is_empty())
}
