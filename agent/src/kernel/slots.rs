//! The life of a slot as the agent sees it: taken, dead, retired, given back.
//!
//! A slot is given back in two steps, so that nothing counted meanwhile is lost:
//! `retire` takes the cgroup out of the tables through which the sensors find
//! the slot; a collection later, `release` puts it back among the free ones.

use std::mem::offset_of;

use aya::maps::{HashMap as BpfHashMap, MapData, MapError, Queue};
use landlord_ebpf::abi::{OVERFLOW_SLOT, PATH_BYTES, SlotInfo, hint_index, hinted_slot};

use super::{KernelError, shared::Shared};
use crate::identity::CgroupId;

/// The maps that say whose a slot is.
pub(super) struct Slots {
    pub(super) info: Shared,
    pub(super) hints: Shared,
    pub(super) slot_of: BpfHashMap<MapData, u64, u32>,
    pub(super) free: Queue<MapData, u32>,
}

/// `BPF_NOEXIST` of the kernel's `bpf.h`.
const NOEXIST: u64 = 1;

impl Slots {
    /// Puts every slot but the overflow's among the free ones.
    pub(super) fn fill(&mut self) -> Result<(), KernelError> {
        for slot in OVERFLOW_SLOT + 1..self.info.records() {
            self.free.push(slot, 0).map_err(KernelError::map("FREE"))?;
        }
        Ok(())
    }

    /// Slots that are taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> + '_ {
        (OVERFLOW_SLOT + 1..self.info.records()).filter(|slot| self.cgroup(*slot).0 != 0)
    }

    /// The cgroup that has a slot; 0 when it is free.
    pub(super) fn cgroup(&self, slot: u32) -> CgroupId {
        CgroupId(self.info.word(slot, offset_of!(SlotInfo, cgroup) / 8))
    }

    /// When the slot was taken, `CLOCK_MONOTONIC` nanoseconds.
    pub(super) fn born_ns(&self, slot: u32) -> u64 {
        self.info.word(slot, offset_of!(SlotInfo, born_ns) / 8)
    }

    /// When the cgroup was removed, `CLOCK_MONOTONIC` nanoseconds; 0 while alive.
    pub(super) fn died_ns(&self, slot: u32) -> u64 {
        self.info.word(slot, offset_of!(SlotInfo, died_ns) / 8)
    }

    /// Notes a death that no sensor saw.
    pub(super) fn set_died(&self, slot: u32, now_ns: u64) {
        self.info.set_word(slot, offset_of!(SlotInfo, died_ns) / 8, now_ns);
    }

    /// The path told at birth; `None` when the birth was not seen or the path
    /// did not fit.
    pub(super) fn path(&self, slot: u32) -> Option<String> {
        path_of(&self.info, slot)
    }

    /// Notes the path of a cgroup whose birth was not seen.
    pub(super) fn set_path(&self, slot: u32, path: &str) {
        if path.len() >= PATH_BYTES {
            return;
        }
        let first = offset_of!(SlotInfo, path) / 8;
        for (word, chunk) in path.as_bytes().chunks(8).enumerate() {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.info.set_word(slot, first + word, u64::from_ne_bytes(bytes));
        }
        let mut lengths = [0; 8];
        if let Ok(length) = u32::try_from(path.len()) {
            lengths[..4].copy_from_slice(&length.to_ne_bytes());
        }
        self.info.set_word(slot, offset_of!(SlotInfo, path_len) / 8, u64::from_ne_bytes(lengths));
    }

    /// Makes sure that a living cgroup has a slot and a path. Without a free slot
    /// it stays without; the sensors count that.
    pub(super) fn register(
        &mut self,
        id: CgroupId,
        path: &str,
        now_ns: u64,
    ) -> Result<(), KernelError> {
        let slot = match self.slot(id)? {
            Some(slot) => slot,
            None => match self.take(id, now_ns)? {
                Some(slot) => slot,
                None => return Ok(()),
            },
        };
        if self.path(slot).is_none() {
            self.set_path(slot, path);
        }
        Ok(())
    }

    fn slot(&self, id: CgroupId) -> Result<Option<u32>, KernelError> {
        match self.slot_of.get(&id.0, 0) {
            Ok(slot) => Ok(Some(slot)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(KernelError::map("SLOT_OF")(error)),
        }
    }

    fn take(&mut self, id: CgroupId, now_ns: u64) -> Result<Option<u32>, KernelError> {
        let slot = match self.free.pop(0) {
            Ok(slot) => slot,
            Err(MapError::ElementNotFound) => return Ok(None),
            Err(error) => return Err(KernelError::map("FREE")(error)),
        };
        self.info.clear(slot);
        self.info.set_word(slot, offset_of!(SlotInfo, born_ns) / 8, now_ns);
        self.info.set_word(slot, offset_of!(SlotInfo, cgroup) / 8, id.0);
        if self.slot_of.insert(id.0, slot, NOEXIST).is_ok() {
            return Ok(Some(slot));
        }
        // A sensor was faster.
        self.info.clear(slot);
        self.free.push(slot, 0).map_err(KernelError::map("FREE"))?;
        self.slot(id)
    }

    /// Hides the slot of a dead cgroup from the sensors.
    pub(super) fn retire(&mut self, slot: u32) -> Result<(), KernelError> {
        let id = self.cgroup(slot);
        // A later cgroup of the same id may have a slot of its own by now.
        if self.slot(id)? == Some(slot) {
            match self.slot_of.remove(&id.0) {
                Ok(()) | Err(MapError::KeyNotFound) => {}
                Err(error) => return Err(KernelError::map("SLOT_OF")(error)),
            }
        }
        self.forget_hint(id, slot);
        Ok(())
    }

    /// Puts a retired slot, whose counters were cleared, among the free ones.
    pub(super) fn release(&mut self, slot: u32) -> Result<(), KernelError> {
        // A sensor that looked the slot up just before it was retired may have
        // put the hint back.
        self.forget_hint(self.cgroup(slot), slot);
        self.info.clear(slot);
        self.free.push(slot, 0).map_err(KernelError::map("FREE"))
    }

    fn forget_hint(&self, id: CgroupId, slot: u32) {
        let place = hint_index(id.0);
        if hinted_slot(self.hints.word(place, 0), id.0) == slot {
            self.hints.set_word(place, 0, 0);
        }
    }
}

/// The path that a slot's record holds whole.
pub(super) fn path_of(info: &Shared, slot: u32) -> Option<String> {
    let lengths = info.word(slot, offset_of!(SlotInfo, path_len) / 8).to_ne_bytes();
    let half = |at: usize| {
        lengths.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes)
    };
    let (length, cut) = (half(0)? as usize, half(4)?);
    if length == 0 || cut != 0 || length >= PATH_BYTES {
        return None;
    }
    let first = offset_of!(SlotInfo, path) / 8;
    let mut bytes: Vec<u8> = (0..length.div_ceil(8))
        .flat_map(|word| info.word(slot, first + word).to_ne_bytes())
        .collect();
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}
