//! Events that wait for what their container or their pod is.
//!
//! A rule that asks for an image or a mount must not be held against an event before
//! the runtime has answered, and no alert of a pod is written before the cluster has
//! told whose it is. The events of such a container or pod wait, in their order, for
//! the answer or for [`PATIENCE_NS`]. What exceeds the limit of bytes does not wait.
//! Time is that of the events.

use std::collections::{HashMap, VecDeque};

use crate::process::ProcessFacts;

/// How long an event waits at most, nanoseconds.
pub(super) const PATIENCE_NS: u64 = 5_000_000_000;

#[derive(Debug)]
struct Waiter {
    container: Box<str>,
    since_ns: u64,
    number: u64,
    actor: Option<Box<ProcessFacts>>,
    record: Box<[u8]>,
}

/// An event whose waiting is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Released {
    /// Its number.
    pub(super) number: u64,
    /// Who acted, as of then: a process may run another program by now.
    pub(super) actor: Option<Box<ProcessFacts>>,
    /// Its record.
    pub(super) record: Box<[u8]>,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Waiting {
    queue: VecDeque<Waiter>,
    of: HashMap<Box<str>, usize>,
    bytes: usize,
    bytes_max: usize,
}

impl Waiting {
    /// Holds at most that many bytes.
    #[must_use]
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { queue: VecDeque::new(), of: HashMap::new(), bytes: 0, bytes_max }
    }

    /// Events of a container that wait: later ones have to, too.
    #[must_use]
    pub(super) fn has(&self, container: &str) -> bool {
        self.of.contains_key(container)
    }

    /// Takes an event; false when there is no room.
    pub(super) fn hold(
        &mut self,
        container: &str,
        now_ns: u64,
        number: u64,
        actor: Option<&ProcessFacts>,
        record: &[u8],
    ) -> bool {
        if self.bytes + record.len() > self.bytes_max {
            return false;
        }
        self.bytes += record.len();
        *self.of.entry(container.into()).or_default() += 1;
        self.queue.push_back(Waiter {
            container: container.into(),
            since_ns: now_ns,
            number,
            actor: actor.cloned().map(Box::new),
            record: record.into(),
        });
        true
    }

    /// Takes out the events of a container, in their order.
    pub(super) fn answered(&mut self, container: &str) -> Vec<Released> {
        if !self.has(container) {
            return Vec::new();
        }
        let (ready, rest): (VecDeque<_>, _) =
            std::mem::take(&mut self.queue).into_iter().partition(|it| *it.container == *container);
        self.queue = rest;
        ready.into_iter().map(|waiter| self.release(waiter)).collect()
    }

    /// Takes out the next event that has waited for long enough.
    pub(super) fn expired(&mut self, now_ns: u64) -> Option<Released> {
        let first = self.queue.front()?;
        if now_ns < first.since_ns.saturating_add(PATIENCE_NS) {
            return None;
        }
        let first = self.queue.pop_front()?;
        Some(self.release(first))
    }

    fn release(&mut self, waiter: Waiter) -> Released {
        let Waiter { container, number, actor, record, .. } = waiter;
        self.bytes -= record.len();
        if let Some(count) = self.of.get_mut(&container) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&container);
            }
        }
        Released { number, actor, record }
    }
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE_NS, Waiting};

    fn numbers(released: &[super::Released]) -> Vec<u64> {
        released.iter().map(|it| it.number).collect()
    }

    #[test]
    fn answers_release_their_own_in_order() {
        let mut waiting = Waiting::new(100);
        for (number, container) in ["a", "b", "a"].iter().enumerate() {
            assert!(waiting.hold(container, 5, number as u64, None, &[0; 10]));
        }
        assert!(waiting.has("a") && waiting.has("b") && !waiting.has("c"));
        assert_eq!(numbers(&waiting.answered("a")), [0, 2]);
        assert!(!waiting.has("a"));
        assert_eq!(waiting.bytes, 10);
        assert!(waiting.answered("a").is_empty());
    }

    #[test]
    fn patience_ends() {
        let mut waiting = Waiting::new(100);
        assert!(waiting.hold("a", 5, 1, None, &[0; 10]));
        assert_eq!(waiting.expired(4 + PATIENCE_NS), None);
        assert_eq!(waiting.expired(5 + PATIENCE_NS).map(|it| it.number), Some(1));
        assert_eq!(waiting.bytes, 0);
    }

    #[test]
    fn what_does_not_fit_does_not_wait() {
        let mut waiting = Waiting::new(15);
        assert!(waiting.hold("a", 0, 1, None, &[0; 10]));
        assert!(!waiting.hold("a", 0, 2, None, &[0; 10]));
        assert_eq!(waiting.bytes, 10);
    }
}
