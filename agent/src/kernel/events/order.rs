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
}

/// How often an unfinished record is looked at again: its writer is copying it on
/// another CPU, which takes microseconds, unless that CPU does something else.
const PATIENCE: u32 = 1000;

/// Hands over what is there, at most `limit` records, and returns how many it were.
///
/// Before a record of `calls` everything of `processes` that is not later is handed
/// over. A record of `calls` that was caused by one of `processes` was made after
/// that one was visible, and so was everything in front of it.
pub(super) fn drain(
    processes: &mut impl Source,
    calls: &mut impl Source,
    limit: usize,
    handle: &mut dyn FnMut(&[u8]),
) -> usize {
    let mut patience = PATIENCE;
    for handed in 0..limit {
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
                _ => return handed,
            };
            if patience == 0 {
                break unfinished;
            }
            patience -= 1;
            std::hint::spin_loop();
        };
        if process_first { processes.take(handle) } else { calls.take(handle) }
    }
    limit
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::{Next, PATIENCE, Source, drain};

    /// Records that are the time they tell, behind a number of looks that they take
    /// to be finished.
    #[derive(Clone, Debug)]
    struct Listed(VecDeque<(u32, u64)>);

    impl Listed {
        fn of(records: &[u64]) -> Self {
            Self(records.iter().map(|time| (0, *time)).collect())
        }
    }

    impl Source for Listed {
        fn next(&mut self) -> Next {
            match self.0.front_mut() {
                None => Next::Nothing,
                Some((0, time)) => Next::At(*time),
                Some((looks, _)) => {
                    *looks -= 1;
                    Next::Unfinished
                }
            }
        }

        fn take(&mut self, handle: &mut dyn FnMut(&[u8])) {
            if let Some((0, time)) = self.0.front().copied() {
                self.0.pop_front();
                handle(&time.to_ne_bytes());
            }
        }
    }

    fn drained(mut processes: Listed, mut calls: Listed, limit: usize) -> Vec<u64> {
        let mut times = Vec::new();
        let count = drain(&mut processes, &mut calls, limit, &mut |record| {
            times.push(u64::from_ne_bytes(record.try_into().unwrap_or_default()));
        });
        assert_eq!(count, times.len());
        times
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
            let processes = Listed([(looks, 1)].into());
            assert_eq!(drained(processes, Listed::of(&[2]), 9), expected, "{looks}");
        };
        check(3, &[1, 2]);
        // Not for ever; what is left is for the next time.
        check(PATIENCE * 2, &[2]);
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
            let mut sources = [Listed(processes.into()), Listed(calls.into())];
            let mut expected: Vec<u64> = sources
                .iter()
                .flat_map(|source| source.0.iter().map(|(_, time)| *time))
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
