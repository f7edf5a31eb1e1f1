//! Where things are in this kernel, and what it can do.
//!
//! The loader resolves every value from the kernel's BTF and writes it before
//! the programs are verified. The section is read-only to them, so the verifier
//! takes each as a constant and drops the branches of an absent feature.

/// Declares read-only words with an accessor that the compiler may not fold.
macro_rules! loaded {
    ($($(#[$meta:meta])* $name:ident => $get:ident;)+) => {
        $(
            #[unsafe(no_mangle)]
            static $name: u32 = 0;

            $(#[$meta])*
            #[inline(always)]
            pub(crate) fn $get() -> u32 {
                // SAFETY: a plain read of an initialised static; volatile because
                // the loader, not the compiler, decides its value.
                unsafe { core::ptr::read_volatile(&raw const $name) }
            }
        )+
    };
}
pub(crate) use loaded;

loaded! {
    /// Number of CPUs the per-CPU maps have room for.
    CPUS_LEN => cpus;
    /// Number of slots the maps have room for.
    SLOTS_LEN => slots;
    /// `task_struct.pid`.
    TASK_PID => task_pid;
    /// `task_struct.start_time`.
    TASK_START => task_start;
    /// `task_struct.__state`, `state` before 5.14.
    TASK_STATE => task_state;
    /// `task_struct.flags`.
    TASK_FLAGS => task_flags;
    /// `task_struct.cgroups`.
    TASK_CGROUPS => task_cgroups;
    /// `task_struct.se.sum_exec_runtime`.
    TASK_RUNTIME => task_runtime;
    /// `task_struct.sched_info.run_delay`.
    TASK_RUN_DELAY => task_run_delay;
    /// `task_struct.sched_info.last_arrival`.
    TASK_ARRIVAL => task_arrival;
    /// `task_struct.thread_info` member that tells a 32-bit call.
    TASK_COMPAT => task_compat;
    /// `task_struct.stack`.
    TASK_STACK => task_stack;
    /// `css_set.dfl_cgrp`.
    CSS_CGROUP => css_cgroup;
    /// `cgroup.kn`.
    CGROUP_NODE => cgroup_node;
    /// `cgroup.root`.
    CGROUP_ROOT => cgroup_root;
    /// `cgroup_root.hierarchy_id`.
    ROOT_HIERARCHY => root_hierarchy;
    /// `kernfs_node.id`.
    NODE_ID => node_id;
    /// `pt_regs` member that holds the system call's number.
    REGS_NUMBER => regs_number;
    /// Size of `pt_regs`.
    REGS_SIZE => regs_size;
    /// 1 when the kernel keeps `sched_info`.
    HAS_SCHED_INFO => has_sched_info;
    /// 1 when the helper `bpf_get_current_task_btf` exists (5.11).
    HAS_TASK_BTF => has_task_btf;
    /// 1 when the helper `bpf_task_pt_regs` exists (5.15).
    HAS_TASK_REGS => has_task_regs;
    /// 1 when a program on `sys_exit` can be preempted, so that its counters
    /// have to be incremented atomically.
    PREEMPTIBLE => preemptible;
}

#[unsafe(no_mangle)]
static EPOCH_NS: u64 = 0;

/// `CLOCK_MONOTONIC` nanoseconds when the counters began at zero: a task that
/// started later is charged from its first nanosecond.
#[inline(always)]
pub(crate) fn epoch_ns() -> u64 {
    // SAFETY: as above.
    unsafe { core::ptr::read_volatile(&raw const EPOCH_NS) }
}
