//! The processes by id and start: what is asked of the table, and what is put in from
//! elsewhere than the records.
//!
//! It has no clock and never waits; the same calls give the same table.

use std::collections::{BTreeMap, BTreeSet};

use super::ancestry::key_of;
use super::by_pid::ByPid;
use super::held::Held;
use super::{Process, ProcessFacts};

/// What `/proc` tells of a start is a multiple of this: a clock tick.
const TICK_NS: u64 = 10_000_000;

/// How much the table may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processes, ended ones included.
    pub max_processes: usize,
    /// Bytes, estimated from above.
    pub max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_processes: 65_536, max_bytes: 128 << 20 }
    }
}

/// What a record or facts found in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// All that is needed.
    Known,
    /// Not its process, by id and start: it is in the table now without its program.
    /// Told once; whoever can reads it from `/proc` and inserts it.
    Unknown(u32, u64),
    /// Not the parent of its process, by id. Told when the parent is new.
    Orphan(u32),
}

/// What the table holds and has lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Processes, ended ones included.
    pub processes: usize,
    /// Those that ended.
    pub ended: usize,
    /// Bytes, estimated from above.
    pub bytes: usize,
    /// Processes that had to leave for want of room.
    pub evicted_total: u64,
    /// Processes whose fork was not seen: [`Applied::Unknown`].
    pub unknown_total: u64,
}

/// Id and start: these name a process for good.
pub(super) type Key = (u32, u64);

/// All processes that are known.
#[derive(Debug, Default)]
pub struct Table {
    pub(super) limits: Limits,
    pub(super) processes: ByPid,
    /// First processes of pid namespaces by the namespace's inode.
    inits: BTreeMap<u32, Key>,
    pub(super) held: Held,
    /// Grows with each change.
    pub(super) turn: u64,
    pub(super) evicted_total: u64,
    pub(super) unknown_total: u64,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The process of that id and start. A start known by its tick only is that of any
    /// process which began in the tick.
    #[must_use]
    pub fn get(&self, pid: u32, start_ns: u64) -> Option<&Process> {
        self.processes.get(self.key(pid, start_ns)?)
    }

    /// The process that has, or last had, that id.
    #[must_use]
    pub fn find(&self, pid: u32) -> Option<&Process> {
        self.processes.of_pid(pid).next_back()
    }

    /// The first process of a pid namespace, by the namespace's inode.
    #[must_use]
    pub fn init_of(&self, pid_namespace: u32) -> Option<&Process> {
        self.processes.get(*self.inits.get(&pid_namespace)?)
    }

    /// Facts of all processes in the order of their starts, ended ones included, as
    /// they may be someone's parent.
    pub fn snapshot(&self) -> impl Iterator<Item = &ProcessFacts> {
        let mut all: Vec<_> = self.processes.values().map(|process| &process.facts).collect();
        all.sort_unstable_by_key(|facts| (facts.start_ns, facts.pid));
        all.into_iter()
    }

    /// What it holds and has lost.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let ended = self.processes.values().filter(|process| process.exited_ns.is_some()).count();
        Stats {
            processes: self.processes.len(),
            ended,
            bytes: self.held.bytes(),
            evicted_total: self.evicted_total,
            unknown_total: self.unknown_total,
        }
    }

    /// Puts in what `/proc` or a recording tells.
    ///
    /// What records told is kept: of a process that they told of, only what is missing
    /// is taken, unless the facts have a later exec. One that ended stays so, and so does
    /// one whose id another process has by now.
    pub fn insert(&mut self, facts: ProcessFacts) -> Applied {
        self.turn += 1;
        let (pid, start_ns) = (facts.pid, facts.start_ns);
        let key = if let Some(key) = self.key(pid, start_ns) {
            let key = self.adopt(key, start_ns);
            self.change(key, |process| process.fill(facts));
            key
        } else if self.find(pid).is_some_and(|last| last.facts.start_ns > start_ns) {
            return Applied::Known;
        } else {
            self.enter(Process::new(facts))
        };
        let applied = self.parentage(key);
        self.make_room();
        applied
    }

    /// Sets right what lost records left wrong: takes a whole scan of `/proc` that was
    /// begun at a time. It wins over what was told before that, and not over what was
    /// told since; who was not heard of since and is not in it has ended.
    pub fn reconcile(&mut self, scan: impl IntoIterator<Item = ProcessFacts>, begun_ns: u64) {
        let mut found = BTreeSet::new();
        for mut facts in scan {
            let (pid, start_ns) = (facts.pid, facts.start_ns);
            if self.get(pid, start_ns).is_some_and(|known| !known.runs_the_same(&facts)) {
                facts.exec_ns = begun_ns.max(start_ns);
            }
            self.insert(facts);
            found.extend(self.key(pid, start_ns));
        }
        self.turn += 1;
        let is_gone = |process: &&Process| {
            process.exited_ns.is_none()
                && process.seen_ns < begun_ns
                && !found.contains(&key_of(process))
        };
        let gone: Vec<Key> = self.processes.values().filter(is_gone).map(key_of).collect();
        for key in gone {
            self.change(key, |process| process.end(begun_ns));
        }
    }

    /// Notes that a process ended, as `/proc` no longer has it. For when records were
    /// lost.
    pub fn end(&mut self, pid: u32, start_ns: u64, time_ns: u64) {
        if let Some(key) = self.key(pid, start_ns) {
            self.change(key, |process| process.end(time_ns));
        }
    }

    /// The key of the process of that id and start.
    pub(super) fn key(&self, pid: u32, start_ns: u64) -> Option<Key> {
        if self.processes.get((pid, start_ns)).is_some() {
            return Some((pid, start_ns));
        }
        let tick = start_ns / TICK_NS;
        let mut starts = self.processes.of_pid(pid).map(|process| process.facts.start_ns);
        let start = starts
            .find(|found| found / TICK_NS == tick && (is_tick(*found) || is_tick(start_ns)))?;
        Some((pid, start))
    }

    /// Gives a process that is known by its tick its exact start.
    pub(super) fn adopt(&mut self, key: Key, start_ns: u64) -> Key {
        let exact = (key.0, start_ns);
        if key == exact || is_tick(start_ns) {
            return key;
        }
        if let Some(mut process) = self.leave(key) {
            if process.facts.exec_ns == process.facts.start_ns {
                process.facts.exec_ns = start_ns;
            }
            process.facts.start_ns = start_ns;
            self.put(process);
        }
        exact
    }

    /// A process that is not in the table comes in. Who had its id before has ended; if
    /// another has it by now, it has itself.
    pub(super) fn enter(&mut self, mut process: Process) -> Key {
        let (pid, start_ns) = (process.facts.pid, process.facts.start_ns);
        for other in self.processes.of_pid_mut(pid) {
            if other.facts.start_ns < start_ns {
                other.end(start_ns);
            } else {
                process.end(other.facts.start_ns);
            }
        }
        self.put(Box::new(process))
    }

    /// Changes a process. Its id and start stay.
    pub(super) fn change(&mut self, key: Key, change: impl FnOnce(&mut Process)) {
        let Some(process) = self.processes.get_mut(key) else { return };
        self.held.change(process, change);
        process.touched = self.turn;
        let task = process.facts.task;
        self.note_init(key, task.vpid, task.pid_namespace);
    }

    /// Takes a process out.
    pub(super) fn leave(&mut self, key: Key) -> Option<Box<Process>> {
        let process = self.processes.remove(key)?;
        self.held.remove(&process);
        let namespace = process.facts.task.pid_namespace;
        if self.inits.get(&namespace) == Some(&key) {
            self.inits.remove(&namespace);
        }
        Some(process)
    }

    fn put(&mut self, mut process: Box<Process>) -> Key {
        let key = (process.facts.pid, process.facts.start_ns);
        let task = process.facts.task;
        process.touched = self.turn;
        self.held.add(&process);
        self.processes.insert(process);
        self.note_init(key, task.vpid, task.pid_namespace);
        key
    }

    fn note_init(&mut self, key: Key, vpid: u32, pid_namespace: u32) {
        if vpid == 1 && pid_namespace != 0 {
            self.inits.insert(pid_namespace, key);
        }
    }
}

/// True when a start is as `/proc` tells it.
pub(super) const fn is_tick(start_ns: u64) -> bool {
    start_ns.is_multiple_of(TICK_NS)
}

/// True when the one began before the other, or in the same tick if that is all that is
/// known.
pub(super) const fn began_before(one: u64, other: u64) -> bool {
    one <= other || (is_tick(other) && one / TICK_NS == other / TICK_NS)
}
