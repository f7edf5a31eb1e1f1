//! Processes by their ids: one look-up finds all that had an id, of which there is
//! mostly one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::Process;
use super::ancestry::key_of;
use super::table::Key;

/// Boxed, as moving a process would cost more than a look at it.
#[derive(Debug, Default)]
pub(super) struct ByPid {
    of: HashMap<u32, Namesakes, BuildHasherDefault<Spread>>,
    len: usize,
}

/// All that had one id.
#[derive(Debug)]
struct Namesakes {
    /// In the order of their starts.
    #[expect(clippy::vec_box, reason = "processes go to and from `newest`, which is boxed")]
    older: Vec<Box<Process>>,
    newest: Box<Process>,
}

/// Hashes a number that nobody outside chooses: the kernel gives ids and addresses, so no
/// secret is needed.
#[derive(Debug, Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        // An odd number without a pattern, so that all bits matter to the high ones of
        // the product; the table looks at both ends.
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Namesakes {
    fn all(&self) -> impl DoubleEndedIterator<Item = &Process> {
        self.older.iter().map(|it| &**it).chain(std::iter::once(&*self.newest))
    }
}

impl ByPid {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, (pid, start_ns): Key) -> Option<&Process> {
        let namesakes = self.of.get(&pid)?;
        if namesakes.newest.facts.start_ns == start_ns {
            return Some(&namesakes.newest);
        }
        let older = &namesakes.older;
        let at = older.binary_search_by_key(&start_ns, |it| it.facts.start_ns).ok()?;
        Some(&older[at])
    }

    pub(super) fn get_mut(&mut self, (pid, start_ns): Key) -> Option<&mut Process> {
        let Namesakes { older, newest } = self.of.get_mut(&pid)?;
        if newest.facts.start_ns == start_ns {
            return Some(newest);
        }
        let at = older.binary_search_by_key(&start_ns, |it| it.facts.start_ns).ok()?;
        Some(&mut older[at])
    }

    /// All that had that id, in the order of their starts.
    pub(super) fn of_pid(&self, pid: u32) -> impl DoubleEndedIterator<Item = &Process> {
        self.of.get(&pid).into_iter().flat_map(Namesakes::all)
    }

    /// The same, to be changed; starts must stay.
    pub(super) fn of_pid_mut(&mut self, pid: u32) -> impl Iterator<Item = &mut Process> {
        let namesakes = self.of.get_mut(&pid).into_iter();
        namesakes.flat_map(|Namesakes { older, newest }| {
            older.iter_mut().map(|it| &mut **it).chain(std::iter::once(&mut **newest))
        })
    }

    /// All, in no order that means something.
    pub(super) fn values(&self) -> impl Iterator<Item = &Process> {
        self.of.values().flat_map(Namesakes::all)
    }

    /// Puts a process in, in place of one with the same key.
    pub(super) fn insert(&mut self, process: Box<Process>) {
        let (pid, start_ns) = key_of(&process);
        let Some(Namesakes { older, newest }) = self.of.get_mut(&pid) else {
            self.of.insert(pid, Namesakes { older: Vec::new(), newest: process });
            self.len += 1;
            return;
        };
        if newest.facts.start_ns == start_ns {
            *newest = process;
            return;
        }
        if newest.facts.start_ns < start_ns {
            older.push(std::mem::replace(newest, process));
        } else {
            match older.binary_search_by_key(&start_ns, |it| it.facts.start_ns) {
                Ok(at) => {
                    older[at] = process;
                    return;
                }
                Err(at) => older.insert(at, process),
            }
        }
        self.len += 1;
    }

    pub(super) fn remove(&mut self, (pid, start_ns): Key) -> Option<Box<Process>> {
        let Namesakes { older, newest } = self.of.get_mut(&pid)?;
        let removed = if newest.facts.start_ns == start_ns {
            match older.pop() {
                Some(next) => std::mem::replace(newest, next),
                None => self.of.remove(&pid)?.newest,
            }
        } else {
            let at = older.binary_search_by_key(&start_ns, |it| it.facts.start_ns).ok()?;
            older.remove(at)
        };
        self.len -= 1;
        // What a storm of processes took is not kept for ever.
        if self.of.capacity() > 1024 && self.of.len() < self.of.capacity() / 8 {
            self.of.shrink_to(self.of.len() * 2);
        }
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{ByPid, Process};
    use crate::process::ProcessFacts;
    use crate::process::ancestry::key_of;

    fn process(pid: u32, start_ns: u64, parent: u32) -> Process {
        Process::new(ProcessFacts { pid, start_ns, parent, ..ProcessFacts::default() })
    }

    proptest! {
        #[test]
        fn it_holds_what_a_sorted_map_holds(
            steps in prop::collection::vec((any::<bool>(), 1_u32..4, 0_u64..6, 0_u32..9), 0..60),
        ) {
            let (mut found, mut expected) = (ByPid::default(), BTreeMap::new());
            for (comes, pid, start_ns, parent) in steps {
                let key = (pid, start_ns);
                if comes {
                    found.insert(Box::new(process(pid, start_ns, parent)));
                    expected.insert(key, parent);
                } else {
                    let removed = found.remove(key).map(|it| it.facts.parent);
                    prop_assert_eq!(removed, expected.remove(&key));
                }
                prop_assert_eq!(found.len(), expected.len());
                prop_assert_eq!(found.values().count(), expected.len());
                prop_assert_eq!(found.get(key).map(|it| it.facts.parent), expected.get(&key).copied());
                let parent = found.get_mut(key).map(|it| it.facts.parent);
                prop_assert_eq!(parent, expected.get(&key).copied());
                let all: Vec<_> = found.of_pid(pid).map(key_of).collect();
                let of_pid = expected.range((pid, 0)..=(pid, u64::MAX));
                prop_assert_eq!(&all, &of_pid.map(|(key, _)| *key).collect::<Vec<_>>());
                prop_assert_eq!(found.of_pid_mut(pid).map(|it| key_of(it)).collect::<Vec<_>>(), all);
            }
        }
    }
}
