//! Alerts that say the same again: counted for a while instead of written.
//!
//! Of a group of equal alerts the first is written at once. Those that follow within
//! the time are counted; at its end the last of them is written with the count. Time
//! is that of the events, so a recording gives the same. Nothing is lost silently:
//! what does not fit the table is written.

use std::collections::{BTreeSet, HashMap};

/// What makes alerts equal: a hash of rule, tenant and message, 128 bits wide, so
/// that different alerts are not taken for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Likeness(pub(super) u128);

/// Groups that are remembered at most.
pub(super) const GROUPS_MAX: usize = 8192;

/// What is to be done with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Write it.
    Write,
    /// It is counted; keep it for the end of the group in place of the one before.
    Keep,
}

/// A group whose time is over, and how many of it were not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeated<T> {
    /// The last of them.
    pub(super) last: T,
    /// Alerts since the first, that one included.
    pub(super) count: u64,
}

#[derive(Debug)]
struct Group<T> {
    count: u64,
    last: Option<T>,
}

/// The groups of the moment. `T` is an alert as it will be written.
#[derive(Debug)]
pub(super) struct Repeats<T> {
    window_ns: u64,
    groups: HashMap<Likeness, Group<T>>,
    /// In the order in which they end.
    ends: BTreeSet<(u64, Likeness)>,
}

impl<T> Repeats<T> {
    /// Of alerts within `window_ns` nanoseconds; 0: all are written.
    #[must_use]
    pub(super) fn new(window_ns: u64) -> Self {
        Self { window_ns, groups: HashMap::new(), ends: BTreeSet::new() }
    }

    /// Takes note of an alert of that time.
    pub(super) fn note(&mut self, alert: Likeness, time_ns: u64) -> Verdict {
        if self.window_ns == 0 {
            return Verdict::Write;
        }
        if let Some(group) = self.groups.get_mut(&alert) {
            group.count += 1;
            return Verdict::Keep;
        }
        if self.groups.len() < GROUPS_MAX {
            let ends_ns = time_ns.saturating_add(self.window_ns);
            self.groups.insert(alert, Group { count: 0, last: None });
            self.ends.insert((ends_ns, alert));
        }
        Verdict::Write
    }

    /// Keeps an alert after [`Verdict::Keep`].
    pub(super) fn keep(&mut self, alert: Likeness, last: T) {
        if let Some(group) = self.groups.get_mut(&alert) {
            group.last = Some(last);
        }
    }

    /// Hands out what was counted in groups that are over at that time.
    pub(super) fn ended(&mut self, now_ns: u64, mut out: impl FnMut(Repeated<T>)) {
        while let Some((ends_ns, alert)) = self.ends.first().copied() {
            if ends_ns > now_ns {
                return;
            }
            self.ends.pop_first();
            if let Some(Group { count, last: Some(last), .. }) = self.groups.remove(&alert) {
                out(Repeated { last, count });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Likeness, Repeated, Repeats, Verdict};

    /// Alerts as (time, what it says) → what is written: times, and counts behind.
    fn written(window_ns: u64, alerts: &[(u64, u128)]) -> Vec<(u64, u64)> {
        let mut repeats = Repeats::new(window_ns);
        let mut out = Vec::new();
        for (time, says) in alerts {
            repeats.ended(*time, |Repeated { last, count }| out.push((last, count)));
            match repeats.note(Likeness(*says), *time) {
                Verdict::Write => out.push((*time, 0)),
                Verdict::Keep => repeats.keep(Likeness(*says), *time),
            }
        }
        repeats.ended(u64::MAX, |Repeated { last, count }| out.push((last, count)));
        out
    }

    #[test]
    fn cases() {
        let check = |window, alerts: &[(u64, u128)], expected: &[(u64, u64)]| {
            assert_eq!(written(window, alerts), expected, "{alerts:?}");
        };
        check(10, &[(0, 1)], &[(0, 0)]);
        check(10, &[(0, 1), (3, 1), (9, 1)], &[(0, 0), (9, 2)]);
        check(10, &[(0, 1), (3, 2), (5, 1)], &[(0, 0), (3, 0), (5, 1)]);
        check(10, &[(0, 1), (9, 1), (10, 1), (12, 1)], &[(0, 0), (9, 1), (10, 0), (12, 1)]);
        check(0, &[(0, 1), (0, 1)], &[(0, 0), (0, 0)]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(window in 0_u64..20, steps in prop::collection::vec((0_u64..8, 0_u128..4), 0..60)) {
            let mut time = 0;
            let alerts: Vec<_> = steps.iter().map(|(step, says)| { time += step; (time, *says) }).collect();
            let out = written(window, &alerts);
            let counted: u64 = out.iter().map(|(_, count)| if *count == 0 { 1 } else { *count }).sum();
            prop_assert_eq!(counted, alerts.len() as u64);
        }
    }
}
