//! Cgroup id → slot.
//!
//! A slot is taken when a cgroup is born, or when something is first counted for
//! it; only the agent gives one back, after it has read the last counts.

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::{bpf_get_smp_processor_id, bpf_ktime_get_ns},
};
use core::intrinsics::{AtomicOrdering, atomic_xadd};
use landlord_ebpf::abi::{
    Loss, OVERFLOW_SLOT, ROOT_CGROUP, SlotInfo, hint, hint_index, hinted_slot,
};

use crate::{
    maps::{FREE, HINT, LOST, SLOT_OF, SLOTS},
    offsets,
};

/// Counts a loss.
#[inline(always)]
pub(crate) fn lost(cause: Loss, amount: u64) {
    if let Some(count) = LOST.get_ptr_mut(cause as u32) {
        add(count, amount);
    }
}

/// Adds to a counter that other CPUs, or an interrupt on this one, may add to.
#[inline(always)]
pub(crate) fn add(counter: *mut u64, amount: u64) {
    // The core library offers `fetch_add` only on targets that also have
    // compare-and-swap, which eBPF gained in 5.12; the addition is older.
    // SAFETY: the pointer is into a map value, aligned and alive.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(counter, amount) };
}

/// The slot of a cgroup; [`OVERFLOW_SLOT`] when none is free.
#[inline(always)]
pub(crate) fn slot_of(cgroup: u64) -> u32 {
    match hinted(cgroup) {
        OVERFLOW_SLOT => look_up(cgroup),
        slot => slot,
    }
}

/// The slot of a cgroup if the cache has it, otherwise [`OVERFLOW_SLOT`].
#[inline(always)]
pub(crate) fn hinted(cgroup: u64) -> u32 {
    match HINT.get_ptr(hint_index(cgroup)) {
        // SAFETY: a map value; volatile because other CPUs write it.
        Some(word) => hinted_slot(unsafe { core::ptr::read_volatile(word) }, cgroup),
        None => OVERFLOW_SLOT,
    }
}

#[inline(never)]
fn look_up(cgroup: u64) -> u32 {
    find_or_take(cgroup)
}

/// The slow way: through the hash table, taking a slot when there is none.
#[inline(always)]
pub(crate) fn find_or_take(cgroup: u64) -> u32 {
    // A cgroup without an id is one that could not be read.
    let cgroup = if cgroup == 0 { ROOT_CGROUP } else { cgroup };
    if let Some(slot) = SLOT_OF.get_ptr(cgroup) {
        // SAFETY: a map value of a preallocated table.
        let slot = unsafe { *slot };
        remember(cgroup, slot);
        return slot;
    }
    take(cgroup)
}

#[inline(always)]
fn remember(cgroup: u64, slot: u32) {
    if let Some(word) = HINT.get_ptr_mut(hint_index(cgroup)) {
        // SAFETY: a map value; one aligned word, so readers see it whole.
        unsafe { core::ptr::write_volatile(word, hint(cgroup, slot)) }
    }
}

/// Takes a free slot for a cgroup that has none.
#[inline(always)]
fn take(cgroup: u64) -> u32 {
    let Ok(Some(slot)) = FREE.pop() else {
        lost(Loss::SlotsExhausted, 1);
        return OVERFLOW_SLOT;
    };
    let Some(info) = SLOTS.get_ptr_mut(slot) else {
        return OVERFLOW_SLOT;
    };
    // SAFETY: a map value; the slot is ours until it is in the table below.
    unsafe { open(info, cgroup) };
    if SLOT_OF.insert(cgroup, slot, u64::from(BPF_NOEXIST)).is_ok() {
        remember(cgroup, slot);
        return slot;
    }
    // Another CPU was faster.
    // SAFETY: as above.
    unsafe { (*info).cgroup = 0 };
    if FREE.push(slot, 0).is_err() {
        lost(Loss::SlotsExhausted, 1);
    }
    match SLOT_OF.get_ptr(cgroup) {
        // SAFETY: a map value of a preallocated table.
        Some(slot) => unsafe { *slot },
        None => OVERFLOW_SLOT,
    }
}

#[inline(always)]
unsafe fn open(info: *mut SlotInfo, cgroup: u64) {
    // SAFETY: the caller owns the record.
    unsafe {
        (*info).born_ns = bpf_ktime_get_ns();
        (*info).died_ns = 0;
        (*info).path_len = 0;
        (*info).path_cut = 0;
        (*info).cgroup = cgroup;
    }
}

/// A cgroup was made: forgets a former one of the same id, so that its counters
/// stay its own, and takes a slot.
#[inline(always)]
pub(crate) fn born(cgroup: u64) -> u32 {
    if let Some(slot) = SLOT_OF.get_ptr(cgroup) {
        // SAFETY: map values of preallocated tables.
        let dead =
            SLOTS.get_ptr(unsafe { *slot }).is_some_and(|info| unsafe { (*info).died_ns } != 0);
        if dead && SLOT_OF.remove(cgroup).is_ok() {
            if let Some(word) = HINT.get_ptr_mut(hint_index(cgroup)) {
                // SAFETY: as in `remember`.
                unsafe { core::ptr::write_volatile(word, 0) }
            }
        }
    }
    look_up(cgroup)
}

/// This CPU's row of a [CPU][width] map, as an index.
#[inline(always)]
pub(crate) fn cell(cpu: u32, width: u32, column: u32) -> u32 {
    cpu * width + column
}

/// This CPU's index of a slot's counters.
#[inline(always)]
pub(crate) fn slot_cell(slot: u32) -> u32 {
    // SAFETY: the helper has no preconditions.
    cell(unsafe { bpf_get_smp_processor_id() }, offsets::slots(), slot)
}
