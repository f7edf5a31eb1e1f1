//! Bytes that the processes of the table hold together: what several share counts once.
//!
//! It knows texts by their addresses only, and keeps none alive.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::Process;

/// Counts beside a text: those of its references, and its place in [`Held`].
const TEXT_BYTES: usize = 2 * size_of::<usize>() + 2 * size_of::<(usize, u32)>();
/// A process and its place in the table.
const PROCESS_BYTES: usize = size_of::<Process>() + 2 * size_of::<(u32, u64, usize)>();

/// Shared texts by address, and how many processes hold each.
#[derive(Debug, Default)]
pub(super) struct Held {
    holders: HashMap<usize, u32, BuildHasherDefault<Address>>,
    bytes: usize,
}

/// Hashes an address. Nobody outside chooses them, so no secret is needed, and each
/// change of a process looks up a dozen.
#[derive(Debug, Default)]
struct Address(u64);

impl Hasher for Address {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // An odd number without a pattern, so that all bits of the address matter to the
        // high ones of the product; the table looks at both ends.
        let mixed = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Held {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Before a process comes into the table or after it was changed.
    pub(super) fn add(&mut self, process: &Process) {
        self.bytes += PROCESS_BYTES;
        for (address, bytes) in shared(process) {
            let holders = self.holders.entry(address).or_insert(0);
            if *holders == 0 {
                self.bytes += bytes;
            }
            *holders += 1;
        }
    }

    /// Before a process leaves the table or is changed.
    pub(super) fn remove(&mut self, process: &Process) {
        self.bytes = self.bytes.saturating_sub(PROCESS_BYTES);
        for (address, bytes) in shared(process) {
            let Some(holders) = self.holders.get_mut(&address) else { continue };
            *holders -= 1;
            if *holders == 0 {
                self.holders.remove(&address);
                self.bytes = self.bytes.saturating_sub(bytes);
            }
        }
    }
}

/// Addresses of what a process shares, and the bytes that each takes at most.
fn shared(process: &Process) -> impl Iterator<Item = (usize, usize)> {
    let facts = &process.facts;
    let texts = [&facts.comm, &facts.argv, &facts.envp, &facts.exe, &facts.cwd];
    let lines = (Arc::as_ptr(&process.lines).addr(), process.lines_bytes() + TEXT_BYTES);
    // All empty texts may be one.
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    texts.map(|text| (text.as_ptr().addr(), text.len() + TEXT_BYTES)).chain([lines])
}
