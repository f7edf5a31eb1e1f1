//! Every map. Sizes that depend on the node are set by the loader; the ones
//! here only have to be valid.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, HashMap, ProgramArray, Queue},
    macros::btf_map,
};
use landlord_ebpf::abi::{
    CpuState, HINTS, Loss, Meta, NetUsage, RunUsage, SlotInfo, SyscallPage, TaskAccount,
};

/// The agent reads counters through shared memory: no system call per entry.
const SHARED: usize = BPF_F_MMAPABLE as usize;

/// State of each CPU.
#[btf_map]
pub(crate) static CPUS: Array<CpuState, 1, SHARED> = Array::new();
/// Scheduling by [CPU][slot].
#[btf_map]
pub(crate) static RUN: Array<RunUsage, 1, SHARED> = Array::new();
/// Traffic by [CPU][slot].
#[btf_map]
pub(crate) static NET: Array<NetUsage, 1, SHARED> = Array::new();
/// System calls by [CPU][slot modulo pages].
#[btf_map]
pub(crate) static PAGES: Array<SyscallPage, 1, SHARED> = Array::new();
/// Whose counters a slot holds.
#[btf_map]
pub(crate) static SLOTS: Array<SlotInfo, 1, SHARED> = Array::new();
/// Direct-mapped cache in front of [`SLOT_OF`].
#[btf_map]
pub(crate) static HINT: Array<u64, { HINTS as usize }, SHARED> = Array::new();
/// What each task was charged for, by the low bits of its pid.
#[btf_map]
pub(crate) static TASKS: Array<TaskAccount, TASK_ACCOUNTS, SHARED> = Array::new();
/// Losses by cause.
#[btf_map]
pub(crate) static LOST: Array<u64, { Loss::COUNT as usize }, SHARED> = Array::new();
/// Written by the agent that made the maps.
#[btf_map]
pub(crate) static META: Array<Meta, 1, SHARED> = Array::new();
/// Cgroup id to slot.
#[btf_map]
pub(crate) static SLOT_OF: HashMap<u64, u32, 2048> = HashMap::new();
/// Slots that nobody has.
#[btf_map]
pub(crate) static FREE: Queue<u32, 2048> = Queue::new();
/// System calls that no page holds.
#[btf_map]
pub(crate) static SYSCALLS: HashMap<u64, u64, 65536> = HashMap::new();
/// Nanoseconds waited by (victim, culprit).
#[btf_map]
pub(crate) static WAITS: HashMap<u64, u64, 16384> = HashMap::new();

/// Places in [`TASKS`]; a power of two.
pub(crate) const TASK_ACCOUNTS: usize = 65536;

/// Declares the table through which a hook reaches its meter. The meter behind
/// an attached hook is exchanged in one step: no event is seen by two versions
/// of a meter, or by none.
macro_rules! jump_tables {
    ($($name:ident)+) => { $(
        #[btf_map]
        pub(crate) static $name: ProgramArray<1> = ProgramArray::new();
    )+ };
}

jump_tables! {
    JUMP_EXIT JUMP_SWITCH JUMP_DEATH JUMP_MKDIR JUMP_RMDIR JUMP_ATTACH JUMP_EGRESS JUMP_INGRESS
}
