//! A ring of records that sensors write and this agent reads in place.
//!
//! Layout and protocol are the kernel's (kernel/bpf/ringbuf.c): a page with how far
//! the reader is, a page with how far the writers are, then the data, mapped twice
//! in a row so that no record is broken. aya has a reader too, but it cannot tell
//! an empty ring from a record that is being written, and order needs that.

use std::{
    ffi::c_void,
    mem::offset_of,
    os::fd::{AsFd, BorrowedFd},
    ptr::NonNull,
    slice,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use aya::maps::{Map, MapData};
use landlord_ebpf::abi::Head;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::order::{Next, Source};
use crate::kernel::KernelError;

/// Set in a record's header while it is being written.
const BUSY: u32 = 1 << 31;
/// Set in the header of a record that its writer gave up.
const DISCARDED: u32 = 1 << 30;
/// Bytes before each record: its length with the bits above, and the kernel's own.
const HEADER: usize = 8;

/// A mapping that ends with this value.
struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

impl Mapping {
    fn new(
        name: &'static str,
        fd: BorrowedFd<'_>,
        bytes: usize,
        protection: ProtFlags,
        offset: u64,
    ) -> Result<Self, KernelError> {
        // SAFETY: a new mapping at an address of the kernel's choice; the kernel
        // checks that length and offset are inside the map.
        let base =
            unsafe { mmap(std::ptr::null_mut(), bytes, protection, MapFlags::SHARED, fd, offset) }
                .map_err(|error| KernelError::io(format!("mapping {name}"), error))?;
        let base = NonNull::new(base.cast()).ok_or(KernelError::Incomplete(name))?;
        Ok(Self { base, bytes })
    }

    /// The word at the beginning, which the kernel reads and writes at the same time.
    fn position(&self) -> &AtomicU64 {
        // SAFETY: the mapping is a page at least, aligned to a page, and lives as
        // long as `self`. The kernel's word is as wide as a pointer, 64 bits on
        // every machine this agent runs on.
        unsafe { self.base.cast::<AtomicU64>().as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made in `new`; nothing that borrows from it is left.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast::<c_void>(), self.bytes) };
        if let Err(error) = unmapped {
            tracing::warn!(%error, "cannot unmap a ring");
        }
    }
}

/// The reading end. There is one per ring.
pub(super) struct Ring {
    map: MapData,
    consumer: Mapping,
    producer: Mapping,
    /// Where the data begins in `producer`.
    data: usize,
    /// Bytes of data, a power of two.
    size: u64,
    /// How far we have read.
    read: u64,
    /// How far the writers were when last asked.
    written: u64,
    /// Header values that made no sense; the rest of what was written is skipped then.
    damaged: u64,
}

// SAFETY: the mappings are owned by this value; what the kernel writes at the same
// time is only read by atomic accesses, and records only once they are complete.
unsafe impl Send for Ring {}

/// What stands where the reader is.
enum At {
    Nothing,
    Unfinished,
    /// Offset into the producer's mapping, and length.
    Record(usize, usize),
}

impl Ring {
    /// Maps a ring of `size` bytes.
    pub(super) fn new(name: &'static str, map: Map, size: u32) -> Result<Self, KernelError> {
        let Map::RingBuf(map) = map else { return Err(KernelError::Incomplete(name)) };
        let page = rustix::param::page_size();
        let fd = map.fd().as_fd();
        let both = ProtFlags::READ | ProtFlags::WRITE;
        let consumer = Mapping::new(name, fd, page, both, 0)?;
        let bytes = page + 2 * size as usize;
        let producer = Mapping::new(name, fd, bytes, ProtFlags::READ, page as u64)?;
        let read = consumer.position().load(Ordering::Acquire);
        let size = u64::from(size);
        Ok(Self { map, consumer, producer, data: page, size, read, written: read, damaged: 0 })
    }

    /// How often the ring was found damaged.
    pub(super) const fn damaged(&self) -> u64 {
        self.damaged
    }

    fn at(&mut self) -> At {
        loop {
            if self.read == self.written {
                // Pairs with the kernel's release when it has reserved a record.
                self.written = self.producer.position().load(Ordering::Acquire);
                if self.read == self.written {
                    return At::Nothing;
                }
            }
            let Ok(inside) = usize::try_from(self.read % self.size) else { return At::Nothing };
            let offset = self.data + inside;
            // SAFETY: inside the mapping, which has the data twice, and aligned:
            // positions are multiples of 8. The kernel writes the word atomically.
            let header = unsafe { self.producer.base.add(offset).cast::<AtomicU32>().as_ref() };
            // Pairs with the exchange that ends the writing of a record.
            let header = header.load(Ordering::Acquire);
            if header & BUSY != 0 {
                return At::Unfinished;
            }
            let len = header & !DISCARDED;
            let whole = whole(len as usize);
            if whole > self.size || whole > self.written.wrapping_sub(self.read) {
                self.damaged += 1;
                self.pass(self.written.wrapping_sub(self.read));
            } else if header & DISCARDED != 0 {
                self.pass(whole);
            } else {
                return At::Record(offset + HEADER, len as usize);
            }
        }
    }

    /// Gives `bytes` back to the writers.
    fn pass(&mut self, bytes: u64) {
        self.read = self.read.wrapping_add(bytes);
        self.consumer.position().store(self.read, Ordering::Release);
    }

    fn bytes(&self, offset: usize, len: usize) -> &[u8] {
        // SAFETY: `at` found it inside the mapping. The kernel does not write a
        // complete record any more until it is passed, which takes `&mut self`.
        unsafe { slice::from_raw_parts(self.producer.base.add(offset).as_ptr(), len) }
    }
}

impl Source for Ring {
    fn next(&mut self) -> Next {
        match self.at() {
            At::Nothing => Next::Nothing,
            At::Unfinished => Next::Unfinished,
            At::Record(offset, len) => Next::At(time(self.bytes(offset, len))),
        }
    }

    fn take(&mut self, handle: &mut dyn FnMut(&[u8])) {
        if let At::Record(offset, len) = self.at() {
            handle(self.bytes(offset, len));
            self.pass(whole(len));
        }
    }

    fn is_crowded(&mut self) -> bool {
        let written = self.producer.position().load(Ordering::Acquire);
        // A cgroup that is alone gets a half at most: see the sensors.
        written.wrapping_sub(self.read) > self.size / 4
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.fd().as_fd()
    }
}

/// Bytes that a record of this length takes up.
const fn whole(len: usize) -> u64 {
    (HEADER + len).next_multiple_of(8) as u64
}

/// When a record was made; 0 for one that is too short, so that it is handed over
/// at once and its reader can complain.
fn time(record: &[u8]) -> u64 {
    let at = offset_of!(Head, time_ns);
    record.get(at..at + 8).and_then(|word| word.try_into().ok()).map_or(0, u64::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn the_time_of_a_record() {
        let check = |record: &[u8], expected| assert_eq!(time(record), expected, "{record:?}");
        check(&[], 0);
        check(&[1; 15], 0);
        check(&[[1; 8], 7_u64.to_ne_bytes()].concat(), 7);
        check(&[[1; 8], u64::MAX.to_ne_bytes(), [2; 8]].concat(), u64::MAX);
    }
}
