//! Bytes that the processes of the table hold together: what several share counts once,
//! unless it is so short that to count it would take more than it does.
//!
//! It knows texts by their addresses only, and keeps none alive.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::Process;
use super::by_pid::Spread;

/// Counts beside a text: those of its references, and its place in [`Held`].
const TEXT_BYTES: usize = 2 * size_of::<usize>() + 2 * size_of::<(usize, u32)>();
/// A process and its place in the table.
const PROCESS_BYTES: usize = size_of::<Process>() + 2 * size_of::<(u32, [usize; 4])>();
/// Texts up to this length count with each process that has them.
const SHORT: usize = 64;

/// Shared texts by address, and how many processes hold each.
#[derive(Debug, Default)]
pub(super) struct Held {
    holders: HashMap<usize, u32, BuildHasherDefault<Spread>>,
    bytes: usize,
}

/// What one process holds.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// What counts for each process that has it.
    own: usize,
    /// Addresses of what it may share, and the bytes that each takes at most; of no
    /// bytes where there is nothing.
    shared: [(usize, usize); 5],
}

impl Share {
    /// Of a process as it is.
    fn of(process: &Process) -> Self {
        let facts = &process.facts;
        let mut share = Self { own: PROCESS_BYTES, ..Self::default() };
        let texts = [&facts.comm, &facts.argv, &facts.envp, &facts.exe, &facts.cwd];
        for (text, place) in texts.into_iter().zip(&mut share.shared) {
            let bytes = text.len() + TEXT_BYTES;
            if text.len() > SHORT {
                *place = (text.as_ptr().addr(), bytes);
            } else if !text.is_empty() {
                share.own += bytes;
            }
        }
        share
    }
}

impl Held {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// A process comes into the table.
    pub(super) fn add(&mut self, process: &Process) {
        self.exchange(&Share::default(), &Share::of(process));
        self.hold_lines(process);
    }

    /// A process leaves the table.
    pub(super) fn remove(&mut self, process: &Process) {
        self.exchange(&Share::of(process), &Share::default());
        self.let_go_of_lines(process);
    }

    /// Changes a process of the table.
    pub(super) fn change(&mut self, process: &mut Process, change: impl FnOnce(&mut Process)) {
        let before = Share::of(process);
        self.let_go_of_lines(process);
        change(process);
        self.exchange(&before, &Share::of(process));
        self.hold_lines(process);
    }

    fn hold_lines(&mut self, process: &Process) {
        if process.lines.hold() {
            self.bytes += process.lines_bytes();
        }
    }

    fn let_go_of_lines(&mut self, process: &Process) {
        if process.lines.let_go() {
            self.bytes = self.bytes.saturating_sub(process.lines_bytes());
        }
    }

    fn exchange(&mut self, before: &Share, after: &Share) {
        self.bytes = (self.bytes + after.own).saturating_sub(before.own);
        // All that is let go of goes first: a new text may be where an old one was.
        let pairs = || before.shared.iter().zip(&after.shared).filter(|(old, new)| old != new);
        for (old, _) in pairs() {
            self.let_go(*old);
        }
        for (_, new) in pairs() {
            self.hold(*new);
        }
    }

    fn hold(&mut self, (address, bytes): (usize, usize)) {
        if bytes == 0 {
            return;
        }
        let holders = self.holders.entry(address).or_insert(0);
        if *holders == 0 {
            self.bytes += bytes;
        }
        *holders += 1;
    }

    fn let_go(&mut self, (address, bytes): (usize, usize)) {
        if bytes == 0 {
            return;
        }
        let Some(holders) = self.holders.get_mut(&address) else { return };
        *holders -= 1;
        if *holders == 0 {
            self.holders.remove(&address);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}
