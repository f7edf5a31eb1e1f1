//! How alerts get to those who want them: sorted by route, kept on the disk until they
//! are delivered, sent again until they arrive.
//!
//! An alert is on the disk of every sink it goes to before it is shown on standard
//! output; from then on it arrives at least once, whatever becomes of the agent, unless
//! there is no room for it, which is counted. Doubles carry the same id.
//!
//! What a sink says to its back-end is the business of its [`Destination`].

mod courier;
pub(crate) mod message;
mod outbox;
mod packing;
mod route;
mod share;
mod verdict;
mod ways;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use courier::{Courier, Figures, Pace, Tray};
pub use message::{DecodeError, Message, PRIORITIES, Peer, Remote};
pub use outbox::{Outbox, Output};
pub use route::Route;
pub use share::Share;
pub use verdict::{Verdict, judge};
pub use ways::{Way, Ways};

use crate::telemetry::SinkFailure;

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All arrived.
    Delivered,
    /// So many of the first arrived or will never be taken, the latter are counted; go
    /// on with those behind them.
    Partly {
        /// That are done with, one way or the other.
        done: usize,
        /// Of these the back-end refused for good.
        refused: usize,
    },
    /// None arrived; try again.
    Later {
        /// Why.
        cause: SinkFailure,
        /// The same for people, with what the back-end said.
        reason: String,
        /// When the back-end asked to be left alone until.
        after: Option<Duration>,
    },
}

/// A delivery on its way.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A back-end.
pub trait Destination: Send {
    /// Messages that it likes to get at once.
    fn batch(&self) -> usize {
        1
    }

    /// Delivers messages, of which there is at least one and at most [`Self::batch`].
    /// It may be given up at any time; what was not told as delivered comes again.
    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a>;

    /// Of the messages that were delivered last, how many of the first are done with, and
    /// how many of these were refused for good. It counts where a delivery was given up,
    /// so that what arrived one by one does not come again.
    fn progress(&self) -> (usize, usize) {
        (0, 0)
    }

    /// How often it wants to say something though nothing is new; `None`: not now.
    fn again_every(&self) -> Option<Duration> {
        None
    }

    /// Says that.
    fn again(&mut self) -> Delivery<'_> {
        Box::pin(std::future::ready(Outcome::Delivered))
    }
}
