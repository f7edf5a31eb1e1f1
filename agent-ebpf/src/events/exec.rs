//! A process runs another program: who it is now, what it runs and with what.
//!
//! exec → walk → finish: the paths of program and working directory may take
//! several jumps.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use landlord_ebpf::abi::{
    ARGUMENT_BYTES_MAX, DROPPED_KIND, DropCause, FileFacts, Head, RecordKind, Section, TaskFacts,
    exec_flag,
};

use super::{
    Scratch, file, head, ids, jump_through,
    kernel::{self, Part, Place},
    offsets, scratch, section, send,
    share::{Of, Standing},
    walk, words,
};
use crate::{
    arch::PF_KTHREAD,
    maps::{JUMP_EXEC, LIFECYCLE_RING},
    slots::add,
    task::{Access, Pointer, Task, Typed, Untyped},
};

/// What the name of a memfd begins with.
const MEMFD: u64 = u64::from_le_bytes(*b"memfd:\0\0");
const MEMFD_BYTES: u64 = 0xffff_ffff_ffff;
/// Write permissions of `i_mode`.
const GROUP_WRITE: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// `CAP_DAC_OVERRIDE` and `CAP_FOWNER`: may write any file, or let itself do so.
const ANY_FILE: u64 = 1 << 1 | 1 << 3;
/// Supplementary groups that are looked at.
const GROUPS: u32 = 32;

/// Places in the table of programs.
const WALK: u32 = 0;
const FINISH: u32 = 1;

/// `sched_process_exec(task, old_pid, bprm)`: the new program is in place and has
/// not run yet.
#[btf_tracepoint(function = "sched_process_exec")]
fn event_exec(ctx: BtfTracePointContext) -> i32 {
    let task = Task(ctx.arg(0));
    let Some(scratch) = scratch::of_lifecycle() else { return 0 };
    // SAFETY: a typed task, and this CPU's scratch.
    unsafe {
        if task.flags::<Typed>() & PF_KTHREAD != 0 {
            return 0;
        }
        Scratch::begin(scratch);
        let cgroup = task.cgroup::<Typed>();
        (*scratch).cgroup = cgroup;
        let head = &raw mut (*scratch).head;
        head::fill::<Typed>(head, RecordKind::Exec, task, cgroup);
        (*scratch).slot = head::slot_of(cgroup);
        (*head).flags = head::place_flag((*scratch).slot);
        (*head).syscall = 0;
        (*head).result = 0;
        // The thread that made the call, which has its process's id now.
        words::clear(&raw mut (*head).args);
        (*head).args[0] = ctx.arg::<u32>(1).into();
        let program: u64 = Typed::word(ctx.arg::<*const u8>(2), offsets::binprm_file());
        let mut flags = 0;
        if let Some((facts, place)) = file::facts(scratch, program) {
            section::put(scratch, Section::File, &facts);
            walk::queue(scratch, Section::Exe, place);
            if may_write(task, &facts, program) {
                flags |= exec_flag::WRITABLE;
            }
            (*scratch).file.magic = facts.magic;
            if walk::MEMORY_MAGICS.contains(&facts.magic) && is_memfd(scratch, place) {
                flags |= exec_flag::MEMFD;
            }
        }
        walk::queue(scratch, Section::Cwd, kernel::working_directory());
        let facts = section::begin::<TaskFacts>(scratch);
        ids::write::<Typed>(task, flags, facts);
        section::end(scratch, facts, Section::Task);
    }
    jump::<WALK>(&ctx)
}

/// Whether the process may write a file, or may allow itself to.
#[inline(always)]
unsafe fn may_write(task: Task, facts: &FileFacts, file: u64) -> bool {
    // SAFETY: a typed task; members at the offsets that BTF told.
    unsafe {
        let cred = Typed::word::<Pointer>(task.0, offsets::task_cred()).0;
        let user: u32 = Typed::word(cred, offsets::cred_fsuid());
        let able: u32 = Typed::word(cred, offsets::cred_effective());
        if user == facts.uid || facts.mode & OTHERS_WRITE != 0 || u64::from(able) & ANY_FILE != 0 {
            return true;
        }
        if facts.mode & GROUP_WRITE == 0 {
            return false;
        }
        let inode = Untyped::word::<u64>(file as *const u8, offsets::file_inode());
        let group: u32 = Untyped::word(inode as *const u8, offsets::inode_gid());
        if group == Typed::word::<u32>(cred, offsets::cred_fsgid()) {
            return true;
        }
        let groups = Typed::word::<Pointer>(cred, offsets::cred_groups()).0;
        let len: u32 = Typed::word(groups, offsets::groups_len());
        let mut number = 0;
        while number < GROUPS {
            if number >= len {
                break;
            }
            if Untyped::word::<u32>(groups, offsets::groups_ids() + number * 4) == group {
                return true;
            }
            number += 1;
        }
        false
    }
}

/// Whether a file in memory is in no directory and named as memfds are.
#[inline(always)]
unsafe fn is_memfd(scratch: *mut Scratch, place: Place) -> bool {
    // SAFETY: this CPU's scratch; members inside the part.
    unsafe {
        let (from, bytes) = (offsets::dentry_part(), offsets::dentry_part_bytes());
        let Some(entry) = Part::copy(scratch, place.dentry, from, bytes) else { return false };
        let name: u64 = entry.member(offsets::dentry_name());
        entry.member::<u64>(offsets::dentry_parent()) == place.dentry
            && Untyped::word::<u64>(name as *const u8, 0) & MEMFD_BYTES == MEMFD
    }
}

/// Makes the paths.
#[btf_tracepoint(function = "sched_process_exec")]
fn exec_walk(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_lifecycle() else { return 0 };
    // SAFETY: this CPU's scratch.
    if unsafe { walk::go_on(scratch) } { jump::<FINISH>(&ctx) } else { jump::<WALK>(&ctx) }
}

/// Adds arguments and environment, and sends.
#[btf_tracepoint(function = "sched_process_exec")]
fn exec_finish(ctx: BtfTracePointContext) -> i32 {
    let task: *const u8 = ctx.arg(0);
    let Some(scratch) = scratch::of_lifecycle() else { return 0 };
    // SAFETY: a typed task, and this CPU's scratch.
    unsafe {
        let memory = Typed::word::<Pointer>(task, offsets::task_mm()).0;
        let bound = |index: u32| Typed::word::<u64>(memory, offsets::mm_arguments() + index * 8);
        let (from, to) = (bound(0), bound(1));
        section::put_user::<MAX>(scratch, Section::Argv, from, to.saturating_sub(from));
        let (from, to) = (bound(2), bound(3));
        section::put_user::<MAX>(scratch, Section::Envp, from, to.saturating_sub(from));
        let standing = Standing::of(&LIFECYCLE_RING);
        let bytes = size_of::<Head>() as u64 + u64::from((*scratch).len);
        if standing.has_room(Of::Lifecycle, (*scratch).slot, bytes)
            && send::send(scratch, &LIFECYCLE_RING, Of::Lifecycle, &standing, false)
        {
            if let Some(counts) = send::counts() {
                add(&raw mut (*counts).lifecycle, 1);
            }
        } else {
            let what = RecordKind::Exec as u32 | DROPPED_KIND;
            send::lost((*scratch).cgroup, what, DropCause::RingFull);
        }
    }
    0
}

const MAX: u32 = ARGUMENT_BYTES_MAX as u32;

#[inline(always)]
fn jump<const STAGE: u32>(ctx: &BtfTracePointContext) -> i32 {
    jump_through::<STAGE>(ctx, core::ptr::from_ref(&JUMP_EXEC).cast())
}
