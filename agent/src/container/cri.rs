//! The few messages of Kubernetes' container runtime interface that are asked for,
//! and what they tell of a container.
//!
//! Versions `v1` and `v1alpha2` have the same numbers for all of these.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    ContainerFacts, Mount, Probe,
    docker::bare_id,
    document::{Doc, bounded_labels},
    image::is_digest,
    oci::{self, MAX_MOUNTS},
};

/// Of a container or a sandbox, by its id.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StatusRequest {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(bool, tag = "2")]
    pub(super) verbose: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ContainerStatusResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<ContainerStatus>,
    #[prost(map = "string, string", tag = "2")]
    pub(super) info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ContainerStatus {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) metadata: Option<Metadata>,
    #[prost(int64, tag = "4")]
    pub(super) created_at: i64,
    #[prost(int64, tag = "5")]
    pub(super) started_at: i64,
    #[prost(message, optional, tag = "8")]
    pub(super) image: Option<ImageSpec>,
    #[prost(string, tag = "9")]
    pub(super) image_ref: String,
    #[prost(map = "string, string", tag = "12")]
    pub(super) labels: HashMap<String, String>,
    #[prost(message, repeated, tag = "14")]
    pub(super) mounts: Vec<CriMount>,
    #[prost(string, tag = "17")]
    pub(super) image_id: String,
}

/// Of a container only the name; of a sandbox all.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Metadata {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SandboxMetadata {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) uid: String,
    #[prost(string, tag = "3")]
    pub(super) namespace: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ImageSpec {
    #[prost(string, tag = "1")]
    pub(super) image: String,
    #[prost(string, tag = "18")]
    pub(super) user_specified_image: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CriMount {
    #[prost(string, tag = "1")]
    pub(super) container_path: String,
    #[prost(string, tag = "2")]
    pub(super) host_path: String,
    #[prost(bool, tag = "3")]
    pub(super) readonly: bool,
    #[prost(int32, tag = "5")]
    pub(super) propagation: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SandboxStatusResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<SandboxStatus>,
    #[prost(map = "string, string", tag = "2")]
    pub(super) info: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SandboxStatus {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) metadata: Option<SandboxMetadata>,
    #[prost(int64, tag = "4")]
    pub(super) created_at: i64,
    #[prost(message, optional, tag = "5")]
    pub(super) network: Option<SandboxNetwork>,
    #[prost(message, optional, tag = "6")]
    pub(super) linux: Option<SandboxLinux>,
    #[prost(map = "string, string", tag = "7")]
    pub(super) labels: HashMap<String, String>,
    #[prost(map = "string, string", tag = "8")]
    pub(super) annotations: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SandboxNetwork {
    #[prost(string, tag = "1")]
    pub(super) ip: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SandboxLinux {
    #[prost(message, optional, tag = "1")]
    pub(super) namespaces: Option<Namespaces>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Namespaces {
    #[prost(message, optional, tag = "2")]
    pub(super) options: Option<NamespaceOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NamespaceOptions {
    #[prost(int32, tag = "1")]
    pub(super) network: i32,
    #[prost(int32, tag = "2")]
    pub(super) pid: i32,
    #[prost(int32, tag = "3")]
    pub(super) ipc: i32,
}

/// `NamespaceMode.NODE`.
const NODE: i32 = 2;
/// The manifest that `kubectl apply` was given.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What an answer tells of the container; `None` when it is not about that one.
pub(super) fn container_facts(id: &str, answer: ContainerStatusResponse) -> Option<ContainerFacts> {
    let status = answer.status.filter(|status| status.id == id)?;
    let info = verbose(&answer.info);
    let info = Doc::new(&info);
    let config = info.get("config");
    let mut facts = oci::facts(id, info.get("runtimeSpec"), "");
    let image = status.image.unwrap_or_default();
    // A kubelet asks by id and tells beside it what the pod's author wrote.
    let names = [
        Some(image.user_specified_image),
        config.at(&["image", "user_specified_image"]).text(),
        config.at(&["image", "image"]).text(),
        facts.image.take(),
        Some(image.image),
    ];
    facts.image = names.into_iter().flatten().find(|name| is_name(name));
    let (digest, own_id) = match status.image_ref.split_once('@') {
        Some((_, digest)) => (Some(digest.to_owned()), None),
        None => (None, some(status.image_ref)),
    };
    facts.image_digest = digest;
    facts.image_id = some(status.image_id)
        .or_else(|| config.at(&["image", "image"]).text().filter(|image| is_digest(image)))
        .or(own_id)
        .map(|id| bare_id(&id));
    facts.name = status.metadata.and_then(|metadata| some(metadata.name)).or(facts.name);
    facts.privileged = privileged(info).or(facts.privileged);
    facts.mounts = status.mounts.into_iter().take(MAX_MOUNTS).map(mount).collect();
    facts.started_unix_ns = time(status.started_at).or_else(|| time(status.created_at));
    let label = |key: &str| status.labels.get(key).cloned().and_then(some);
    facts.pod_name = facts.pod_name.or_else(|| label("io.kubernetes.pod.name"));
    facts.pod_uid = facts.pod_uid.or_else(|| label("io.kubernetes.pod.uid"));
    facts.pod_namespace = facts.pod_namespace.or_else(|| label("io.kubernetes.pod.namespace"));
    facts.pod_sandbox_id = facts.pod_sandbox_id.or_else(|| info.get("sandboxID").text());
    facts.labels = texts(&status.labels);
    Some(facts)
}

/// What an answer about a sandbox tells of the sandbox itself.
pub(super) fn sandbox_facts(id: &str, answer: SandboxStatusResponse) -> Option<ContainerFacts> {
    let info = verbose(&answer.info);
    let mut facts = oci::facts(id, Doc::new(&info).get("runtimeSpec"), "");
    facts.image = Doc::new(&info).get("image").text().filter(|name| is_name(name)).or(facts.image);
    let started = answer.status.as_ref().and_then(|status| time(status.created_at));
    facts.upgrade(pod_facts(id, answer, None)?);
    facts.id = id.to_owned();
    facts.started_unix_ns = started;
    Some(facts)
}

/// What an answer about a sandbox tells of a container in it. The probes are those
/// of the container of that name.
pub(super) fn pod_facts(
    sandbox: &str,
    answer: SandboxStatusResponse,
    container: Option<&str>,
) -> Option<ContainerFacts> {
    let status = answer.status.filter(|status| status.id == sandbox)?;
    let metadata = status.metadata.unwrap_or_default();
    let options = status.linux.and_then(|linux| linux.namespaces?.options);
    let host = |mode: fn(&NamespaceOptions) -> i32| options.as_ref().map(|all| mode(all) == NODE);
    let applied = status.annotations.get(APPLIED);
    Some(ContainerFacts {
        host_pid: host(|options| options.pid),
        host_network: host(|options| options.network),
        host_ipc: host(|options| options.ipc),
        ip: status.network.and_then(|network| some(network.ip)),
        probes: container.zip(applied).map(|(name, text)| probes(text, name)).unwrap_or_default(),
        pod_name: some(metadata.name),
        pod_uid: some(metadata.uid),
        pod_namespace: some(metadata.namespace),
        pod_sandbox_id: some(status.id),
        pod_labels: texts(&status.labels),
        ..ContainerFacts::default()
    })
}

/// What runtimes add in a form of their own when asked to be verbose.
fn verbose(info: &HashMap<String, String>) -> Value {
    info.get("info").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The runtime's word: of CRI-O plainly, of containerd as it was asked, where what
/// is not asked for is left out.
fn privileged(info: Doc<'_>) -> Option<bool> {
    let asked = info.get("config");
    info.get("privileged").flag().or_else(|| {
        asked
            .says()
            .then(|| asked.at(&["linux", "security_context", "privileged"]).flag().unwrap_or(false))
    })
}

/// The commands of a container's probes in the manifest of its pod.
fn probes(manifest: &str, name: &str) -> Vec<(Probe, String)> {
    let Ok(manifest) = serde_json::from_str::<Value>(manifest) else { return Vec::new() };
    let containers = Doc::new(&manifest).at(&["spec", "containers"]);
    let own = containers.list().find(|container| container.get("name").str() == Some(name));
    let command = |key: &str| {
        let words = own?.at(&[key, "exec", "command"]);
        let words: Vec<&str> = words.list().filter_map(Doc::str).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    [(Probe::Liveness, "livenessProbe"), (Probe::Readiness, "readinessProbe")]
        .into_iter()
        .filter_map(|(probe, key)| Some((probe, command(key)?)))
        .collect()
}

fn mount(mount: CriMount) -> Mount {
    let propagation = match mount.propagation {
        0 => "private",
        1 => "rslave",
        2 => "rshared",
        _ => "unknown",
    };
    Mount {
        source: mount.host_path,
        destination: mount.container_path,
        mode: String::new(),
        writable: !mount.readonly,
        propagation: propagation.to_owned(),
    }
}

/// Whether it names an image for people: neither a digest nor a bare id.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !is_digest(text) && text.contains(|c: char| !c.is_ascii_hexdigit())
}

fn texts(labels: &HashMap<String, String>) -> std::collections::BTreeMap<String, String> {
    bounded_labels(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn time(nanoseconds: i64) -> Option<u64> {
    u64::try_from(nanoseconds).ok().filter(|time| *time != 0)
}

#[cfg(test)]
#[path = "cri_tests.rs"]
mod tests;
