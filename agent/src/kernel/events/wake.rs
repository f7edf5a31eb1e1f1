//! When the reader of the rings sleeps, and for how long.
//!
//! While records flow it looks every few milliseconds and nobody has to wake it,
//! which would cost those who write the records. After a quiet time it asks to be
//! woken. It reads no clock and no ring: it is told, and says what to do.

use std::time::Duration;

/// How long records gather before they are read.
pub(super) const SHORT: Duration = Duration::from_millis(3);
/// Looks in vain before the reader asks to be woken.
const QUIET: u32 = 8;
/// Records of one look that mean that more are waiting.
const MANY: usize = 256;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Look again at once.
    Look,
    /// Wait for [`SHORT`], or until a ring fills.
    Pause,
    /// Ask to be woken by the next record, then wait for [`SHORT`]: who looked
    /// whether to wake us just before that has written its record after it.
    Announce,
    /// Wait for the next record for as long as one likes.
    Sleep,
}

/// What was found lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// This many looks in vain since the last record.
    Awake(u32),
    /// The next record wakes us.
    Announced,
}

impl Wake {
    /// At the beginning.
    pub(super) const START: Self = Self::Awake(0);

    /// What to do after a look that found `records`.
    pub(super) const fn after(&mut self, records: usize) -> Step {
        match (*self, records) {
            (Self::Announced, 0) => Step::Sleep,
            (Self::Awake(looks), 0) if looks >= QUIET => {
                *self = Self::Announced;
                Step::Announce
            }
            (Self::Awake(looks), 0) => {
                *self = Self::Awake(looks + 1);
                Step::Pause
            }
            (_, MANY..) => {
                *self = Self::Awake(0);
                Step::Look
            }
            _ => {
                *self = Self::Awake(0);
                Step::Pause
            }
        }
    }

    /// Whether the next record wakes us.
    pub(super) const fn announced(self) -> bool {
        matches!(self, Self::Announced)
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, QUIET, Step, Wake};

    fn check(looks: &[usize], expected: &[Step]) {
        let mut wake = Wake::START;
        let steps: Vec<_> = looks.iter().map(|records| wake.after(*records)).collect();
        assert_eq!(steps, expected, "{looks:?}");
    }

    #[test]
    fn records_gather_for_a_moment() {
        check(&[1, 0, 5], &[Step::Pause; 3]);
        check(&[MANY - 1, MANY, MANY * 9], &[Step::Pause, Step::Look, Step::Look]);
    }

    #[test]
    fn silence_ends_in_sleep_and_a_record_ends_that() {
        let quiet = vec![Step::Pause; QUIET as usize];
        let looks = vec![0; QUIET as usize];
        let steps = [quiet, vec![Step::Announce, Step::Sleep, Step::Sleep, Step::Pause]].concat();
        check(&[looks, vec![0, 0, 0, 1]].concat(), &steps);
    }

    #[test]
    fn only_the_announced_is_woken() {
        let mut wake = Wake::START;
        for _ in 0..=QUIET {
            assert!(!wake.announced());
            wake.after(0);
        }
        assert!(wake.announced());
        wake.after(1);
        assert!(!wake.announced());
    }
}
