//! Carries what waits in a sink's spool to its back-end, in order, again and again
//! until it is taken.
//!
//! Each sink has a thread of its own, so that a back-end that hangs holds up nobody
//! else.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tracing::field::Empty;
use tracing::info_span;

use super::packing::{Parcel, unpack};
use super::{DecodeError, Destination, Message, Outcome};
use crate::sinks::spool::{self, Entry, Spool, SpoolError};
use crate::telemetry::{self, SinkFailure, WORK};

/// Bytes of messages that are sent at once at most.
const BATCH_BYTES: u64 = 1 << 20;
/// First and longest time between two attempts.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long until the disk is asked again for what it did not give.
const UNREAD_WAIT: Duration = Duration::from_secs(2);
/// An error of the disk is told once in so long.
const QUIET: Duration = Duration::from_secs(60);
/// How long the last attempts may take when the agent ends; the rest stays on the disk.
const LAST: Duration = Duration::from_secs(3);

/// How fast a sink is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Alerts a second at most; `None`: no limit.
    pub rate: Option<NonZeroU32>,
    /// How long one delivery may take.
    pub timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rate: None, timeout: Duration::from_secs(10) }
    }
}

/// What became of a sink's alerts since the agent started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Those that wait, or were dropped for want of room.
    pub spool: spool::Figures,
    /// Bytes of the spool's files.
    pub disk: u64,
    /// Alerts that arrived.
    pub delivered: u64,
    /// Alerts that the back-end refused for good, or that could not be read again.
    pub refused: u64,
    /// Alerts that could not be put on the disk.
    pub unwritten: u64,
    /// Alerts that were not among those that are chosen by chance.
    pub left_out: u64,
    /// Attempts that failed, by cause.
    pub failed: BTreeMap<SinkFailure, u64>,
    /// Deliveries, and the time that they took together, seconds.
    pub deliveries: u64,
    /// See [`Self::deliveries`].
    pub delivery_seconds: f64,
    /// When something arrived last, seconds since 1970.
    pub last_delivery_unix_s: Option<f64>,
}

/// What a courier is to do.
enum Next {
    /// To deliver these.
    Messages(Vec<u64>, Vec<Message>),
    /// To let the back-end hear again what it heard.
    Again,
    /// To end: the agent does, and nothing is left.
    Over,
}

/// What waits for a courier.
#[derive(Debug)]
pub struct Tray {
    name: String,
    inner: Mutex<Inner>,
    news: Condvar,
    /// Told when the agent ends.
    ends: Notify,
}

#[derive(Debug)]
struct Inner {
    spool: Spool,
    figures: Figures,
    pace: Pace,
    /// When an error of the disk was told last.
    complained: Option<Instant>,
    is_over: bool,
}

impl Inner {
    /// Tells of an error of the disk, but not of each.
    fn heed(&mut self, name: &str, what: &str, done: Result<(), SpoolError>) {
        if let Err(error) = done
            && self.complained.is_none_or(|last| last.elapsed() > QUIET)
        {
            self.complained = Some(Instant::now());
            tracing::error!(sink = name, %error, "{what}");
        }
    }
}

impl Tray {
    /// `name`: of the sink, for the log.
    #[must_use]
    pub fn new(name: &str, spool: Spool, pace: Pace) -> Self {
        let figures = Figures::default();
        let inner = Inner { spool, figures, pace, complained: None, is_over: false };
        Self {
            name: name.to_owned(),
            inner: Mutex::new(inner),
            news: Condvar::new(),
            ends: Notify::new(),
        }
    }

    /// The sink's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts messages on the disk. What cannot be is counted.
    pub(super) fn put<'a>(&self, parcels: impl Iterator<Item = &'a Parcel<'a>>) {
        let mut entries = Vec::new();
        let mut unwritten = 0;
        for parcel in parcels {
            match parcel.packed() {
                Some(text) => entries.push(Entry { urgency: parcel.message().priority, text }),
                None => unwritten += 1,
            }
        }
        if entries.is_empty() && unwritten == 0 {
            return;
        }
        let mut inner = self.lock();
        let written = inner.spool.append(&entries);
        inner.heed(&self.name, "the disk does not take alerts that are to wait", written);
        inner.figures.unwritten += unwritten;
        drop(inner);
        self.news.notify_all();
    }

    /// Counts alerts that are not among those that are chosen by chance.
    pub(super) fn left_out(&self, alerts: u64) {
        if alerts > 0 {
            self.lock().figures.left_out += alerts;
        }
    }

    /// What became of the alerts.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let inner = self.lock();
        let spool = inner.spool.figures();
        let unwritten = inner.figures.unwritten + spool.unwritten;
        Figures { spool, unwritten, disk: inner.spool.disk(), ..inner.figures.clone() }
    }

    /// Waits for something to deliver, but not longer than until `again`.
    fn next(&self, most: usize, again: Option<Instant>) -> Next {
        let mut inner = self.lock();
        loop {
            if again.is_some_and(|again| again <= Instant::now()) && !inner.is_over {
                return Next::Again;
            }
            let idle = match self.read(&mut inner, most) {
                Ok((numbers, messages)) if !messages.is_empty() => {
                    return Next::Messages(numbers, messages);
                }
                Ok(_) if !inner.spool.is_empty() => continue,
                Ok(_) => Duration::from_secs(3600),
                Err(error) => {
                    inner.heed(&self.name, "what waits cannot be read", Err(error));
                    UNREAD_WAIT
                }
            };
            if inner.is_over {
                return Next::Over;
            }
            let wait = again.map_or(idle, |it| it.saturating_duration_since(Instant::now()));
            let woken = self.news.wait_timeout(inner, wait.min(idle));
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The next messages; what cannot be read is dropped, counted.
    fn read(&self, inner: &mut Inner, most: usize) -> Result<(Vec<u64>, Vec<Message>), SpoolError> {
        let texts = inner.spool.peek(most, BATCH_BYTES)?;
        let (mut numbers, mut messages, mut strange) = (Vec::new(), Vec::new(), Vec::new());
        for (number, text) in texts {
            match unpack(&text).as_deref().map_or(Err(DecodeError::Packed), Message::decode) {
                Ok(message) => {
                    numbers.push(number);
                    messages.push(message);
                }
                Err(error) => {
                    tracing::warn!(sink = self.name, %error, "what waited is not understood");
                    strange.push(number);
                }
            }
        }
        if !strange.is_empty() {
            inner.figures.refused += strange.len() as u64;
            self.done(inner, &strange);
        }
        Ok((numbers, messages))
    }

    fn done(&self, inner: &mut Inner, numbers: &[u64]) {
        let removed = inner.spool.remove(numbers);
        inner.heed(&self.name, "what was delivered may be delivered again", removed);
    }

    /// Writes down what became of a batch; for how long to wait now.
    fn settle(
        &self,
        numbers: &[u64],
        outcome: &Outcome,
        took: Duration,
        failures: u32,
    ) -> Option<Duration> {
        let mut inner = self.lock();
        inner.figures.deliveries += 1;
        inner.figures.delivery_seconds += took.as_secs_f64();
        let (done, refused) = match outcome {
            Outcome::Delivered => (numbers.len(), 0),
            Outcome::Partly { done, refused } => ((*done).min(numbers.len()), *refused),
            Outcome::Later { cause, reason, after } => {
                *inner.figures.failed.entry(*cause).or_default() += 1;
                inner.spool.give_back();
                drop(inner);
                if failures == 0 {
                    tracing::warn!(sink = self.name, reason, "alerts are not taken; they wait");
                }
                let wait = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(LONGEST_WAIT);
                return Some(after.unwrap_or(wait).min(LONGEST_WAIT.max(wait)));
            }
        };
        let arrived = done.saturating_sub(refused);
        inner.figures.delivered += arrived as u64;
        inner.figures.refused += refused as u64;
        if arrived > 0 {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            inner.figures.last_delivery_unix_s = now.ok().map(|it| it.as_secs_f64());
        }
        self.done(&mut inner, &numbers[..done]);
        drop(inner);
        if failures > 0 {
            tracing::info!(sink = self.name, "alerts are taken again");
        }
        None
    }

    /// Waits that long, or until the agent ends; whether it ends.
    fn rest(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut inner = self.lock();
        while !inner.is_over {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            let woken = self.news.wait_timeout(inner, left);
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Has the courier end after a last attempt.
    pub fn end(&self) {
        self.lock().is_over = true;
        self.news.notify_all();
        // Kept for a courier that does not wait yet.
        self.ends.notify_one();
    }

    /// Lets another courier carry, at another pace, after one has ended.
    pub fn begin_again(&self, pace: Pace) {
        let mut inner = self.lock();
        (inner.pace, inner.is_over) = (pace, false);
        drop(inner);
        // What told the other one to end is not for this one.
        if self.ends.notified().now_or_never().is_none() {
            tracing::debug!(sink = self.name, "the courier before ended by itself");
        }
    }

    /// Returns a while after the agent began to end.
    async fn gives_up(&self) {
        self.ends.notified().await;
        // For the next delivery, if there is one.
        self.ends.notify_one();
        tokio::time::sleep(LAST).await;
    }
}

/// Carries; dropped, it ends after a last attempt.
#[derive(Debug)]
pub struct Courier {
    tray: Arc<Tray>,
    thread: Option<JoinHandle<()>>,
}

impl Courier {
    /// Begins to carry. `runtime` does what is waited for.
    ///
    /// # Errors
    ///
    /// When no thread can be made.
    pub fn start(
        tray: Arc<Tray>,
        destination: Box<dyn Destination>,
        runtime: Handle,
    ) -> io::Result<Self> {
        let carried = Arc::clone(&tray);
        let thread = std::thread::Builder::new()
            .name(format!("sink {}", tray.name))
            .spawn(move || carry(&carried, destination, &runtime))?;
        Ok(Self { tray, thread: Some(thread) })
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.tray.end();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(sink = self.tray.name, "the courier of a sink panicked");
        }
    }
}

fn carry(tray: &Tray, mut destination: Box<dyn Destination>, runtime: &Handle) {
    let mut failures = 0;
    let mut due = Instant::now();
    let mut last: Option<Instant> = None;
    let mut spoken = Instant::now();
    let Pace { rate, timeout } = tray.lock().pace;
    loop {
        let again = destination.again_every().map(|every| spoken + every);
        // No more at once than in a second.
        let most = rate.map_or(usize::MAX, |rate| rate.get() as usize);
        let (numbers, messages) = match tray.next(destination.batch().clamp(1, most), again) {
            Next::Messages(numbers, messages) => (numbers, messages),
            Next::Again => (Vec::new(), Vec::new()),
            Next::Over => return,
        };
        if let Some(rate) = rate {
            // A second's worth may come at once after a silence.
            due = due.max(Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or(due));
            if let Some(early) = due.checked_duration_since(Instant::now()) {
                tray.rest(early);
            }
            due += Duration::from_secs(1).mul_f64(messages.len() as f64 / f64::from(rate.get()));
        }
        let started = Instant::now();
        let work = info_span!(
            target: WORK, "sink.deliver",
            sink = tray.name, alerts = messages.len() as u64, error = Empty
        );
        let outcome = runtime.block_on(async {
            let delivery = if messages.is_empty() {
                destination.again()
            } else {
                destination.deliver(&messages)
            };
            let late = || Outcome::Later {
                cause: SinkFailure::Timeout,
                reason: format!("no answer within {timeout:?}"),
                after: None,
            };
            tokio::select! {
                outcome = delivery => outcome,
                () = tokio::time::sleep(timeout) => late(),
                () = tray.gives_up() => late(),
            }
        });
        spoken = Instant::now();
        let outcome = match (outcome, destination.progress()) {
            // What is slow gets on; the next call meets what fails.
            (Outcome::Later { .. }, (done @ 1.., refused)) if !messages.is_empty() => {
                Outcome::Partly { done, refused }
            }
            (outcome, _) => outcome,
        };
        if let Outcome::Later { reason, .. } = &outcome {
            telemetry::failed(&work, Some(reason));
        }
        drop(work);
        match tray.settle(&numbers, &outcome, started.elapsed(), failures) {
            None => failures = 0,
            Some(wait) => {
                failures = failures.saturating_add(1);
                // Who failed just now would fail again.
                if tray.rest(wait) {
                    return;
                }
            }
        }
        if tray.lock().is_over && over(&mut last) {
            return;
        }
    }
}

/// Whether the time for last attempts is over; it begins with the first call.
fn over(last: &mut Option<Instant>) -> bool {
    last.get_or_insert_with(Instant::now).elapsed() > LAST
}

#[cfg(test)]
#[path = "courier_tests.rs"]
mod tests;
