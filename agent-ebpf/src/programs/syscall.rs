//! System calls by number, counted when they return.
//!
//! The hot path is two array look-ups and an increment: which page to count in
//! was settled when the task was switched in. What does not fit it (no page,
//! 32-bit calls, numbers without a place) goes to the totals table. A call that a
//! rule wants goes on to the programs of `events`.

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::{
        bpf_get_current_cgroup_id, bpf_get_current_task, bpf_get_current_task_btf,
        bpf_get_smp_processor_id, bpf_task_pt_regs,
    },
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{
    COMPAT_BIT, COMPAT_PLANS, GENERATIONS, Loss, PAGES_PER_CPU, PLANS, SYSCALLS_PER_PAGE, stage,
    syscall_key,
};

use crate::{
    arch::{
        COMPAT, COMPAT_EXITS, COMPAT_RT_SIGRETURN, EXITS, PF_KTHREAD, RT_SIGRETURN, STACK_BYTES,
        clones, compat_clones,
    },
    events::{bound::masked, jump},
    maps::{CPUS, PAGES, SYSCALLS, WANTED},
    offsets,
    slots::{add, cell, find_or_take, lost},
    task::{Access as _, Task, Typed, Untyped},
};

/// The kernel's "no call": what a signal handler's return leaves behind.
const NO_CALL: u32 = u32::MAX;

#[btf_tracepoint(function = "sys_exit")]
fn meter_exit(ctx: BtfTracePointContext) -> i32 {
    let regs: *const u8 = ctx.arg(0);
    // SAFETY: the first argument is the task's pt_regs.
    let nr: u32 = unsafe { Typed::word(regs, offsets::regs_number()) };
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let Some(state) = CPUS.get_ptr(cpu) else { return 0 };
    // SAFETY: a map value; volatile because a move of a task on another CPU resets it.
    let page = unsafe { core::ptr::read_volatile(&raw const (*state).page) };
    let (task, compat) = current();
    // SAFETY: as above; only this CPU writes it.
    let own = unsafe { (*state).task } == task;
    let returned = ctx.arg::<u64>(1);
    if page == 0 || !own || compat || nr >= SYSCALLS_PER_PAGE {
        if !count_slowly(nr, compat, returned) {
            return 0;
        }
        return hand_on(&ctx, nr, compat);
    }
    // The child of a fork comes back from a call that it never made.
    if returned == 0 && clones(nr) {
        return 0;
    }
    let Some(page) = PAGES.get_ptr_mut(cell(cpu, PAGES_PER_CPU, page - 1)) else { return 0 };
    // SAFETY: the index is masked. The compiler knows that the mask changes
    // nothing and would drop it, but older verifiers do not see that from the
    // comparison above; a volatile read in between keeps it.
    unsafe {
        let index = core::ptr::read_volatile(&raw const nr) % SYSCALLS_PER_PAGE;
        let count = (&raw mut (*page).counts).cast::<u64>().add(index as usize);
        if offsets::preemptible() != 0 {
            add(count, 1);
        } else {
            *count += 1;
        }
    }
    hand_on(&ctx, nr, false)
}

/// Hands a call that a rule wants on to the programs that make an event of it.
#[inline(always)]
fn hand_on(ctx: &BtfTracePointContext, nr: u32, compat: bool) -> i32 {
    if nr >= COMPAT_PLANS {
        return 0;
    }
    let Some(wanted) = WANTED.get_ptr(0) else { return 0 };
    let plan = if compat { nr + COMPAT_PLANS } else { nr };
    // SAFETY: a map value, and a word inside its bits; volatile because the agent
    // writes them.
    unsafe {
        let half = core::ptr::read_volatile(&raw const (*wanted).generation) as u32 % GENERATIONS;
        let word = half * (PLANS / u64::BITS) + plan / u64::BITS;
        let bits = (&raw const (*wanted).bits).cast::<u64>().add(masked::<WANTED_WORDS>(word));
        if core::ptr::read_volatile(bits) >> (plan % u64::BITS) & 1 == 0 {
            return 0;
        }
    }
    jump::<{ stage::BEGIN }>(ctx)
}

/// Mask of a word's place among [`landlord_ebpf::abi::Wanted::bits`].
const WANTED_WORDS: u32 = GENERATIONS * PLANS / u64::BITS - 1;

/// The running task's address, and whether it is in a call through the 32-bit table.
#[inline(always)]
pub(crate) fn current() -> (u64, bool) {
    let (task, status) = if offsets::has_task_btf() != 0 {
        // SAFETY: the helper returns the current task, typed.
        unsafe {
            let task = Task(bpf_get_current_task_btf().cast());
            (task.address(), Typed::word::<u32>(task.0, offsets::task_compat()))
        }
    } else {
        // SAFETY: the helper returns the current task.
        unsafe {
            let task = Task(bpf_get_current_task() as *const u8);
            (task.address(), Untyped::word::<u32>(task.0, offsets::task_compat()))
        }
    };
    (task, status & COMPAT != 0)
}

/// Counts a call that has no place in a page. False when it was none.
///
/// Inlined with all it calls: a program that jumps to others may have no functions
/// of its own on aarch64 before 6.0.
#[inline(always)]
fn count_slowly(nr: u32, compat: bool, returned: u64) -> bool {
    let forked = if compat { compat_clones(nr) } else { clones(nr) };
    if forked && returned == 0 {
        return false;
    }
    let number = match (nr, compat) {
        (NO_CALL, false) => RT_SIGRETURN,
        (NO_CALL, true) => COMPAT_RT_SIGRETURN | COMPAT_BIT,
        (nr, false) => nr & !COMPAT_BIT,
        (nr, true) => nr | COMPAT_BIT,
    };
    // SAFETY: the helper has no preconditions.
    let slot = find_or_take(unsafe { bpf_get_current_cgroup_id() });
    add_to_total(slot, number, 1);
    true
}

/// Adds calls to the totals table; false when it is full.
#[inline(always)]
pub(crate) fn add_to_total(slot: u32, number: u32, calls: u64) -> bool {
    let key = syscall_key(slot, number);
    if let Some(total) = SYSCALLS.get_ptr_mut(key) {
        add(total, calls);
        return true;
    }
    if SYSCALLS.insert(key, calls, u64::from(BPF_NOEXIST)).is_ok() {
        return true;
    }
    // Full, or another CPU was faster.
    match SYSCALLS.get_ptr_mut(key) {
        Some(total) => {
            add(total, calls);
            true
        }
        None => {
            lost(Loss::SyscallTableFull, calls);
            false
        }
    }
}

/// A thread ends. `exit` and `exit_group` never return, so they are counted here.
/// A thread that a signal ended made no such call; its last one did return.
#[btf_tracepoint(function = "sched_process_exit")]
fn meter_death(ctx: BtfTracePointContext) -> i32 {
    let task: *const u8 = ctx.arg(0);
    if Task(task).flags::<Typed>() & PF_KTHREAD != 0 {
        return 0;
    }
    let nr = if offsets::has_task_regs() != 0 {
        // SAFETY: a typed task in, its typed registers out.
        unsafe {
            let regs = bpf_task_pt_regs(task.cast_mut().cast()) as *const u8;
            Typed::word::<u32>(regs, offsets::regs_number())
        }
    } else {
        // SAFETY: a user thread's registers stand at the top of its kernel stack.
        unsafe {
            let stack: u64 = Typed::word(task, offsets::task_stack());
            let regs = stack + STACK_BYTES - u64::from(offsets::regs_size());
            Untyped::word::<u32>(regs as *const u8, offsets::regs_number())
        }
    };
    let (_, compat) = current();
    let exits = if compat { COMPAT_EXITS } else { EXITS };
    if nr == exits[0] || nr == exits[1] {
        count_slowly(nr, compat, 0);
    }
    0
}
