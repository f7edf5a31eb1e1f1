//! The event is wanted: adds what is left to add, and sends the record, unless its
//! cgroup has sent enough, or the ring has no room.

use aya_ebpf::{
    helpers::{bpf_get_current_cgroup_id, generated::bpf_ktime_get_boot_ns},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{
    BUFFER_BYTES_MAX, DropCause, Head, NO_ARGUMENT, RESULT, RecordKind, Section, Shape, TaskFacts,
    plan_flag,
};

use super::{
    Scratch, argument,
    bound::masked,
    head, ids,
    kernel::of_current_task,
    scratch::{self, SEEN, Seen},
    section, send,
    share::{Of, Standing},
};
use crate::{
    maps::{ALLOWANCES, CALLS_RING, WANTED},
    slots::add,
    task::{Access, Task},
};

const SECOND: u64 = 1_000_000_000;
/// A subject that comes so often on one CPU is urgent, once.
const OFTEN: u64 = 4;
const STRUCTURE_BYTES_MAX: u32 = 128;

#[btf_tracepoint(function = "sys_exit")]
fn event_finish(_ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: the helper has no preconditions.
    let cgroup = unsafe { bpf_get_current_cgroup_id() };
    // SAFETY: this CPU's scratch.
    let call = unsafe { (*scratch).head.syscall };
    let standing = Standing::of(&CALLS_RING);
    // SAFETY: as above.
    unsafe {
        if !allowed((*scratch).slot) {
            send::lost(cgroup, call, DropCause::RateLimited);
            return 0;
        }
        let least = size_of::<Head>() as u64 + u64::from((*scratch).len);
        if !standing.has_room(Of::Calls, (*scratch).slot, least) {
            send::lost(cgroup, call, DropCause::RingFull);
            return 0;
        }
    }
    of_current_task!(fill(scratch, cgroup));
    // SAFETY: as above.
    unsafe {
        path(scratch);
        user_memory(scratch);
        let urgent = comes_again(scratch);
        if send::send(scratch, &CALLS_RING, Of::Calls, &standing, urgent) {
            if let Some(counts) = send::counts() {
                (*counts).sent += 1;
            }
        } else {
            send::lost(cgroup, call, DropCause::RingFull);
        }
    }
    0
}

/// Whether the subject has come so often that the agent should look at it soon: until
/// it says that no rule can match it, each of its events is sent.
#[inline(always)]
unsafe fn comes_again(scratch: *mut Scratch) -> bool {
    // SAFETY: this CPU's scratch; the index is masked.
    unsafe {
        let [key, _] = (*scratch).head.verdict;
        if key == 0 {
            return false;
        }
        let at = masked::<{ SEEN as u32 - 1 }>((key >> 32) as u32);
        let seen = (&raw mut (*scratch).seen).cast::<Seen>().add(at);
        if (*seen).key != key {
            *seen = Seen { key, times: 1 };
            return false;
        }
        (*seen).times += 1;
        (*seen).times == OFTEN
    }
}

/// True when the cgroup may send another record. What it sent beyond its rate is
/// paid off second by second.
#[inline(always)]
pub(crate) unsafe fn allowed(slot: u32) -> bool {
    let Some(wanted) = WANTED.get_ptr(0) else { return true };
    // SAFETY: map values; volatile because others write them.
    unsafe {
        let rate = core::ptr::read_volatile(&raw const (*wanted).rate);
        if rate == 0 {
            return true;
        }
        let burst = core::ptr::read_volatile(&raw const (*wanted).burst);
        let Some(allowance) = ALLOWANCES.get_ptr_mut(slot) else { return true };
        let now = bpf_ktime_get_boot_ns() / SECOND;
        let then = core::ptr::read_volatile(&raw const (*allowance).second);
        let mut used = core::ptr::read_volatile(&raw const (*allowance).used);
        if then != now {
            // Two CPUs that do this at once write the same, and lose what was added
            // in between: a few records more are sent.
            core::ptr::write_volatile(&raw mut (*allowance).second, now);
            used = used.saturating_sub(now.wrapping_sub(then).wrapping_mul(rate));
            core::ptr::write_volatile(&raw mut (*allowance).used, used);
        }
        if used >= rate + burst {
            return false;
        }
        add(&raw mut (*allowance).used, 1);
        true
    }
}

#[inline(always)]
unsafe fn fill<A: Access>(task: *const u8, scratch: *mut Scratch, cgroup: u64) {
    // SAFETY: the running task; this CPU's scratch.
    unsafe {
        head::fill::<A>(&raw mut (*scratch).head, RecordKind::Syscall, Task(task), cgroup);
        if (*scratch).plan.flags & plan_flag::TASK != 0 {
            let facts = section::begin::<TaskFacts>(scratch);
            ids::write::<A>(Task(task), 0, facts);
            section::end(scratch, facts, Section::Task);
        }
    }
}

/// The path that an open was given; a failed one has it already.
#[inline(always)]
unsafe fn path(scratch: *mut Scratch) {
    // SAFETY: this CPU's scratch.
    unsafe {
        let plan = &raw const (*scratch).plan;
        let opened = (*plan).fd == RESULT && (*scratch).head.result >= 0;
        let direct = (*plan).fd != RESULT;
        let named = (*plan).shape == Shape::File as u8 && (*plan).path != NO_ARGUMENT;
        if named && (opened || direct) && (*scratch).given == 0 {
            section::put_user_text(scratch, Section::Raw, argument(scratch, (*plan).path));
        }
        if (*scratch).raw_verdict[0] != 0 {
            section::put(scratch, Section::RawVerdict, &(*scratch).raw_verdict);
        }
    }
}

/// What the call read, wrote or was given.
#[inline(always)]
unsafe fn user_memory(scratch: *mut Scratch) {
    // SAFETY: this CPU's scratch.
    unsafe {
        let plan = &raw const (*scratch).plan;
        let result = (*scratch).head.result;
        if (*plan).buffer != NO_ARGUMENT {
            let len = match (*plan).buffer_len {
                RESULT => result.max(0) as u64,
                NO_ARGUMENT => 0,
                number => argument(scratch, number),
            };
            let from = argument(scratch, (*plan).buffer);
            section::put_user::<{ BUFFER_BYTES_MAX as u32 }>(scratch, Section::Buffer, from, len);
        }
        if (*plan).structure != NO_ARGUMENT {
            let from = argument(scratch, (*plan).structure);
            let len = u64::from((*plan).structure_len);
            section::put_user::<STRUCTURE_BYTES_MAX>(scratch, Section::Structure, from, len);
        }
    }
}
