//! How much work: so many rounds, or for so long.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The clock is looked at once in so many rounds; it must not cost more than they do.
const STRIDE: u64 = 64;

/// Rounds, or seconds, or whichever ends first.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Amount {
    /// Rounds of work
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// Seconds of work; looked at once in 64 rounds
    #[arg(long)]
    pub(crate) seconds: Option<f64>,
}

impl Amount {
    /// Begins to count: the time runs from here.
    pub(crate) fn begin(&self) -> Result<Rounds> {
        let deadline = self.seconds.map(duration).transpose()?;
        Ok(Rounds {
            done: 0,
            count: self.count.unwrap_or(u64::MAX),
            deadline: deadline.map(|time| Instant::now() + time),
        })
    }
}

/// Seconds from the command line.
pub(crate) fn duration(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).with_context(|| format!("{seconds} is no time"))
}

/// The rounds that are left.
#[derive(Debug)]
pub(crate) struct Rounds {
    done: u64,
    count: u64,
    deadline: Option<Instant>,
}

impl Rounds {
    /// Whether there is one more round to do; counts it as done.
    #[inline]
    pub(crate) fn more(&mut self) -> bool {
        if self.done == self.count || (self.done.is_multiple_of(STRIDE) && self.late()) {
            return false;
        }
        self.done += 1;
        true
    }

    /// Rounds done so far.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    fn late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    fn check(count: Option<u64>, seconds: Option<f64>, expected: u64) {
        let mut rounds = Amount { count, seconds }.begin().expect("valid");
        while rounds.more() {}
        assert_eq!(rounds.done(), expected);
    }

    #[test]
    fn rounds_end_with_the_count_or_the_time() {
        check(Some(0), None, 0);
        check(Some(1000), None, 1000);
        check(Some(1000), Some(60.0), 1000);
        check(None, Some(0.0), 0);
    }

    #[test]
    fn time_runs_forward() {
        Amount { count: None, seconds: Some(-1.0) }.begin().expect_err("no time");
        Amount { count: None, seconds: Some(f64::NAN) }.begin().expect_err("no time");
    }
}
