//! A thread that samples, so that a slow source never holds up the screen.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::source::{About, SampleError, Samples};
use crate::usage::tenant::NodeUsage;

/// The second sample comes early, because only two of them give rates.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// The screen's end of the thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Sampler {
    /// What is sampled.
    pub(crate) about: About,
    /// Samples as they come, or why one did not.
    pub(crate) samples: Receiver<Result<NodeUsage, String>>,
    intervals: Sender<Duration>,
}

impl Sampler {
    /// Opens a source and samples it. The source is made on the thread and never
    /// leaves it.
    pub(crate) fn start<S: Samples>(
        open: impl FnOnce() -> Result<S, SampleError> + Send + 'static,
        interval: Duration,
    ) -> Result<Self, SampleError> {
        let (opened, is_open) = channel();
        let (sender, samples) = channel();
        let (intervals, wanted) = channel();
        thread::spawn(move || match open() {
            Ok(source) => {
                if opened.send(Ok(source.about())).is_ok() {
                    sample(source, interval, &sender, &wanted);
                }
            }
            // Who asked is waiting below.
            Err(error) => opened.send(Err(error)).unwrap_or(()),
        });
        let about = is_open.recv().unwrap_or(Err(SampleError::Ended))?;
        Ok(Self { about, samples, intervals })
    }

    /// Samples this often from now on.
    pub(crate) fn every(&self, interval: Duration) -> Result<(), SampleError> {
        self.intervals.send(interval).map_err(|_| SampleError::Ended)
    }
}

fn sample(
    mut source: impl Samples,
    mut interval: Duration,
    samples: &Sender<Result<NodeUsage, String>>,
    wanted: &Receiver<Duration>,
) {
    let mut wait = interval.min(FIRST_WAIT);
    loop {
        let began = Instant::now();
        let sample = source.sample().map_err(|error| error.to_string());
        if samples.send(sample).is_err() {
            return;
        }
        // A new interval counts from the last sample on.
        loop {
            match wanted.recv_timeout(wait.saturating_sub(began.elapsed())) {
                Ok(other) => (interval, wait) = (other, other),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        wait = interval;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Sampler;
    use crate::cli::top::source::{About, SampleError, Samples};
    use crate::usage::tenant::NodeUsage;

    /// Counts its samples in the place of the time.
    struct Counted(u64);

    impl Samples for Counted {
        fn sample(&mut self) -> Result<NodeUsage, SampleError> {
            self.0 += 1;
            Ok(NodeUsage { read_at_unix_ms: self.0, ..NodeUsage::default() })
        }

        fn about(&self) -> About {
            About { meter: "counted".to_owned(), ..About::default() }
        }
    }

    #[test]
    fn samples_come_in_order_and_a_new_interval_counts_at_once() {
        let sampler = Sampler::start(|| Ok(Counted(0)), Duration::from_secs(3600)).unwrap();
        assert_eq!(sampler.about.meter, "counted");
        let next = || sampler.samples.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
        assert_eq!(next().read_at_unix_ms, 1);
        assert_eq!(next().read_at_unix_ms, 2);
        sampler.every(Duration::from_millis(1)).unwrap();
        assert_eq!(next().read_at_unix_ms, 3);
    }

    #[test]
    fn a_source_that_does_not_open_is_an_error() {
        let open = || -> Result<Counted, _> {
            Err(SampleError::Unprivileged { address: "127.0.0.1:1".to_owned() })
        };
        let error = Sampler::start(open, Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().starts_with("no agent answers at 127.0.0.1:1"), "{error}");
    }
}
