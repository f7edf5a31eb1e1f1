//! Objects of the API → those of [`cluster`](crate::identity::cluster).
//!
//! Whatever is not kept is dropped here, one object at a time, so that no more than a
//! page of the API's own objects is ever held. What is malformed is left out: the API
//! server has checked it, so it is of a future version.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1 as api;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::core::PartialObjectMeta;

use crate::identity::cgroup_path::Qos;
use crate::identity::cluster::object::{
    Labels, Namespace, Phase, Pod, PodContainer, Quota, Resources, is_cpu,
};
use crate::identity::cluster::quantity;

/// The hash that the kubelet makes of a static pod's manifest, its UID on the node.
const CONFIG_HASH: &str = "kubernetes.io/config.hash";

/// A pod of this node; `None` if it lacks what every pod has.
#[must_use]
pub fn pod(pod: api::Pod) -> Option<Pod> {
    let spec = pod.spec.unwrap_or_default();
    let status = pod.status.unwrap_or_default();
    let meta = pod.metadata;
    let name: Box<str> = meta.name?.into();
    let annotations = meta.annotations.unwrap_or_default();
    let owner = meta.owner_references.unwrap_or_default().into_iter();
    let owner = owner.filter(|owner| owner.controller == Some(true));
    Some(Pod {
        uid: meta.uid?.into(),
        config_hash: annotations.get(CONFIG_HASH).map(|hash| hash.as_str().into()),
        namespace: meta.namespace?.into(),
        labels: labels(meta.labels),
        owner: owner.map(|owner| (owner.kind.into(), owner.name.into())).next(),
        ips: addresses(&status),
        host_network: spec.host_network == Some(true),
        phase: phase(status.phase.as_deref()),
        qos: status.qos_class.as_deref().and_then(qos),
        created_unix_s: meta.creation_timestamp.map_or(0, |time| time.0.as_second()),
        deleting: meta.deletion_timestamp.is_some(),
        claims: claims(&name, spec.volumes.unwrap_or_default()),
        containers: containers(
            spec.init_containers.unwrap_or_default(),
            spec.containers,
            spec.ephemeral_containers.unwrap_or_default(),
            [
                status.init_container_statuses,
                status.container_statuses,
                status.ephemeral_container_statuses,
            ],
        ),
        name,
    })
}

/// A namespace with those of its annotations whose keys are among these.
#[must_use]
pub fn namespace(
    namespace: PartialObjectMeta<api::Namespace>,
    annotations: &[Box<str>],
) -> Option<Namespace> {
    let meta = namespace.metadata;
    let kept = meta.annotations.unwrap_or_default().into_iter();
    let kept = kept.filter(|(key, _)| annotations.iter().any(|wanted| **wanted == **key));
    Some(Namespace {
        name: meta.name?.into(),
        labels: labels(meta.labels),
        annotations: kept.map(|(key, value)| (key.into(), value.into())).collect(),
    })
}

/// A quota; resources of which nothing is limited are left out.
#[must_use]
pub fn quota(quota: api::ResourceQuota) -> Option<Quota> {
    let status = quota.status.unwrap_or_default();
    // What is enforced is in the status; before that was written, what is wished for.
    let hard = status.hard.or(quota.spec.and_then(|spec| spec.hard)).unwrap_or_default();
    let used = status.used.unwrap_or_default();
    let resources = hard.into_iter().filter_map(|(resource, hard)| {
        let read = if is_cpu(&resource) { quantity::millis } else { quantity::units };
        let used = used.get(&resource).and_then(|used| read(&used.0)).unwrap_or(0);
        Some((resource.into(), (read(&hard.0)?, used)))
    });
    Some(Quota {
        namespace: quota.metadata.namespace?.into(),
        name: quota.metadata.name?.into(),
        resources: resources.collect(),
    })
}

/// Labels as they are kept.
pub(super) fn labels(labels: Option<BTreeMap<String, String>>) -> Labels {
    let labels = labels.unwrap_or_default().into_iter();
    labels.map(|(key, value)| (key.into(), value.into())).collect()
}

fn addresses(status: &api::PodStatus) -> Vec<IpAddr> {
    let all = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
    let mut all: Vec<IpAddr> = all.filter_map(|ip| ip.parse().ok()).collect();
    let first = status.pod_ip.as_deref().and_then(|ip| ip.parse().ok());
    if let Some(first) = first.filter(|first| !all.contains(first)) {
        all.insert(0, first);
    }
    all
}

fn phase(phase: Option<&str>) -> Phase {
    match phase {
        Some("Running") => Phase::Running,
        Some("Succeeded") => Phase::Succeeded,
        Some("Failed") => Phase::Failed,
        Some("Pending") | None => Phase::Pending,
        Some(_) => Phase::Unknown,
    }
}

fn qos(class: &str) -> Option<Qos> {
    match class {
        "Guaranteed" => Some(Qos::Guaranteed),
        "Burstable" => Some(Qos::Burstable),
        "BestEffort" => Some(Qos::BestEffort),
        _ => None,
    }
}

/// Volume → claim. A generic ephemeral volume has a claim of its own, named after the
/// pod and the volume.
fn claims(pod: &str, volumes: Vec<api::Volume>) -> Vec<(Box<str>, Box<str>)> {
    let claims = volumes.into_iter().filter_map(|volume| {
        let claim = match (volume.persistent_volume_claim, volume.ephemeral) {
            (Some(source), _) => source.claim_name,
            (None, Some(_)) => format!("{pod}-{}", volume.name),
            (None, None) => return None,
        };
        Some((volume.name.into(), claim.into()))
    });
    claims.collect()
}

fn containers(
    init: Vec<api::Container>,
    ordinary: Vec<api::Container>,
    ephemeral: Vec<api::EphemeralContainer>,
    statuses: [Option<Vec<api::ContainerStatus>>; 3],
) -> Vec<PodContainer> {
    let statuses: BTreeMap<String, api::ContainerStatus> = statuses
        .into_iter()
        .flatten()
        .flatten()
        .map(|status| (status.name.clone(), status))
        .collect();
    let asked = init.into_iter().chain(ordinary).map(|one| (one.name, one.resources));
    // They ask for nothing: the pod was admitted without them.
    let asked = asked.chain(ephemeral.into_iter().map(|one| (one.name, None)));
    let containers = asked.map(|(name, asked)| {
        let status = statuses.get(&name);
        let asked = asked.unwrap_or_default();
        PodContainer {
            id: status.and_then(|status| container_id(status.container_id.as_deref()?)),
            restarts: status.map_or(0, |status| u32::try_from(status.restart_count).unwrap_or(0)),
            requests: resources(asked.requests.as_ref()),
            limits: resources(asked.limits.as_ref()),
            name: name.into(),
        }
    });
    containers.collect()
}

/// `containerd://3f4e…` → `3f4e…`.
fn container_id(id: &str) -> Option<Box<str>> {
    let id = id.split_once("://").map_or(id, |(_, id)| id);
    (!id.is_empty()).then(|| id.into())
}

fn resources(amounts: Option<&BTreeMap<String, Quantity>>) -> Resources {
    let amount = |resource, read: fn(&str) -> Option<u64>| {
        amounts.and_then(|amounts| read(&amounts.get(resource)?.0))
    };
    Resources {
        cpu_millis: amount("cpu", quantity::millis),
        memory_bytes: amount("memory", quantity::units),
        ephemeral_storage_bytes: amount("ephemeral-storage", quantity::units),
    }
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
