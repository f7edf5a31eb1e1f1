//! What became of messages that are sent in several requests, one after the other.

use crate::sinks::delivery::Outcome;

/// See the module. It counts the first ones that are done with; what comes behind a request
/// that failed has to come again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    done: usize,
    refused: usize,
}

impl Tally {
    /// Takes what became of the next `messages`; the outcome of all, if it ends here.
    pub(super) fn add(&mut self, messages: usize, outcome: Outcome) -> Option<Outcome> {
        let (done, refused) = match outcome {
            Outcome::Delivered => (messages, 0),
            Outcome::Partly { done, refused } => (done.min(messages), refused),
            // The next call meets what failed.
            Outcome::Later { .. } if self.done > 0 => return Some(self.so_far()),
            Outcome::Later { .. } => return Some(outcome),
        };
        self.done += done;
        self.refused += refused;
        (done < messages).then(|| self.so_far())
    }

    fn so_far(self) -> Outcome {
        Outcome::Partly { done: self.done, refused: self.refused }
    }

    /// The outcome when all requests are done.
    pub(super) fn end(self) -> Outcome {
        if self.refused == 0 { Outcome::Delivered } else { self.so_far() }
    }

    /// As for [`Destination::progress`](crate::sinks::delivery::Destination::progress).
    pub(super) const fn progress(self) -> (usize, usize) {
        (self.done, self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Tally};
    use crate::telemetry::SinkFailure;

    fn later() -> Outcome {
        Outcome::Later { cause: SinkFailure::Refused, reason: "503".to_owned(), after: None }
    }

    fn partly(done: usize, refused: usize) -> Outcome {
        Outcome::Partly { done, refused }
    }

    /// Requests of two messages each.
    fn check(outcomes: &[Outcome], expected: &Outcome) {
        let mut tally = Tally::default();
        let ended = outcomes.iter().find_map(|outcome| tally.add(2, outcome.clone()));
        assert_eq!(ended.unwrap_or_else(|| tally.end()), *expected, "{outcomes:?}");
    }

    #[test]
    fn what_is_done_is_counted_up_to_the_first_that_is_not() {
        let delivered = || Outcome::Delivered;
        check(&[delivered(), delivered()], &delivered());
        check(&[delivered(), partly(2, 0)], &delivered());
        check(&[delivered(), partly(2, 1), delivered()], &partly(6, 1));
        check(&[later(), delivered()], &later());
        check(&[delivered(), later(), delivered()], &partly(2, 0));
        check(&[delivered(), partly(1, 1), delivered()], &partly(3, 1));
    }
}
