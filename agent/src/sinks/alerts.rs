//! Alerts on standard output, from a thread of its own: whoever reads them slowly
//! holds up nobody, and loses what does not fit the queue, counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Lines that wait to be written at most.
const QUEUE: usize = 4096;

/// Writes lines.
#[derive(Debug)]
pub struct AlertWriter {
    lines: Option<SyncSender<Vec<u8>>>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl AlertWriter {
    /// Begins to write.
    ///
    /// # Errors
    ///
    /// When no thread can be made.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, inbox) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || write(&inbox, out, &counter))?;
        Ok(Self { lines: Some(lines), lost, thread: Some(thread) })
    }

    /// Hands over a line without its end.
    pub fn line(&self, line: Vec<u8>) {
        if self.lines.as_ref().is_none_or(|lines| lines.try_send(line).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for AlertWriter {
    /// Waits until what was handed over is written.
    fn drop(&mut self) {
        self.lines = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of alerts panicked");
        }
    }
}

fn write(inbox: &Receiver<Vec<u8>>, mut out: impl Write, lost: &AtomicU64) {
    while let Ok(mut line) = inbox.recv() {
        line.push(b'\n');
        if let Err(error) = out.write_all(&line).and_then(|()| out.flush())
            && lost.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::warn!(%error, "an alert cannot be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::AlertWriter;

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

    #[test]
    fn lines_come_out_in_order() {
        let out = Shared::default();
        let writer = AlertWriter::start(out.clone()).unwrap();
        for number in 0..100 {
            writer.line(format!("{number}").into_bytes());
        }
        assert_eq!(writer.lost(), 0);
        drop(writer);
        let written = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn who_does_not_read_loses_counted() {
        /// Blocks until the test is over.
        struct Stuck(std::sync::mpsc::Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.recv().map(|()| bytes.len()).or(Ok(bytes.len()))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (release, gate) = std::sync::mpsc::channel();
        let writer = AlertWriter::start(Stuck(gate)).unwrap();
        let handed = super::QUEUE as u64 * 2;
        for _ in 0..handed {
            writer.line(b"x".to_vec());
        }
        let lost = writer.lost();
        // One line is with the thread, or none yet.
        assert!(lost == handed - super::QUEUE as u64 || lost == handed - super::QUEUE as u64 - 1);
        drop(release);
    }
}
