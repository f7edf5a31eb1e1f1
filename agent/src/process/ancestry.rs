//! Who started whom.
//!
//! A parent is known by its id only, so it is the last process of that id which began
//! before its child. It never goes on for ever: hostile or lost records may make a ring.

use serde::{Deserialize, Serialize};

use super::Process;
use super::table::{Applied, Key, Table, began_before};
use crate::event::Deed;

/// Ancestors of a process at most.
pub(super) const DEPTH_MAX: usize = 64;

/// Processes of a lineage at most.
const LINEAGE_MAX: usize = 16;
/// Bytes of a program's path or a command line there.
const LINEAGE_TEXT: usize = 1024;

/// A process of a lineage, as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ancestor {
    /// Its id.
    pub pid: u32,
    /// When it began, nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Its user.
    pub uid: u32,
    /// Its name.
    pub name: String,
    /// Its program.
    pub exe: String,
    /// Its command line.
    pub command_line: String,
    /// What it did last, as far as the rules were shown it; oldest first.
    pub deeds: Vec<Deed>,
    /// What it did before and nobody remembers.
    pub deeds_dropped: u32,
}

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

    /// A process and its ancestors, its parent second, the nearest ones if there are many.
    /// `boot_unix_ns`: when `CLOCK_BOOTTIME` was 0, nanoseconds since 1970.
    #[must_use]
    pub fn lineage(&self, process: &Process, boot_unix_ns: u64) -> Vec<Ancestor> {
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(&bytes[..bytes.len().min(LINEAGE_TEXT)]).into_owned()
        };
        let processes = std::iter::once(process).chain(self.ancestors(process));
        processes
            .take(LINEAGE_MAX)
            .map(|process| Ancestor {
                pid: process.facts.pid,
                start_unix_ns: process.facts.start_ns.saturating_add(boot_unix_ns),
                uid: process.facts.uid,
                name: text(&process.facts.comm),
                exe: text(&process.facts.exe),
                command_line: text(process.cmdline()),
                ..Ancestor::default()
            })
            .collect()
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
