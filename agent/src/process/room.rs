//! Who leaves the table: those that ended, and for want of room those that were not
//! heard of for longest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use super::Process;
use super::ancestry::{DEPTH_MAX, key_of};
use super::table::{Key, Table};

/// How long a process stays after its end, for what is told late: longer than an event
/// waits for its container. Where processes are many and short, most of the table is of
/// those, and the more there are the less of it is in the caches of the CPU.
pub const GRACE_NS: u64 = 2_000_000_000;
/// Room is made for the sixteenth part of what the table may hold, as looking for those
/// that may leave is a walk over all.
const PART: usize = 16;

impl Table {
    /// Lets go of processes that ended a while ago and that no living one descends from.
    pub fn sweep(&mut self, now_ns: u64) {
        let is_due = |end: u64| now_ns.saturating_sub(end) > GRACE_NS;
        let mut due: Vec<Key> = Vec::new();
        for process in self.processes.values() {
            if process.exited_ns.is_some_and(is_due) {
                due.push(key_of(process));
            }
        }
        if due.is_empty() {
            return;
        }
        let needed = self.needed(|exited_ns| !exited_ns.is_some_and(is_due));
        for key in due {
            if !needed.contains_key(&key) {
                self.leave(key);
            }
        }
    }

    /// Ancestors of the processes that stay, each with how many of its own ancestors
    /// someone may ask for.
    fn needed(&self, stays: impl Fn(Option<u64>) -> bool) -> BTreeMap<Key, usize> {
        let mut needed = BTreeMap::new();
        for process in self.processes.values().filter(|process| stays(process.exited_ns)) {
            let mut at = process;
            for left in (0..DEPTH_MAX).rev() {
                let Some(key) = self.parent_key(at) else { break };
                let known = needed.entry(key).or_insert(0);
                // Someone was here who had as far to go.
                if *known > left {
                    break;
                }
                *known = left + 1;
                let Some(parent) = self.processes.get(key) else { break };
                at = parent;
            }
        }
        needed
    }

    /// Keeps to the limits.
    pub(super) fn make_room(&mut self) {
        if self.has_room(0) {
            return;
        }
        self.evict_ended();
        if !self.has_room(PART) {
            self.evict_childless();
        }
        // What is left is a ring of parents, or the limits are next to nothing.
        while !self.has_room(0) {
            let Some(key) = self.processes.values().map(key_of).min() else { return };
            self.evict(key);
        }
    }

    /// True when the table keeps to its limits less their `part`th part; 0 is none of it.
    fn has_room(&self, part: usize) -> bool {
        let less = |limit: usize| limit - limit.checked_div(part).unwrap_or(0);
        self.processes.len() <= less(self.limits.max_processes)
            && self.held.bytes() <= less(self.limits.max_bytes)
    }

    /// Those that ended leave first, the longest gone before the others.
    fn evict_ended(&mut self) {
        let ended = self.processes.values().filter_map(|it| Some((it.exited_ns?, key_of(it))));
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable();
        for (_, key) in ended {
            if self.has_room(PART) {
                return;
            }
            self.evict(key);
        }
    }

    /// Then those without children that were not heard of for longest; a parent is one of
    /// them once its last child has left. The one that was met last stays.
    fn evict_childless(&mut self) {
        // By id alone: at worst one stays that had the id of a parent before.
        let mut children: HashMap<u32, usize> = HashMap::with_capacity(self.processes.len());
        for process in self.processes.values() {
            *children.entry(process.facts.parent).or_default() += 1;
        }
        let turn = self.turn;
        let candidate = |process: &Process| {
            let touched = process.touched;
            (touched < turn).then_some(Reverse((touched, key_of(process))))
        };
        let processes = self.processes.values();
        let childless = processes.filter(|process| !children.contains_key(&process.facts.pid));
        let mut queue: BinaryHeap<_> = childless.filter_map(candidate).collect();
        while !self.has_room(PART) {
            let Some(Reverse((_, key))) = queue.pop() else { return };
            let Some(process) = self.evict(key) else { continue };
            let parent = process.facts.parent;
            let Some(left) = children.get_mut(&parent) else { continue };
            *left -= 1;
            if *left == 0 {
                queue.extend(self.processes.of_pid(parent).filter_map(candidate));
            }
        }
    }

    fn evict(&mut self, key: Key) -> Option<Box<Process>> {
        let process = self.leave(key)?;
        self.evicted_total += 1;
        Some(process)
    }
}
