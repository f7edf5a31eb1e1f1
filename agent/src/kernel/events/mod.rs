//! The sensors of events: what a wanted system call was about, and what became of
//! processes, as records in the order of cause and effect.
//!
//! It knows which plans are in force and moves records; what they mean is decided
//! elsewhere. Its maps and links end with the agent: without it nobody reads.

mod cgroups;
mod counts;
mod kallsyms;
mod order;
mod plans;
mod programs;
mod reader;
mod ring;
mod start;
mod verdicts;
mod wake;

use std::{sync::Arc, time::Duration};

use aya::{maps::Map, programs::links::FdLink};
pub use landlord_ebpf::abi::DropCause;
use landlord_ebpf::abi::{EventCounts, Plan};

pub(super) use self::{
    cgroups::Copies,
    start::{Ground, Seeds, entries, leave},
};
pub use self::{
    cgroups::{CgroupPaths, Place},
    counts::{Unsent, UnsentOf},
};
use self::{counts::Drops, plans::Plans, reader::Reader};
pub use self::{start::EventOptions, verdicts::Verdicts};
use super::{KernelError, shared::Shared};

/// Running sensors of events. At first no call is wanted; processes are told always.
pub struct Events {
    plans: Plans,
    reader: Reader,
    verdicts: Arc<Verdicts>,
    cgroups: Arc<CgroupPaths>,
    counts: Shared,
    drops: Drops,
    /// Whether connections are told, where that was asked for.
    connections: Option<Result<(), KernelError>>,
    /// Keeps what is attached attached.
    _links: Vec<FdLink>,
    /// A table of programs is emptied when nobody holds it.
    _tables: Vec<Map>,
}

impl Events {
    /// Hands over records, each as its bytes, in the order of cause and effect, and
    /// returns how many. Waits for the first one for as long as `timeout`, and a few
    /// milliseconds more where that lets records gather. Hands over no more than
    /// some thousand before it returns.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to wait.
    pub fn read(
        &mut self,
        timeout: Duration,
        handle: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, KernelError> {
        self.reader.read(&self.plans, timeout, handle)
    }

    /// Puts plans in force, by index, in place of all others: calls that none is for
    /// are no longer wanted. Records and verdicts of the former plans may still be
    /// on their way; verdicts of those no longer count.
    pub fn set_plans(&mut self, plans: &[(u32, Plan)]) {
        self.plans.set(plans);
    }

    /// Sets how many records of calls a cgroup may send per second (0: any number),
    /// and how many more at once.
    pub fn set_rate(&mut self, rate: u64, burst: u64) {
        self.plans.set_rate(rate, burst);
    }

    /// Sets which requests to `io_uring` are told: a bit for each opcode.
    pub fn set_requests(&mut self, opcodes: u128) {
        self.plans.set_requests(opcodes);
    }

    /// Spares us events of a subject; see [`Verdicts::set`].
    pub fn set_verdict(&self, verdict: [u64; 2]) {
        self.verdicts.set(verdict);
    }

    /// The table of verdicts, to be written while records are handed over.
    #[must_use]
    pub fn verdicts(&self) -> Arc<Verdicts> {
        Arc::clone(&self.verdicts)
    }

    /// Paths of cgroups, and where they are.
    #[must_use]
    pub fn cgroups(&self) -> Arc<CgroupPaths> {
        Arc::clone(&self.cgroups)
    }

    /// What the sensors did since they were started, over all CPUs.
    #[must_use]
    pub fn counts(&self) -> EventCounts {
        counts::sum(&self.counts)
    }

    /// What could not be sent since the last call, by cgroup, call and cause.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a map operation.
    pub fn drops(&mut self) -> Result<Vec<Unsent>, KernelError> {
        self.drops.take()
    }

    /// Whether connections are told; `None` where that was not asked for.
    #[must_use]
    pub fn connections(&self) -> Option<Result<(), &KernelError>> {
        self.connections.as_ref().map(|told| told.as_ref().copied())
    }

    /// The same when nothing else is wanted of them.
    pub(super) fn into_connections(mut self) -> Option<Result<(), KernelError>> {
        self.connections.take()
    }

    /// How many records of processes were handed over before earlier ones of calls, as
    /// their ring would have had no room for more.
    #[must_use]
    pub fn hurried(&self) -> u64 {
        self.reader.hurried()
    }

    /// How often a ring was found damaged, and what was in it skipped.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.reader.damaged()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // The meters outlive us; without a wanted call they ask for no record.
        self.plans.clear();
    }
}
