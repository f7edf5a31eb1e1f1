//! What a task is called: ids, groups, terminal and namespaces.
//!
//! Nothing here changes with every event; it is told with the births of processes
//! and programs, and where a plan asks for it.

use landlord_ebpf::abi::TaskFacts;

use super::offsets;
use crate::task::{Access, Pointer, Task, Untyped};

/// `PIDTYPE_PGID` of `include/linux/pid_types.h`.
const GROUP: u32 = 2;
/// `PIDTYPE_SID`.
const SESSION: u32 = 3;
/// Deepest level of pid namespaces (`MAX_PID_NS_LEVEL`).
const LEVEL_MAX: u32 = 32;

/// Writes all that is known of a task, with the given bits of `exec_flag`.
///
/// # Safety
///
/// `out` is writable memory of a record, and `A` suits the task's pointer.
#[inline(always)]
pub(crate) unsafe fn write<A: Access>(task: Task, exec_flags: u32, out: *mut TaskFacts) {
    // SAFETY: members at the offsets that BTF told; null pointers read as zero.
    unsafe {
        let own = Pid(A::word::<Pointer>(task.0, offsets::task_thread_pid()).0);
        let leader = A::word::<Pointer>(task.0, offsets::task_leader()).0;
        let process = Pid(A::word::<Pointer>(leader, offsets::task_thread_pid()).0);
        let signal = A::word::<Pointer>(task.0, offsets::task_signal()).0;
        let pids = offsets::signal_pids();
        let group = Pid(A::word::<Pointer>(signal, pids + 8 * GROUP).0);
        let session = Pid(A::word::<Pointer>(signal, pids + 8 * SESSION).0);
        (*out).sid = session.outermost::<A>();
        (*out).pgid = group.outermost::<A>();
        let level = own.level::<A>();
        if level == 0 || level > LEVEL_MAX {
            (*out).vpid = process.outermost::<A>();
            (*out).vtid = own.outermost::<A>();
            (*out).vsid = (*out).sid;
            (*out).vpgid = (*out).pgid;
            (*out).pid_namespace = namespace(own.name(0).namespace);
        } else {
            let name = own.name(level);
            let within = Within { level, namespace: name.namespace };
            (*out).vtid = name.number;
            (*out).vpid = within.number::<A>(process);
            (*out).vsid = within.number::<A>(session);
            (*out).vpgid = within.number::<A>(group);
            (*out).pid_namespace = namespace(name.namespace);
        }
        (*out).tty = terminal::<A>(A::word::<Pointer>(signal, offsets::signal_tty()).0);
        let proxy = A::word::<Pointer>(task.0, offsets::task_nsproxy()).0;
        let mounts = A::word::<Pointer>(proxy, offsets::nsproxy_mounts()).0;
        (*out).mount_namespace = A::word(mounts, offsets::mount_namespace_inode());
        (*out).exec_flags = exec_flags;
    }
}

/// Inode of a pid namespace whose pointer was read by a helper.
#[inline(always)]
unsafe fn namespace(address: u64) -> u32 {
    // SAFETY: as above.
    unsafe { Untyped::word(address as *const u8, offsets::pid_namespace_inode()) }
}

/// Number of a terminal as the kernel tells it to user space
/// (`new_encode_dev(tty_devnum(tty))`); 0 for none.
#[inline(always)]
unsafe fn terminal<A: Access>(tty: *const u8) -> u32 {
    if tty.is_null() {
        return 0;
    }
    // SAFETY: as above.
    unsafe {
        let driver = A::word::<Pointer>(tty, offsets::tty_driver()).0;
        let major: u32 = A::word(driver, offsets::driver_major());
        let first: u32 = A::word(driver, offsets::driver_minor());
        let minor = first.wrapping_add(A::word::<u32>(tty, offsets::tty_index()));
        minor & 0xff | major << 8 | (minor & !0xff) << 12
    }
}

/// A `struct pid`: what a task, group or session is called in each namespace.
#[derive(Clone, Copy)]
struct Pid(*const u8);

/// A `struct upid`: a number and the namespace that it is good in.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Name {
    number: u32,
    padding: u32,
    namespace: u64,
}

impl Pid {
    /// How deep its own namespace is.
    #[inline(always)]
    unsafe fn level<A: Access>(self) -> u32 {
        // SAFETY: the caller has a `struct pid` or null.
        unsafe { A::word(self.0, offsets::pid_level()) }
    }

    /// Its number in the initial namespace.
    #[inline(always)]
    unsafe fn outermost<A: Access>(self) -> u32 {
        if self.0.is_null() {
            return 0;
        }
        // SAFETY: as above; the number is the first member of `upid`.
        unsafe { A::word(self.0, offsets::pid_numbers()) }
    }

    /// What it is called at a level that it has.
    #[inline(always)]
    unsafe fn name(self, level: u32) -> Name {
        let offset = offsets::pid_numbers() + level * size_of::<Name>() as u32;
        // SAFETY: as above; a helper, because the place depends on the level.
        unsafe { Untyped::word(self.0, offset) }
    }
}

/// The namespace that a task is in.
struct Within {
    level: u32,
    namespace: u64,
}

impl Within {
    /// The number of a pid in this namespace; 0 when it has none, as a session has
    /// that was begun outside.
    #[inline(always)]
    unsafe fn number<A: Access>(&self, pid: Pid) -> u32 {
        // SAFETY: as above.
        unsafe {
            if pid.level::<A>() < self.level {
                return 0;
            }
            let name = pid.name(self.level);
            if name.namespace == self.namespace { name.number } else { 0 }
        }
    }
}
