//! Births and deaths of processes. Threads and kernel threads are not told.
//!
//! These records are small and of one size, so they are made in the ring itself.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use landlord_ebpf::abi::{
    DROPPED_KIND, DropCause, Head, RecordKind, Section, SectionHead, TaskFacts,
};

use super::{
    head, ids, offsets, send,
    share::{Of, Standing},
    words,
};
use crate::{
    arch::PF_KTHREAD,
    maps::{DEATHS, DEATHS_LEN, LIFECYCLE_RING},
    slots::add,
    task::{Access, Pointer, Task, Typed},
};

/// `SIGNAL_GROUP_EXIT` of `include/linux/sched/signal.h`: the whole process was
/// ended at once, with one code.
const GROUP_EXIT: u32 = 4;

/// A record with the ids of a task.
#[repr(C)]
struct Told {
    head: Head,
    section: SectionHead,
    task: TaskFacts,
}

const _: () = assert!(size_of::<Told>() == 176 + 8 + 40);

/// `sched_process_fork(parent, child)`: before the child runs.
#[btf_tracepoint(function = "sched_process_fork")]
fn event_fork(ctx: BtfTracePointContext) -> i32 {
    let child = Task(ctx.arg(1));
    // SAFETY: a typed task.
    unsafe { tell(RecordKind::Fork, child, child, 0) }
}

/// `sched_process_exit(task, group_dead)`: a thread ends; told when it is the last.
#[btf_tracepoint(function = "sched_process_exit")]
fn event_exit(ctx: BtfTracePointContext) -> i32 {
    let task = Task(ctx.arg(0));
    // SAFETY: a typed task.
    unsafe {
        let signal = Typed::word::<Pointer>(task.0, offsets::task_signal()).0;
        let last = if offsets::has_group_dead() != 0 {
            ctx.arg::<u64>(1) & 0xff != 0
        } else {
            Typed::word::<u32>(signal, offsets::signal_live()) == 0
        };
        if !last {
            return 0;
        }
        let leader = Task(Typed::word::<Pointer>(task.0, offsets::task_leader()).0);
        if offsets::has_group_dead() == 0 && told(leader) {
            return 0;
        }
        // Both are read, whichever is told: a load through one of two pointers is more
        // than older verifiers follow.
        let flags: u32 = Typed::word(signal, offsets::signal_flags());
        let of_all: u32 = Typed::word(signal, offsets::signal_exit_code());
        let of_first: u32 = Typed::word(leader.0, offsets::task_exit_code());
        let code = if flags & GROUP_EXIT != 0 { of_all } else { of_first };
        tell(RecordKind::Exit, leader, task, i64::from(code))
    }
}

/// True when the end of this process was told already: the last two threads may
/// both find that none is left. Should both come here in the same moment, both tell.
///
/// # Safety
///
/// `leader` is typed.
#[inline(always)]
unsafe fn told(leader: Task) -> bool {
    // SAFETY: promised by the caller; a map value, whole words.
    unsafe {
        let pid = leader.pid::<Typed>();
        let start: u64 = Typed::word(leader.0, offsets::task_start_boottime());
        let mark = start ^ u64::from(pid) << 32;
        let Some(last) = DEATHS.get_ptr_mut(pid % DEATHS_LEN as u32) else { return false };
        if core::ptr::read_volatile(last) == mark {
            return true;
        }
        core::ptr::write_volatile(last, mark);
        false
    }
}

/// Sends what there is to say of a process: `leader` is its first thread, which may
/// have ended, `task` is one that has not.
///
/// # Safety
///
/// Both are typed.
#[inline(always)]
unsafe fn tell(kind: RecordKind, leader: Task, task: Task, result: i64) -> i32 {
    // SAFETY: promised by the caller; the record is the ring's until it is submitted,
    // and every byte of it is written.
    unsafe {
        if task.flags::<Typed>() & PF_KTHREAD != 0 {
            return 0;
        }
        if matches!(kind, RecordKind::Fork)
            && task.pid::<Typed>() != Typed::word::<u32>(task.0, offsets::task_tgid())
        {
            return 0;
        }
        let cgroup = task.cgroup::<Typed>();
        let slot = head::slot_of(cgroup);
        let standing = Standing::of(&LIFECYCLE_RING);
        let bytes = size_of::<Told>() as u64;
        let mut entry = None;
        if standing.has_room(Of::Lifecycle, slot, bytes) {
            entry = LIFECYCLE_RING.reserve_untyped::<Told>(0);
        }
        let Some(mut entry) = entry else {
            send::lost(cgroup, kind as u32 | DROPPED_KIND, DropCause::RingFull);
            return 0;
        };
        let told = entry.as_mut_ptr();
        let head = &raw mut (*told).head;
        head::fill::<Typed>(head, kind, leader, cgroup);
        (*head).len = size_of::<Told>() as u32;
        (*head).flags = head::place_flag(slot);
        (*head).syscall = 0;
        (*head).result = result;
        words::clear(&raw mut (*head).args);
        words::clear(&raw mut (*head).verdict);
        (*told).section = SectionHead {
            kind: Section::Task as u16,
            flags: 0,
            len: size_of::<TaskFacts>() as u32,
        };
        ids::write::<Typed>(task, 0, &raw mut (*told).task);
        entry.submit(send::wake(&standing));
        standing.charge(Of::Lifecycle, slot, bytes);
        if let Some(counts) = send::counts() {
            add(&raw mut (*counts).lifecycle, 1);
        }
    }
    0
}
