//! Every map. Sizes that depend on the node are set by the loader; the ones
//! here only have to be valid.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, HashMap, ProgramArray, Queue, RingBuf},
    macros::btf_map,
};
use landlord_ebpf::abi::{
    Allowance, Begun, CONNECTIONS, CpuState, DROPS as DROP_KEYS, DropKey, EventCounts, GENERATIONS,
    HINTS, Loss, Meta, NetUsage, PLANS as PLANS_LEN, Plan, RunUsage, SlotInfo, SyscallPage,
    TaskAccount, VERDICTS as VERDICTS_LEN, Verdict, Wanted, stage,
};

use crate::events::Scratch;

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

/// Which calls are wanted.
#[btf_map]
pub(crate) static WANTED: Array<Wanted, 1, SHARED> = Array::new();
/// What is to be done for each, by generation, table and number.
#[btf_map]
pub(crate) static PLANS: Array<Plan, { (GENERATIONS * PLANS_LEN) as usize }, SHARED> = Array::new();
/// Subjects that no rule can match.
#[btf_map]
pub(crate) static VERDICTS: Array<Verdict, { VERDICTS_LEN as usize }, SHARED> = Array::new();
/// What each CPU did with wanted calls.
#[btf_map]
pub(crate) static EVENT_COUNTS: Array<EventCounts, 1, SHARED> = Array::new();
/// Records that were not sent.
#[btf_map]
pub(crate) static DROPS: HashMap<DropKey, u64, { DROP_KEYS as usize }> = HashMap::new();
/// What each cgroup has sent, by slot.
#[btf_map]
pub(crate) static ALLOWANCES: Array<Allowance, 1> = Array::new();
/// What the agent knows of each slot's cgroup: [`landlord_ebpf::abi::place`].
#[btf_map]
pub(crate) static PLACES: Array<u64, 1, SHARED> = Array::new();
/// Records of system calls.
#[btf_map]
pub(crate) static CALLS_RING: RingBuf<u64, 4096> = RingBuf::new();
/// Records of processes: few, and never pushed out by those of calls.
#[btf_map]
pub(crate) static LIFECYCLE_RING: RingBuf<u64, 4096> = RingBuf::new();
/// Where each CPU makes the record of a call.
#[btf_map]
pub(crate) static SCRATCH: Array<Scratch, 1> = Array::new();
/// Where each CPU makes the record of a process.
#[btf_map]
pub(crate) static LIFECYCLE_SCRATCH: Array<Scratch, 1> = Array::new();
/// Processes whose end was told last, where the kernel does not say whose last
/// thread ends.
#[btf_map]
pub(crate) static DEATHS: Array<u64, DEATHS_LEN> = Array::new();
/// When connections that last began, by the address of their socket.
#[btf_map]
pub(crate) static BEGUN: HashMap<u64, Begun, { CONNECTIONS as usize }> = HashMap::new();
/// The programs that handle a wanted call, by [`stage`].
#[btf_map]
pub(crate) static JUMP_EVENT: ProgramArray<{ stage::COUNT as usize }> = ProgramArray::new();
/// The programs that handle a change of program.
#[btf_map]
pub(crate) static JUMP_EXEC: ProgramArray<4> = ProgramArray::new();

/// Places in [`DEATHS`]; a power of two.
pub(crate) const DEATHS_LEN: usize = 1024;
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
