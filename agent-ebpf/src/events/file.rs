//! The file behind a descriptor: its facts, and where its path ends.

use aya_ebpf::{
    helpers::bpf_get_current_task_btf, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{FileFacts, Layer, NO_ARGUMENT, RESULT, Section, plan_flag, stage};

use super::{
    Scratch, argument, judge, jump,
    kernel::{self, Part, Place},
    offsets as event,
    scratch::{self, subject},
    section, short, walk, walk_then, words,
};
use crate::{
    offsets,
    task::{Access as _, Pointer, Typed, Untyped},
};

const FILE_TYPE: u32 = 0o170_000;
const SOCKET_TYPE: u32 = 0o140_000;
const PIPE_MAGIC: u32 = 0x5049_5045;
const SOCKET_MAGIC: u32 = 0x534f_434b;
const OVERLAY_MAGIC: u32 = 0x794c_7630;
/// The kernel marks in the nanoseconds that somebody has asked for them.
const NANOSECONDS: u32 = 0x3fff_ffff;

#[btf_tracepoint(function = "sys_exit")]
fn event_file(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        let plan = &raw const (*scratch).plan;
        let number = (*plan).fd;
        if number == NO_ARGUMENT {
            return jump::<{ stage::JUDGE }>(&ctx);
        }
        let descriptor = if number == RESULT {
            (*scratch).head.result as u64
        } else {
            argument(scratch, number)
        };
        (*scratch).descriptor = descriptor;
        if offsets::has_task_btf() == 0 {
            return jump::<{ stage::ANY_FILE }>(&ctx);
        }
        let file = kernel::typed_file(bpf_get_current_task_btf().cast(), descriptor);
        if file.is_null() {
            return jump::<{ stage::ANY_FILE }>(&ctx);
        }
        let facts = &raw mut (*scratch).file;
        let inode = Typed::word::<Pointer>(file, event::file_inode()).0;
        typed_kind(file, inode, facts);
        if is_socket(scratch) {
            return jump::<{ stage::SOCKET }>(&ctx);
        }
        let path = event::file_path();
        let mount = Typed::word::<Pointer>(file, path + event::path_mount()).0;
        let dentry = Typed::word::<Pointer>(file, path + event::path_dentry()).0;
        let named = has_path(facts);
        let gathered = named && short::gather_typed(scratch, mount, dentry);
        if (gathered || !named) && spared(scratch, named) {
            return 0;
        }
        typed_rest(inode, facts);
        let place = Place { mount: mount as u64, dentry: dentry as u64 };
        add(scratch, named, place, gathered);
        walk_then::<{ stage::JUDGE }>(&ctx, scratch)
    }
}

/// The same where the verifier does not let us look at things in place: in processes
/// with many files, and before 5.11.
#[btf_tracepoint(function = "sys_exit")]
fn event_any_file(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        let file = kernel::file_of((*scratch).descriptor);
        if file == 0 {
            return jump::<{ stage::JUDGE }>(&ctx);
        }
        let Some((found, place)) = facts(scratch, file) else {
            (*scratch).doubtful = 1;
            return jump::<{ stage::JUDGE }>(&ctx);
        };
        let facts = &raw mut (*scratch).file;
        words::copy(&raw const found, facts);
        if is_socket(scratch) {
            return jump::<{ stage::SOCKET }>(&ctx);
        }
        let named = has_path(facts);
        let gathered = named && short::gather(scratch, place);
        if (gathered || !named) && spared(scratch, named) {
            return 0;
        }
        add(scratch, named, place, gathered);
        walk_then::<{ stage::JUDGE }>(&ctx, scratch)
    }
}

/// Whether it is a socket, of a call that is about either.
#[inline(always)]
unsafe fn is_socket(scratch: *mut Scratch) -> bool {
    // SAFETY: this CPU's scratch.
    unsafe {
        (*scratch).file.mode & FILE_TYPE == SOCKET_TYPE
            && (*scratch).plan.flags & plan_flag::ANY_DESCRIPTOR != 0
    }
}

/// Whether a file of this kind has a path.
#[inline(always)]
unsafe fn has_path(facts: *const FileFacts) -> bool {
    // SAFETY: this CPU's scratch.
    !matches!(unsafe { (*facts).magic }, PIPE_MAGIC | SOCKET_MAGIC)
}

/// Looks for a verdict on a file whose names are gathered, if it has any. True when
/// no rule can match it: the event ends here.
#[inline(always)]
unsafe fn spared(scratch: *mut Scratch, named: bool) -> bool {
    // SAFETY: this CPU's scratch.
    unsafe {
        if (*scratch).plan.flags & plan_flag::VERDICT == 0 {
            return false;
        }
        let Some(key) = judge::file_key(scratch, named) else { return false };
        (*scratch).judged = 1;
        (*scratch).head.verdict = key;
        judge::is_unwanted(key)
    }
}

/// Adds a file's facts and path, if it is `named`: they are the subject of the event. Its
/// names may be gathered already.
///
/// No option of a place: of an empty one the compiler keeps a register that was never
/// written, which the verifier refuses.
#[inline(always)]
unsafe fn add(scratch: *mut Scratch, named: bool, place: Place, gathered: bool) {
    // SAFETY: this CPU's scratch.
    unsafe {
        (*scratch).subject = subject::FILE;
        section::put(scratch, Section::File, &(*scratch).file);
        (*scratch).key_from = (*scratch).len;
        if named && !(gathered && short::write(scratch, Section::Path)) {
            // The path may turn out to be another than the names that were judged.
            (*scratch).judged = 0;
            words::clear(&raw mut (*scratch).head.verdict);
            walk::queue(scratch, Section::Path, place);
        }
    }
}

/// What a verdict on a file is about beside its path: of a typed `struct file` and its
/// inode.
#[inline(always)]
unsafe fn typed_kind(file: *const u8, inode: *const u8, facts: *mut FileFacts) {
    // SAFETY: offsets resolved from BTF for these structures.
    unsafe {
        (*facts).open_flags = Typed::word(file, event::file_flags());
        (*facts).open_mode = Typed::word(file, event::file_mode());
        (*facts).mode = u32::from(Typed::word::<u16>(inode, event::inode_mode()));
        let sb = Typed::word::<Pointer>(inode, event::inode_sb()).0;
        (*facts).magic = Typed::word::<u64>(sb, event::super_magic()) as u32;
        (*facts).layer = layer((*facts).magic, inode as u64);
    }
}

/// The other facts of a typed inode.
#[inline(always)]
unsafe fn typed_rest(inode: *const u8, facts: *mut FileFacts) {
    // SAFETY: offsets resolved from BTF for these structures.
    unsafe {
        (*facts).uid = Typed::word(inode, event::inode_uid());
        (*facts).ino = Typed::word(inode, event::inode_ino());
        (*facts).nlink = Typed::word(inode, event::inode_nlink());
        (*facts).ctime_ns = nanoseconds(
            Typed::word(inode, event::inode_ctime()),
            Typed::word(inode, event::inode_ctime_ns()),
        );
        (*facts).mtime_ns = nanoseconds(
            Typed::word(inode, event::inode_mtime()),
            Typed::word(inode, event::inode_mtime_ns()),
        );
        let sb = Typed::word::<Pointer>(inode, event::inode_sb()).0;
        (*facts).dev = Typed::word(sb, event::super_dev());
    }
}

#[inline(always)]
fn nanoseconds(seconds: u64, rest: u32) -> u64 {
    seconds * 1_000_000_000 + u64::from(rest & NANOSECONDS)
}

/// Where on an overlay an inode is.
#[inline(always)]
unsafe fn layer(magic: u32, inode: u64) -> u32 {
    if magic != OVERLAY_MAGIC {
        return Layer::None as u32;
    }
    // SAFETY: an overlay's inode has the one of all file systems first, and behind it
    // the entry in the upper layer; the helper checks the address.
    let upper: u64 = unsafe { Untyped::word(inode as *const u8, event::inode_size()) };
    if upper != 0 { Layer::Upper as u32 } else { Layer::Lower as u32 }
}

/// Facts of a `struct file`, and where its path ends. `None` when it cannot be read.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn facts(scratch: *mut Scratch, file: u64) -> Option<(FileFacts, Place)> {
    // SAFETY: promised by the caller; all members are inside their parts.
    unsafe {
        let part = Part::copy(scratch, file, event::file_part(), event::file_part_bytes())?;
        let open_flags = part.member(event::file_flags());
        let open_mode = part.member(event::file_mode());
        let inode: u64 = part.member(event::file_inode());
        let place = Place {
            mount: part.member(event::file_path() + event::path_mount()),
            dentry: part.member(event::file_path() + event::path_dentry()),
        };
        let part = Part::copy(scratch, inode, event::inode_part(), event::inode_part_bytes())?;
        let mut facts = FileFacts {
            ino: part.member(event::inode_ino()),
            ctime_ns: nanoseconds(
                part.member(event::inode_ctime()),
                part.member(event::inode_ctime_ns()),
            ),
            mtime_ns: nanoseconds(
                part.member(event::inode_mtime()),
                part.member(event::inode_mtime_ns()),
            ),
            dev: 0,
            mode: u32::from(part.member::<u16>(event::inode_mode())),
            magic: 0,
            open_flags,
            open_mode,
            nlink: part.member(event::inode_nlink()),
            uid: part.member(event::inode_uid()),
            layer: 0,
        };
        let sb: u64 = part.member(event::inode_sb());
        let part = Part::copy(scratch, sb, event::super_part(), event::super_part_bytes())?;
        facts.dev = part.member(event::super_dev());
        facts.magic = part.member::<u64>(event::super_magic()) as u32;
        facts.layer = layer(facts.magic, inode);
        Some((facts, place))
    }
}
