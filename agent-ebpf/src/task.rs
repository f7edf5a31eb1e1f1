//! Reads of a task's kernel structures.
//!
//! In a program on a typed tracepoint the verifier knows what a pointer points
//! to and allows plain loads; anywhere else a helper has to do them. Both give
//! the same figures, so the code above is written once over [`Access`].

use aya_ebpf::helpers::bpf_probe_read_kernel;

use crate::offsets;

/// How kernel memory is read.
pub(crate) trait Access {
    /// Reads a word at `offset` from `base`; 0 when it cannot be read.
    ///
    /// # Safety
    ///
    /// `base` is a kernel pointer of a structure that has a `T` at `offset`.
    unsafe fn word<T: Copy + Default>(base: *const u8, offset: u32) -> T;
}

/// Plain loads through a pointer whose type the verifier knows.
pub(crate) struct Typed;

impl Access for Typed {
    #[inline(always)]
    unsafe fn word<T: Copy + Default>(base: *const u8, offset: u32) -> T {
        // SAFETY: the verifier accepts this load only at an offset that is
        // inside the structure; a fault reads as zero.
        unsafe { core::ptr::read_volatile(base.add(offset as usize).cast::<T>()) }
    }
}

/// Loads by helper, for pointers without a type.
pub(crate) struct Untyped;

impl Access for Untyped {
    #[inline(always)]
    unsafe fn word<T: Copy + Default>(base: *const u8, offset: u32) -> T {
        // SAFETY: the helper checks the address and fails on a bad one.
        unsafe { bpf_probe_read_kernel(base.add(offset as usize).cast::<T>()) }.unwrap_or_default()
    }
}

/// A `task_struct`.
#[derive(Clone, Copy)]
pub(crate) struct Task(pub(crate) *const u8);

impl Task {
    /// Its address, to tell it from others.
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0 as u64
    }

    /// Thread id; 0 is the idle task of a CPU.
    #[inline(always)]
    pub(crate) fn pid<A: Access>(self) -> u32 {
        // SAFETY: offset resolved from BTF for this structure.
        unsafe { A::word(self.0, offsets::task_pid()) }
    }

    /// When it started, `CLOCK_MONOTONIC` nanoseconds.
    #[inline(always)]
    pub(crate) fn start_ns<A: Access>(self) -> u64 {
        // SAFETY: as above.
        unsafe { A::word(self.0, offsets::task_start()) }
    }

    /// True at its last switch: it will not run again.
    #[inline(always)]
    pub(crate) fn dead<A: Access>(self) -> bool {
        /// `TASK_DEAD` of `include/linux/sched.h`.
        const TASK_DEAD: u32 = 0x80;
        // SAFETY: as above.
        unsafe { A::word::<u32>(self.0, offsets::task_state()) & TASK_DEAD != 0 }
    }

    /// `PF_*` bits.
    #[inline(always)]
    pub(crate) fn flags<A: Access>(self) -> u32 {
        // SAFETY: as above.
        unsafe { A::word(self.0, offsets::task_flags()) }
    }

    /// Nanoseconds on a CPU, as charged to its cgroup.
    #[inline(always)]
    pub(crate) fn runtime<A: Access>(self) -> u64 {
        // SAFETY: as above.
        unsafe { A::word(self.0, offsets::task_runtime()) }
    }

    /// Nanoseconds runnable but not running.
    #[inline(always)]
    pub(crate) fn run_delay<A: Access>(self) -> u64 {
        // SAFETY: as above.
        unsafe { A::word(self.0, offsets::task_run_delay()) }
    }

    /// When it last got a CPU, in the clock of the run queue.
    #[inline(always)]
    pub(crate) fn arrival<A: Access>(self) -> u64 {
        // SAFETY: as above.
        unsafe { A::word(self.0, offsets::task_arrival()) }
    }

    /// Id of its cgroup in the v2 hierarchy.
    #[inline(always)]
    pub(crate) fn cgroup<A: Access>(self) -> u64 {
        // SAFETY: each step reads a pointer member at its resolved offset; a
        // null pointer on the way reads as zero.
        unsafe {
            let set: *const u8 = A::word::<Pointer>(self.0, offsets::task_cgroups()).0;
            Cgroup(A::word::<Pointer>(set, offsets::css_cgroup()).0).id::<A>()
        }
    }
}

/// A `cgroup`.
#[derive(Clone, Copy)]
pub(crate) struct Cgroup(pub(crate) *const u8);

impl Cgroup {
    /// Inode number of its directory.
    #[inline(always)]
    pub(crate) fn id<A: Access>(self) -> u64 {
        // SAFETY: as for a task.
        unsafe {
            let node: *const u8 = A::word::<Pointer>(self.0, offsets::cgroup_node()).0;
            A::word(node, offsets::node_id())
        }
    }

    /// True in the v2 hierarchy; cgroup v1 mounts have numbers of their own.
    #[inline(always)]
    pub(crate) fn unified<A: Access>(self) -> bool {
        // SAFETY: as for a task.
        unsafe {
            let root: *const u8 = A::word::<Pointer>(self.0, offsets::cgroup_root()).0;
            A::word::<u32>(root, offsets::root_hierarchy()) == 0
        }
    }
}

/// A kernel pointer, null by default.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Pointer(pub(crate) *const u8);

impl Default for Pointer {
    #[inline(always)]
    fn default() -> Self {
        Self(core::ptr::null())
    }
}
