//! Paths from kernel state: from a directory entry up to the root, one name after
//! the other, written from the end of a buffer towards its beginning.
//!
//! A path of one-letter directories has more names than one run of a program may
//! visit, so the program jumps to itself until it is done.

use aya_ebpf::{
    helpers::generated::bpf_probe_read_kernel, macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use landlord_ebpf::abi::{PATH_BYTES_MAX, Section, head_flag, section_flag, stage};

use super::{
    Scratch,
    bound::masked,
    jump,
    kernel::{self, Part, Place},
    offsets as event,
    scratch::{self, NAME_BYTES, WALKS, Walk},
    section,
};
use crate::task::{Access as _, Untyped};

/// Names that one run visits: with eight paths of 2048 names each, the kernel's
/// limit of 33 jumps is not met.
const NAMES: u32 = 256;
/// `TMPFS_MAGIC` and `HUGETLBFS_MAGIC`: where memfds are.
pub(crate) const MEMORY_MAGICS: [u32; 2] = [0x0102_1994, 0x9584_58f6];
/// `PATH_MAX` without its zero.
const ROOM: u32 = PATH_BYTES_MAX as u32 - 1;

/// Walks before a path that renames disturb is told as it was found: the first one
/// may be disturbed by what was renamed before it.
const TRIES: u32 = 3;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There is more of the path.
    More,
    /// The root was reached.
    Done,
    /// The path is longer than any that the kernel would tell, or unreadable.
    Cut,
    /// A name changed while it was read.
    Torn,
    /// It is no path, and has no name either, like a namespace.
    Nameless,
}

#[btf_tracepoint(function = "sys_exit")]
fn event_walk(ctx: BtfTracePointContext) -> i32 {
    let Some(scratch) = scratch::of_call() else { return 0 };
    // SAFETY: this CPU's scratch.
    unsafe {
        if !go_on(scratch) {
            return jump::<{ stage::WALK }>(&ctx);
        }
        if (*scratch).after == stage::FINISH {
            return jump::<{ stage::FINISH }>(&ctx);
        }
        jump::<{ stage::JUDGE }>(&ctx)
    }
}

/// Queues the path of a place; it becomes a section of `kind`. Nothing is read here.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn queue(scratch: *mut Scratch, kind: Section, place: Place) {
    // SAFETY: promised by the caller; the index is masked.
    unsafe {
        let at = (*scratch).queued;
        let walk = slot(scratch, at);
        (*walk).mount = place.mount;
        (*walk).dentry = place.dentry;
        (*walk).kind = kind as u32;
        (*scratch).queued = at + 1;
    }
}

#[inline(always)]
unsafe fn slot(scratch: *mut Scratch, index: u32) -> *mut Walk {
    // SAFETY: the index is masked.
    unsafe { (&raw mut (*scratch).walks).cast::<Walk>().add(masked::<{ WALKS as u32 - 1 }>(index)) }
}

/// Goes on with the queued paths. True when all are sections now; otherwise the
/// program is to jump to itself.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn go_on(scratch: *mut Scratch) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        if (*scratch).walking == 0 {
            (*scratch).tries = 0;
            begin(scratch);
        }
        match climb(scratch) {
            Step::More => return false,
            step if step == Step::Torn || step == Step::Done && !unmoved(scratch) => {
                (*scratch).tries += 1;
                if (*scratch).tries < TRIES {
                    begin(scratch);
                    return false;
                }
                (*scratch).head.flags |= head_flag::UNSTABLE;
                (*scratch).doubtful = 1;
                end(scratch, 0);
            }
            Step::Done | Step::Torn => end(scratch, 0),
            Step::Nameless => next(scratch),
            Step::Cut => {
                (*scratch).doubtful = 1;
                end(scratch, u32::from(section_flag::CUT));
            }
        }
        (*scratch).walked == (*scratch).queued
    }
}

/// Begins the walk that is next.
#[inline(always)]
unsafe fn begin(scratch: *mut Scratch) {
    // SAFETY: passed on from the caller.
    unsafe {
        let walk = slot(scratch, (*scratch).walked);
        let root = kernel::root();
        (*scratch).root_mount = root.mount;
        (*scratch).root_dentry = root.dentry;
        (*scratch).mount = (*walk).mount;
        (*scratch).dentry = (*walk).dentry;
        (*scratch).room = ROOM;
        (*scratch).walking = 1;
        (*walk).flags = 0;
    }
}

/// Makes the path a section.
#[inline(always)]
unsafe fn end(scratch: *mut Scratch, flags: u32) {
    // SAFETY: passed on from the caller; the offset is masked.
    unsafe {
        let walk = slot(scratch, (*scratch).walked);
        let at = masked::<{ PATH_BYTES_MAX as u32 - 1 }>((*scratch).room);
        let text = (&raw const (*scratch).path).cast::<u8>().add(at);
        let len = ROOM - at as u32;
        section::put_kernel(scratch, (*walk).kind, (*walk).flags | flags, text, len);
        next(scratch);
    }
}

/// This walk is at its end.
#[inline(always)]
unsafe fn next(scratch: *mut Scratch) {
    // SAFETY: passed on from the caller.
    unsafe {
        (*scratch).walked += 1;
        (*scratch).walking = 0;
    }
}

/// True when no rename went on since this CPU last looked. So a look after a path
/// was made tells of the time in between, and there is none to be had before: one
/// that finds a rename is repeated.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn unmoved(scratch: *mut Scratch) -> bool {
    let lock = event::rename_lock();
    if lock == 0 {
        return true;
    }
    // SAFETY: promised by the caller; a kernel variable, and the helper checks the
    // address.
    unsafe {
        let before = (*scratch).renames;
        let now: u32 = Untyped::word(lock as *const u8, 0);
        (*scratch).renames = now;
        now == before && now & 1 == 0
    }
}

/// Where a `vfsmount` begins and what it is mounted on.
#[derive(Clone, Copy)]
pub(crate) struct Mount {
    pub(crate) root: u64,
    pub(crate) parent: u64,
    pub(crate) point: u64,
}

/// Looks at a mount.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn mount(scratch: *mut Scratch, mount: u64) -> Option<Mount> {
    // SAFETY: members inside the part.
    unsafe {
        let outer = mount - u64::from(event::mount_inner());
        let part = Part::copy(scratch, outer, event::mount_part(), event::mount_part_bytes())?;
        Some(Mount {
            root: part.member(event::mount_root()),
            parent: part.member::<u64>(event::mount_parent()) + u64::from(event::mount_inner()),
            point: part.member(event::mount_point()),
        })
    }
}

/// Goes up, name by name.
#[inline(always)]
unsafe fn climb(scratch: *mut Scratch) -> Step {
    // SAFETY: passed on from the caller; members inside their parts.
    unsafe {
        let mut at = Place { mount: (*scratch).mount, dentry: (*scratch).dentry };
        let Some(mut on) = mount(scratch, at.mount) else { return Step::Cut };
        let (root_mount, root_dentry) = ((*scratch).root_mount, (*scratch).root_dentry);
        let mut step = Step::More;
        let mut names = 0;
        while names < NAMES {
            names += 1;
            if at.dentry == root_dentry && at.mount == root_mount {
                step = arrive(scratch);
                break;
            }
            if at.dentry == on.root {
                if on.parent == at.mount {
                    // The root of all, or of what is mounted nowhere.
                    step = arrive(scratch);
                    break;
                }
                at = Place { mount: on.parent, dentry: on.point };
                let Some(next) = mount(scratch, at.mount) else {
                    step = Step::Cut;
                    break;
                };
                on = next;
                continue;
            }
            let Some(entry) =
                Part::copy(scratch, at.dentry, event::dentry_part(), event::dentry_part_bytes())
            else {
                step = Step::Cut;
                break;
            };
            let parent: u64 = entry.member(event::dentry_parent());
            let first = (*scratch).room == ROOM;
            if parent == at.dentry {
                // In no directory, like a memfd: it has a name and no path. /proc puts
                // a slash before those of files in memory, and calls them deleted.
                let in_memory = MEMORY_MAGICS.contains(&(*scratch).file.magic);
                if first && in_memory {
                    let walk = slot(scratch, (*scratch).walked);
                    (*walk).flags |= u32::from(section_flag::DELETED);
                }
                step = if first { name(scratch, entry, in_memory) } else { Step::Done };
                if step == Step::More {
                    step = if nameless(scratch) { Step::Nameless } else { Step::Done };
                }
                break;
            }
            if first && entry.member::<u64>(event::dentry_hashed()) == 0 {
                let walk = slot(scratch, (*scratch).walked);
                (*walk).flags |= u32::from(section_flag::DELETED);
            }
            step = name(scratch, entry, true);
            if step != Step::More {
                break;
            }
            at.dentry = parent;
        }
        (*scratch).mount = at.mount;
        (*scratch).dentry = at.dentry;
        step
    }
}

/// The root was reached: the path is whole, and its own is a slash.
#[inline(always)]
unsafe fn arrive(scratch: *mut Scratch) -> Step {
    // SAFETY: passed on from the caller.
    unsafe {
        if (*scratch).room == ROOM {
            (*scratch).room = ROOM - 1;
            (*scratch).path[ROOM as usize - 1] = b'/';
        }
    }
    Step::Done
}

/// True when all there is is the name of an entry that has none.
#[inline(always)]
unsafe fn nameless(scratch: *mut Scratch) -> bool {
    // SAFETY: passed on from the caller.
    unsafe { (*scratch).room == ROOM - 1 && (*scratch).path[ROOM as usize - 1] == b'/' }
}

/// Writes an entry's name before what there is, and a slash before that.
#[inline(always)]
unsafe fn name(scratch: *mut Scratch, entry: Part, slash: bool) -> Step {
    // SAFETY: passed on from the caller; offsets are masked, so that the longest
    // name behind the last of them is still inside.
    unsafe {
        let from: u64 = entry.member(event::dentry_name());
        let len =
            masked::<{ NAME_BYTES as u32 - 1 }>(entry.member(event::dentry_name_len())) as u32;
        let room = (*scratch).room;
        if room < len + 1 {
            return Step::Cut;
        }
        let path = (&raw mut (*scratch).path).cast::<u8>();
        // The zero behind the name goes where the slash of what follows stands.
        let behind = path.add(masked::<{ PATH_BYTES_MAX as u32 - 1 }>(room));
        let last = path.add(masked::<{ PATH_BYTES_MAX as u32 - 1 }>(room - 1));
        let follows = room != ROOM;
        let mut room = room - len;
        let to = path.add(masked::<{ PATH_BYTES_MAX as u32 - 1 }>(room));
        if bpf_probe_read_kernel(to.cast(), len + 1, from as *const _) != 0 {
            return Step::Cut;
        }
        // A rename may have put another name behind the length that was read.
        let torn = core::ptr::read_volatile(behind) != 0 || core::ptr::read_volatile(last) == 0;
        if torn {
            return Step::Torn;
        }
        if follows {
            *behind = b'/';
        }
        if slash {
            room -= 1;
            *path.add(masked::<{ PATH_BYTES_MAX as u32 - 1 }>(room)) = b'/';
        }
        (*scratch).room = room;
        Step::More
    }
}
