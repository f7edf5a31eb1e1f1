//! Paths of few names, which nearly all are: made in one go, and without copies of
//! kernel structures where the verifier lets us look at them in place.
//!
//! Names are gathered on the way up, and written on the way back if somebody wants
//! the path. What this does not manage is left to [`walk`], which takes any path.

use aya_ebpf::helpers::{bpf_get_current_task_btf, generated::bpf_probe_read_kernel};
use landlord_ebpf::abi::{Section, section_flag};

use super::{
    Scratch,
    bound::masked,
    kernel::{self, Part, Place},
    offsets as event,
    scratch::{NAME_BYTES, SHORT_NAMES},
    section, walk,
};
use crate::{
    offsets,
    task::{Access as _, Pointer, Typed},
};

/// Words of a name that stands in its entry.
pub(crate) const NAME_WORDS: usize = 5;
/// Names and mounts that are passed at most.
const STEPS: usize = SHORT_NAMES + 16;
/// What is longer is left to others; the next name begins below the mask.
const BYTES_MAX: u32 = OFFSET_MASK - NAME_BYTES as u32;
const OFFSET_MASK: u32 = 4095;
const NAMES_MASK: u32 = SHORT_NAMES as u32 - 1;

/// A name on the way.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Name {
    /// Bytes of it.
    pub(crate) len: u64,
    /// Where it is, when it does not stand in its entry.
    from: u64,
    /// The name, if it does; what is behind it is not its own.
    pub(crate) words: [u64; NAME_WORDS],
    /// Makes the size a power of two.
    padding: u64,
}

const _: () = assert!(size_of::<Name>() == 64);

/// Gathers the names of the path of a place. False when it is not short.
///
/// # Safety
///
/// `scratch` is this CPU's; `mount` and `dentry` are typed.
#[inline(always)]
pub(crate) unsafe fn gather_typed(
    scratch: *mut Scratch,
    mount: *const u8,
    dentry: *const u8,
) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        let root = kernel::root();
        let top: u64 = Typed::word(mount, event::mount_root() - event::mount_inner());
        let end = if mount as u64 == root.mount { root.dentry } else { top };
        let mut entry = dentry;
        let mut count = 0;
        (*scratch).name_flags = 0;
        while count < SHORT_NAMES {
            let here = entry as u64;
            if here == top || here == end {
                break;
            }
            let parent = Typed::word::<Pointer>(entry, event::dentry_parent()).0;
            if parent as u64 == here {
                return false;
            }
            if count == 0 && Typed::word::<u64>(entry, event::dentry_hashed()) == 0 {
                (*scratch).name_flags = u32::from(section_flag::DELETED);
            }
            let name = (&raw mut (*scratch).names).cast::<Name>().add(count);
            take_typed(entry, name);
            count += 1;
            entry = parent;
        }
        // From here on the verifier need not tell one count from another.
        core::ptr::write_volatile(&raw mut (*scratch).name_count, count as u32);
        let at = Place { mount: mount as u64, dentry: entry as u64 };
        go_up(scratch, at, root)
    }
}

/// Takes over a name of a typed entry, as many words as it has: a load in place costs
/// some ten instructions.
#[inline(always)]
unsafe fn take_typed(entry: *const u8, name: *mut Name) {
    // SAFETY: passed on from the caller.
    unsafe {
        let len: u32 = Typed::word(entry, event::dentry_name_len());
        (*name).len = u64::from(len);
        (*name).words[0] = Typed::word(entry, event::dentry_inline());
        if len < 8 {
            return;
        }
        if len >= event::dentry_inline_bytes() {
            (*name).from = Typed::word(entry, event::dentry_name());
            return;
        }
        (*name).words[1] = Typed::word(entry, event::dentry_inline() + 8);
        if len < 16 {
            return;
        }
        (*name).words[2] = Typed::word(entry, event::dentry_inline() + 16);
        if len < 24 {
            return;
        }
        (*name).words[3] = Typed::word(entry, event::dentry_inline() + 24);
        if event::dentry_inline_bytes() > 32 {
            (*name).words[4] = Typed::word(entry, event::dentry_inline() + 32);
        }
    }
}

/// Gathers the names of the path of a place. False when it is not short.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn gather(scratch: *mut Scratch, place: Place) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        (*scratch).name_flags = 0;
        core::ptr::write_volatile(&raw mut (*scratch).name_count, 0);
        go_up(scratch, place, kernel::root())
    }
}

/// Adds the path of the working directory as a section of `kind`, or queues it when
/// it is not short.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn put_working_directory(scratch: *mut Scratch, kind: Section) {
    if offsets::has_task_btf() == 0 {
        // SAFETY: promised by the caller.
        return unsafe { put_or_queue(scratch, kind, kernel::working_directory()) };
    }
    // SAFETY: promised by the caller; offsets resolved from BTF for these structures.
    unsafe {
        let task: *const u8 = bpf_get_current_task_btf().cast();
        let fs = Typed::word::<Pointer>(task, event::task_fs()).0;
        let path = event::fs_pwd();
        let mount = Typed::word::<Pointer>(fs, path + event::path_mount()).0;
        let dentry = Typed::word::<Pointer>(fs, path + event::path_dentry()).0;
        if !(gather_typed(scratch, mount, dentry) && write(scratch, kind)) {
            walk::queue(scratch, kind, Place { mount: mount as u64, dentry: dentry as u64 });
        }
    }
}

/// Adds the path of a place as a section of `kind`, or queues it when it is not
/// short.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn put_or_queue(scratch: *mut Scratch, kind: Section, place: Place) {
    // SAFETY: promised by the caller.
    unsafe {
        if !(gather(scratch, place) && write(scratch, kind)) {
            walk::queue(scratch, kind, place);
        }
    }
}

/// Goes on from a place, with the names below it gathered already. False when there
/// are too many, or a rename went on.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
unsafe fn go_up(scratch: *mut Scratch, from: Place, root: Place) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        let mut at = from;
        if at.dentry == root.dentry && at.mount == root.mount {
            return walk::unmoved(scratch);
        }
        let Some(mut on) = walk::mount(scratch, at.mount) else { return false };
        for _ in 0..STEPS {
            if at.dentry == root.dentry && at.mount == root.mount {
                return walk::unmoved(scratch);
            }
            if at.dentry == on.root {
                if on.parent == at.mount {
                    return walk::unmoved(scratch);
                }
                at = Place { mount: on.parent, dentry: on.point };
                let Some(next) = walk::mount(scratch, at.mount) else { return false };
                on = next;
                continue;
            }
            let Some(parent) = gather_one(scratch, at.dentry) else { return false };
            at.dentry = parent;
        }
        false
    }
}

/// Gathers an entry's name, and gives its parent.
#[inline(always)]
unsafe fn gather_one(scratch: *mut Scratch, dentry: u64) -> Option<u64> {
    // SAFETY: this CPU's scratch; members inside the part; the index is masked.
    unsafe {
        let count = core::ptr::read_volatile(&raw const (*scratch).name_count);
        let entry = Part::copy(scratch, dentry, event::dentry_part(), event::dentry_part_bytes())?;
        let parent: u64 = entry.member(event::dentry_parent());
        if parent == dentry || count >= SHORT_NAMES as u32 {
            return None;
        }
        if count == 0 && entry.member::<u64>(event::dentry_hashed()) == 0 {
            (*scratch).name_flags = u32::from(section_flag::DELETED);
        }
        let name = name(scratch, count);
        (*name).len = u64::from(entry.member::<u32>(event::dentry_name_len()));
        (*name).from = entry.member(event::dentry_name());
        for word in 0..NAME_WORDS as u32 {
            (*name).words[word as usize] = entry.member(event::dentry_inline() + word * 8);
        }
        (*scratch).name_count = count + 1;
        Some(parent)
    }
}

/// A name that was gathered, from the end of the path.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn name(scratch: *mut Scratch, index: u32) -> *mut Name {
    // SAFETY: promised by the caller; the index is masked.
    unsafe { (&raw mut (*scratch).names).cast::<Name>().add(masked::<NAMES_MASK>(index)) }
}

/// Writes what was gathered as a section of `kind`, the last name first. False when a
/// rename went on, and nothing was added.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn write(scratch: *mut Scratch, kind: Section) -> bool {
    // SAFETY: promised by the caller; offsets are masked, with room for the longest
    // name behind them.
    unsafe {
        let body = section::begin::<u8>(scratch);
        let mut index = core::ptr::read_volatile(&raw const (*scratch).name_count);
        let mut len = 0;
        if index == 0 {
            *body = b'/';
            len = 1;
        }
        for _ in 0..SHORT_NAMES {
            if index == 0 {
                break;
            }
            index -= 1;
            let name = name(scratch, index);
            let bytes = masked::<{ NAME_BYTES as u32 - 1 }>((*name).len as u32) as u32;
            let to = body.add(masked::<OFFSET_MASK>(len));
            *to = b'/';
            let to = to.add(1);
            if bytes < event::dentry_inline_bytes() {
                for word in 0..NAME_WORDS {
                    to.cast::<u64>().add(word).write_unaligned((*name).words[word]);
                }
            } else if bpf_probe_read_kernel(to.cast(), bytes + 1, (*name).from as *const _) != 0 {
                return false;
            }
            // A rename may have put another name behind the length that was read.
            if *to.add(bytes as usize) != 0
                || *to.add(masked::<{ NAME_BYTES as u32 - 1 }>(bytes.wrapping_sub(1))) == 0
            {
                return false;
            }
            len += bytes + 1;
            if len > BYTES_MAX {
                return false;
            }
        }
        section::close(scratch, body, kind as u32, (*scratch).name_flags, len);
        true
    }
}
