//! Reads both rings, and sleeps when they are empty.

use std::time::{Duration, Instant};

use rustix::{
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::OwnedFd,
    io::Errno,
    time::Timespec,
};

use super::{
    order::{Drained, drain},
    plans::Plans,
    ring::Ring,
    wake::{SHORT, Step, Wake},
};
use crate::kernel::KernelError;

/// Records that are handed over at most before the caller is asked again.
const BATCH: usize = 4096;

/// The reading end of both rings.
pub(super) struct Reader {
    processes: Ring,
    calls: Ring,
    /// Tells wake-ups, each once: what merely waits in a ring is no reason to.
    wakes: OwnedFd,
    /// Records of processes that were handed over before earlier ones of calls.
    hurried: u64,
    wake: Wake,
    next: Step,
}

impl Reader {
    pub(super) fn new(processes: Ring, calls: Ring) -> Result<Self, KernelError> {
        let failed = |error| KernelError::io("watching the rings", error);
        let wakes = epoll::create(CreateFlags::CLOEXEC).map_err(failed)?;
        for ring in [&processes, &calls] {
            epoll::add(&wakes, ring, EventData::new_u64(0), EventFlags::IN | EventFlags::ET)
                .map_err(failed)?;
        }
        Ok(Self { processes, calls, wakes, hurried: 0, wake: Wake::START, next: Step::Look })
    }

    pub(super) fn read(
        &mut self,
        plans: &Plans,
        timeout: Duration,
        handle: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, KernelError> {
        let started = Instant::now();
        loop {
            let left = timeout.saturating_sub(started.elapsed());
            match self.next {
                Step::Look => {}
                Step::Pause => self.wait(SHORT)?,
                Step::Sleep if plans.sleeping() => self.wait(left)?,
                Step::Announce | Step::Sleep => {
                    plans.set_sleeping(true);
                    // What was made before this was seen is found after the wait.
                    self.wait(SHORT)?;
                }
            }
            let Drained { records, hurried } =
                drain(&mut self.processes, &mut self.calls, BATCH, handle);
            self.hurried += hurried;
            let announced = self.wake.announced();
            self.next = self.wake.after(records);
            if announced && !self.wake.announced() {
                plans.set_sleeping(false);
            }
            if records != 0 || started.elapsed() >= timeout {
                return Ok(records);
            }
        }
    }

    pub(super) const fn damaged(&self) -> u64 {
        self.processes.damaged() + self.calls.damaged()
    }

    pub(super) const fn hurried(&self) -> u64 {
        self.hurried
    }

    fn wait(&self, time: Duration) -> Result<(), KernelError> {
        let timeout = Timespec::try_from(time)
            .map_err(|_| KernelError::io("waiting for records", Errno::INVAL))?;
        let mut events = Vec::with_capacity(2);
        match epoll::wait(&self.wakes, rustix::buffer::spare_capacity(&mut events), Some(&timeout))
        {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(KernelError::io("waiting for records", error)),
        }
    }
}
