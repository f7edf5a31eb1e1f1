//! What the sensors of events did, and what they could not send.

use std::{collections::HashMap, mem::offset_of};

use aya::maps::{HashMap as BpfHashMap, MapData};
use landlord_ebpf::abi::{DROPS, DropKey, EventCounts};

use crate::kernel::{KernelError, shared::Shared};

/// Reads the counts of all CPUs.
pub(super) fn sum(counts: &Shared) -> EventCounts {
    let column = |offset: usize| {
        (0..counts.records()).fold(0_u64, |sum, cpu| sum.wrapping_add(counts.word(cpu, offset / 8)))
    };
    EventCounts {
        wanted: column(offset_of!(EventCounts, wanted)),
        early: column(offset_of!(EventCounts, early)),
        verdict: column(offset_of!(EventCounts, verdict)),
        sent: column(offset_of!(EventCounts, sent)),
        lifecycle: column(offset_of!(EventCounts, lifecycle)),
        lost: column(offset_of!(EventCounts, lost)),
        uring: column(offset_of!(EventCounts, uring)),
        padding: 0,
    }
}

/// Records that were not sent, told once each.
pub(super) struct Drops {
    table: BpfHashMap<MapData, [u64; 2], u64>,
    /// What of each entry was told.
    told: HashMap<DropKey, u64>,
}

/// Entries from which on those that nothing was added to are removed: without room
/// for a new one, a drop is known in total only.
const CROWDED: usize = DROPS as usize / 2;

impl Drops {
    pub(super) fn new(table: BpfHashMap<MapData, [u64; 2], u64>) -> Self {
        Self { table, told: HashMap::new() }
    }

    /// What was not sent since the last call.
    pub(super) fn take(&mut self) -> Result<Vec<(DropKey, u64)>, KernelError> {
        let mut news = Vec::new();
        let mut idle = Vec::new();
        for entry in &self.table {
            let (words, count) = entry.map_err(KernelError::map("DROPS"))?;
            let key = key(words);
            let told = self.told.entry(key).or_default();
            match count.wrapping_sub(*told) {
                0 => idle.push((words, key)),
                new => news.push((key, new)),
            }
            *told = count;
        }
        if self.told.len() >= CROWDED {
            for (words, key) in idle {
                // A drop between reading and removing is missed here, not in the total.
                match self.table.remove(&words) {
                    Ok(()) | Err(aya::maps::MapError::KeyNotFound) => self.told.remove(&key),
                    Err(error) => return Err(KernelError::map("DROPS")(error)),
                };
            }
        }
        Ok(news)
    }
}

fn key([cgroup, rest]: [u64; 2]) -> DropKey {
    let [a, b, c, d, e, f, g, h] = rest.to_ne_bytes();
    DropKey {
        cgroup,
        what: u32::from_ne_bytes([a, b, c, d]),
        cause: u32::from_ne_bytes([e, f, g, h]),
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_key_from_its_words() {
        let rest = [2_u32.to_ne_bytes(), 1_u32.to_ne_bytes()].concat();
        let found = key([7, u64::from_ne_bytes(rest.try_into().unwrap())]);
        assert_eq!((found.cgroup, found.what, found.cause), (7, 2, 1));
    }
}
