//! What a CPU remembers between two switches.

/// Number of [`Segment`]s a CPU remembers; a power of two.
pub const SEGMENTS: usize = 64;
/// Number of [`WaitEntry`]s a CPU caches; a power of two.
pub const WAIT_CACHE: usize = 128;

/// A stretch of time in which tasks of one cgroup ran on this CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Segment {
    /// When it began, in the clock of the run queue (nanoseconds).
    pub start_ns: u64,
    /// Slot of the cgroup, plus one; 0 for the idle task.
    pub tag: u64,
}

/// Wait time of one (victim, culprit) pair that was not yet written out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitEntry {
    /// [`super::wait_key`] of the pair, plus one; 0 when empty.
    pub tag: u64,
    /// Nanoseconds.
    pub wait_ns: u64,
}

/// State of one CPU. Only its own CPU writes it, except `stale` and `page`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CpuState {
    /// Index of the syscall page of the running task's cgroup, plus one; 0 when
    /// it has none and calls are counted in the totals table directly.
    pub page: u32,
    /// Slot of the running task's cgroup.
    pub slot: u32,
    /// Address of the running task, to tell whether the two words above are its;
    /// 0 while the CPU is idle.
    pub task: u64,
    /// Set by any CPU when a task was moved to another cgroup: `slot` and `page`
    /// may be those of the former one.
    pub stale: u64,
    /// How often a cgroup found its syscall page taken by another.
    pub page_conflicts: u64,
    /// Where the next segment goes, modulo [`SEGMENTS`].
    pub head: u64,
    /// The last segments, a ring.
    pub segments: [Segment; SEGMENTS],
    /// Direct-mapped cache in front of the (victim, culprit) table.
    pub waits: [WaitEntry; WAIT_CACHE],
}

const _: () = assert!(size_of::<CpuState>() == 40 + SEGMENTS * 16 + WAIT_CACHE * 16);
const _: () = assert!(SEGMENTS.is_power_of_two() && WAIT_CACHE.is_power_of_two());

/// Bits of a [`TaskAccount`] word that hold nanoseconds of running.
pub const RUNTIME_BITS: u32 = 57;
/// Bits of a [`TaskAccount`] word that hold nanoseconds of waiting: told apart
/// modulo 39 hours.
pub const WAIT_BITS: u32 = 47;

/// What a task was charged for so far. Each word carries in its top seven bits
/// whose it is, so that tasks whose pids share a place are not taken for each other.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskAccount {
    /// Owner, and the task's `sum_exec_runtime` up to which it was charged.
    pub runtime: u64,
    /// Owner, the CPU it last left (10 bits), and its `run_delay` likewise.
    pub wait: u64,
}

const _: () = assert!(size_of::<TaskAccount>() == 16);
