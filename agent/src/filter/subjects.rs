//! When it is worth finding out whether a subject can matter, and to say so to the
//! kernel side: not before the same one was seen twice.
//!
//! It never decides whether it matters.

use landlord_ebpf::abi::{VERDICTS, verdict_index};

/// Subjects that were seen lately, in a table of fixed size: a newer one takes the
/// place of another one.
#[derive(Debug)]
pub struct Subjects {
    seen: Box<[Seen]>,
    generation: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    key: [u64; 2],
    what: What,
}

/// What is known of a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum What {
    /// It was seen once.
    #[default]
    New,
    /// A rule may match it.
    Wanted,
    /// No rule matches it.
    Never,
}

impl Default for Subjects {
    fn default() -> Self {
        Self::new()
    }
}

impl Subjects {
    /// None was seen.
    #[must_use]
    pub fn new() -> Self {
        // One place for each in the kernel's table: those that take turns there take
        // turns here too, so that they do not write over each other at every event.
        Self { seen: vec![Seen::default(); VERDICTS as usize].into(), generation: 0 }
    }

    /// Plans of a new generation are in force: what was found out counts no more.
    pub fn renew(&mut self, generation: u64) {
        if self.generation != generation {
            self.generation = generation;
            self.seen.fill(Seen::default());
        }
    }

    /// Whether it was found out already that no rule matches a subject.
    #[must_use]
    pub fn are_never(&self, key: [u64; 2]) -> bool {
        let seen = self.seen.get(verdict_index(key[0]) as usize);
        key[0] != 0 && seen.is_some_and(|seen| seen.key == key && seen.what == What::Never)
    }

    /// An event of a subject came: the key to be written into the kernel's table, if
    /// no rule matches such events. `never` is asked once for a subject that stays in
    /// the table, the second time that it is seen.
    pub fn consider(&mut self, key: [u64; 2], never: impl FnOnce() -> bool) -> Option<[u64; 2]> {
        let [low, _] = key;
        if low == 0 {
            return None;
        }
        let seen = self.seen.get_mut(verdict_index(low) as usize)?;
        if seen.key != key {
            *seen = Seen { key, what: What::New };
            return None;
        }
        if seen.what == What::New {
            seen.what = if never() { What::Never } else { What::Wanted };
        }
        // Seen again although it was written: another one took its place there.
        (seen.what == What::Never).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::Subjects;
    use landlord_ebpf::abi::VERDICTS;

    #[test]
    fn the_second_sighting_is_judged_and_only_that_one() {
        let check = |never: bool, expected: [bool; 4]| {
            let mut subjects = Subjects::new();
            let mut asked = 0;
            let key = [7, 8];
            for written in expected {
                let found = subjects.consider(key, || {
                    asked += 1;
                    never
                });
                assert_eq!(found, written.then_some(key));
            }
            assert_eq!(asked, 1);
        };
        check(true, [false, true, true, true]);
        check(false, [false, false, false, false]);
    }

    #[test]
    fn what_was_found_out_is_remembered() {
        let check = |never: bool, expected: [bool; 3]| {
            let mut subjects = Subjects::new();
            for expected in expected {
                assert_eq!(subjects.are_never([7, 8]), expected, "{never}");
                subjects.consider([7, 8], || never);
            }
            assert!(!subjects.are_never([7, 9]));
            assert!(!subjects.are_never([0, 0]));
            subjects.renew(1);
            assert!(!subjects.are_never([7, 8]));
        };
        check(true, [false, false, true]);
        check(false, [false, false, false]);
    }

    #[test]
    fn another_subject_takes_the_place() {
        let mut subjects = Subjects::new();
        let (one, other) = ([5, 1], [5 + u64::from(VERDICTS), 1]);
        assert_eq!(subjects.consider(one, || true), None);
        assert_eq!(subjects.consider(other, || true), None);
        assert_eq!(subjects.consider(one, || true), None);
        assert_eq!(subjects.consider(one, || true), Some(one));
    }

    #[test]
    fn a_new_generation_begins_anew() {
        let mut subjects = Subjects::new();
        subjects.renew(1);
        assert_eq!(subjects.consider([5, 5], || true), None);
        subjects.renew(1);
        assert_eq!(subjects.consider([5, 5], || true), Some([5, 5]));
        subjects.renew(2);
        assert_eq!(subjects.consider([5, 5], || true), None);
    }

    #[test]
    fn what_has_no_key_is_not_remembered() {
        let mut subjects = Subjects::new();
        for _ in 0..3 {
            assert_eq!(subjects.consider([0, 9], || unreachable!()), None);
        }
    }
}
