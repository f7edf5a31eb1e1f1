use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::super::message::tests::message;
use super::super::{Delivery, Destination, Message, Outcome};
use super::{Courier, Pace, Parcel, Tray};
use crate::sinks::spool::{Entry, Spool};
use crate::telemetry::SinkFailure;

/// Puts the messages of these numbers there.
fn put(tray: &Tray, numbers: Range<u32>) {
    let messages: Vec<Message> = numbers.map(message).collect();
    let parcels: Vec<Parcel<'_>> = messages.iter().map(Parcel::new).collect();
    tray.put(parcels.iter());
}

/// Answers as it is told, in turn, then takes all.
struct Script {
    answers: Vec<Outcome>,
    got: Arc<Mutex<Vec<String>>>,
}

impl Destination for Script {
    fn batch(&self) -> usize {
        4
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        Box::pin(async move {
            let answer =
                if self.answers.is_empty() { Outcome::Delivered } else { self.answers.remove(0) };
            if !matches!(answer, Outcome::Later { .. }) {
                self.got.lock().unwrap().extend(messages.iter().map(|it| it.id.clone()));
            }
            answer
        })
    }
}

/// Never answers.
struct Hangs;

impl Destination for Hangs {
    fn deliver<'a>(&'a mut self, _: &'a [Message]) -> Delivery<'a> {
        Box::pin(std::future::pending())
    }
}

/// Takes one after the other, each after a while.
struct Slow {
    each: Duration,
    done: usize,
    got: Arc<Mutex<Vec<String>>>,
}

impl Destination for Slow {
    fn batch(&self) -> usize {
        64
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        Box::pin(async move {
            self.done = 0;
            for message in messages {
                tokio::time::sleep(self.each).await;
                self.got.lock().unwrap().push(message.id.clone());
                self.done += 1;
            }
            Outcome::Delivered
        })
    }

    fn progress(&self) -> (usize, usize) {
        (self.done, 0)
    }
}

fn later() -> Outcome {
    Outcome::Later { cause: SinkFailure::Refused, reason: "503".to_owned(), after: None }
}

#[track_caller]
fn wait_for(what: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < until, "it did not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn tray(folder: &std::path::Path, pace: Pace) -> Arc<Tray> {
    Arc::new(Tray::new("test", Spool::open(folder, 1 << 24).unwrap(), pace))
}

fn ids(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| message(number).id).collect()
}

#[test]
fn all_arrive_in_order_whatever_is_answered_in_between() {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let tray = tray(folder.path(), Pace::default());
    let got = Arc::default();
    let answers = vec![later(), later(), Outcome::Partly { done: 1, refused: 1 }];
    put(&tray, 0..10);
    let destination = Box::new(Script { answers, got: Arc::clone(&got) });
    let courier = Courier::start(Arc::clone(&tray), destination, runtime.handle().clone()).unwrap();
    wait_for(|| tray.figures().spool.entries == 0);
    drop(courier);
    let mut got = got.lock().unwrap().clone();
    // The first four came twice but for the one that was refused for good.
    got.drain(1..4);
    assert_eq!(got, ids(0..10));
    let figures = tray.figures();
    assert_eq!((figures.delivered, figures.refused), (9, 1));
    assert_eq!(figures.failed, [(SinkFailure::Refused, 2)].into());
    assert!(figures.last_delivery_unix_s.unwrap() > 1e9);
}

#[test]
fn what_did_not_arrive_is_there_for_the_next_agent() {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let first = tray(folder.path(), Pace { timeout: Duration::from_millis(50), ..Pace::default() });
    put(&first, 0..3);
    let courier =
        Courier::start(Arc::clone(&first), Box::new(Hangs), runtime.handle().clone()).unwrap();
    wait_for(|| first.figures().failed.get(&SinkFailure::Timeout).is_some_and(|it| *it > 1));
    let ending = Instant::now();
    drop(courier);
    assert!(ending.elapsed() < Duration::from_secs(20), "{:?}", ending.elapsed());
    assert_eq!(first.figures().spool.entries, 3);
    drop(first);

    let second = tray(folder.path(), Pace::default());
    let got = Arc::default();
    let destination = Box::new(Script { answers: Vec::new(), got: Arc::clone(&got) });
    put(&second, 3..4);
    drop(Courier::start(second, destination, runtime.handle().clone()).unwrap());
    assert_eq!(*got.lock().unwrap(), ids(0..4));
}

#[test]
fn what_is_not_understood_is_counted_and_does_not_block() {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let mut spool = Spool::open(folder.path(), 1 << 24).unwrap();
    spool.append(&vec![Entry { urgency: 0, text: b"?".to_vec() }; 9]).unwrap();
    let tray = Arc::new(Tray::new("test", spool, Pace::default()));
    put(&tray, 1..2);
    let got = Arc::default();
    let destination = Box::new(Script { answers: Vec::new(), got: Arc::clone(&got) });
    let courier = Courier::start(Arc::clone(&tray), destination, runtime.handle().clone()).unwrap();
    wait_for(|| tray.figures().delivered == 1);
    drop(courier);
    assert_eq!(tray.figures().refused, 9);
}

#[test]
fn the_rate_is_kept() {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let tray = tray(folder.path(), Pace { rate: Some(20.try_into().unwrap()), ..Pace::default() });
    put(&tray, 0..40);
    let got = Arc::default();
    let destination = Box::new(Script { answers: Vec::new(), got: Arc::clone(&got) });
    let started = Instant::now();
    let courier = Courier::start(Arc::clone(&tray), destination, runtime.handle().clone()).unwrap();
    wait_for(|| tray.figures().spool.entries == 0);
    // The last four are due when 36 of 20 a second have gone.
    assert!(started.elapsed() > Duration::from_millis(1500), "{:?}", started.elapsed());
    drop(courier);
    assert_eq!(*got.lock().unwrap(), ids(0..40));
}

#[test]
fn who_is_slow_gets_on() {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    // All at once take longer than a delivery may.
    let tray = tray(folder.path(), Pace { timeout: Duration::from_millis(300), ..Pace::default() });
    put(&tray, 0..20);
    let got = Arc::default();
    let destination = Slow { each: Duration::from_millis(50), done: 0, got: Arc::clone(&got) };
    let courier =
        Courier::start(Arc::clone(&tray), Box::new(destination), runtime.handle().clone()).unwrap();
    wait_for(|| tray.figures().delivered == 20);
    drop(courier);
    assert_eq!(*got.lock().unwrap(), ids(0..20));
    let figures = tray.figures();
    assert_eq!((figures.failed.len(), figures.spool.entries), (0, 0));
    assert!(figures.deliveries > 1, "{figures:?}");
}
