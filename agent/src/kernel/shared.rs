//! A kernel array map as shared memory: counters are read without a system call.
//!
//! Words are read and written one by one, atomically, because CPUs write them
//! at the same time. It knows sizes, not meanings.

use std::{
    ffi::c_void,
    os::fd::AsFd,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use aya::maps::{Map, MapData};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::KernelError;

/// A mapped array of records.
#[derive(Debug)]
pub(super) struct Shared {
    /// Keeps the map alive for as long as it is mapped.
    _map: MapData,
    base: NonNull<AtomicU64>,
    bytes: usize,
    words: usize,
    records: u32,
}

// SAFETY: the memory is owned by this value and only touched by atomic accesses.
unsafe impl Send for Shared {}
// SAFETY: as above, through shared references too.
unsafe impl Sync for Shared {}

impl Shared {
    /// Maps `records` records of `size` bytes, a multiple of 8.
    pub(super) fn new(
        name: &'static str,
        map: Map,
        size: usize,
        records: u32,
    ) -> Result<Self, KernelError> {
        let Map::Array(map) = map else { return Err(KernelError::Incomplete(name)) };
        let bytes = size * records as usize;
        // SAFETY: a new mapping at an address of the kernel's choice; the length
        // is that of the map, which the kernel checks.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                map.fd().as_fd(),
                0,
            )
        }
        .map_err(|error| KernelError::io(format!("mapping {name}"), error))?;
        let base = NonNull::new(base.cast()).ok_or(KernelError::Incomplete(name))?;
        Ok(Self { _map: map, base, bytes, words: size / 8, records })
    }

    /// Number of records.
    pub(super) const fn records(&self) -> u32 {
        self.records
    }

    /// One word of a record; 0 outside the map.
    pub(super) fn word(&self, record: u32, word: usize) -> u64 {
        self.at(record, word).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Writes one word of a record; outside the map, nothing.
    pub(super) fn set_word(&self, record: u32, word: usize, value: u64) {
        if let Some(word) = self.at(record, word) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// Writes one word of a record after all words that were written before.
    pub(super) fn publish(&self, record: u32, word: usize, value: u64) {
        if let Some(word) = self.at(record, word) {
            word.store(value, Ordering::Release);
        }
    }

    /// Sets a record to zero.
    pub(super) fn clear(&self, record: u32) {
        for word in 0..self.words {
            self.set_word(record, word, 0);
        }
    }

    fn at(&self, record: u32, word: usize) -> Option<&AtomicU64> {
        let inside = record < self.records && word < self.words;
        // SAFETY: inside the mapping, which lives as long as `self`; every word
        // is aligned, because records are multiples of 8 in page-aligned memory.
        inside.then(|| unsafe { self.base.add(record as usize * self.words + word).as_ref() })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: this mapping was made in `new` and nothing refers to it any more.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast::<c_void>(), self.bytes) };
        if let Err(error) = unmapped {
            tracing::warn!(%error, "cannot unmap a counter map");
        }
    }
}
