//! Records of two rings in the order of cause and effect.
//!
//! The record of a new process, or of another program that it runs, has to be known
//! before any of its calls; that it ended, after all of them. It compares times and
//! knows neither rings nor records.

/// What a source has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// A record that is still being written; finished ones may stand behind it.
    Unfinished,
    /// A record of this time.
    At(u64),
}

/// Something that records come from one after the other.
pub(super) trait Source {
    /// What comes next.
    fn next(&mut self) -> Next;
    /// Hands the next record over, if there is a finished one.
    fn take(&mut self, handle: &mut dyn FnMut(&[u8]));
    /// Whether so much waits that there may soon be no room.
    fn is_crowded(&mut self) -> bool;
}

/// What was handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drained {
    /// Records.
    pub(super) records: usize,
    /// Of them, those of `processes` that did not wait for earlier ones of `calls`.
    pub(super) hurried: u64,
}

/// Records between two looks whether `processes` is crowded.
const STRIDE: usize = 64;

/// How often an unfinished record is looked at again: its writer is copying it on
/// another CPU, which takes microseconds, unless that CPU does something else.
const PATIENCE: u32 = 1000;

/// Hands over what is there, at most `limit` records.
///
/// Before a record of `calls` everything of `processes` that is not later is handed
/// over. A record of `calls` that was caused by one of `processes` was made after
/// that one was visible, and so was everything in front of it.
///
/// While `processes` is crowded its records do not wait for earlier ones of `calls`:
/// a call that is seen late, and its process as it was afterwards, is better than one
/// whose process is not known because its beginning was lost.
pub(super) fn drain(
    processes: &mut impl Source,
    calls: &mut impl Source,
    limit: usize,
    handle: &mut dyn FnMut(&[u8]),
) -> Drained {
    let mut patience = PATIENCE;
    let mut hurried = 0;
    let mut hurry = false;
    for handed in 0..limit {
        if handed.is_multiple_of(STRIDE) {
            hurry = processes.is_crowded();
        }
        if hurry && let Next::At(process) = processes.next() {
            hurried += u64::from(matches!(calls.next(), Next::At(call) if call < process));
            processes.take(handle);
            continue;
        }
        let process_first = loop {
            let mut call = calls.next();
            // Looked at after the call: what the call followed from is there by now.
            let process = processes.next();
            if process != Next::Nothing && call == Next::Nothing {
                // Likewise the other way round, for an end of a process.
                call = calls.next();
            }
            let unfinished = match (process, call) {
                (Next::At(process), Next::At(call)) => break process <= call,
                (Next::At(_), Next::Nothing) => break true,
                (Next::Nothing, Next::At(_)) => break false,
                (Next::At(_), Next::Unfinished) => true,
                (Next::Unfinished, Next::At(_)) => false,
                _ => return Drained { records: handed, hurried },
            };
            if patience == 0 {
                break unfinished;
            }
            patience -= 1;
            std::hint::spin_loop();
        };
        if process_first { processes.take(handle) } else { calls.take(handle) }
    }
    Drained { records: limit, hurried }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::{Drained, Next, PATIENCE, Source, drain};

    /// Records that are the time they tell, behind a number of looks that they take
    /// to be finished.
    #[derive(Clone, Debug)]
    struct Listed {
        records: VecDeque<(u32, u64)>,
        /// From how many on it is crowded.
        many: usize,
    }

    impl Listed {
        fn new(records: impl IntoIterator<Item = (u32, u64)>) -> Self {
            Self { records: records.into_iter().collect(), many: usize::MAX }
        }

        fn of(records: &[u64]) -> Self {
            Self::new(records.iter().map(|time| (0, *time)))
        }
    }

    impl Source for Listed {
        fn next(&mut self) -> Next {
            match self.records.front_mut() {
                None => Next::Nothing,
                Some((0, time)) => Next::At(*time),
                Some((looks, _)) => {
                    *looks -= 1;
                    Next::Unfinished
                }
            }
        }

        fn take(&mut self, handle: &mut dyn FnMut(&[u8])) {
            if let Some((0, time)) = self.records.front().copied() {
                self.records.pop_front();
                handle(&time.to_ne_bytes());
            }
        }

        fn is_crowded(&mut self) -> bool {
            self.records.len() >= self.many
        }
    }

    fn drained(mut processes: Listed, mut calls: Listed, limit: usize) -> Vec<u64> {
        drained_from(&mut processes, &mut calls, limit).0
    }

    fn drained_from(
        processes: &mut Listed,
        calls: &mut Listed,
        limit: usize,
    ) -> (Vec<u64>, Drained) {
        let mut times = Vec::new();
        let drained = drain(processes, calls, limit, &mut |record| {
            times.push(u64::from_ne_bytes(record.try_into().unwrap_or_default()));
        });
        assert_eq!(drained.records, times.len());
        (times, drained)
    }

    fn check(processes: &[u64], calls: &[u64], limit: usize, expected: &[u64]) {
        let found = drained(Listed::of(processes), Listed::of(calls), limit);
        assert_eq!(found, expected, "{processes:?} {calls:?}");
    }

    #[test]
    fn processes_come_before_the_calls_that_follow() {
        check(&[], &[], 9, &[]);
        check(&[], &[1, 2], 9, &[1, 2]);
        check(&[1, 2], &[], 9, &[1, 2]);
        check(&[1, 5, 6], &[2, 3, 7], 9, &[1, 2, 3, 5, 6, 7]);
        check(&[4], &[4], 9, &[4, 4]);
        // Times of a ring are nearly in order only: its order is kept.
        check(&[3, 2], &[2, 4], 9, &[2, 3, 2, 4]);
        check(&[1, 5], &[2, 3], 3, &[1, 2, 3]);
        check(&[1], &[2], 0, &[]);
    }

    #[test]
    fn an_unfinished_record_is_waited_for() {
        let check = |looks, expected: &[u64]| {
            let processes = Listed::new([(looks, 1)]);
            assert_eq!(drained(processes, Listed::of(&[2]), 9), expected, "{looks}");
        };
        check(3, &[1, 2]);
        // Not for ever; what is left is for the next time.
        check(PATIENCE * 2, &[2]);
    }

    #[test]
    fn a_crowd_does_not_wait() {
        let check = |processes: &[u64], calls: &[u64], expected: &[u64], hurried| {
            let mut crowd = Listed { many: 3, ..Listed::of(processes) };
            let (times, drained) = drained_from(&mut crowd, &mut Listed::of(calls), 9);
            assert_eq!((times.as_slice(), drained.hurried), (expected, hurried), "{processes:?}");
        };
        check(&[4, 5], &[1, 2], &[1, 2, 4, 5], 0);
        check(&[4, 5, 6], &[1, 2], &[4, 5, 6, 1, 2], 3);
        check(&[1, 2, 6], &[3, 4], &[1, 2, 6, 3, 4], 1);
        check(&[1, 2, 3], &[], &[1, 2, 3], 0);
    }

    #[test]
    fn a_crowd_is_looked_at_again() {
        let processes: Vec<u64> = (100..200).collect();
        let mut crowd = Listed { many: 50, ..Listed::of(&processes) };
        let (times, drained) = drained_from(&mut crowd, &mut Listed::of(&[1, 2]), 200);
        assert_eq!(drained.hurried, 64);
        assert_eq!(times[63..67], [163, 1, 2, 164]);
    }

    proptest! {
        #[test]
        fn each_record_is_handed_over_once_and_none_before_its_cause(
            processes in prop::collection::vec((0_u32..4, 0_u64..50), 0..20),
            calls in prop::collection::vec((0_u32..4, 0_u64..50), 0..20),
        ) {
            let mut processes = processes;
            let mut calls = calls;
            processes.sort_by_key(|(_, time)| *time);
            calls.sort_by_key(|(_, time)| *time);
            let mut sources = [Listed::new(processes), Listed::new(calls)];
            let mut expected: Vec<u64> = sources
                .iter()
                .flat_map(|source| source.records.iter().map(|(_, time)| *time))
                .collect();
            expected.sort_unstable();
            let mut found = Vec::new();
            let [processes, calls] = &mut sources;
            // An unfinished one with nothing finished beside it ends a round.
            for _ in 0..200 {
                drain(processes, calls, 100, &mut |record| {
                    found.push(u64::from_ne_bytes(record.try_into().unwrap_or_default()));
                });
            }
            prop_assert_eq!(found, expected);
        }
    }
}
