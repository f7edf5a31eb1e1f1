//! Sections of a record: a head, the bytes, and zeros up to a multiple of 8.
//!
//! What does not fit is left out and the record marked.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{
    bpf_probe_read_kernel, bpf_probe_read_user, bpf_probe_read_user_str,
};
use landlord_ebpf::abi::{
    PATH_BYTES_MAX, SECTION_BYTES_MAX, Section, SectionHead, head_flag, section_flag,
};

use super::{
    Scratch,
    bound::{at_most, masked},
    scratch::SECTION_ROOM,
    words,
};

/// Longest section.
pub(crate) const LONGEST: u32 = PATH_BYTES_MAX as u32;
const HEAD_BYTES: usize = size_of::<SectionHead>();
/// The smallest page that a kernel has: a fault in one leaves the one before readable.
const PAGE: u32 = 4096;

/// Where the next section's bytes go, and what stands there.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
unsafe fn body(scratch: *mut Scratch) -> *mut u8 {
    // SAFETY: the offset is inside the sections, with room for the longest section
    // behind it.
    unsafe {
        let at = masked::<{ SECTION_ROOM - 8 }>((*scratch).len);
        (&raw mut (*scratch).sections).cast::<u8>().add(at + HEAD_BYTES)
    }
}

/// Makes what was written to [`body`] a section. False when it does not fit.
///
/// # Safety
///
/// `body` comes from [`body`] or [`begin`]; `len` is at most [`LONGEST`].
#[inline(always)]
pub(crate) unsafe fn close(
    scratch: *mut Scratch,
    body: *mut u8,
    kind: u32,
    flags: u32,
    len: u32,
) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        let end = (*scratch).len + HEAD_BYTES as u32 + ((len + 7) & !7);
        if end > SECTION_BYTES_MAX as u32 {
            (*scratch).head.flags |= head_flag::CUT;
            return false;
        }
        let rest = len & 7;
        if rest != 0 {
            let last = body.add(masked::<{ LONGEST * 2 - 8 }>(len)).cast::<u64>();
            *last &= (1 << (rest * 8)) - 1;
        }
        let head = body.sub(HEAD_BYTES).cast::<u64>();
        *head = u64::from(kind) | u64::from(flags) << 16 | u64::from(len) << 32;
        (*scratch).len = end;
        true
    }
}

/// The bytes of the section whose head is at `offset`.
///
/// # Safety
///
/// `scratch` is this CPU's; such a section was added.
#[inline(always)]
pub(crate) unsafe fn words(scratch: *mut Scratch, offset: u32) -> *const u32 {
    // SAFETY: the offset is inside the sections.
    unsafe {
        let at = masked::<{ SECTION_ROOM - 8 }>(offset);
        (&raw const (*scratch).sections).cast::<u8>().add(at + HEAD_BYTES).cast()
    }
}

/// Adds a structure.
///
/// # Safety
///
/// `scratch` is this CPU's; the size of `T` is a multiple of 8 below [`LONGEST`].
#[inline(always)]
pub(crate) unsafe fn put<T: Copy>(scratch: *mut Scratch, kind: Section, facts: &T) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        let body = body(scratch);
        words::copy(facts, body.cast::<T>());
        close(scratch, body, kind as u32, 0, size_of::<T>() as u32)
    }
}

/// Where a structure is to be written that [`end`] makes a section.
///
/// # Safety
///
/// `scratch` is this CPU's; nothing is added before the end.
#[inline(always)]
pub(crate) unsafe fn begin<T>(scratch: *mut Scratch) -> *mut T {
    // SAFETY: as promised by the caller.
    unsafe { body(scratch).cast() }
}

/// Makes what was written where [`begin`] told a section.
///
/// # Safety
///
/// All of it was written; the size of `T` is a multiple of 8 below [`LONGEST`].
#[inline(always)]
pub(crate) unsafe fn end<T>(scratch: *mut Scratch, facts: *mut T, kind: Section) -> bool {
    // SAFETY: as promised by the caller.
    unsafe { close(scratch, facts.cast(), kind as u32, 0, size_of::<T>() as u32) }
}

/// Adds bytes of kernel memory. False when they cannot be read or do not fit.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn put_kernel(
    scratch: *mut Scratch,
    kind: u32,
    flags: u32,
    from: *const u8,
    len: u32,
) -> bool {
    // SAFETY: as promised by the caller; the helper checks the address.
    unsafe {
        let body = body(scratch);
        let len = at_most::<LONGEST>(len);
        bpf_probe_read_kernel(body.cast(), len, from.cast()) == 0
            && close(scratch, body, kind, flags, len)
    }
}

/// Adds bytes of the process's memory, at most `MAX`; more than that, or what
/// cannot be read, is cut.
///
/// # Safety
///
/// `scratch` is this CPU's; `MAX` is at most [`LONGEST`].
#[inline(always)]
pub(crate) unsafe fn put_user<const MAX: u32>(
    scratch: *mut Scratch,
    kind: Section,
    from: u64,
    len: u64,
) -> bool {
    // SAFETY: as promised by the caller; the helper checks the address.
    unsafe {
        let body = body(scratch);
        let mut flags = section_flag::USER;
        let mut size = MAX;
        if len <= u64::from(MAX) {
            size = len as u32;
        } else {
            flags |= section_flag::CUT;
        }
        let mut size = at_most::<MAX>(size);
        if bpf_probe_read_user(body.cast(), size, from as *const c_void) != 0 {
            flags |= section_flag::CUT;
            (*scratch).doubtful = 1;
            // What is on the first page may be there.
            let page = PAGE - from as u32 % PAGE;
            size = if page < size { at_most::<MAX>(page) } else { 0 };
            if bpf_probe_read_user(body.cast(), size, from as *const c_void) != 0 {
                size = 0;
            }
        }
        close(scratch, body, kind as u32, u32::from(flags), size)
    }
}

/// Adds a text of the process's memory, without its final zero, and gives its first
/// byte, zero if it is empty. What cannot be read becomes an empty section that is
/// marked as cut.
///
/// # Safety
///
/// `scratch` is this CPU's.
#[inline(always)]
pub(crate) unsafe fn put_user_text(scratch: *mut Scratch, kind: Section, from: u64) -> Option<u8> {
    // SAFETY: as promised by the caller; the helper checks the address.
    unsafe {
        let body = body(scratch);
        let read = bpf_probe_read_user_str(body.cast(), LONGEST, from as *const c_void);
        let mut flags = section_flag::USER;
        let mut len = 0;
        if read > 0 {
            len = at_most::<LONGEST>(read as u32) - 1;
        } else {
            flags |= section_flag::CUT;
            (*scratch).doubtful = 1;
            *body = 0;
        }
        let first = core::ptr::read_volatile(body);
        close(scratch, body, kind as u32, u32::from(flags), len).then_some(first)
    }
}
