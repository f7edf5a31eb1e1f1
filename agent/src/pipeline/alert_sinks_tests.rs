//! Sinks that become others, and what waits then.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;
use crate::sinks::client::Access;
use crate::sinks::delivery::message::tests::message;
use crate::sinks::delivery::{Outbox, Output};

/// Sinks, and somebody who hands alerts on.
struct Lab {
    folder: tempfile::TempDir,
    sinks: AlertSinks,
    outbox: Outbox,
    /// The number of the last alert.
    last: u32,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = SpoolPlace { path: folder.path().join("spool"), bytes: 16 << 20 };
        let sinks = AlertSinks::new(place, "node");
        let outbox = Outbox::start(std::io::sink(), sinks.ways()).unwrap();
        Self { folder, sinks, outbox, last: 0 }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A sink that writes a file.
    fn file(&self, name: &str, file: &str) -> SinkSettings {
        sink(name, Target::File { path: self.path(file), most: 1 << 20, keep: 1 })
    }

    fn put(&mut self) {
        self.last += 1;
        self.outbox.put(Output { message: Some(message(self.last)), line: None });
    }

    /// Waits for something to come true.
    #[track_caller]
    fn until(&self, what: &str, is_true: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_true(self) {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn set(&self, list: &[SinkSettings], refused: &[&str]) {
        let wanted: Vec<Wanted> = list.iter().map(Wanted::from).collect();
        let errors = self.sinks.set(&wanted);
        let names: Vec<&str> = errors.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(names, refused);
    }

    fn names(&self) -> Vec<String> {
        self.sinks.ways().now().iter().map(|(_, tray)| tray.name().to_owned()).collect()
    }

    fn waiting(&self) -> u64 {
        self.sinks.ways().now().iter().map(|(_, tray)| tray.figures().spool.entries).sum()
    }
}

fn sink(name: &str, target: Target) -> SinkSettings {
    let (route, pace) = (Route::default(), Pace::default());
    SinkSettings { name: name.to_owned(), target, route, pace, access: Access::default() }
}

/// A back-end that refuses every connection.
fn away(name: &str) -> SinkSettings {
    sink(name, Target::FalcoHttp("http://127.0.0.1:1/".parse().unwrap()))
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_go_where_the_last_list_says() {
    let mut lab = Lab::new();
    lab.set(&[lab.file("a", "one")], &[]);
    lab.put();
    lab.until("one", |lab| lines(&lab.path("one")) == 1);
    lab.set(&[lab.file("b", "three"), lab.file("a", "two")], &[]);
    assert_eq!(lab.names(), ["b", "a"]);
    lab.put();
    lab.until("two", |lab| lines(&lab.path("two")) == 1 && lines(&lab.path("three")) == 1);
    lab.set(&[lab.file("a", "two")], &[]);
    lab.put();
    lab.until("a alone", |lab| lines(&lab.path("two")) == 2);
    assert_eq!((lines(&lab.path("one")), lines(&lab.path("three"))), (1, 1));
    // All by the same queue.
    assert_eq!(lab.sinks.ways().now()[0].1.figures().delivered, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_the_same_is_left_alone() {
    let lab = Lab::new();
    let token = lab.path("token");
    fs::write(&token, "x").unwrap();
    let access = Access { token_file: Some(token.clone()), ..Access::default() };
    let [a, b] = ["a", "b"].map(|name| SinkSettings { access: access.clone(), ..away(name) });
    lab.set(&[a.clone(), b.clone()], &[]);
    let before = lab.sinks.ways().now();
    // Whoever were begun again would miss it.
    fs::remove_file(&token).unwrap();
    lab.set(&[b, a], &[]);
    assert_eq!(lab.names(), ["b", "a"]);
    let after = lab.sinks.ways().now();
    assert!(Arc::ptr_eq(&before[0].1, &after[1].1) && Arc::ptr_eq(&before[1].1, &after[0].1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_where_the_sink_says_now() {
    let mut lab = Lab::new();
    lab.set(&[away("a")], &[]);
    for _ in 0..5 {
        lab.put();
    }
    lab.until("on the disk", |lab| lab.waiting() == 5);
    lab.set(&[lab.file("a", "one")], &[]);
    lab.until("delivered", |lab| lines(&lab.path("one")) == 5 && lab.waiting() == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_sink_that_is_gone_waits_until_it_is_back() {
    let mut lab = Lab::new();
    lab.set(&[away("a")], &[]);
    lab.put();
    lab.until("on the disk", |lab| lab.waiting() == 1);
    lab.set(&[], &[]);
    assert!(lab.names().is_empty());
    lab.put();
    lab.set(&[lab.file("a", "one")], &[]);
    lab.until("delivered", |lab| lines(&lab.path("one")) >= 1 && lab.waiting() == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_used_stays_as_it_was() {
    let mut lab = Lab::new();
    lab.set(&[lab.file("a", "one")], &[]);
    let access = Access { token_file: Some(lab.path("nothing")), ..Access::default() };
    let [wrong, new] = ["a", "b"].map(|name| SinkSettings { access: access.clone(), ..away(name) });
    lab.set(&[wrong, new, lab.file("c", "two")], &["a", "b"]);
    assert_eq!(lab.names(), ["a", "c"]);
    lab.put();
    lab.until("both", |lab| lines(&lab.path("one")) == 1 && lines(&lab.path("two")) == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_make_a_last_attempt() {
    let mut lab = Lab::new();
    lab.set(&[lab.file("a", "one"), away("b")], &[]);
    lab.put();
    lab.until("handed on", |lab| lab.sinks.ways().now()[1].1.figures().spool.entries == 1);
    let ways = lab.sinks.ways().now();
    lab.sinks.end();
    let waiting = |way: usize| ways[way].1.figures().spool.entries;
    assert_eq!((lines(&lab.path("one")), waiting(0), waiting(1)), (1, 0, 1));
}
