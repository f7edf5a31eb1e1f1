//! Reads every counter of every slot: one pass over the shared maps.

use std::{
    collections::{BTreeSet, HashMap},
    mem::offset_of,
};

use aya::maps::{HashMap as BpfHashMap, MapData};
use landlord_ebpf::abi::{
    COMPAT_BIT, Loss, NetUsage, PAGES_PER_CPU, RunUsage, SYSCALLS_PER_PAGE, SyscallPage, Traffic,
    syscall_key,
};

use super::{KernelError, shared::Shared};
use crate::{
    telemetry::LossCause,
    usage::reading::{NetworkReading, Slot, SyscallNumber, Traffic as TrafficReading, WaitReading},
};

/// The maps that hold counters.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) run: Shared,
    pub(super) net: Shared,
    pub(super) pages: Shared,
    pub(super) lost: Shared,
    pub(super) syscalls: BpfHashMap<MapData, u64, u64>,
    pub(super) waits: BpfHashMap<MapData, u64, u64>,
    pub(super) cpus: u32,
    pub(super) slots: u32,
}

/// Calls by slot, ordered by number.
pub(super) type Calls = HashMap<u32, Vec<(SyscallNumber, u64)>>;

impl Counters {
    /// Nanoseconds a slot ran and waited, over all CPUs.
    pub(super) fn run(&self, slot: u32) -> (u64, u64) {
        let column = |offset| {
            self.cells(slot)
                .fold(0_u64, |sum, cell| sum.wrapping_add(self.run.word(cell, offset / 8)))
        };
        (column(offset_of!(RunUsage, cpu_ns)), column(offset_of!(RunUsage, wait_ns)))
    }

    /// Traffic of a slot, over all CPUs.
    pub(super) fn network(&self, slot: u32) -> NetworkReading {
        let traffic = |offset: usize| {
            self.cells(slot).fold(TrafficReading::default(), |sum, cell| TrafficReading {
                bytes: sum
                    .bytes
                    .wrapping_add(self.net.word(cell, (offset + offset_of!(Traffic, bytes)) / 8)),
                packets: sum
                    .packets
                    .wrapping_add(self.net.word(cell, (offset + offset_of!(Traffic, packets)) / 8)),
            })
        };
        NetworkReading {
            transmit_ipv4: traffic(offset_of!(NetUsage, transmit_ipv4)),
            transmit_ipv6: traffic(offset_of!(NetUsage, transmit_ipv6)),
            receive_ipv4: traffic(offset_of!(NetUsage, receive_ipv4)),
            receive_ipv6: traffic(offset_of!(NetUsage, receive_ipv6)),
        }
    }

    /// Calls of all slots: what the pages hold and what the totals hold. Only
    /// this agent moves counts from one to the other, so none is missed.
    pub(super) fn calls(&self) -> Result<Calls, KernelError> {
        let mut flat: Vec<(u64, u64)> = Vec::new();
        for entry in &self.syscalls {
            flat.push(entry.map_err(KernelError::map("SYSCALLS"))?);
        }
        for page in 0..self.cpus * PAGES_PER_CPU {
            let Some(slot) = self.owner(page) else { continue };
            for index in 0..SYSCALLS_PER_PAGE {
                let count =
                    self.pages.word(page, offset_of!(SyscallPage, counts) / 8 + index as usize);
                if count != 0 {
                    flat.push((syscall_key(slot, index), count));
                }
            }
        }
        flat.sort_unstable();
        let mut calls = Calls::new();
        for (key, count) in flat {
            let (slot, number) = split(key);
            let number =
                SyscallNumber { nr: number & !COMPAT_BIT, compat: number & COMPAT_BIT != 0 };
            let counts = calls.entry(slot).or_default();
            match counts.last_mut() {
                Some((last, sum)) if *last == number => *sum = sum.wrapping_add(count),
                _ => counts.push((number, count)),
            }
        }
        Ok(calls)
    }

    /// Waits of all pairs.
    pub(super) fn waits(&self) -> Result<Vec<WaitReading>, KernelError> {
        self.waits
            .iter()
            .map(|entry| {
                let (key, wait_ns) = entry.map_err(KernelError::map("WAITS"))?;
                let (victim, culprit) = split(key);
                let culprit = (culprit != u32::MAX).then_some(Slot(culprit));
                Ok(WaitReading { victim: Slot(victim), culprit, wait_ns })
            })
            .collect()
    }

    /// Losses by cause.
    pub(super) fn losses(&self) -> Vec<(LossCause, u64)> {
        [
            (LossCause::SlotsExhausted, Loss::SlotsExhausted),
            (LossCause::SyscallTableFull, Loss::SyscallTableFull),
            (LossCause::WaitTableFull, Loss::WaitTableFull),
            (LossCause::PathTooLong, Loss::PathTooLong),
        ]
        .map(|(cause, index)| (cause, self.lost.word(index as u32, 0)))
        .to_vec()
    }

    /// Forgets everything counted for these slots, in one pass over the tables.
    pub(super) fn clear(&mut self, slots: &BTreeSet<u32>) -> Result<(), KernelError> {
        for cell in slots.iter().flat_map(|slot| self.cells(*slot)) {
            self.run.clear(cell);
            self.net.clear(cell);
        }
        if slots.is_empty() {
            return Ok(());
        }
        for key in keys(&self.syscalls, "SYSCALLS", |(owner, _)| slots.contains(&owner))? {
            self.syscalls.remove(&key).map_err(KernelError::map("SYSCALLS"))?;
        }
        let either = |(victim, culprit)| slots.contains(&victim) || slots.contains(&culprit);
        for key in keys(&self.waits, "WAITS", either)? {
            self.waits.remove(&key).map_err(KernelError::map("WAITS"))?;
        }
        Ok(())
    }

    /// Pages that a slot holds, as (CPU, index).
    pub(super) fn pages_of(&self, slot: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let index = slot % PAGES_PER_CPU;
        (0..self.cpus)
            .filter(move |cpu| self.owner(cpu * PAGES_PER_CPU + index) == Some(slot))
            .map(move |cpu| (cpu, index))
    }

    /// The slot that holds a page.
    pub(super) fn owner(&self, page: u32) -> Option<u32> {
        let owner = self.pages.word(page, offset_of!(SyscallPage, owner) / 8).checked_sub(1)?;
        u32::try_from(owner).ok()
    }

    /// All calls counted in a page: tells whether it was used since last looked at.
    pub(super) fn page_sum(&self, page: u32) -> u64 {
        (0..SYSCALLS_PER_PAGE).fold(0, |sum, index| {
            sum.wrapping_add(
                self.pages.word(page, offset_of!(SyscallPage, counts) / 8 + index as usize),
            )
        })
    }

    fn cells(&self, slot: u32) -> impl Iterator<Item = u32> + use<> {
        let slots = self.slots;
        (0..self.cpus).map(move |cpu| cpu * slots + slot)
    }
}

/// The two halves of a key.
fn split(key: u64) -> (u32, u32) {
    let half = |value: u64| u32::try_from(value & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    (half(key >> 32), half(key))
}

fn keys(
    map: &BpfHashMap<MapData, u64, u64>,
    name: &'static str,
    wanted: impl Fn((u32, u32)) -> bool,
) -> Result<Vec<u64>, KernelError> {
    map.keys()
        .filter(|key| key.as_ref().map_or(true, |key| wanted(split(*key))))
        .collect::<Result<_, _>>()
        .map_err(KernelError::map(name))
}
