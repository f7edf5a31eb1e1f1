//! How far each slot's counters have been counted.
//!
//! A mark is the last reading of one life of a slot; what a reading has beyond
//! it is new. It never knows whom the new part belongs to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reading::{CgroupReading, FileFigures, NetworkReading, Slot, SyscallNumber, Traffic};

/// The last reading of one cgroup in one slot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    id: u64,
    born_ns: u64,
    /// The cgroup is older than the counters: what its files say at first is
    /// where they start, not use of this epoch.
    pub(super) older_than_epoch: bool,
    /// It was counted among the cgroups whose tenant had to share `other`.
    pub(super) folded: bool,
    cpu_ns: u64,
    wait_ns: u64,
    network: NetworkReading,
    syscalls: BTreeMap<SyscallNumber, u64>,
    /// Waits of this cgroup, by the slot that ran meanwhile.
    pub(super) waits: BTreeMap<Option<Slot>, u64>,
    oom_kills: Option<u64>,
    throttled_ns: Option<u64>,
    disk_read_bytes: Option<u64>,
    disk_write_bytes: Option<u64>,
    /// Bytes that nested cgroups of other tenants were ahead of this one's own
    /// file, to be taken off its next ones.
    pub(super) disk_read_debt: u64,
    /// Likewise for writing.
    pub(super) disk_write_debt: u64,
    /// The files' last figures, which stand while a reading has none.
    #[serde(skip)]
    pub(super) figures: Option<FileFigures>,
}

/// What one cgroup's files counted since the mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileDeltas {
    pub(super) oom_kills: u64,
    pub(super) throttled_ns: u64,
    pub(super) disk_read_bytes: u64,
    pub(super) disk_write_bytes: u64,
}

/// What the kernel counted for one cgroup since the mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deltas {
    pub(super) cpu_ns: u64,
    pub(super) wait_ns: u64,
    pub(super) network: NetworkReading,
    pub(super) syscalls: Vec<(SyscallNumber, u64)>,
}

impl Mark {
    /// The mark of a slot that has just been taken: everything at zero.
    pub(super) fn new(cgroup: &CgroupReading, older_than_epoch: bool) -> Self {
        Self { id: cgroup.id.0, born_ns: cgroup.born_ns, older_than_epoch, ..Self::default() }
    }

    /// Whether the reading is of the same life of the slot.
    pub(super) fn is_of(&self, cgroup: &CgroupReading) -> bool {
        self.id == cgroup.id.0 && self.born_ns == cgroup.born_ns
    }

    /// Moves on to `cgroup` and returns the difference; `regressions` counts
    /// figures that were lower than before.
    pub(super) fn advance(&mut self, cgroup: &CgroupReading, regressions: &mut u64) -> Deltas {
        let cpu_ns = advance(&mut self.cpu_ns, cgroup.cpu_ns, regressions);
        let wait_ns = advance(&mut self.wait_ns, cgroup.wait_ns, regressions);
        let (last, now) = (&mut self.network, &cgroup.network);
        let network = NetworkReading {
            transmit_ipv4: traffic(&mut last.transmit_ipv4, now.transmit_ipv4, regressions),
            transmit_ipv6: traffic(&mut last.transmit_ipv6, now.transmit_ipv6, regressions),
            receive_ipv4: traffic(&mut last.receive_ipv4, now.receive_ipv4, regressions),
            receive_ipv6: traffic(&mut last.receive_ipv6, now.receive_ipv6, regressions),
        };
        let syscalls = cgroup
            .syscalls
            .iter()
            .map(|&(call, count)| {
                (call, advance(self.syscalls.entry(call).or_default(), count, regressions))
            })
            .filter(|&(_, delta)| delta > 0)
            .collect();
        Deltas { cpu_ns, wait_ns, network, syscalls }
    }

    /// Moves on to the cumulative figures of the cgroup's files and remembers
    /// all of them.
    pub(super) fn advance_files(&mut self, now: &FileFigures, regressions: &mut u64) -> FileDeltas {
        self.figures = Some(*now);
        let older = self.older_than_epoch;
        let mut delta = |last: &mut Option<u64>, now: Option<u64>| match (now, last.as_mut()) {
            (None, _) => 0,
            (Some(now), Some(last)) => advance(last, now, regressions),
            (Some(now), None) => {
                *last = Some(now);
                if older { 0 } else { now }
            }
        };
        FileDeltas {
            oom_kills: delta(&mut self.oom_kills, now.oom_kills),
            throttled_ns: delta(&mut self.throttled_ns, now.throttled_ns),
            disk_read_bytes: delta(&mut self.disk_read_bytes, now.disk_read_bytes),
            disk_write_bytes: delta(&mut self.disk_write_bytes, now.disk_write_bytes),
        }
    }

    /// Moves on to `wait_ns` behind `culprit` and returns the difference.
    pub(super) fn advance_wait(
        &mut self,
        culprit: Option<Slot>,
        wait_ns: u64,
        regressions: &mut u64,
    ) -> u64 {
        advance(self.waits.entry(culprit).or_default(), wait_ns, regressions)
    }
}

/// The growth from `last` to `now`, which becomes the new `last`. A lower `now`
/// is growth of zero, and counting goes on from there: rather too little on the
/// bill than the same use twice.
fn advance(last: &mut u64, now: u64, regressions: &mut u64) -> u64 {
    let before = std::mem::replace(last, now);
    now.checked_sub(before).unwrap_or_else(|| {
        *regressions += 1;
        0
    })
}

fn traffic(last: &mut Traffic, now: Traffic, regressions: &mut u64) -> Traffic {
    Traffic {
        bytes: advance(&mut last.bytes, now.bytes, regressions),
        packets: advance(&mut last.packets, now.packets, regressions),
    }
}
