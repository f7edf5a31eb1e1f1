//! Time on a CPU, time in the run queue, and who ran meanwhile.
//!
//! Nothing is timed here. The kernel already keeps, for every task, the time it
//! ran (`sum_exec_runtime`, the very figure it charges to `cpu.stat`) and the
//! time it waited (`run_delay`); a switch charges what was added since the task
//! was last charged. So wake-ups need no hook, no clock is read, the sums are the
//! kernel's own, and a switch that no program saw is made up for at the next.
//!
//! Everything here runs on its own CPU with interrupts off (a switch) or with
//! preemption off (a flush), so its state needs no lock.

use aya_ebpf::{
    bindings::BPF_NOEXIST, helpers::bpf_get_smp_processor_id, macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{
    CpuState, Loss, PAGES_PER_CPU, SEGMENTS, TaskAccount, WAIT_CACHE, WaitEntry, wait_key,
};

use crate::{
    maps::{CPUS, PAGES, RUN, TASKS, WAITS},
    offsets,
    slots::{add, cell, lost, slot_cell, slot_of},
    task::{Access, Task, Typed, Untyped},
};

/// The culprit of waits that are older than the remembered segments.
const FORGOTTEN: u32 = u32::MAX;

/// A task gives way to another.
#[btf_tracepoint(function = "sched_switch")]
fn meter_switch(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let Some(state) = CPUS.get_ptr_mut(cpu) else { return 0 };
    // SAFETY: a map value that only this CPU writes, see the module.
    unsafe {
        leave::<Typed>(state, Task(ctx.arg(1)));
        enter::<Typed>(state, cpu, Task(ctx.arg(2)));
    }
    0
}

/// Charges a task that leaves this CPU, or is interrupted, for what it used
/// since it was last charged.
#[inline(always)]
pub(crate) unsafe fn leave<A: Access>(state: *mut CpuState, task: Task) {
    let pid = task.pid::<A>();
    // SAFETY: the caller passes this CPU's state.
    unsafe {
        if pid == 0 {
            remember_segment(state, 0, 0);
            return;
        }
        let own = (*state).task == task.address()
            && core::ptr::read_volatile(&raw const (*state).stale) == 0;
        let slot = if own { (*state).slot } else { slot_of(task.cgroup::<A>()) };
        let Some(usage) = RUN.get_ptr_mut(slot_cell(slot)) else { return };
        let Some(account) = TASKS.get_ptr_mut(account::place(pid)) else { return };

        let runtime = task.runtime::<A>();
        let known = core::ptr::read_volatile(&raw const (*account).runtime);
        let charged = account::runtime(known, pid);
        let fresh = task.start_ns::<A>() >= offsets::epoch_ns();
        let from = match charged {
            Some(charged) if charged <= runtime => charged,
            _ if fresh => 0,
            _ => runtime,
        };
        (*usage).cpu_ns += runtime - from;
        let dead = task.dead::<A>();
        // The next task of this pid starts without a past.
        let word = if dead { 0 } else { account::of_runtime(pid, runtime) };
        core::ptr::write_volatile(&raw mut (*account).runtime, word);

        if offsets::has_sched_info() == 0 {
            return;
        }
        let total = task.run_delay::<A>();
        let known = core::ptr::read_volatile(&raw const (*account).wait);
        let waited = match account::waited(known, pid, total) {
            Some(waited) => waited,
            None if fresh => total,
            None => 0,
        };
        let word = if dead { 0 } else { account::of_wait(pid, bpf_get_smp_processor_id(), total) };
        core::ptr::write_volatile(&raw mut (*account).wait, word);
        let arrival = task.arrival::<A>();
        if waited != 0 {
            (*usage).wait_ns += waited;
            blame(state, slot, arrival, waited);
        }
        remember_segment(state, arrival, u64::from(slot) + 1);
    }
}

/// Charges the running task, which has just moved itself, to the cgroup it was in:
/// the kernel has done the same. What it is charged later is the new one's.
#[inline(always)]
pub(crate) unsafe fn charge_mover(state: *mut CpuState, task: Task) {
    let pid = task.pid::<Untyped>();
    // SAFETY: the caller passes this CPU's state, and the task that runs on it.
    unsafe {
        if (*state).task != task.address() {
            return;
        }
        let Some(usage) = RUN.get_ptr_mut(slot_cell((*state).slot)) else { return };
        let Some(account) = TASKS.get_ptr_mut(account::place(pid)) else { return };
        let known = core::ptr::read_volatile(&raw const (*account).runtime);
        let runtime = task.runtime::<Untyped>();
        let fresh = task.start_ns::<Untyped>() >= offsets::epoch_ns();
        let from = match account::runtime(known, pid) {
            Some(charged) if charged <= runtime => charged,
            _ if fresh => 0,
            _ => return,
        };
        // A flush may interrupt this and add to the same counter.
        add(&raw mut (*usage).cpu_ns, runtime - from);
        let word = account::of_runtime(pid, runtime);
        core::ptr::write_volatile(&raw mut (*account).runtime, word);
    }
}

/// Settles where the calls of a task that gets this CPU are counted, and charges
/// what it waited elsewhere.
#[inline(always)]
pub(crate) unsafe fn enter<A: Access>(state: *mut CpuState, cpu: u32, task: Task) {
    let pid = task.pid::<A>();
    // SAFETY: the caller passes this CPU's state.
    unsafe {
        if pid == 0 {
            (*state).task = 0;
            return;
        }
        // Before the cgroup is read: a move that comes later sets it again.
        core::ptr::write_volatile(&raw mut (*state).stale, 0);
        let slot = slot_of(task.cgroup::<A>());
        if let Some(account) = TASKS.get_ptr_mut(account::place(pid)) {
            let known = core::ptr::read_volatile(&raw const (*account).runtime);
            if account::runtime(known, pid).is_some() {
                charge_elsewhere::<A>(state, account, task, slot);
            } else if task.start_ns::<A>() < offsets::epoch_ns() {
                // Older than the counters: charged from now on, not for its past.
                let word = account::of_runtime(pid, task.runtime::<A>());
                core::ptr::write_volatile(&raw mut (*account).runtime, word);
                if offsets::has_sched_info() != 0 {
                    let word = account::of_wait(pid, cpu, task.run_delay::<A>());
                    core::ptr::write_volatile(&raw mut (*account).wait, word);
                }
            }
        }
        if (*state).slot != slot || core::ptr::read_volatile(&raw const (*state).page) == 0 {
            (*state).slot = slot;
            core::ptr::write_volatile(&raw mut (*state).page, page_of(state, cpu, slot));
        }
        (*state).task = task.address();
    }
}

/// The page of a cgroup on this CPU, plus one; 0 when another holds its place.
#[inline(always)]
unsafe fn page_of(state: *mut CpuState, cpu: u32, slot: u32) -> u32 {
    let index = slot % PAGES_PER_CPU;
    let Some(page) = PAGES.get_ptr_mut(cell(cpu, PAGES_PER_CPU, index)) else { return 0 };
    // SAFETY: a map value; owners change on their own CPU only.
    unsafe {
        let owner = u64::from(slot) + 1;
        if (*page).owner == 0 {
            (*page).owner = owner;
        }
        if (*page).owner == owner {
            index + 1
        } else {
            (*state).page_conflicts += 1;
            0
        }
    }
}

/// The words of a [`TaskAccount`].
mod account {
    use landlord_ebpf::abi::{RUNTIME_BITS, WAIT_BITS};

    use crate::maps::TASK_ACCOUNTS;

    const CPU_BITS: u32 = RUNTIME_BITS - WAIT_BITS;
    const RUNTIME: u64 = (1 << RUNTIME_BITS) - 1;
    const WAIT: u64 = (1 << WAIT_BITS) - 1;

    /// Where the account of a pid stands.
    #[inline(always)]
    pub(super) const fn place(pid: u32) -> u32 {
        pid % TASK_ACCOUNTS as u32
    }

    /// The part of the pid that its place does not tell, never 0.
    #[inline(always)]
    const fn owner(pid: u32) -> u64 {
        ((pid as u64 / TASK_ACCOUNTS as u64) & 63) + 1
    }

    /// Nanoseconds charged; `None` when the word is not this task's.
    #[inline(always)]
    pub(super) const fn runtime(word: u64, pid: u32) -> Option<u64> {
        if word >> RUNTIME_BITS == owner(pid) { Some(word & RUNTIME) } else { None }
    }

    /// Nanoseconds waited beyond the word; `None` when the word is not this
    /// task's, or tells of more than the task has.
    #[inline(always)]
    pub(super) const fn waited(word: u64, pid: u32, total: u64) -> Option<u64> {
        let waited = total.wrapping_sub(word) & WAIT;
        if word >> RUNTIME_BITS == owner(pid) && waited <= WAIT / 2 { Some(waited) } else { None }
    }

    /// The CPU that the task last left.
    #[inline(always)]
    pub(super) const fn cpu(word: u64) -> u32 {
        (word >> WAIT_BITS) as u32 & ((1 << CPU_BITS) - 1)
    }

    #[inline(always)]
    pub(super) const fn of_runtime(pid: u32, runtime: u64) -> u64 {
        owner(pid) << RUNTIME_BITS | runtime & RUNTIME
    }

    #[inline(always)]
    pub(super) const fn of_wait(pid: u32, cpu: u32, total: u64) -> u64 {
        let cpu = cpu as u64 & ((1 << CPU_BITS) - 1);
        owner(pid) << RUNTIME_BITS | cpu << WAIT_BITS | total & WAIT
    }
}

/// Charges what a task waited in the queue of another CPU before it was moved
/// here: it is in the task's total, but not in the wait that ends now. The
/// culprit is whoever runs on the CPU that it left.
#[inline(always)]
unsafe fn charge_elsewhere<A: Access>(
    state: *mut CpuState,
    account: *mut TaskAccount,
    task: Task,
    slot: u32,
) {
    if offsets::has_sched_info() == 0 {
        return;
    }
    let pid = task.pid::<A>();
    let total = task.run_delay::<A>();
    // SAFETY: map values; the other CPU's words are read as they are at this
    // moment, and only to name a culprit.
    unsafe {
        let known = core::ptr::read_volatile(&raw const (*account).wait);
        let Some(waited) = account::waited(known, pid, total) else { return };
        if waited == 0 {
            return;
        }
        let Some(usage) = RUN.get_ptr_mut(slot_cell(slot)) else { return };
        (*usage).wait_ns += waited;
        let from = account::cpu(known);
        core::ptr::write_volatile(&raw mut (*account).wait, account::of_wait(pid, from, total));
        let Some(left) = CPUS.get_ptr(from) else { return };
        if core::ptr::read_volatile(&raw const (*left).task) != 0 {
            charge(state, slot, core::ptr::read_volatile(&raw const (*left).slot), waited);
            return;
        }
        let head = core::ptr::read_volatile(&raw const (*left).head);
        let tag = (*left).segments[head.wrapping_sub(1) as usize % SEGMENTS].tag;
        if tag != 0 {
            charge(state, slot, (tag - 1) as u32, waited);
        }
    }
}

/// Notes that a cgroup's tasks ran from `start_ns` until now.
#[inline(always)]
unsafe fn remember_segment(state: *mut CpuState, start_ns: u64, tag: u64) {
    // SAFETY: the caller passes this CPU's state; indices are masked.
    unsafe {
        let head = (*state).head;
        let last = &raw const (*state).segments[(head.wrapping_sub(1)) as usize % SEGMENTS];
        if (*last).tag == tag {
            return;
        }
        let segment = &raw mut (*state).segments[head as usize % SEGMENTS];
        (*segment).start_ns = start_ns;
        (*segment).tag = tag;
        (*state).head = head.wrapping_add(1);
    }
}

/// Splits a wait that ended at `arrival` among those who ran on this CPU meanwhile.
#[inline(never)]
unsafe fn blame(state: *mut CpuState, victim: u32, arrival: u64, waited: u64) {
    let begin = arrival.saturating_sub(waited);
    let mut end = arrival;
    // SAFETY: the caller passes this CPU's state; indices are masked.
    unsafe {
        let head = (*state).head;
        for back in 1..=SEGMENTS as u64 {
            let segment = &raw const (*state).segments[head.wrapping_sub(back) as usize % SEGMENTS];
            let tag = (*segment).tag;
            // An idle CPU made nobody wait; nor did anybody before it.
            if tag == 0 {
                return;
            }
            let start = (*segment).start_ns.max(begin);
            if start < end {
                charge(state, victim, (tag - 1) as u32, end - start);
                end = start;
            }
            if end <= begin {
                return;
            }
        }
        charge(state, victim, FORGOTTEN, end - begin);
    }
}

/// Adds to a pair's wait in this CPU's cache.
#[inline(never)]
unsafe fn charge(state: *mut CpuState, victim: u32, culprit: u32, wait_ns: u64) {
    let tag = wait_key(victim, culprit) + 1;
    let place = (victim.wrapping_mul(31) ^ culprit) as usize % WAIT_CACHE;
    // SAFETY: the caller passes this CPU's state; the index is masked.
    unsafe {
        let entry = &raw mut (*state).waits[place];
        if (*entry).tag != tag {
            write_out(entry);
            (*entry).tag = tag;
        }
        (*entry).wait_ns += wait_ns;
    }
}

/// Moves a cached wait to the table.
#[inline(always)]
pub(crate) unsafe fn write_out(entry: *mut WaitEntry) {
    // SAFETY: the caller passes an entry of this CPU's state.
    unsafe {
        let wait_ns = (*entry).wait_ns;
        if (*entry).tag == 0 || wait_ns == 0 {
            return;
        }
        (*entry).wait_ns = 0;
        let key = (*entry).tag - 1;
        if let Some(total) = WAITS.get_ptr_mut(key) {
            add(total, wait_ns);
        } else if WAITS.insert(key, wait_ns, u64::from(BPF_NOEXIST)).is_err() {
            match WAITS.get_ptr_mut(key) {
                Some(total) => add(total, wait_ns),
                None => lost(Loss::WaitTableFull, wait_ns),
            }
        }
    }
}
