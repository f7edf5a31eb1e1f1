//! Keeping cores busy.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use landlord_tests::truth::Truth;

use crate::amount::duration;
use crate::gate::{Gate, thread_wait_ns};

/// One turn of work and rest when the duty is less than all.
const PERIOD: Duration = Duration::from_millis(10);
/// Steps between two looks at the clock: microseconds, even in a slow guest.
const STEPS: u32 = 256;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Threads, each of which keeps one core busy
    #[arg(long, default_value_t = 1)]
    cores: u32,
    /// Seconds of work
    #[arg(long)]
    seconds: f64,
    /// Part of each 10 ms that is work; the rest is sleep
    #[arg(long, default_value_t = 1.0)]
    duty: f64,
}

/// Spins; one operation is some hundred steps of arithmetic.
pub(crate) fn hog(args: &Args, gate: Gate) -> Result<Truth> {
    ensure!(args.duty > 0.0 && args.duty <= 1.0, "a duty of {} is not in 0..1", args.duty);
    let time = duration(args.seconds)?;
    let busy = (args.duty < 1.0).then(|| PERIOD.mul_f64(args.duty));
    let watch = gate.pass()?;
    let deadline = Instant::now() + time;
    let threads: Vec<(u64, Option<u64>)> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..args.cores).map(|_| scope.spawn(|| one_core(deadline, busy))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    let operations = threads.iter().map(|(turns, _)| turns).sum();
    let mut truth = watch.stop("hog", operations)?;
    truth.wait_ns = threads.iter().map(|(_, wait)| *wait).sum();
    Ok(truth)
}

fn one_core(deadline: Instant, busy: Option<Duration>) -> (u64, Option<u64>) {
    let before = thread_wait_ns();
    let mut turns = 0;
    let mut next = Instant::now();
    while next < deadline {
        let rest_from = busy.map_or(deadline, |busy| deadline.min(next + busy));
        while Instant::now() < rest_from {
            spin();
            turns += 1;
        }
        next += PERIOD;
        if busy.is_none() {
            break;
        }
        std::thread::sleep(deadline.min(next).saturating_duration_since(Instant::now()));
    }
    (turns, thread_wait_ns().zip(before).map(|(after, before)| after - before))
}

fn spin() {
    let mut value = 1_u64;
    for step in 0..STEPS {
        value = black_box(value.wrapping_mul(6_364_136_223_846_793_005) ^ u64::from(step));
    }
}
