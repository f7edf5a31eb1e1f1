//! Who started whom.
//!
//! A parent is known by its id only, so it is the last process of that id which began
//! before its child. It never goes on for ever: hostile or lost records may make a ring.

use super::Process;
use super::table::{Applied, Key, Table, began_before};

/// Ancestors of a process at most.
pub(super) const DEPTH_MAX: usize = 64;

/// Ancestors of a process, its parent first.
#[derive(Clone, Copy, Debug)]
pub struct Ancestors<'a> {
    table: &'a Table,
    origin: &'a Process,
    at: &'a Process,
    left: usize,
}

impl<'a> Iterator for Ancestors<'a> {
    type Item = &'a Process;

    fn next(&mut self) -> Option<&'a Process> {
        self.left = self.left.checked_sub(1)?;
        let parent = self.table.parent(self.at)?;
        if key_of(parent) == key_of(self.origin) {
            self.left = 0;
            return None;
        }
        self.at = parent;
        Some(parent)
    }
}

impl Table {
    /// The parent of a process, as far as it is known.
    #[must_use]
    pub fn parent(&self, process: &Process) -> Option<&Process> {
        let parent = self.began_before(process.facts.parent, process.facts.start_ns)?;
        Some(parent).filter(|parent| key_of(parent) != key_of(process))
    }

    /// An ancestor: 0 is the process itself, 1 its parent.
    #[must_use]
    pub fn ancestor<'a>(&'a self, process: &'a Process, nth: usize) -> Option<&'a Process> {
        match nth.checked_sub(1) {
            None => Some(process),
            Some(above) => self.ancestors(process).nth(above),
        }
    }

    /// Ancestors of a process, its parent first, at most 64.
    #[must_use]
    pub const fn ancestors<'a>(&'a self, process: &'a Process) -> Ancestors<'a> {
        Ancestors { table: self, origin: process, at: process, left: DEPTH_MAX }
    }

    /// The leader of its session; of one whose leader is gone the highest ancestor in it,
    /// or itself.
    #[must_use]
    pub fn session_leader<'a>(&'a self, process: &'a Process) -> Option<&'a Process> {
        let session = process.facts.task.sid;
        self.leader(process, session, |other| other.facts.task.sid == session)
    }

    /// The leader of its process group, likewise.
    #[must_use]
    pub fn group_leader<'a>(&'a self, process: &'a Process) -> Option<&'a Process> {
        let group = process.facts.task.pgid;
        self.leader(process, group, |other| other.facts.task.pgid == group)
    }

    fn leader<'a>(
        &'a self,
        process: &'a Process,
        id: u32,
        is_member: impl Fn(&Process) -> bool,
    ) -> Option<&'a Process> {
        if id == 0 {
            return None;
        }
        if id == process.facts.pid {
            return Some(process);
        }
        // A leader may join another session or group; then its id is not its own any more.
        let named = self.began_before(id, process.facts.start_ns);
        if let Some(leader) = named.filter(|leader| is_member(leader)) {
            return Some(leader);
        }
        let members = self.ancestors(process).take_while(|above| is_member(above));
        Some(members.last().unwrap_or(process))
    }

    /// The last process of that id that began before a time.
    pub(super) fn began_before(&self, pid: u32, start_ns: u64) -> Option<&Process> {
        let mut found = self.processes.of_pid(pid).rev();
        found.find(|process| began_before(process.facts.start_ns, start_ns))
    }

    pub(super) fn parent_key(&self, process: &Process) -> Option<Key> {
        self.parent(process).map(key_of)
    }

    /// Tells of a parent that is not in the table.
    pub(super) fn parentage(&self, key: Key) -> Applied {
        match self.processes.get(key) {
            Some(process) if process.facts.parent != 0 && self.parent(process).is_none() => {
                Applied::Orphan(process.facts.parent)
            }
            _ => Applied::Known,
        }
    }
}

pub(super) const fn key_of(process: &Process) -> Key {
    (process.facts.pid, process.facts.start_ns)
}
