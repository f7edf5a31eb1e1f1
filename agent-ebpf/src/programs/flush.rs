//! Run by the agent on a CPU of its choice (`BPF_PROG_TEST_RUN`, kernel 5.10):
//! brings the figures of that CPU up to date, without a race, because nothing
//! else runs there meanwhile.

use aya_ebpf::{
    helpers::{bpf_get_current_task, bpf_get_smp_processor_id},
    macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use landlord_ebpf::abi::{
    CpuState, FLUSH_BUSY, FLUSH_FULL, FLUSH_PAGE, FLUSH_TICK, FLUSHED, PAGES_PER_CPU,
    SYSCALLS_PER_PAGE, WAIT_CACHE,
};

use super::{
    sched::{enter, leave, write_out},
    syscall::add_to_total,
};
use crate::{
    maps::{CPUS, PAGES},
    slots::cell,
    task::{Task, Untyped},
};

#[raw_tracepoint(tracepoint = "sched_switch")]
fn flush(ctx: RawTracePointContext) -> u32 {
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let Some(state) = CPUS.get_ptr_mut(cpu) else { return FLUSHED };
    match ctx.arg::<u64>(0) {
        FLUSH_TICK => tick(state, cpu),
        FLUSH_PAGE => empty_page(state, cpu, ctx.arg(1)),
        _ => FLUSHED,
    }
}

/// Charges the task that this run interrupted, and writes the waits out.
#[inline(always)]
fn tick(state: *mut CpuState, cpu: u32) -> u32 {
    // SAFETY: this CPU's state, see the module.
    unsafe {
        let task = Task(bpf_get_current_task() as *const u8);
        leave::<Untyped>(state, task);
        enter::<Untyped>(state, cpu, task);
        for place in 0..WAIT_CACHE {
            write_out(&raw mut (*state).waits[place]);
        }
    }
    FLUSHED
}

/// Moves a page's counts to the totals table, so that another cgroup can have it.
#[inline(always)]
fn empty_page(state: *mut CpuState, cpu: u32, index: u32) -> u32 {
    let index = index % PAGES_PER_CPU;
    // SAFETY: this CPU's state; volatile as everywhere for this word.
    if unsafe { core::ptr::read_volatile(&raw const (*state).page) } == index + 1 {
        return FLUSH_BUSY;
    }
    let Some(page) = PAGES.get_ptr_mut(cell(cpu, PAGES_PER_CPU, index)) else { return FLUSHED };
    // SAFETY: a map value; nobody counts in a page that is not the running task's.
    unsafe {
        let owner = (*page).owner;
        if owner == 0 {
            return FLUSHED;
        }
        for place in 0..SYSCALLS_PER_PAGE as usize {
            let count = (*page).counts[place];
            if count == 0 {
                continue;
            }
            if !add_to_total((owner - 1) as u32, place as u32, count) {
                return FLUSH_FULL;
            }
            (*page).counts[place] = 0;
        }
        (*page).owner = 0;
    }
    FLUSHED
}
