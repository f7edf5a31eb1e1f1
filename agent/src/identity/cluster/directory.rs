//! What is known of the cluster at this moment.
//!
//! Pure: it is told what happens and what time it is. Pods and namespaces that are gone
//! stay for [`TOMBSTONE_NS`], so that the last counters and late events of a cgroup
//! still find their pod. Everything is bounded; what finds no room is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::{Change, Health, Source, Update};
use super::claims::{Conflict, Tenancy};
use super::object::{Namespace, Pod, Quota};
use super::shelf::{Shelf, Taken};
use super::tenancy::TenantObject;
use crate::identity::assignment::Assignment;
use crate::identity::tenant::TenantRules;

/// How long a pod or a namespace that is gone is remembered, nanoseconds.
pub const TOMBSTONE_NS: u64 = 60 * 1_000_000_000;

/// How much is kept at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pods of this node that exist.
    pub pods: usize,
    /// Namespaces that exist.
    pub namespaces: usize,
    /// Quotas that exist.
    pub quotas: usize,
    /// Pods, and namespaces, that are gone and remembered.
    pub tombstones: usize,
}

impl Default for Limits {
    /// A node many times larger than Kubernetes recommends, in a cluster of its
    /// greatest size.
    fn default() -> Self {
        Self { pods: 4096, namespaces: 65_536, quotas: 65_536, tombstones: 8192 }
    }
}

/// What was lost for want of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryCounts {
    /// Objects that found no room, each time they were told.
    pub refused: u64,
    /// Pods and namespaces forgotten sooner than [`TOMBSTONE_NS`] after their end.
    pub forgotten: u64,
}

/// What is known of the cluster.
#[derive(Debug)]
pub struct Directory {
    has_cluster: bool,
    tenancy: Tenancy,
    pods: Shelf<Pod>,
    namespaces: Shelf<Namespace>,
    quotas: BTreeMap<(Box<str>, Box<str>), Quota>,
    max_quotas: usize,
    /// How each source fares, and since when.
    health: BTreeMap<Source, (Health, u64)>,
    generation: u64,
    counts: DirectoryCounts,
}

impl Directory {
    /// A cluster of which nothing is known yet.
    #[must_use]
    pub fn new(rules: TenantRules, limits: Limits) -> Self {
        Self {
            has_cluster: true,
            tenancy: Tenancy::new(rules),
            pods: Shelf::new(limits.pods, limits.tombstones),
            namespaces: Shelf::new(limits.namespaces, limits.tombstones),
            quotas: BTreeMap::new(),
            max_quotas: limits.quotas,
            health: BTreeMap::new(),
            generation: 0,
            counts: DirectoryCounts::default(),
        }
    }

    /// No cluster: whose a cgroup is follows from its path.
    #[must_use]
    pub fn without_cluster(rules: TenantRules) -> Self {
        Self { has_cluster: false, ..Self::new(rules, Limits::default()) }
    }

    /// Whether there is a cluster to be told of.
    #[must_use]
    pub fn has_cluster(&self) -> bool {
        self.has_cluster
    }

    /// Rules and objects that say whose something is.
    #[must_use]
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// Replaces the configured rules. Read the counters before, as with a change that
    /// [`Self::would_change_tenants`].
    pub fn set_rules(&mut self, rules: TenantRules) {
        self.tenancy.set_rules(rules);
        self.generation += 1;
    }

    /// A number that grows with every change that may concern whose something is.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What was lost for want of room.
    #[must_use]
    pub fn counts(&self) -> DirectoryCounts {
        self.counts
    }

    /// The pod of a UID as a cgroup's path has it: the pod's own, or, for a static pod,
    /// the hash of its configuration. Two pods that say to have the same hash are
    /// neither's; whoever makes a pod writes its annotations.
    #[must_use]
    pub fn pod(&self, uid: &str) -> Option<&Arc<Pod>> {
        if let Some(pod) = self.pods.get(uid) {
            return Some(pod);
        }
        if uid.len() != 32 {
            return None;
        }
        let mut named: Vec<_> =
            self.pods.all().filter(|(pod, _)| pod.config_hash.as_deref() == Some(uid)).collect();
        if named.iter().any(|(_, lives)| *lives) {
            named.retain(|(_, lives)| *lives);
        }
        let name = |pod: &Pod| (pod.namespace.clone(), pod.name.clone());
        let (first, _) = named.first()?;
        let is_one = named.iter().all(|(pod, _)| name(pod) == name(first));
        let newest = named.iter().map(|(pod, _)| *pod).max_by_key(|p| (p.created_unix_s, &p.uid));
        newest.filter(|_| is_one)
    }

    /// The pod that a container is of, and the container's name. `id` is as the runtime
    /// writes it.
    #[must_use]
    pub fn container(&self, id: &str) -> Option<(&Arc<Pod>, &str)> {
        self.pods.all().find_map(|(pod, _)| Some((pod, pod.container_name(id)?)))
    }

    /// A namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Arc<Namespace>> {
        self.namespaces.get(name)
    }

    /// Pods of this node that exist, in no order.
    pub fn pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.living()
    }

    /// Namespaces that exist, in no order.
    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<Namespace>> {
        self.namespaces.living()
    }

    /// Quotas, by namespace and name.
    pub fn quotas(&self) -> impl Iterator<Item = &Quota> {
        self.quotas.values()
    }

    /// Namespaces that several `Tenant` objects take.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict> {
        self.namespaces().filter_map(|namespace| self.tenancy.conflict(namespace))
    }

    /// Whose a pod is, when it and its namespace are known.
    #[must_use]
    pub fn owner_of_pod(&self, pod: &Pod) -> Option<Assignment> {
        Some(self.tenancy.of_pod(pod, self.namespace(&pod.namespace)?))
    }

    /// Whose a namespace is, when it is known.
    #[must_use]
    pub fn owner_of_namespace(&self, name: &str) -> Option<Assignment> {
        Some(self.tenancy.of_namespace(self.namespace(name)?))
    }

    /// How a source fares; `None` before it has said anything.
    #[must_use]
    pub fn health(&self, source: Source) -> Option<&Health> {
        self.health.get(&source).map(|(health, _)| health)
    }

    /// Whether everything there is has been told and changes are told as they happen.
    #[must_use]
    pub fn is_synced(&self, source: Source) -> bool {
        self.synced_since_ns(source).is_some()
    }

    /// Since when a source has told everything; `None` when it does not.
    #[must_use]
    pub fn synced_since_ns(&self, source: Source) -> Option<u64> {
        match self.health.get(&source)? {
            (Health::Synced, since_ns) => Some(*since_ns),
            (Health::Interrupted(_), _) => None,
        }
    }

    /// Takes news. `now_ns` is of a clock that does not go back.
    pub fn apply(&mut self, change: Change, now_ns: u64) {
        self.expire(now_ns);
        match change {
            Change::Pods(update) => {
                let taken = self.pods.apply(update, now_ns);
                self.note(taken);
            }
            Change::Namespaces(update) => {
                let taken = self.namespaces.apply(update, now_ns);
                self.note(taken);
            }
            Change::Quotas(update) => self.apply_quotas(update),
            Change::Tenants(update) => {
                let refused = self.tenancy.apply(update) as u64;
                self.note(Taken { is_news: true, refused, forgotten: 0 });
            }
            // Who has an address, and what is on disks, is kept elsewhere; whoever changes
            // rules waits for annotations.
            Change::Addresses(_) | Change::Annotations(_) | Change::Storage(_) => {}
            Change::Health(source, health) => {
                let is_same = self.health(source) == Some(&health);
                if !is_same {
                    self.health.insert(source, (health, now_ns));
                    self.generation += 1;
                }
            }
        }
    }

    /// Forgets what has been gone for long enough.
    pub fn expire(&mut self, now_ns: u64) {
        let time_ns = now_ns.saturating_sub(TOMBSTONE_NS);
        self.pods.forget_gone_before(time_ns);
        self.namespaces.forget_gone_before(time_ns);
    }

    /// Whether the news would give something that has an owner to another owner, or with
    /// other labels. Read the counters first: what was used until now is the former's.
    /// It may say yes where nothing changes, never no where something does.
    #[must_use]
    pub fn would_change_tenants(&self, change: &Change) -> bool {
        match change {
            Change::Pods(Update::Put(pod)) => self.would_move_pod(pod),
            Change::Pods(Update::All(pods)) => pods.iter().any(|pod| self.would_move_pod(pod)),
            Change::Namespaces(Update::Put(namespace)) => self.would_move_pods_of(namespace),
            Change::Namespaces(Update::All(all)) => {
                all.iter().any(|namespace| self.would_move_pods_of(namespace))
            }
            Change::Tenants(update) => self.would_move_any(update),
            Change::Pods(Update::Gone(_)) | Change::Namespaces(Update::Gone(_)) => false,
            Change::Quotas(_)
            | Change::Addresses(_)
            | Change::Annotations(_)
            | Change::Storage(_)
            | Change::Health(..) => false,
        }
    }

    fn would_move_pod(&self, pod: &Pod) -> bool {
        let Some(old) = self.pods.get(&pod.uid).filter(|old| old.says_other_than(pod)) else {
            return false;
        };
        self.tenancy.rules().mix_paths_and_cluster()
            || moves(self.owner_of_pod(old), self.owner_of_pod(pod))
    }

    fn would_move_pods_of(&self, namespace: &Namespace) -> bool {
        let Some(old) = self.namespace(&namespace.name).filter(|old| ***old != *namespace) else {
            return false;
        };
        let mut pods = self.pods.all().filter(|(pod, _)| pod.namespace == namespace.name);
        self.tenancy.rules().mix_paths_and_cluster()
            || pods.any(|(pod, _)| {
                let (before, after) =
                    (self.tenancy.of_pod(pod, old), self.tenancy.of_pod(pod, namespace));
                !before.bills_as(&after)
            })
    }

    fn would_move_any(&self, update: &Update<TenantObject>) -> bool {
        let mut next = self.tenancy.clone();
        next.apply(update.clone());
        // Objects ask for no path, but they come before rules that do.
        let is_mixed = self.tenancy.rules().mix_paths_and_cluster();
        self.pods.all().any(|(pod, _)| {
            let Some(namespace) = self.namespace(&pod.namespace) else { return false };
            let (before, after) =
                (self.tenancy.of_pod(pod, namespace), next.of_pod(pod, namespace));
            !before.bills_as(&after) || is_mixed && before.decider != after.decider
        })
    }

    fn note(&mut self, taken: Taken) {
        self.generation += u64::from(taken.is_news);
        self.counts.refused += taken.refused;
        self.counts.forgotten += taken.forgotten;
    }

    fn apply_quotas(&mut self, update: Update<Quota>) {
        let key = |quota: &Quota| (quota.namespace.clone(), quota.name.clone());
        let quotas = match update {
            Update::Put(quota) => vec![quota],
            Update::Gone(quota) => {
                self.quotas.remove(&key(&quota));
                return;
            }
            Update::All(quotas) => {
                self.quotas.clear();
                quotas
            }
        };
        for quota in quotas {
            let key = key(&quota);
            if self.quotas.len() < self.max_quotas || self.quotas.contains_key(&key) {
                self.quotas.insert(key, quota);
            } else {
                self.counts.refused += 1;
            }
        }
    }
}

/// Whether what had an owner gets another.
fn moves(before: Option<Assignment>, after: Option<Assignment>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => !before.bills_as(&after),
        (None, _) => false,
        (Some(_), None) => true,
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
