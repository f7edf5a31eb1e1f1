//! The moment between `ready` and `go`, and the clock that runs from there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Read as _, Write as _};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use landlord_tests::truth::Truth;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rustix::time::{ClockId, clock_gettime};

/// Exit code when standard input ended before the work did.
const ABANDONED: i32 = 3;

/// The gate before the work.
#[derive(Debug)]
pub(crate) struct Gate {
    open: bool,
}

impl Gate {
    /// A gate that waits for the word, unless it is `open` already.
    pub(crate) fn new(open: bool) -> Self {
        Self { open }
    }

    /// Says `ready`, waits for the word, and starts the clock.
    pub(crate) fn pass(self) -> Result<Stopwatch> {
        if !self.open {
            say_ready()?;
            let mut word = String::new();
            std::io::stdin().lock().read_line(&mut word).context("cannot hear the word")?;
            if word.trim_end() != "go" {
                bail!("heard `{}` instead of `go`", word.trim_end());
            }
            std::thread::spawn(leave_with_stdin);
        }
        Stopwatch::start()
    }

    /// Says `ready` and waits until standard input ends.
    pub(crate) fn hold(self) -> Result<()> {
        say_ready()?;
        read_to_end();
        Ok(())
    }
}

fn say_ready() -> Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready").and_then(|()| stdout.flush()).context("cannot say `ready`")
}

/// Whoever started us is gone when our standard input ends; then so are we.
fn leave_with_stdin() {
    read_to_end();
    std::process::exit(ABANDONED);
}

fn read_to_end() {
    // An error is an end as well.
    std::io::stdin().lock().read_to_end(&mut Vec::new()).ok();
}

/// Measures the work from the gate to its end.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    began: Instant,
    cpu_ns: u64,
}

impl Stopwatch {
    fn start() -> Result<Self> {
        Ok(Self { cpu_ns: cpu_ns()?, began: Instant::now() })
    }

    /// Ends the measurement. What else the workload knows is added by the caller.
    pub(crate) fn stop(self, workload: &str, operations: u64) -> Result<Truth> {
        let elapsed_ns = u64::try_from(self.began.elapsed().as_nanos()).context("an age")?;
        Ok(Truth {
            workload: workload.to_owned(),
            operations,
            elapsed_ns,
            cpu_ns: cpu_ns()? - self.cpu_ns,
            ..Truth::default()
        })
    }
}

/// A count of calls by one name.
pub(crate) fn calls<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

/// Nanoseconds that the calling thread has been runnable without running, so far.
pub(crate) fn thread_wait_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Processor time of this process, and of its children that have been waited for.
fn cpu_ns() -> Result<u64> {
    let own = clock_gettime(ClockId::ProcessCPUTime);
    let own = own.tv_sec * 1_000_000_000 + own.tv_nsec;
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).context("no account of the children")?;
    let children = (children.user_time() + children.system_time()).num_nanoseconds();
    u64::try_from(own + children).context("time is negative")
}
