//! Which entries there are, where, and which goes first when there is no room.

use std::collections::{BTreeMap, BTreeSet};

/// Urgencies that are told apart: those of syslog, which are Falco's priorities, too.
pub const URGENCIES: usize = 8;

/// Where an entry is, and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub(super) segment: u64,
    /// As in [`super::Entry`].
    pub(super) urgency: u8,
    /// What it takes, bytes.
    bytes: u64,
}

/// Bytes that an entry takes with a text of this length: keys and lengths count, so that
/// no number of short entries is too many.
pub(super) const fn cost(text: usize) -> u64 {
    text as u64 + 64
}

impl Place {
    pub(super) const fn new(segment: u64, urgency: u8, text: usize) -> Self {
        Self { segment, urgency, bytes: cost(text) }
    }

    pub(super) fn rank(&self) -> usize {
        usize::from(self.urgency).min(URGENCIES - 1)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: BTreeMap<u64, Place>,
    by_urgency: [BTreeSet<u64>; URGENCIES],
    /// Those that are on their way: they are not among `by_urgency`.
    lent: Vec<u64>,
    bytes: u64,
    segments: BTreeMap<u64, Fill>,
}

/// Bytes of the texts of one file.
#[derive(Clone, Copy, Debug, Default)]
struct Fill {
    held: u64,
    written: u64,
}

impl Index {
    pub(super) fn add(&mut self, number: u64, place: Place) {
        self.by_urgency[place.rank()].insert(number);
        self.bytes += place.bytes;
        self.fill(place.segment, place.bytes);
        self.places.insert(number, place);
    }

    fn fill(&mut self, segment: u64, bytes: u64) {
        let fill = self.segments.entry(segment).or_default();
        fill.held += bytes;
        fill.written += bytes;
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<Place> {
        let place = self.places.remove(&number)?;
        self.by_urgency[place.rank()].remove(&number);
        self.bytes -= place.bytes;
        if let Some(fill) = self.segments.get_mut(&place.segment) {
            fill.held -= place.bytes;
        }
        Some(place)
    }

    /// Keeps entries from going, as they are on their way.
    pub(super) fn lend(&mut self, numbers: impl Iterator<Item = u64>) {
        for number in numbers {
            if let Some(place) = self.places.get(&number) {
                self.by_urgency[place.rank()].remove(&number);
                self.lent.push(number);
            }
        }
    }

    /// Those that were lent may go again.
    pub(super) fn take_back(&mut self) {
        for number in std::mem::take(&mut self.lent) {
            if let Some(place) = self.places.get(&number) {
                self.by_urgency[place.rank()].insert(number);
            }
        }
    }

    /// Forgets the oldest of the least urgent that is not on its way.
    pub(super) fn pop_least_urgent(&mut self) -> Option<(u64, Place)> {
        let number = *self.by_urgency.iter().rev().find_map(BTreeSet::first)?;
        Some((number, self.remove(number)?))
    }

    /// Whether an entry is wanted.
    pub(super) fn has(&self, number: u64) -> bool {
        self.places.contains_key(&number)
    }

    /// Says in which file an entry is now.
    pub(super) fn relocate(&mut self, number: u64, segment: u64) {
        let Some(place) = self.places.get_mut(&number) else { return };
        let (from, bytes) = (std::mem::replace(&mut place.segment, segment), place.bytes);
        if let Some(fill) = self.segments.get_mut(&from) {
            fill.held -= bytes;
        }
        self.fill(segment, bytes);
    }

    /// Numbers of the oldest, by file.
    pub(super) fn oldest(&self, entries: usize, bytes: u64) -> BTreeMap<u64, Vec<u64>> {
        let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut total = 0;
        for (&number, place) in self.places.iter().take(entries) {
            total += place.bytes;
            if total > bytes && !found.is_empty() {
                break;
            }
            found.entry(place.segment).or_default().push(number);
        }
        found
    }

    pub(super) fn numbers(&self, segment: u64) -> Vec<u64> {
        let of = |(number, place): (&u64, &Place)| (place.segment == segment).then_some(*number);
        self.places.iter().filter_map(of).collect()
    }

    pub(super) fn remove_segment(&mut self, segment: u64) -> Vec<Place> {
        let numbers = self.numbers(segment);
        let gone = numbers.into_iter().filter_map(|number| self.remove(number)).collect();
        self.forget_segment(segment);
        gone
    }

    pub(super) fn forget_segment(&mut self, segment: u64) {
        self.segments.remove(&segment);
    }

    pub(super) fn urgency(&self, number: u64) -> u8 {
        self.places.get(&number).map_or(u8::MAX, |place| place.urgency)
    }

    /// Bytes of a file's entries that are still wanted.
    pub(super) fn held(&self, segment: u64) -> u64 {
        self.segments.get(&segment).map_or(0, |fill| fill.held)
    }

    /// Bytes of all entries that were written to a file.
    pub(super) fn written(&self, segment: u64) -> u64 {
        self.segments.get(&segment).map_or(0, |fill| fill.written)
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.places.len() as u64
    }
}
