//! The kubelet's summary (`/stats/summary`, `v1alpha1`) → what pods keep on disks.
//!
//! Of all that it says only this is read. What the kubelet has not measured yet is
//! missing or null, and is not known then; it is never taken for 0.

use serde::Deserialize;

use crate::identity::cluster::storage::{ClaimStorage, PodStorage};

#[derive(Deserialize)]
struct Summary {
    /// Null on a node without pods; an answer without it is none of a kubelet.
    #[serde(deserialize_with = "Option::deserialize")]
    pods: Option<Vec<PodStats>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStats {
    pod_ref: PodReference,
    volume: Option<Vec<VolumeStats>>,
    #[serde(rename = "ephemeral-storage")]
    ephemeral_storage: Option<FileSystem>,
}

#[derive(Deserialize)]
struct PodReference {
    name: Box<str>,
    namespace: Box<str>,
    uid: Box<str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FileSystem {
    used_bytes: Option<u64>,
    capacity_bytes: Option<u64>,
    inodes_used: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeStats {
    /// Missing for what is no claim's, such as an `emptyDir`: that is in the pod's
    /// ephemeral storage.
    pvc_ref: Option<ClaimReference>,
    #[serde(flatten)]
    file_system: FileSystem,
}

#[derive(Deserialize)]
struct ClaimReference {
    name: Box<str>,
    namespace: Box<str>,
}

/// What each pod of the summary keeps on disks.
///
/// # Errors
///
/// Not a summary; the message has line and column.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<PodStorage>, serde_json::Error> {
    let summary: Summary = serde_json::from_slice(bytes)?;
    Ok(summary.pods.unwrap_or_default().into_iter().map(pod).collect())
}

fn pod(stats: PodStats) -> PodStorage {
    let ephemeral = stats.ephemeral_storage.unwrap_or_default();
    PodStorage {
        uid: stats.pod_ref.uid,
        namespace: stats.pod_ref.namespace,
        name: stats.pod_ref.name,
        ephemeral_bytes: ephemeral.used_bytes,
        ephemeral_inodes: ephemeral.inodes_used,
        claims: stats.volume.unwrap_or_default().into_iter().filter_map(claim).collect(),
    }
}

fn claim(volume: VolumeStats) -> Option<ClaimStorage> {
    let reference = volume.pvc_ref?;
    Some(ClaimStorage {
        namespace: reference.namespace,
        claim: reference.name,
        used_bytes: volume.file_system.used_bytes,
        capacity_bytes: volume.file_system.capacity_bytes,
    })
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
