//! Sends a record, or counts why it was not sent.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::{BPF_NOEXIST, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    btf_maps::RingBuf,
    helpers::{bpf_get_smp_processor_id, generated::bpf_ringbuf_output},
};
use landlord_ebpf::abi::{DropCause, DropKey, EventCounts, Head, SECTION_BYTES_MAX};

use super::{
    Scratch,
    bound::at_most,
    share::{Of, Standing},
};
use crate::{
    maps::{DROPS, EVENT_COUNTS, WANTED},
    slots::add,
};

/// A ring of records.
pub(crate) type Ring = RingBuf<u64, 4096>;

#[inline(always)]
pub(crate) fn address(ring: &Ring) -> *mut c_void {
    core::ptr::from_ref(ring).cast_mut().cast()
}

/// This CPU's counts.
#[inline(always)]
pub(crate) fn counts() -> Option<*mut EventCounts> {
    // SAFETY: the helper has no preconditions.
    EVENT_COUNTS.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

/// Counts a record that was not sent. `what` as in [`DropKey::what`].
#[inline(always)]
pub(crate) fn lost(cgroup: u64, what: u32, cause: DropCause) {
    if let Some(counts) = counts() {
        // SAFETY: a map value.
        unsafe { add(&raw mut (*counts).lost, 1) };
    }
    let key = DropKey { cgroup, what, cause: cause as u32 };
    if let Some(count) = DROPS.get_ptr_mut(key) {
        add(count, 1);
    } else if DROPS.insert(key, 1, u64::from(BPF_NOEXIST)).is_err()
        && let Some(count) = DROPS.get_ptr_mut(key)
    {
        // Another CPU was faster.
        add(count, 1);
    }
}

/// Sends the record that `scratch` holds, whose slot is set, and wakes the agent if
/// it is `urgent`. False when the ring had no room; it is for the caller to count
/// either.
///
/// # Safety
///
/// `scratch` is this CPU's, its head filled.
#[inline(always)]
pub(crate) unsafe fn send(
    scratch: *mut Scratch,
    ring: &Ring,
    of: Of,
    standing: &Standing,
    urgent: bool,
) -> bool {
    // SAFETY: promised by the caller; head and sections are adjacent.
    unsafe {
        let sections = at_most::<{ SECTION_BYTES_MAX as u32 }>((*scratch).len);
        let len = size_of::<Head>() as u32 + sections;
        (*scratch).head.len = len;
        let flags = if urgent { u64::from(BPF_RB_FORCE_WAKEUP) } else { wake(standing) };
        let record = (&raw mut (*scratch).head).cast();
        if bpf_ringbuf_output(address(ring), record, u64::from(len), flags) != 0 {
            return false;
        }
        standing.charge(of, (*scratch).slot, u64::from(len));
        true
    }
}

/// Whether the agent is to be woken: it looks by itself every now and then, so
/// only when much waits, or when it asked for it.
#[inline(always)]
pub(crate) fn wake(standing: &Standing) -> u64 {
    let Some(wanted) = WANTED.get_ptr_mut(0) else { return u64::from(BPF_RB_NO_WAKEUP) };
    // SAFETY: a map value; volatile because the agent writes it.
    unsafe {
        if core::ptr::read_volatile(&raw const (*wanted).sleeping) != 0 {
            core::ptr::write_volatile(&raw mut (*wanted).sleeping, 0);
            return u64::from(BPF_RB_FORCE_WAKEUP);
        }
        if standing.waiting() >= core::ptr::read_volatile(&raw const (*wanted).wake_bytes) {
            return u64::from(BPF_RB_FORCE_WAKEUP);
        }
    }
    u64::from(BPF_RB_NO_WAKEUP)
}
