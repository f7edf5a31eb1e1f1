//! The head of a record: who did it, and when.

use aya_ebpf::helpers::{bpf_get_smp_processor_id, generated::bpf_ktime_get_boot_ns};
use landlord_ebpf::abi::{Head, RecordKind, head_flag, place};

use super::offsets as event;
use crate::{
    maps::{PLACES, SLOT_OF},
    slots,
    task::{Access, Pointer, Task},
};

/// Fills all of the head but its length, `flags`, `syscall`, `result`, `args` and
/// `verdict`. `task` is who did it, or who was made.
///
/// # Safety
///
/// `head` is memory of a record; `task` is alive, and typed if `A` is.
#[inline(always)]
pub(crate) unsafe fn fill<A: Access>(head: *mut Head, kind: RecordKind, task: Task, cgroup: u64) {
    // SAFETY: promised by the caller; offsets resolved from BTF.
    unsafe {
        (*head).kind = kind as u16;
        (*head).time_ns = bpf_ktime_get_boot_ns();
        (*head).cgroup = cgroup;
        (*head).cpu = bpf_get_smp_processor_id();
        (*head).tid = task.pid::<A>();
        (*head).tgid = A::word(task.0, event::task_tgid());
        let leader = A::word::<Pointer>(task.0, event::task_leader()).0;
        (*head).start_ns = A::word(leader, event::task_start_boottime());
        let parent = A::word::<Pointer>(task.0, event::task_parent()).0;
        (*head).parent = A::word(parent, event::task_tgid());
        (*head).loginuid = u32::MAX;
        if event::has_loginuid() != 0 {
            (*head).loginuid = A::word(task.0, event::task_loginuid());
        }
        let comm = task.0.add(event::task_comm() as usize);
        let to = (&raw mut (*head).comm).cast::<u64>();
        *to = bytes::<A>(comm, 0);
        *to.add(1) = bytes::<A>(comm, 8);
        let cred = A::word::<Pointer>(task.0, event::task_cred()).0;
        (*head).uid = A::word(cred, event::cred_euid());
        (*head).gid = A::word(cred, event::cred_egid());
        (*head).cap_effective = halves::<A>(cred, event::cred_effective());
        (*head).cap_permitted = halves::<A>(cred, event::cred_permitted());
        (*head).cap_inheritable = halves::<A>(cred, event::cred_inheritable());
    }
}

/// Eight characters. The verifier wants single ones to be read of an array of them.
#[inline(always)]
unsafe fn bytes<A: Access>(base: *const u8, at: u32) -> u64 {
    let mut word = 0;
    for index in 0..8 {
        // SAFETY: passed on from the caller.
        word |= u64::from(unsafe { A::word::<u8>(base, at + index) }) << (index * 8);
    }
    word
}

/// A set of capabilities: two words before 6.3, one since.
#[inline(always)]
unsafe fn halves<A: Access>(base: *const u8, at: u32) -> u64 {
    // SAFETY: passed on from the caller.
    unsafe { u64::from(A::word::<u32>(base, at)) | u64::from(A::word::<u32>(base, at + 4)) << 32 }
}

/// The slot of a cgroup, as far as it is known: none is taken.
#[inline(always)]
pub(crate) fn slot_of(cgroup: u64) -> u32 {
    match slots::hinted(cgroup) {
        0 => match SLOT_OF.get_ptr(cgroup) {
            // SAFETY: a map value of a preallocated table.
            Some(slot) => unsafe { *slot },
            None => 0,
        },
        slot => slot,
    }
}

/// What the agent knows of the place of a slot's cgroup, as a flag of the head.
#[inline(always)]
pub(crate) fn place_flag(slot: u32) -> u16 {
    let Some(known) = PLACES.get_ptr(slot) else { return 0 };
    // SAFETY: a map value; volatile because the agent writes it.
    match unsafe { core::ptr::read_volatile(known) } as u32 {
        place::HOST => head_flag::ON_HOST,
        place::CONTAINER => head_flag::IN_CONTAINER,
        _ => 0,
    }
}
