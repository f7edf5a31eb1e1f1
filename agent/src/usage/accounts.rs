//! The totals of every tenant, kept by deltas so that they only grow.
//!
//! # Counters of the kernel
//!
//! A reading says how much each slot counted in its life so far. What it has
//! beyond the slot's mark (the reading before) is added to the tenant that owns
//! the cgroup *now*; a slot in a new life (another cgroup id or birth) starts
//! from zero. Marks and sums are saved together, so after a crash both fall back
//! to the same instant and the next reading adds exactly what is missing, as long
//! as the kernel cleared no slot whose last reading was not saved. The order is
//!
//! ```text
//! observe → save → the kernel clears dead slots → release
//! ```
//!
//! and a crash between any two of them loses nothing and counts nothing twice.
//! Clearing a slot must also clear the waits it is part of, on either side.
//!
//! A counter lower than its mark cannot happen; if it does, it counts as zero,
//! counting goes on from the lower value, and
//! [`LossCause::CounterRegressed`] says how often.
//!
//! # Figures of the cgroup's files
//!
//! They begin with the cgroup, not with the counters: for cgroups of the first
//! reading of an epoch the first cumulative figure is where counting starts; those
//! that came later are counted from their birth. Save soon after the first
//! reading: if the agent is lost before, the next first reading starts anew.
//!
//! Memory, its peak and limit, the CPU limit and disk bytes of a cgroup cover
//! those below it, and are divided among tenants by `nesting`. OOM kills
//! and throttled time are of one cgroup alone and simply added. The peak is the
//! exception that stays undivided (peaks of parent and child were not at the same
//! time): a tenant's peak is the sum of its topmost cgroups' peaks, nested tenants
//! included, and an upper bound.
//!
//! Disk bytes are divided by deltas. When nested cgroups read later than their
//! ancestor are ahead of it, the ancestor's tenant gets nothing and the excess is
//! taken off what it does next.
//!
//! # Bounds
//!
//! At most `max_tenants` tenants have a name of their own (the reserved `unknown`,
//! `host` and `other` come on top); further ones share `other`. When room is
//! needed, the tenant whose last cgroup is gone for longest gives its name up and
//! its sums move to `other`: the sum over all tenants never changes. Likewise a
//! victim tells at most `max_wait_causes` culprits apart.
//!
//! # Owners that are still to be told
//!
//! What a cgroup uses before its owner is known is held under a label of its own
//! ([`Accounts::pending_label`]) and shown in no tenant's figures. When the owner
//! is told ([`Accounts::settle`]), all that was held becomes the owner's, as if it
//! had been known from the first instant. Held sums survive the agent like others.
//!
//! It never reads a clock, never decides who owns a cgroup, and never forgets a
//! sum.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mark::{FileDeltas, Mark};
use super::nesting::Tree;
use super::reading::{CgroupReading, FileFigures, Reading, Slot, WaitReading};
use super::storage::StorageSums;
use super::tenant::{AgentUsage, NodeUsage};
use super::totals::{Totals, add, add_level};
use crate::identity::{HOST, OTHER, UNKNOWN};
use crate::telemetry::LossCause;

/// How many names the totals may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tenants with a name of their own, beside the reserved ones.
    pub max_tenants: usize,
    /// Culprits told apart for each victim, beside the reserved ones.
    pub max_wait_causes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_tenants: 1000, max_wait_causes: 32 }
    }
}

/// Per-tenant totals of one epoch of the kernel's maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    pub(super) limits: Limits,
    pub(super) books: Books,
}

/// What has to survive the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Books {
    /// Number of observations.
    sequence: u64,
    marks: BTreeMap<Slot, Mark>,
    tenants: BTreeMap<Arc<str>, Totals>,
    #[serde(with = "super::saved::losses")]
    lost: BTreeMap<LossCause, u64>,
    /// The kernel's cumulative losses at the last observation.
    #[serde(with = "super::saved::losses")]
    lost_in_kernel: BTreeMap<LossCause, u64>,
}

impl Books {
    /// Sums of storage of those that have any.
    pub(super) fn storage(&self) -> impl Iterator<Item = (Arc<str>, StorageSums)> {
        let all = self.tenants.iter().filter(|(_, totals)| !totals.storage.is_zero());
        all.map(|(label, totals)| (Arc::clone(label), totals.storage))
    }

    /// Puts them back.
    pub(super) fn set_storage(&mut self, storage: BTreeMap<Arc<str>, StorageSums>) {
        for (label, sums) in storage {
            self.tenants.entry(label).or_default().storage = sums;
        }
    }
}

impl Accounts {
    /// Accounts of a new epoch, or of one whose slots were never released.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, books: Books::default() }
    }

    /// Adds what `reading` has beyond the last one. `owner` names the tenant that
    /// owns a cgroup at this time; it is asked once per cgroup, in order.
    pub fn observe(
        &mut self,
        reading: &Reading,
        owner: &mut dyn FnMut(&CgroupReading) -> Arc<str>,
    ) {
        self.books.sequence += 1;
        let owners: Vec<Arc<str>> = reading.cgroups.iter().map(owner).collect();
        let labels = self.admit(&owners);
        let mut regressions = 0;
        for ((cgroup, owner), label) in reading.cgroups.iter().zip(&owners).zip(&labels) {
            let mark = self.mark(cgroup);
            let deltas = mark.advance(cgroup, &mut regressions);
            let newly_folded = owner != label && !mark.folded;
            mark.folded |= newly_folded;
            self.tenant(label).add(&deltas);
            let cause = if pending::is_label(owner) {
                LossCause::PendingFull
            } else {
                LossCause::TenantsFolded
            };
            self.count_loss(cause, u64::from(newly_folded));
        }
        self.observe_waits(&reading.cgroups, &reading.waits, &labels, &mut regressions);
        self.observe_files(&reading.cgroups, &labels, &mut regressions);
        self.observe_losses(&reading.lost);
        self.count_loss(LossCause::CounterRegressed, regressions);
    }

    /// Forgets a slot that the kernel has cleared after its last reading was
    /// observed and saved. Its tenant keeps the sums.
    pub fn release(&mut self, slot: Slot) {
        self.books.marks.remove(&slot);
        for mark in self.books.marks.values_mut() {
            mark.waits.remove(&Some(slot));
        }
    }

    /// Counts a loss that was noticed outside the kernel.
    pub fn count_loss(&mut self, cause: LossCause, times: u64) {
        if times > 0 {
            add(self.books.lost.entry(cause).or_default(), times);
        }
    }

    /// All totals, ordered by tenant. `agent` brings what the accounts do not know;
    /// their losses are added to its own, and every cause is present.
    #[must_use]
    pub fn node_usage(&self, read_at_unix_ms: u64, mut agent: AgentUsage) -> NodeUsage {
        for &cause in LossCause::ALL {
            let counted = self.books.lost.get(&cause).copied().unwrap_or(0);
            add(agent.lost_total.entry(cause.label().to_owned()).or_default(), counted);
        }
        let told = self.books.tenants.iter().filter(|(label, _)| !pending::is_label(label));
        let tenants = told.map(|(tenant, totals)| totals.usage(tenant)).collect();
        let pending = self.pending_usage();
        NodeUsage { read_at_unix_ms, agent, tenants, pending, ..NodeUsage::default() }
    }

    /// The mark of the cgroup's slot; a new one when the slot began a new life.
    fn mark(&mut self, cgroup: &CgroupReading) -> &mut Mark {
        if self.books.marks.get(&cgroup.slot).is_some_and(|mark| !mark.is_of(cgroup)) {
            self.release(cgroup.slot);
        }
        let first_observation = self.books.sequence == 1;
        self.books.marks.entry(cgroup.slot).or_insert_with(|| Mark::new(cgroup, first_observation))
    }

    /// The sums of an owner, or those of `other` when there is no room for it.
    pub(super) fn totals_of(&mut self, owner: &Arc<str>) -> &mut Totals {
        let label = self.admit(std::slice::from_ref(owner)).pop();
        self.tenant(&label.unwrap_or_else(|| Arc::clone(owner)))
    }

    fn tenant(&mut self, label: &Arc<str>) -> &mut Totals {
        self.books.tenants.entry(Arc::clone(label)).or_default()
    }

    fn observe_waits(
        &mut self,
        cgroups: &[CgroupReading],
        waits: &[WaitReading],
        labels: &[Arc<str>],
        regressions: &mut u64,
    ) {
        let label_of: HashMap<Slot, &Arc<str>> =
            cgroups.iter().map(|cgroup| cgroup.slot).zip(labels).collect();
        let unknown = Arc::from(UNKNOWN);
        for wait in waits {
            // A slot taken while the reading was made may show up among the waits
            // only. Nothing is lost: the next reading has it in full.
            let Some(&victim) = label_of.get(&wait.victim) else { continue };
            let culprit = match wait.culprit {
                None => &unknown,
                Some(slot) => match label_of.get(&slot) {
                    Some(&label) => label,
                    None => continue,
                },
            };
            let Some(mark) = self.books.marks.get_mut(&wait.victim) else { continue };
            let delta = mark.advance_wait(wait.culprit, wait.wait_ns, regressions);
            if delta > 0 {
                let max_wait_causes = self.limits.max_wait_causes;
                charge_wait(self.tenant(victim), culprit, delta, max_wait_causes);
            }
        }
    }

    fn observe_files(
        &mut self,
        cgroups: &[CgroupReading],
        labels: &[Arc<str>],
        regressions: &mut u64,
    ) {
        for totals in self.books.tenants.values_mut() {
            totals.levels = Default::default();
        }
        let mut figures: Vec<FileFigures> = Vec::with_capacity(cgroups.len());
        let mut deltas: Vec<FileDeltas> = Vec::with_capacity(cgroups.len());
        for (cgroup, label) in cgroups.iter().zip(labels) {
            let mark = self.mark(cgroup);
            let delta = match (&cgroup.files, cgroup.alive) {
                (Some(files), true) => mark.advance_files(files, regressions),
                (None, true) => FileDeltas::default(),
                (_, false) => {
                    mark.figures = None;
                    FileDeltas::default()
                }
            };
            figures.push(mark.figures.unwrap_or_default());
            deltas.push(delta);
            let totals = self.tenant(label);
            totals.levels.cgroups += u64::from(cgroup.alive);
            add(&mut totals.oom_kills, delta.oom_kills);
            add(&mut totals.throttled_ns, delta.throttled_ns);
        }
        let paths: Vec<Option<&str>> =
            cgroups.iter().map(|cgroup| cgroup.path.as_deref().filter(|_| cgroup.alive)).collect();
        let tree = Tree::new(&paths);
        self.divide_levels(&tree, &figures, labels);
        self.divide_disk(&tree, cgroups, &figures, &deltas, labels);
    }

    fn divide_levels(&mut self, tree: &Tree, figures: &[FileFigures], labels: &[Arc<str>]) {
        let owner = |index: usize| &labels[index];
        for region in tree.regions(|index| figures[index].memory_current, owner) {
            let levels = &mut self.tenant(owner(region.top)).levels;
            add_level(&mut levels.memory_bytes, region.own());
        }
        for region in tree.regions(|index| figures[index].memory_peak, owner) {
            let levels = &mut self.tenant(owner(region.top)).levels;
            add_level(&mut levels.memory_peak_bytes, region.whole);
        }
        for region in tree.regions(|index| figures[index].memory_limit, owner) {
            let levels = &mut self.tenant(owner(region.top)).levels;
            add_level(&mut levels.memory_limit_bytes, region.own());
        }
        for region in tree.regions(|index| figures[index].cpu_limit_millis, owner) {
            let levels = &mut self.tenant(owner(region.top)).levels;
            add_level(&mut levels.cpu_limit_millis, region.own());
        }
    }

    fn divide_disk(
        &mut self,
        tree: &Tree,
        cgroups: &[CgroupReading],
        figures: &[FileFigures],
        deltas: &[FileDeltas],
        labels: &[Arc<str>],
    ) {
        let owner = |index: usize| &labels[index];
        let read =
            |index: usize| figures[index].disk_read_bytes.map(|_| deltas[index].disk_read_bytes);
        let write =
            |index: usize| figures[index].disk_write_bytes.map(|_| deltas[index].disk_write_bytes);
        for region in tree.regions(read, owner) {
            let debt = &mut self.mark(&cgroups[region.top]).disk_read_debt;
            let own = region.own_after(debt);
            add(&mut self.tenant(owner(region.top)).disk_read_bytes, own);
        }
        for region in tree.regions(write, owner) {
            let debt = &mut self.mark(&cgroups[region.top]).disk_write_debt;
            let own = region.own_after(debt);
            add(&mut self.tenant(owner(region.top)).disk_write_bytes, own);
        }
    }

    /// Takes the growth of the kernel's losses. Causes counted outside the pinned
    /// maps begin at zero with each agent, which is no regression.
    fn observe_losses(&mut self, lost: &[(LossCause, u64)]) {
        let mut sums: BTreeMap<LossCause, u64> = BTreeMap::new();
        for &(cause, count) in lost {
            add(sums.entry(cause).or_default(), count);
        }
        for (cause, now) in sums {
            let before = self.books.lost_in_kernel.insert(cause, now).unwrap_or(0);
            self.count_loss(cause, now.checked_sub(before).unwrap_or(now));
        }
    }

    /// The label of each owner: its own name, or `other` when there is no room.
    fn admit(&mut self, owners: &[Arc<str>]) -> Vec<Arc<str>> {
        let sequence = self.books.sequence;
        for owner in owners {
            if let Some(totals) = self.books.tenants.get_mut(owner) {
                totals.last_seen = sequence;
            }
        }
        let mut named = self.books.tenants.keys().filter(|name| !is_reserved(name)).count();
        // The limit may have been lowered since the totals were saved.
        while named > self.limits.max_tenants && self.retire_one() {
            named -= 1;
        }
        let mut pending = self.pending().count();
        let other: Arc<str> = Arc::from(OTHER);
        let unknown: Arc<str> = Arc::from(UNKNOWN);
        let mut all_present = false;
        let mut labels = Vec::with_capacity(owners.len());
        for owner in owners {
            if pending::is_label(owner) && !self.books.tenants.contains_key(owner) {
                if pending >= pending::MAX {
                    labels.push(Arc::clone(&unknown));
                    continue;
                }
                pending += 1;
            }
            if !self.books.tenants.contains_key(owner) && !is_reserved(owner) {
                if named >= self.limits.max_tenants && !all_present {
                    all_present = !self.retire_one();
                    named -= usize::from(!all_present);
                }
                if named >= self.limits.max_tenants {
                    labels.push(Arc::clone(&other));
                    continue;
                }
                named += 1;
            }
            self.tenant(owner).last_seen = sequence;
            labels.push(Arc::clone(owner));
        }
        labels
    }

    /// Moves the sums of the tenant that is gone for longest to `other`, wherever
    /// its name stands. False when every tenant still has a cgroup.
    fn retire_one(&mut self) -> bool {
        let gone = self
            .books
            .tenants
            .iter()
            .filter(|(name, totals)| !is_reserved(name) && totals.last_seen < self.books.sequence)
            .min_by_key(|(_, totals)| totals.last_seen)
            .map(|(name, _)| Arc::clone(name));
        let Some(gone) = gone else { return false };
        self.move_sums(&gone, &Arc::from(OTHER));
        self.count_loss(LossCause::TenantsFolded, 1);
        true
    }
}

impl Accounts {
    /// Makes all sums of one label another's, wherever its name stands.
    fn move_sums(&mut self, from: &Arc<str>, to: &Arc<str>) {
        for totals in self.books.tenants.values_mut() {
            if let Some(wait_ns) = totals.wait_caused_ns.remove(from) {
                add(totals.wait_caused_ns.entry(Arc::clone(to)).or_default(), wait_ns);
            }
        }
        let Some(mut totals) = self.books.tenants.remove(from) else { return };
        let waits = std::mem::take(&mut totals.wait_caused_ns);
        let max_wait_causes = self.limits.max_wait_causes;
        let sums = self.tenant(to);
        sums.absorb(totals);
        for (culprit, wait_ns) in waits {
            charge_wait(sums, &culprit, wait_ns, max_wait_causes);
        }
    }
}

/// Adds a wait to its cause, or to `other` when the victim knows enough of them.
fn charge_wait(victim: &mut Totals, culprit: &Arc<str>, wait_ns: u64, max_wait_causes: usize) {
    let causes = &mut victim.wait_caused_ns;
    let has_room = causes.contains_key(culprit)
        || is_reserved(culprit)
        || causes.keys().filter(|name| !is_reserved(name)).count() < max_wait_causes;
    let label = if has_room { Arc::clone(culprit) } else { Arc::from(OTHER) };
    add(causes.entry(label).or_default(), wait_ns);
}

/// Names that need no room: those that always mean the same, and those that are held
/// until the owner is told, which have a bound of their own.
fn is_reserved(tenant: &str) -> bool {
    [UNKNOWN, HOST, OTHER].contains(&tenant) || pending::is_label(tenant)
}

mod pending;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod pending_tests;
