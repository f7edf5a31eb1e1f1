//! Birth and death of cgroups, and moves of tasks between them.
//!
//! All three tracepoints fire for every hierarchy; only the v2 one is ours.

use aya_ebpf::{
    helpers::{
        bpf_get_current_task, bpf_get_smp_processor_id, bpf_ktime_get_ns,
        bpf_probe_read_kernel_str_bytes,
    },
    macros::raw_tracepoint,
    programs::RawTracePointContext,
};
use landlord_ebpf::abi::{Loss, OVERFLOW_SLOT, PATH_BYTES};

use super::sched::charge_mover;
use crate::{
    maps::{CPUS, SLOT_OF, SLOTS},
    offsets,
    slots::{born, lost},
    task::{Cgroup, Task, Untyped},
};

/// CPUs that the verifier lets a loop visit.
const MOST_CPUS: u32 = 1024;

/// `cgroup_mkdir(cgroup, path)`: fires before any task can enter the cgroup.
#[raw_tracepoint(tracepoint = "cgroup_mkdir")]
fn meter_mkdir(ctx: RawTracePointContext) -> i32 {
    let cgroup = Cgroup(ctx.arg(0));
    if !cgroup.unified::<Untyped>() {
        return 0;
    }
    let slot = born(cgroup.id::<Untyped>());
    if slot == OVERFLOW_SLOT {
        return 0;
    }
    let Some(info) = SLOTS.get_ptr_mut(slot) else { return 0 };
    // SAFETY: a map value; the path is a string in kernel memory that the helper
    // reads with a bound.
    unsafe {
        let path = &mut (*info).path;
        if let Ok(read) = bpf_probe_read_kernel_str_bytes(ctx.arg(1), path) {
            let length = read.len() as u32;
            (*info).path_len = length;
            if length as usize >= PATH_BYTES - 1 {
                (*info).path_cut = 1;
                lost(Loss::PathTooLong, 1);
            }
        }
    }
    0
}

/// `cgroup_rmdir(cgroup, path)`: no task is left in it.
#[raw_tracepoint(tracepoint = "cgroup_rmdir")]
fn meter_rmdir(ctx: RawTracePointContext) -> i32 {
    let cgroup = Cgroup(ctx.arg(0));
    if !cgroup.unified::<Untyped>() {
        return 0;
    }
    let Some(slot) = SLOT_OF.get_ptr(cgroup.id::<Untyped>()) else { return 0 };
    // SAFETY: map values of preallocated tables.
    unsafe {
        if let Some(info) = SLOTS.get_ptr_mut(*slot) {
            (*info).died_ns = bpf_ktime_get_ns();
        }
    }
    0
}

/// `cgroup_attach_task(cgroup, path, task, threadgroup)`: one or all threads of a
/// process were moved. Which CPUs run them is not told, so every CPU is made to
/// look its task's cgroup up again; moves are rare.
#[raw_tracepoint(tracepoint = "cgroup_attach_task")]
fn meter_attach(ctx: RawTracePointContext) -> i32 {
    if !Cgroup(ctx.arg(0)).unified::<Untyped>() {
        return 0;
    }
    // SAFETY: the helpers have no preconditions; the state is this CPU's own.
    unsafe {
        let task = Task(ctx.arg(2));
        if bpf_get_current_task() == task.address()
            && let Some(state) = CPUS.get_ptr_mut(bpf_get_smp_processor_id())
        {
            charge_mover(state, task);
        }
    }
    for cpu in 0..MOST_CPUS {
        if cpu >= offsets::cpus() {
            break;
        }
        let Some(state) = CPUS.get_ptr_mut(cpu) else { break };
        // SAFETY: a map value; single words that their CPU reads volatile.
        unsafe {
            core::ptr::write_volatile(&raw mut (*state).stale, 1);
            core::ptr::write_volatile(&raw mut (*state).page, 0);
        }
    }
    0
}
