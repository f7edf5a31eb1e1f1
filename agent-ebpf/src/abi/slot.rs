//! Cgroups and the slots that hold their counters.

/// Upper bound of the configurable number of slots: a slot has to fit the low
/// bits of a [`hint`].
pub const MAX_SLOTS: u32 = 4096;
/// Slot that takes the use of cgroups for which no slot was free.
pub const OVERFLOW_SLOT: u32 = 0;
/// Number of words in the hint table.
pub const HINTS: u32 = 4096;
/// Longest path that a birth record holds, with its final zero.
pub const PATH_BYTES: usize = 512;
/// Id of the root of the cgroup v2 hierarchy.
pub const ROOT_CGROUP: u64 = 1;

const SLOT_MASK: u64 = 4095;

/// Where the hint of a cgroup stands.
#[inline(always)]
#[must_use]
pub const fn hint_index(cgroup: u64) -> u32 {
    (cgroup & SLOT_MASK) as u32
}

/// The hint word of a cgroup: its slot in place of the id's low bits, which the
/// word's position already tells. One word, so that it is read and written whole.
#[inline(always)]
#[must_use]
pub const fn hint(cgroup: u64, slot: u32) -> u64 {
    (cgroup & !SLOT_MASK) | slot as u64
}

/// The slot that a hint word tells for this cgroup; 0 when it tells none.
#[inline(always)]
#[must_use]
pub const fn hinted_slot(word: u64, cgroup: u64) -> u32 {
    if (word ^ cgroup) & !SLOT_MASK == 0 { (word & SLOT_MASK) as u32 } else { 0 }
}

/// Whose counters a slot holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SlotInfo {
    /// The cgroup's id; 0 when the slot is free.
    pub cgroup: u64,
    /// `CLOCK_MONOTONIC` nanoseconds when the slot was taken.
    pub born_ns: u64,
    /// `CLOCK_MONOTONIC` nanoseconds when the cgroup was removed; 0 while alive.
    pub died_ns: u64,
    /// Bytes of `path` without the final zero; 0 when the birth was not seen.
    pub path_len: u32,
    /// 1 when the path was longer than the record.
    pub path_cut: u32,
    /// The path below the cgroup v2 mount.
    pub path: [u8; PATH_BYTES],
}

const _: () = assert!(size_of::<SlotInfo>() == 32 + PATH_BYTES);

/// Written once by the agent that made the maps.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// [`super::LAYOUT`].
    pub layout: u64,
    /// Random: tells one set of maps from the next.
    pub epoch: u64,
    /// Nanoseconds since 1970 when the maps were made.
    pub started_unix_ns: u64,
    /// `CLOCK_MONOTONIC` nanoseconds of the same moment.
    pub started_ns: u64,
    /// CPUs that the per-CPU maps have room for.
    pub cpus: u32,
    /// Slots that the maps have room for.
    pub slots: u32,
}

const _: () = assert!(size_of::<Meta>() == 40);
