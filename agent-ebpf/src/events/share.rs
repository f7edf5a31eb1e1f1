//! How much of a ring each cgroup may take up, so that one that fills it loses its
//! own records and nobody else's.
//!
//! A cgroup may have as much in a ring as is free in it. Alone it gets up to a half;
//! two that want all get a third each, and a third stays for whoever comes. Nothing
//! is set aside, so that a ring without a rush takes any burst that it has room for.

use aya_ebpf::{
    bindings::{BPF_RB_CONS_POS, BPF_RB_PROD_POS, BPF_RB_RING_SIZE},
    helpers::generated::bpf_ringbuf_query,
};
use landlord_ebpf::abi::Share;

use super::send::{self, Ring};
use crate::{maps::ALLOWANCES, slots::add};

/// Bytes that the kernel puts before each record of a ring.
const RING_HEAD: u64 = 8;

/// Which of the rings.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    Calls,
    Lifecycle,
}

/// How a ring stands.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    /// How far the reader is.
    read: u64,
    /// How far the writers are.
    written: u64,
    free: u64,
}

impl Standing {
    #[inline(always)]
    pub(crate) fn of(ring: &Ring) -> Self {
        // SAFETY: figures of a map that lives as long as the program.
        let [size, read, written] = unsafe {
            [BPF_RB_RING_SIZE, BPF_RB_CONS_POS, BPF_RB_PROD_POS]
                .map(|what| bpf_ringbuf_query(send::address(ring), u64::from(what)))
        };
        Self { read, written, free: size.saturating_sub(written.wrapping_sub(read)) }
    }

    /// Bytes that wait to be read.
    #[inline(always)]
    pub(crate) fn waiting(&self) -> u64 {
        self.written.wrapping_sub(self.read)
    }

    /// True when a record of `bytes` fits, both in the ring and in the share of a
    /// slot's cgroup.
    ///
    /// What a cgroup has in the ring is not known exactly, but never taken for less:
    /// what it wrote is counted in two parts, and the older one is forgotten when the
    /// reader has passed its end.
    #[inline(always)]
    pub(crate) fn has_room(&self, of: Of, slot: u32, bytes: u64) -> bool {
        if self.free <= bytes + RING_HEAD {
            return false;
        }
        let Some(share) = share(of, slot) else { return true };
        // SAFETY: a map value; volatile because other CPUs write it. Two that do so at
        // once may forget what the other wrote meanwhile: some records.
        unsafe {
            let mut before = core::ptr::read_volatile(&raw const (*share).before);
            let mut since = core::ptr::read_volatile(&raw const (*share).since);
            let passed = |position: *const u64| {
                self.read.wrapping_sub(core::ptr::read_volatile(position)).cast_signed() >= 0
            };
            if passed(&raw const (*share).end) {
                before = if passed(&raw const (*share).last) { 0 } else { since };
                since = 0;
                core::ptr::write_volatile(&raw mut (*share).end, self.written);
                core::ptr::write_volatile(&raw mut (*share).before, before);
                core::ptr::write_volatile(&raw mut (*share).since, since);
            }
            before + since < self.free
        }
    }

    /// A record of `bytes` was written for a slot's cgroup.
    #[inline(always)]
    pub(crate) fn charge(&self, of: Of, slot: u32, bytes: u64) {
        let Some(share) = share(of, slot) else { return };
        // SAFETY: as above.
        unsafe {
            add(&raw mut (*share).since, bytes + RING_HEAD);
            core::ptr::write_volatile(&raw mut (*share).last, self.written.wrapping_add(bytes));
        }
    }
}

#[inline(always)]
fn share(of: Of, slot: u32) -> Option<*mut Share> {
    let allowance = ALLOWANCES.get_ptr_mut(slot)?;
    // SAFETY: a part of a map value.
    Some(unsafe {
        match of {
            Of::Calls => &raw mut (*allowance).calls,
            Of::Lifecycle => &raw mut (*allowance).lifecycle,
        }
    })
}
