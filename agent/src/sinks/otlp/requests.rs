//! Alerts in requests, one after the other, and what became of all of them.
//!
//! A request that is refused for good is made again of the first half of its alerts, until
//! the one is found that is at fault. What is behind a request that failed comes again.

use std::future::Future;
use std::pin::Pin;

use super::Export;
use crate::sinks::delivery::{Delivery, Destination, Message, Outcome, Verdict};

/// A request on its way: how many of its alerts the back-end refused, or why it took none.
pub(super) type Asked<'a> = Pin<Box<dyn Future<Output = Result<usize, Verdict>> + Send + 'a>>;

/// A kind of requests.
pub(super) trait Signal: Send + Sync {
    /// Alerts of one request.
    const BATCH: usize;
    /// What an alert is there, for the log.
    const CALLED: &'static str;

    /// The way to the back-end.
    fn export(&self) -> &Export;

    /// Sends messages of one tenant, or of any if nobody wants to know.
    fn ask<'a>(&'a self, messages: &'a [Message]) -> Asked<'a>;
}

/// See the module.
#[derive(Debug)]
pub struct Requests<S> {
    signal: S,
    /// As for [`Destination::progress`].
    progress: (usize, usize),
}

impl<S> Requests<S> {
    pub(super) const fn of(signal: S) -> Self {
        Self { signal, progress: (0, 0) }
    }
}

impl<S: Signal> Destination for Requests<S> {
    fn batch(&self) -> usize {
        S::BATCH
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        Box::pin(async move {
            let mut tally = Tally::default();
            self.progress = (0, 0);
            for part in self.signal.export().requests(messages) {
                if let Some(ended) = tally.add(part.len(), send(&self.signal, part).await) {
                    return ended;
                }
                self.progress = (tally.done, tally.refused);
            }
            tally.end()
        })
    }

    fn progress(&self) -> (usize, usize) {
        self.progress
    }
}

async fn send<S: Signal>(signal: &S, mut messages: &[Message]) -> Outcome {
    loop {
        let done = messages.len();
        return match signal.ask(messages).await {
            Ok(refused) => Outcome::Partly { done, refused: refused.min(done) },
            Err(Verdict::Taken) => Outcome::Partly { done, refused: 0 },
            Err(Verdict::Later(outcome)) => outcome,
            Err(Verdict::Never(reason)) if done == 1 => {
                tracing::warn!(
                    rule = messages[0].rule,
                    reason,
                    "{} is refused for good",
                    S::CALLED
                );
                Outcome::Partly { done, refused: 1 }
            }
            // One of them is at fault; halves tell which without asking for each.
            Err(Verdict::Never(_)) => {
                messages = &messages[..done / 2];
                continue;
            }
        };
    }
}

/// Counts the first ones that are done with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    done: usize,
    refused: usize,
}

impl Tally {
    /// Takes what became of the next `messages`; the outcome of all, if it ends here.
    fn add(&mut self, messages: usize, outcome: Outcome) -> Option<Outcome> {
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
    fn end(self) -> Outcome {
        if self.refused == 0 { Outcome::Delivered } else { self.so_far() }
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
