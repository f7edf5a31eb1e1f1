//! The cgroups seen so far, each with its tenant.
//!
//! A cgroup is named by its id **and** its birth: the kernel gives a removed
//! directory's inode number to a new one. The table never reads a clock (the
//! caller says what time it is) and never decides by itself who lives.

use std::collections::HashMap;

use crate::identity::{CgroupId, Tenant, TenantRules};
use crate::usage::reading::Slot;

/// How long a cgroup keeps its entry after it was last mentioned, nanoseconds:
/// last deltas and late events of 60 seconds still find their owner.
pub const TOMBSTONE_NS: u64 = 60 * 1_000_000_000;

/// One life of a cgroup id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Life {
    id: CgroupId,
    born_ns: u64,
}

#[derive(Debug)]
struct Entry {
    tenant: Tenant,
    /// False while the path is not known and the tenant therefore `unknown`.
    named: bool,
    /// As of the last observation.
    alive: bool,
    /// Observed since the last sweep.
    observed: bool,
    /// The last sweep that found it observed.
    seen_ns: Option<u64>,
}

/// The table of cgroups.
#[derive(Debug)]
pub struct Registry {
    rules: TenantRules,
    capacity: usize,
    entries: HashMap<Life, Entry>,
    slots: HashMap<Slot, Life>,
}

impl Registry {
    /// A capacity for one node: a hundred cgroups born and dead every second and
    /// remembered for a minute, beside all that live. About 3 MiB when full.
    pub const NODE_CAPACITY: usize = 16_384;

    /// An empty table. It holds at most `capacity` cgroups, living and dead; what
    /// exceeds it is resolved anew at every observation.
    #[must_use]
    pub fn new(rules: TenantRules, capacity: usize) -> Self {
        Self { rules, capacity, entries: HashMap::new(), slots: HashMap::new() }
    }

    /// The tenant of a cgroup that a reading mentions. `born_ns` is the time its
    /// slot was taken; `path` may be `None` at first and come later. Once known, a
    /// path settles the tenant for this life of the id, even if later readings
    /// have none or another.
    pub fn observe(
        &mut self,
        id: CgroupId,
        slot: Slot,
        path: Option<&str>,
        born_ns: u64,
        alive: bool,
    ) -> Tenant {
        let life = Life { id, born_ns };
        if let Some(entry) = self.entries.get_mut(&life) {
            if !entry.named && path.is_some() {
                entry.tenant = self.rules.tenant(path);
                entry.named = true;
            }
            entry.alive = alive;
            entry.observed = true;
            return entry.tenant.clone();
        }
        let tenant = self.rules.tenant(path);
        if self.entries.len() >= self.capacity && !self.evict_oldest_dead() {
            return tenant;
        }
        let entry = Entry {
            tenant: tenant.clone(),
            named: path.is_some(),
            alive,
            observed: true,
            seen_ns: None,
        };
        self.entries.insert(life, entry);
        let newest = self.slots.entry(slot).or_insert(life);
        if newest.born_ns <= born_ns {
            *newest = life;
        }
        tenant
    }

    /// The tenant that has, or last had, this slot.
    #[must_use]
    pub fn tenant_of_slot(&self, slot: Slot) -> Option<&Tenant> {
        self.entries.get(self.slots.get(&slot)?).map(|entry| &entry.tenant)
    }

    /// Forgets cgroups that nobody has mentioned for [`TOMBSTONE_NS`]: the living
    /// are in every reading, the dead until their slot is given back. Call this
    /// after each collection, with a clock that does not go back.
    pub fn sweep(&mut self, now_ns: u64) {
        self.entries.retain(|_, entry| {
            if std::mem::take(&mut entry.observed) {
                entry.seen_ns = Some(now_ns);
            } else {
                entry.alive = false;
            }
            let seen = *entry.seen_ns.get_or_insert(now_ns);
            now_ns.saturating_sub(seen) < TOMBSTONE_NS
        });
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
        life.is_some_and(|life| self.entries.remove(&life).is_some())
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
