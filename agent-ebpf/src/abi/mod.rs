//! Records shared with the kernel side: what each map holds.
//!
//! Every record is `repr(C)`, made of integers and byte arrays, with its size
//! asserted, so that both targets see the same bytes. All-zero is a valid,
//! empty record: that is how the kernel hands out map memory.

mod connection;
mod cpu;
mod loss;
mod plan;
mod record;
mod slot;
mod usage;

pub use connection::{Begun, CONNECTION, CONNECTIONS, Connection, side as connection_side};
pub use cpu::{
    CpuState, RUNTIME_BITS, SEGMENTS, Segment, TaskAccount, WAIT_BITS, WAIT_CACHE, WaitEntry,
};
pub use loss::Loss;
pub use plan::{
    Allowance, COMPAT_PLANS, DROPPED_KIND, DROPS, DropCause, DropKey, EventCounts, GENERATIONS,
    NO_ARGUMENT, PLANS, Plan, REQUESTS, RESULT, Shape, Share, VERDICTS, Verdict, WORKING_DIRECTORY,
    Wanted, place, plan_flag, stage, truth, verdict_index,
};
pub use record::{
    ADDRESS_BYTES_MAX, ARGUMENT_BYTES_MAX, BUFFER_BYTES_MAX, FileFacts, Head, Layer,
    PATH_BYTES_MAX, RECORD_BYTES_MAX, RecordKind, SECTION_BYTES_MAX, Section, SectionHead,
    SocketFacts, TaskFacts, exec_flag, head_flag, section_flag,
};
pub use slot::{
    HINTS, MAX_SLOTS, Meta, OVERFLOW_SLOT, PATH_BYTES, ROOT_CGROUP, SlotInfo, hint, hint_index,
    hinted_slot,
};
pub use usage::{
    COMPAT_BIT, NetUsage, PAGES_PER_CPU, RunUsage, SYSCALLS_PER_PAGE, SyscallPage, Traffic,
    syscall_key, wait_key,
};

/// Raised by hand when the meaning of a key or a word changes.
const VERSION: u64 = 1;

/// Tells one layout of the maps from another: pinned maps of another layout are
/// never read, they are replaced. A record that changes its size changes it too.
pub const LAYOUT: u64 = {
    let sizes = [
        size_of::<CpuState>(),
        size_of::<TaskAccount>(),
        size_of::<SlotInfo>(),
        size_of::<SyscallPage>(),
        size_of::<RunUsage>(),
        size_of::<NetUsage>(),
        size_of::<Meta>(),
        PAGES_PER_CPU as usize,
        Loss::COUNT as usize,
    ];
    let mut hash = VERSION;
    let mut at = 0;
    while at < sizes.len() {
        hash = (hash ^ sizes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
};

/// First argument of the `flush` program: charge the running task, and write
/// this CPU's cached waits out.
pub const FLUSH_TICK: u64 = 0;
/// First argument of the `flush` program: empty the syscall page whose index is
/// the second argument, and give it up.
pub const FLUSH_PAGE: u64 = 1;

/// Returned by the `flush` program when it did what it was asked.
pub const FLUSHED: u32 = 0;
/// Returned by [`FLUSH_PAGE`] when the page is in use by the running task.
pub const FLUSH_BUSY: u32 = 1;
/// Returned by [`FLUSH_PAGE`] when the totals table was full; the page keeps
/// what did not fit.
pub const FLUSH_FULL: u32 = 2;
