//! Takes alerts from whoever found them, without ever making them wait, and hands them
//! to every sink and to standard output.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use super::packing::Parcel;
use super::{Message, Ways};

/// Alerts that wait to be handed on at most.
const QUEUE: usize = 4096;
/// Alerts that are handed on at once at most; the disk is waited for once each time.
const BATCH: usize = 512;

/// An alert, and what standard output says of it, without the end of the line.
#[derive(Clone, Debug)]
pub struct Output {
    /// The alert; `None` where no sink is.
    pub message: Option<Message>,
    /// The line.
    pub line: Option<Vec<u8>>,
}

/// Hands on alerts.
#[derive(Debug)]
pub struct Outbox {
    alerts: Option<SyncSender<Output>>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Outbox {
    /// Begins to hand on.
    ///
    /// # Errors
    ///
    /// When no thread can be made.
    pub fn start(out: impl Write + Send + 'static, ways: Ways) -> io::Result<Self> {
        let (alerts, inbox) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || hand_on(&inbox, out, &ways, &counter))?;
        Ok(Self { alerts: Some(alerts), lost, thread: Some(thread) })
    }

    /// Hands over an alert.
    pub fn put(&self, output: Output) {
        if self.alerts.as_ref().is_none_or(|alerts| alerts.try_send(output).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Alerts that could not be handed over, and lines that could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Outbox {
    /// Waits until what was handed over is handed on.
    fn drop(&mut self) {
        self.alerts = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the outbox of alerts panicked");
        }
    }
}

fn hand_on(inbox: &Receiver<Output>, mut out: impl Write, ways: &Ways, lost: &AtomicU64) {
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match inbox.try_recv() {
                Ok(output) => batch.push(output),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let messages = batch.iter().filter_map(|output| output.message.as_ref());
        let parcels: Vec<Parcel<'_>> = messages.map(Parcel::new).collect();
        for (route, tray) in ways.now().iter() {
            let mut left_out = 0;
            tray.put(parcels.iter().filter(|it| route.takes(it.message())).filter(|it| {
                let is_chosen = route.chooses(it.message());
                left_out += u64::from(!is_chosen);
                is_chosen
            }));
            tray.left_out(left_out);
        }
        drop(parcels);
        // Only now: what was read there is to arrive everywhere else, too.
        for line in batch.into_iter().filter_map(|output| output.line) {
            write(&mut out, line, lost);
        }
        if out.flush().is_err() {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write(out: &mut impl Write, mut line: Vec<u8>, lost: &AtomicU64) {
    line.push(b'\n');
    if let Err(error) = out.write_all(&line)
        && lost.fetch_add(1, Ordering::Relaxed) == 0
    {
        tracing::warn!(%error, "an alert cannot be written");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Arc, Mutex};

    use super::super::message::tests::message;
    use super::super::{Pace, Route, Share, Tray};
    use super::{Outbox, Output, Parcel, QUEUE, Ways};
    use crate::sinks::spool::Spool;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(text: impl Into<Vec<u8>>) -> Output {
        Output { message: None, line: Some(text.into()) }
    }

    #[test]
    fn lines_come_out_in_order() {
        let out = Shared::default();
        let outbox = Outbox::start(out.clone(), Ways::default()).unwrap();
        for number in 0..100 {
            outbox.put(line(format!("{number}")));
        }
        assert_eq!(outbox.lost(), 0);
        drop(outbox);
        let written = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn who_does_not_read_loses_counted() {
        /// Blocks until the test is over.
        struct Stuck(Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.recv().map(|()| bytes.len()).or(Ok(bytes.len()))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (release, gate) = channel();
        let outbox = Outbox::start(Stuck(gate), Ways::default()).unwrap();
        let handed = QUEUE as u64 * 2;
        for _ in 0..handed {
            outbox.put(line("x"));
        }
        // Some are with the thread.
        let lost = outbox.lost();
        assert!(
            (handed - QUEUE as u64 - super::BATCH as u64..=handed - QUEUE as u64).contains(&lost)
        );
        drop(release);
    }

    #[test]
    fn an_alert_is_packed_once_for_all_who_get_it() {
        let message = message(1);
        let parcel = Parcel::new(&message);
        let folder = tempfile::tempdir().unwrap();
        let trays = ["a", "b"].map(|name| {
            let spool = Spool::open(&folder.path().join(name), 1 << 24).unwrap();
            Tray::new(name, spool, Pace::default())
        });
        trays[0].put([&parcel].into_iter());
        let packed = parcel.packed().unwrap().as_ptr();
        trays[1].put([&parcel].into_iter());
        assert_eq!(parcel.packed().unwrap().as_ptr(), packed);
        assert_eq!(trays.map(|tray| tray.figures().spool.entries), [1, 1]);
    }

    #[test]
    fn what_is_shown_is_on_the_disk_of_those_who_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 1 << 24).unwrap();
        let tray = Arc::new(Tray::new("all", spool, Pace::default()));
        let none = tempfile::tempdir().unwrap();
        let nothing = Arc::new(Tray::new(
            "none",
            Spool::open(none.path(), 1 << 24).unwrap(),
            Pace::default(),
        ));
        let sampled = Arc::new(Tray::new(
            "sampled",
            Spool::open(&none.path().join("sampled"), 1 << 24).unwrap(),
            Pace::default(),
        ));
        let ways = [
            (Route::default(), Arc::clone(&tray)),
            (Route { priority: Some(0), ..Route::default() }, Arc::clone(&nothing)),
            (Route { share: Share::new(0.0), ..Route::default() }, Arc::clone(&sampled)),
        ];
        let out = Shared::default();
        let outbox = Outbox::start(out.clone(), ways.into_iter().collect()).unwrap();
        for number in 0..10 {
            outbox.put(Output { message: Some(message(number)), line: Some(b"x".to_vec()) });
        }
        drop(outbox);
        assert_eq!(out.0.lock().unwrap().len(), 20);
        assert_eq!(tray.figures().spool.entries, 10);
        assert_eq!((nothing.figures().spool.entries, nothing.figures().left_out), (0, 0));
        assert_eq!((sampled.figures().spool.entries, sampled.figures().left_out), (0, 10));
    }
}
