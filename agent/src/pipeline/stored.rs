//! What pods keep on disks, as the kubelet told it last, and whose it is.
//!
//! What it said stands until it says something else, for a bounded time: what is older is
//! told to nobody and billed to nobody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::identity::cluster::Directory;
use crate::identity::cluster::storage::{ClaimStorage, PodStorage};
use crate::identity::registry::SeenPods;
use crate::identity::resolve_ended;
use crate::usage::accounts::Accounts;
use crate::usage::pod::{PodUsage, VolumeUsage};
use crate::usage::storage::StorageLevels;

/// After how many intervals without an answer the last one is not true any more.
const MISSED: u32 = 3;

/// See the module.
#[derive(Debug)]
pub(super) struct Stored {
    /// For how long an answer is true.
    lasts_ns: u64,
    told: Option<Told>,
}

#[derive(Debug)]
struct Told {
    at_ns: u64,
    /// Until when it is in the sums.
    charged_ns: u64,
    pods: BTreeMap<Box<str>, PodStorage>,
}

impl Stored {
    /// Of a kubelet that is asked so often.
    pub(super) fn new(interval: Duration) -> Self {
        let lasts = interval * MISSED + interval / 2;
        Self { lasts_ns: u64::try_from(lasts.as_nanos()).unwrap_or(u64::MAX), told: None }
    }

    /// Takes an answer. What was said before is to be charged until now first.
    pub(super) fn take(&mut self, pods: Vec<PodStorage>, now_ns: u64) {
        let pods = pods.into_iter().map(|pod| (pod.uid.clone(), pod)).collect();
        self.told = Some(Told { at_ns: now_ns, charged_ns: now_ns, pods });
    }

    /// Whether there is anything to charge.
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_none()
    }

    /// Charges everybody until now, and says what each keeps now.
    pub(super) fn turn(
        &mut self,
        now_ns: u64,
        seen: &SeenPods,
        directory: &Directory,
        tenants: &mut Accounts,
        pods: &mut Accounts,
    ) {
        let Some(told) = &mut self.told else { return };
        let end_ns = told.at_ns.saturating_add(self.lasts_ns);
        let elapsed_ns = now_ns.min(end_ns).saturating_sub(told.charged_ns);
        told.charged_ns = now_ns;
        let is_true = now_ns < end_ns;
        let book = |accounts: &mut Accounts, owner: &Arc<str>, levels: &StorageLevels| {
            accounts.charge_storage(owner, levels, elapsed_ns);
            if is_true {
                accounts.show_storage(owner, levels);
            }
        };
        for (uid, levels) in told.pods.values().map(|pod| (&pod.uid, levels(pod))) {
            book(pods, &(&**uid).into(), &levels);
        }
        for (owner, levels) in by_tenant(told.pods.values(), seen, directory, now_ns) {
            book(tenants, &owner, &levels);
        }
        if !is_true {
            self.told = None;
        }
    }

    /// Adds what is on the disks of pods to what else is known of them.
    pub(super) fn add(&self, usage: &mut [PodUsage]) {
        let Some(told) = &self.told else { return };
        for usage in usage {
            let Some(pod) = told.pods.get(&*usage.uid) else { continue };
            usage.ephemeral_storage_inodes = pod.ephemeral_inodes;
            usage.volumes = claims(std::slice::from_ref(pod))
                .into_values()
                .map(|claim| VolumeUsage {
                    claim: claim.claim.to_string(),
                    used_bytes: claim.used_bytes,
                    capacity_bytes: claim.capacity_bytes,
                })
                .collect();
        }
    }
}

/// What one pod keeps.
fn levels(pod: &PodStorage) -> StorageLevels {
    let mut sum = StorageLevels { ephemeral: pod.ephemeral_bytes, ..StorageLevels::default() };
    for claim in claims(std::slice::from_ref(pod)).into_values() {
        sum.add(&levels_of(claim));
    }
    sum
}

fn levels_of(claim: &ClaimStorage) -> StorageLevels {
    let (volumes, capacity) = (claim.used_bytes, claim.capacity_bytes);
    StorageLevels { ephemeral: None, volumes, capacity }
}

/// Namespace and name of a claim.
type ClaimKey<'a> = (&'a str, &'a str);

/// Each claim once, however many have it; the later measure of each counts.
fn claims<'a>(
    pods: impl IntoIterator<Item = &'a PodStorage>,
) -> BTreeMap<ClaimKey<'a>, &'a ClaimStorage> {
    let mut claims: BTreeMap<ClaimKey<'a>, &ClaimStorage> = BTreeMap::new();
    for claim in pods.into_iter().flat_map(|pod| &pod.claims) {
        let known = claims.entry((&claim.namespace, &claim.claim)).or_insert(claim);
        if known.used_bytes.is_none() {
            *known = claim;
        }
    }
    claims
}

/// What each tenant keeps: pods are whose they are, claims whose their namespace is.
fn by_tenant<'a>(
    pods: impl Iterator<Item = &'a PodStorage> + Clone,
    seen: &SeenPods,
    directory: &Directory,
    now_ns: u64,
) -> BTreeMap<Arc<str>, StorageLevels> {
    let mut sums: BTreeMap<Arc<str>, StorageLevels> = BTreeMap::new();
    let mut first: BTreeMap<&str, &PodStorage> = BTreeMap::new();
    for pod in pods.clone() {
        let levels = StorageLevels { ephemeral: pod.ephemeral_bytes, ..StorageLevels::default() };
        sums.entry(owner(pod, seen, directory, now_ns)).or_default().add(&levels);
        first.entry(&pod.namespace).or_insert(pod);
    }
    for ((namespace, _), claim) in claims(pods) {
        let told = directory.owner_of_namespace(namespace).map(|it| it.tenant.shared());
        // Nobody has told of the namespace; they will of a pod that is in it.
        let held = || first.get(namespace).map(|pod| owner(pod, seen, directory, now_ns));
        if let Some(owner) = told.or_else(held) {
            sums.entry(owner).or_default().add(&levels_of(claim));
        }
    }
    sums
}

/// Whose a pod is, or what its use is held under until that is told.
fn owner(pod: &PodStorage, seen: &SeenPods, directory: &Directory, now_ns: u64) -> Arc<str> {
    if let Some(seen) = seen.get(&*pod.uid).filter(|seen| !seen.pending) {
        return seen.attribution.assignment.tenant.shared();
    }
    let told = resolve_ended(&pod.uid, directory, now_ns);
    told.map_or_else(|| Accounts::pending_label(&pod.uid), |it| it.tenant.shared())
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
