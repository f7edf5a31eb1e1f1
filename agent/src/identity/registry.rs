//! The cgroups seen so far, each with whose it is.
//!
//! A cgroup is named by its id **and** its birth: the kernel gives a removed
//! directory's inode number to a new one. The table never reads a clock (the
//! caller says what time it is) and never decides by itself who lives.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::container::ContainerFacts;
use crate::identity::assignment::{Decider, GaveUp};
use crate::identity::attribution::{Attribution, Cgroup, Resolution, Waiting};
use crate::identity::cgroup_path::Workload;
use crate::identity::cluster::Directory;
use crate::identity::{CgroupId, Tenant};
use crate::usage::reading::Slot;

/// How long a cgroup keeps its entry after it was last mentioned, nanoseconds:
/// last deltas and late events of 60 seconds still find their owner.
pub const TOMBSTONE_NS: u64 = 60 * 1_000_000_000;

/// Cgroups that may wait for their pod to be told at the same time.
const PENDING_MAX: usize = 4096;

/// One life of a cgroup id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Life {
    id: CgroupId,
    born_ns: u64,
}

/// A cgroup as a reading mentions it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// Its id.
    pub id: CgroupId,
    /// Its counters.
    pub slot: Slot,
    /// Path below the v2 mount; may be `None` at first and come later.
    pub path: Option<&'a str>,
    /// When its slot was taken, nanoseconds.
    pub born_ns: u64,
    /// Whether it is there.
    pub alive: bool,
}

/// Who knows whose cgroups are, at one moment.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    /// Rules and cluster.
    pub directory: &'a Directory,
    /// What runtimes said of containers, by their ids in full.
    pub containers: &'a HashMap<Box<str>, Arc<ContainerFacts>>,
    /// The time by the clock that the directory is told, nanoseconds.
    pub now_ns: u64,
}

/// Whom the use of a cgroup is booked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The tenant; `None` while it is still to be told for the pod.
    pub tenant: Option<Arc<str>>,
    /// The pod's UID as the path has it.
    pub pod: Option<Arc<str>>,
}

/// A pod that was waited for, and its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The pod's UID as the path has it.
    pub pod: Arc<str>,
    /// Whose it is, also when nobody told.
    pub tenant: Tenant,
}

/// A pod that has, or lately had, a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPod {
    /// What was found out; of several cgroups, from that which tells most.
    pub attribution: Attribution,
    /// Whether it is still to be told.
    pub pending: bool,
    /// Whether one of its cgroups is there.
    pub alive: bool,
}

/// Pods by their UIDs as paths have them.
pub type SeenPods = BTreeMap<Arc<str>, SeenPod>;

#[derive(Debug)]
struct Entry {
    /// `None` while it is not known and the tenant therefore `unknown`.
    path: Option<Box<str>>,
    /// What the path tells.
    workload: Workload,
    pod: Option<Arc<str>>,
    attribution: Attribution,
    pending: bool,
    was_pending: bool,
    /// The directory's when the attribution was found.
    generation: u64,
    /// As of the last observation.
    alive: bool,
    ended_ns: Option<u64>,
    /// Observed since the last sweep.
    observed: bool,
    /// The last sweep that found it observed.
    seen_ns: Option<u64>,
}

/// The table of cgroups.
#[derive(Debug)]
pub struct Registry {
    capacity: usize,
    entries: HashMap<Life, Entry>,
    slots: HashMap<Slot, Life>,
    pods: HashMap<Arc<str>, PodEntry>,
    pending: usize,
    settled: Vec<Settled>,
    given_up: BTreeMap<GaveUp, u64>,
}

/// Cgroups of one pod that are in the table.
#[derive(Clone, Debug, Default)]
struct PodEntry {
    all: usize,
    living: usize,
    gave_up: bool,
    /// What a runtime said of one of its containers, for the others and for cgroups that
    /// outlive it: usage of a pod is told for as long as one of them is here.
    facts: Option<Arc<ContainerFacts>>,
}

impl Registry {
    /// A capacity for one node: a hundred cgroups born and dead every second and
    /// remembered for a minute, beside all that live. About 10 MiB when full.
    pub const NODE_CAPACITY: usize = 16_384;

    /// An empty table. It holds at most `capacity` cgroups, living and dead; what
    /// exceeds it is resolved anew at every observation.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            slots: HashMap::new(),
            pods: HashMap::new(),
            pending: 0,
            settled: Vec::new(),
            given_up: BTreeMap::new(),
        }
    }

    /// Whose a cgroup that a reading mentions is now. Once known, a path stays for this
    /// life of the id, even if later readings have none or another; whose the path is
    /// may change with what is known of its pod and with the rules.
    pub fn observe(&mut self, sighting: &Sighting<'_>, knowledge: &Knowledge<'_>) -> Owner {
        let life = Life { id: sighting.id, born_ns: sighting.born_ns };
        let known = self.entries.remove(&life);
        let is_new = known.is_none();
        let mut entry = match known {
            Some(entry) => {
                self.leave(&entry);
                entry
            }
            None => Entry::unseen(),
        };
        entry.alive = sighting.alive;
        entry.observed = true;
        if entry.alive {
            entry.ended_ns = None;
        } else {
            entry.ended_ns.get_or_insert(knowledge.now_ns);
        }
        let learns = entry.path.is_none() && sighting.path.is_some();
        if learns {
            entry.path = sighting.path.map(Into::into);
            entry.workload = sighting.path.map(Workload::parse).unwrap_or_default();
            entry.pod = entry.workload.pod.as_ref().map(|pod| pod.uid.as_str().into());
        }
        let is_old = entry.generation != knowledge.directory.generation();
        if is_new || learns || is_old || entry.pending {
            self.resolve(&mut entry, knowledge);
        }
        let owner = entry.owner();
        if !is_new || self.entries.len() < self.capacity || self.evict_oldest_dead() {
            self.enter(&entry);
            self.entries.insert(life, entry);
            let newest = self.slots.entry(sighting.slot).or_insert(life);
            if newest.born_ns <= life.born_ns {
                *newest = life;
            }
        }
        owner
    }

    /// Counts an entry that gets into the table.
    fn enter(&mut self, entry: &Entry) {
        self.pending += usize::from(entry.pending);
        if let Some(pod) = &entry.pod {
            let counts = self.pods.entry(Arc::clone(pod)).or_default();
            counts.all += 1;
            counts.living += usize::from(entry.alive);
            let Decider::GaveUp(reason) = entry.attribution.assignment.decider else { return };
            if !std::mem::replace(&mut counts.gave_up, true) {
                *self.given_up.entry(reason).or_default() += 1;
            }
        }
    }

    /// Takes an entry that gets out of the table from the counts. Its pod stays known
    /// until [`Self::sweep`].
    fn leave(&mut self, entry: &Entry) {
        self.pending -= usize::from(entry.pending);
        if let Some(counts) = entry.pod.as_ref().and_then(|pod| self.pods.get_mut(pod)) {
            counts.all -= 1;
            counts.living -= usize::from(entry.alive);
        }
    }

    /// Finds out whose the cgroup of an entry, which is out of the table, is now.
    fn resolve(&mut self, entry: &mut Entry, knowledge: &Knowledge<'_>) {
        let container = entry.workload.container.as_ref();
        let facts = container.and_then(|it| knowledge.containers.get(it.id.as_str()));
        let facts_of_pod = self.facts_of_pod(entry.pod.as_ref(), facts);
        let has_living = entry.pod.as_ref().is_some_and(|pod| self.has_living_pod(pod));
        let waiting = Waiting {
            now_ns: knowledge.now_ns,
            // A pod whose other cgroups live has not ended.
            ended_ns: entry.ended_ns.filter(|_| !has_living),
            was_pending: entry.was_pending,
            has_room: entry.pending || self.pending < PENDING_MAX,
        };
        let cgroup = Cgroup {
            path: entry.path.as_deref(),
            workload: &entry.workload,
            facts: facts.map(|facts| &**facts),
            facts_of_pod: facts_of_pod.as_deref(),
        };
        let resolution = cgroup.resolve(knowledge.directory, &waiting);
        let waited = entry.pending;
        entry.generation = knowledge.directory.generation();
        entry.pending = matches!(resolution, Resolution::Pending { .. });
        entry.was_pending |= entry.pending;
        entry.attribution = resolution.attribution();
        if waited
            && !entry.pending
            && let Some(pod) = &entry.pod
        {
            let tenant = entry.attribution.tenant().clone();
            let settled = Settled { pod: Arc::clone(pod), tenant };
            if !self.settled.contains(&settled) {
                self.settled.push(settled);
            }
        }
    }

    /// What runtimes say of a pod: of this container of it, or of another one before.
    fn facts_of_pod(
        &mut self,
        pod: Option<&Arc<str>>,
        facts: Option<&Arc<ContainerFacts>>,
    ) -> Option<Arc<ContainerFacts>> {
        let pod = pod?;
        if let Some(facts) = facts.filter(|facts| facts.pod_uid.as_deref() == Some(pod)) {
            let known = &mut self.pods.entry(Arc::clone(pod)).or_default().facts;
            // Many runtimes tell a pod's labels of its sandbox only.
            if known.as_ref().is_none_or(|known| known.pod_labels.is_empty()) {
                *known = Some(Arc::clone(facts));
            }
        }
        self.pods.get(pod)?.facts.clone()
    }

    /// Pods that were waited for and whose tenant is known since the last call.
    pub fn take_settled(&mut self) -> Vec<Settled> {
        std::mem::take(&mut self.settled)
    }

    /// Whether a cgroup of this pod is there.
    #[must_use]
    pub fn has_living_pod(&self, pod: &str) -> bool {
        self.pods.get(pod).is_some_and(|counts| counts.living > 0)
    }

    /// Whether a cgroup of this pod is in the table.
    #[must_use]
    pub fn has_pod(&self, pod: &str) -> bool {
        self.pods.get(pod).is_some_and(|counts| counts.all > 0)
    }

    /// Pods that were not waited for any longer, as nobody told of them, by reason.
    #[must_use]
    pub fn given_up(&self) -> &BTreeMap<GaveUp, u64> {
        &self.given_up
    }

    /// Pods of the cgroups in the table, by UID as the path has it.
    #[must_use]
    pub fn pods(&self) -> SeenPods {
        let mut pods = SeenPods::new();
        for entry in self.entries.values() {
            let Some(uid) = &entry.pod else { continue };
            let seen = SeenPod {
                attribution: entry.attribution.clone(),
                pending: entry.pending,
                alive: entry.alive,
            };
            match pods.get_mut(uid) {
                None => {
                    pods.insert(Arc::clone(uid), seen);
                }
                Some(known) => {
                    known.alive |= seen.alive;
                    if known.attribution.pod.is_none() && seen.attribution.pod.is_some() {
                        *known = SeenPod { alive: known.alive, ..seen };
                    }
                }
            }
        }
        pods
    }

    /// Living cgroups by how their identity was found; `pending` where it is still to be.
    #[must_use]
    pub fn provenance(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for entry in self.entries.values().filter(|entry| entry.alive) {
            let label =
                if entry.pending { "pending" } else { entry.attribution.provenance.label() };
            *counts.entry(label).or_default() += 1;
        }
        counts
    }

    /// The tenant that has, or last had, this slot.
    #[must_use]
    pub fn tenant_of_slot(&self, slot: Slot) -> Option<&Tenant> {
        self.entries.get(self.slots.get(&slot)?).map(|entry| entry.attribution.tenant())
    }

    /// Forgets cgroups that nobody has mentioned for [`TOMBSTONE_NS`]: the living
    /// are in every reading, the dead until their slot is given back. Call this
    /// after each collection, with a clock that does not go back.
    pub fn sweep(&mut self, now_ns: u64) {
        let Self { entries, pods, pending, .. } = self;
        entries.retain(|_, entry| {
            let counts = entry.pod.as_ref().and_then(|pod| pods.get_mut(pod));
            let lived = entry.alive;
            if std::mem::take(&mut entry.observed) {
                entry.seen_ns = Some(now_ns);
            } else {
                entry.alive = false;
            }
            let seen = *entry.seen_ns.get_or_insert(now_ns);
            let stays = now_ns.saturating_sub(seen) < TOMBSTONE_NS;
            *pending -= usize::from(!stays && entry.pending);
            if let Some(counts) = counts {
                counts.all -= usize::from(!stays);
                counts.living -= usize::from(lived && !(stays && entry.alive));
            }
            stays
        });
        pods.retain(|_, counts| counts.all > 0);
        self.slots.retain(|_, life| self.entries.contains_key(life));
    }

    /// Cgroups in the table, living and dead.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Makes room for a newborn. Returns false when everything is alive.
    fn evict_oldest_dead(&mut self) -> bool {
        let dead = self.entries.iter().filter(|(_, entry)| !entry.alive);
        let oldest = dead.min_by_key(|(life, entry)| (entry.seen_ns, life.born_ns));
        let life = oldest.map(|(life, _)| *life);
        let Some(evicted) = life.and_then(|life| self.entries.remove(&life)) else { return false };
        self.leave(&evicted);
        true
    }
}

impl Entry {
    fn unseen() -> Self {
        Self {
            path: None,
            workload: Workload::default(),
            pod: None,
            attribution: Attribution::pending(),
            pending: false,
            was_pending: false,
            generation: 0,
            alive: false,
            ended_ns: None,
            observed: false,
            seen_ns: None,
        }
    }

    fn owner(&self) -> Owner {
        let tenant = (!self.pending).then(|| self.attribution.tenant().shared());
        Owner { tenant, pod: self.pod.clone() }
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
