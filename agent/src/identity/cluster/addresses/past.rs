//! Who had which address before, for as long as late news may ask.

use std::collections::{BTreeMap, VecDeque};

use super::holder::{Bits, Kind, Who};

/// An interval that has ended: `from` ≤ t < `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) from_ns: u64,
    /// Since when no other can have had it.
    pub(super) certain_ns: u64,
    pub(super) until_ns: u64,
    /// When it was known to have ended.
    pub(super) told_ns: u64,
    pub(super) who: Who,
}

/// Address and kind, and in which order it ended.
type Key = (Bits, Kind, u64);

/// Intervals that have ended, bounded in age and number.
#[derive(Debug, Default)]
pub(super) struct Past {
    intervals: BTreeMap<Key, Interval>,
    /// When each was known to have ended.
    order: VecDeque<(u64, Key)>,
    serial: u64,
}

impl Past {
    pub(super) fn len(&self) -> usize {
        self.intervals.len()
    }

    pub(super) fn add(&mut self, bits: Bits, interval: Interval) {
        self.serial += 1;
        let key = (bits, interval.who.kind, self.serial);
        self.intervals.insert(key, interval);
        self.order.push_back((interval.told_ns, key));
    }

    /// Who had it then.
    pub(super) fn at(&self, bits: Bits, kind: Kind, at_ns: u64) -> Option<&Interval> {
        self.all_at(bits, kind, at_ns).next()
    }

    /// All who had it then, where several can.
    pub(super) fn all_at(
        &self,
        bits: Bits,
        kind: Kind,
        at_ns: u64,
    ) -> impl Iterator<Item = &Interval> {
        let known = self.of(bits, kind).map(|(_, interval)| interval);
        known.filter(move |known| known.from_ns <= at_ns && at_ns < known.until_ns)
    }

    /// Whether anybody is remembered.
    pub(super) fn has(&self, bits: Bits, kind: Kind) -> bool {
        self.of(bits, kind).next().is_some()
    }

    fn of(&self, bits: Bits, kind: Kind) -> impl Iterator<Item = (&Key, &Interval)> {
        self.intervals.range((bits, kind, 0)..=(bits, kind, u64::MAX))
    }

    /// Makes room for somebody who may have had the address since `start_ns`: others
    /// are certain only until then. Returns since when nobody else had it for certain,
    /// and whom of the others nothing is left.
    pub(super) fn yield_to(&mut self, bits: Bits, who: &Who, start_ns: u64) -> (u64, Vec<Who>) {
        let mut certain_ns = start_ns;
        let mut emptied = Vec::new();
        let later = self.of(bits, who.kind).filter(|(_, known)| known.told_ns > start_ns);
        let later: Vec<Key> = later.map(|(key, _)| *key).collect();
        for key in later {
            let Some(known) = self.intervals.get_mut(&key) else { continue };
            if known.who.is_same(who) {
                certain_ns = certain_ns.max(known.until_ns);
                continue;
            }
            certain_ns = certain_ns.max(known.told_ns);
            known.until_ns = known.until_ns.min(start_ns);
            if known.from_ns >= known.until_ns {
                emptied.push(known.who);
                self.intervals.remove(&key);
            }
        }
        (certain_ns, emptied)
    }

    /// Forgets the oldest if it ended before this, or if there are more than `max`,
    /// those among them of which nothing was left.
    /// Returns who it was, and whether there was no other reason than room.
    pub(super) fn forget(&mut self, before_ns: u64, max: usize) -> Option<(Who, bool)> {
        while let Some((ended_ns, key)) = self.order.front().copied() {
            let is_old = ended_ns < before_ns;
            if !is_old && self.order.len() <= max {
                return None;
            }
            self.order.pop_front();
            if let Some(interval) = self.intervals.remove(&key) {
                return Some((interval.who, !is_old));
            }
        }
        None
    }
}
