//! What the sensors of events did, and what they could not send.

use std::{collections::HashMap, mem::offset_of};

use aya::maps::{HashMap as BpfHashMap, MapData};
use landlord_ebpf::abi::{
    COMPAT_BIT, CONNECTION, DROPPED_KIND, DROPS, DropCause, DropKey, EventCounts, RecordKind,
};

use crate::{
    identity::CgroupId,
    kernel::{KernelError, shared::Shared},
    usage::reading::SyscallNumber,
};

/// Records of one kind that were not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// Whose they were.
    pub cgroup: CgroupId,
    /// What they would have told.
    pub of: UnsentOf,
    /// Why.
    pub cause: DropCause,
    /// How many.
    pub count: u64,
}

/// What a record would have told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnsentOf {
    /// A system call.
    Call(SyscallNumber),
    /// A request to `io_uring`.
    Request,
    /// A new process.
    Fork,
    /// A program that a process runs.
    Exec,
    /// The end of a process.
    Exit,
    /// The end of a connection.
    Connection,
    /// What this version does not know.
    Unknown,
}

impl UnsentOf {
    fn new(what: u32) -> Self {
        if what & DROPPED_KIND == 0 {
            let (nr, compat) = (what & !COMPAT_BIT, what & COMPAT_BIT != 0);
            return Self::Call(SyscallNumber { nr, compat });
        }
        match what & !DROPPED_KIND {
            kind if kind == RecordKind::IoUring as u32 => Self::Request,
            kind if kind == RecordKind::Fork as u32 => Self::Fork,
            kind if kind == RecordKind::Exec as u32 => Self::Exec,
            kind if kind == RecordKind::Exit as u32 => Self::Exit,
            kind if kind == u32::from(CONNECTION) => Self::Connection,
            _ => Self::Unknown,
        }
    }

    /// Whether what is known of processes may be wrong without it.
    #[must_use]
    pub const fn is_of_processes(self) -> bool {
        !matches!(self, Self::Call(_) | Self::Request | Self::Connection)
    }
}

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
        connections: column(offset_of!(EventCounts, connections)),
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
    pub(super) fn take(&mut self) -> Result<Vec<Unsent>, KernelError> {
        let mut news = Vec::new();
        let mut idle = Vec::new();
        for entry in &self.table {
            let (words, count) = entry.map_err(KernelError::map("DROPS"))?;
            let key = key(words);
            let told = self.told.entry(key).or_default();
            match count.wrapping_sub(*told) {
                0 => idle.push((words, key)),
                new => news.push(unsent(key, new)),
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

fn unsent(key: DropKey, count: u64) -> Unsent {
    let cause = DropCause::ALL.into_iter().find(|cause| *cause as u32 == key.cause);
    Unsent {
        cgroup: CgroupId(key.cgroup),
        of: UnsentOf::new(key.what),
        cause: cause.unwrap_or(DropCause::Unreadable),
        count,
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
    use landlord_ebpf::abi::{COMPAT_BIT, CONNECTION, DROPPED_KIND, DropCause, RecordKind};

    use super::{Unsent, UnsentOf, key, unsent};
    use crate::{identity::CgroupId, usage::reading::SyscallNumber};

    #[test]
    fn drops_from_the_words_of_the_kernel() {
        let check = |what: u32, cause: u32, of, expected| {
            let rest = [what.to_ne_bytes(), cause.to_ne_bytes()].concat();
            let words = [7, u64::from_ne_bytes(rest.try_into().unwrap())];
            let drop = Unsent { cgroup: CgroupId(7), of, cause: expected, count: 3 };
            assert_eq!(unsent(key(words), 3), drop, "{what:x} {cause}");
        };
        let call = |nr, compat| UnsentOf::Call(SyscallNumber { nr, compat });
        check(257, 0, call(257, false), DropCause::RingFull);
        check(5 | COMPAT_BIT, 1, call(5, true), DropCause::RateLimited);
        let kind = |kind: RecordKind| kind as u32 | DROPPED_KIND;
        check(kind(RecordKind::Fork), 0, UnsentOf::Fork, DropCause::RingFull);
        check(kind(RecordKind::Exec), 2, UnsentOf::Exec, DropCause::Unreadable);
        check(kind(RecordKind::Exit), 0, UnsentOf::Exit, DropCause::RingFull);
        check(kind(RecordKind::IoUring), 1, UnsentOf::Request, DropCause::RateLimited);
        let connection = u32::from(CONNECTION) | DROPPED_KIND;
        check(connection, 0, UnsentOf::Connection, DropCause::RingFull);
        check(99 | DROPPED_KIND, 99, UnsentOf::Unknown, DropCause::Unreadable);
    }

    #[test]
    fn only_calls_leave_the_processes_as_they_are() {
        let check = |of: UnsentOf, expected| assert_eq!(of.is_of_processes(), expected, "{of:?}");
        check(UnsentOf::Call(SyscallNumber { nr: 0, compat: false }), false);
        check(UnsentOf::Request, false);
        check(UnsentOf::Connection, false);
        check(UnsentOf::Exec, true);
        check(UnsentOf::Unknown, true);
    }
}
