//! System calls, exactly so many.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use landlord_tests::truth::Truth;
use rustix::process::{Signal, getegid, geteuid, getgid, getpid, getppid, getuid, kill_process};
use rustix::thread::{gettid, sched_yield};
use signal_hook::consts::SIGUSR1;

use crate::amount::{Amount, Rounds};
use crate::gate::{Gate, calls, thread_wait_ns};
use crate::raw::getppid_of_32_bit;

/// A call without arguments. rustix makes it each time: no C library remembers
/// the answer.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Getppid,
    Getpid,
    Gettid,
    Getuid,
    Geteuid,
    Getgid,
    Getegid,
    #[value(name = "sched_yield")]
    SchedYield,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The call
    #[arg(long, value_enum, default_value_t = Name::Getppid)]
    name: Name,
    /// Threads that call at once; each does the whole amount
    #[arg(long, default_value_t = 1)]
    threads: u32,
    #[command(flatten)]
    amount: Amount,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CountArgs {
    /// How many
    #[arg(long)]
    count: u64,
}

/// Makes the call; one operation is one call.
pub(crate) fn exact(args: &Args, gate: Gate) -> Result<Truth> {
    let watch = gate.pass()?;
    let threads: Vec<Result<(u64, Option<u64>)>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..args.threads)
            .map(|_| {
                scope.spawn(|| {
                    let before = thread_wait_ns();
                    let done = repeat(args.name, args.amount.begin()?);
                    let wait = thread_wait_ns().zip(before).map(|(after, before)| after - before);
                    Ok((done, wait))
                })
            })
            .collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    let threads = threads.into_iter().collect::<Result<Vec<_>>>()?;
    let total = threads.iter().map(|(done, _)| done).sum();
    let mut truth = watch.stop("syscalls", total)?;
    let name = args.name.to_possible_value().context("every name has a value")?;
    truth.syscalls = calls([(name.get_name(), total)]);
    truth.wait_ns = threads.iter().map(|(_, wait)| *wait).sum();
    Ok(truth)
}

/// One loop per call, so that nothing but the call is in it.
fn repeat(name: Name, rounds: Rounds) -> u64 {
    match name {
        Name::Getppid => each(rounds, getppid),
        Name::Getpid => each(rounds, getpid),
        Name::Gettid => each(rounds, gettid),
        Name::Getuid => each(rounds, getuid),
        Name::Geteuid => each(rounds, geteuid),
        Name::Getgid => each(rounds, getgid),
        Name::Getegid => each(rounds, getegid),
        Name::SchedYield => each(rounds, sched_yield),
    }
}

fn each<T>(mut rounds: Rounds, call: impl Fn() -> T) -> u64 {
    while rounds.more() {
        black_box(call());
    }
    rounds.done()
}

/// Calls getppid through the 32-bit table; one operation is one call.
pub(crate) fn compat(args: &CountArgs, gate: Gate) -> Result<Truth> {
    let watch = gate.pass()?;
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    for _ in 0..args.count {
        let answer = getppid_of_32_bit().context("this machine has no 32-bit table")?;
        ensure!(i32::try_from(answer).ok() == parent, "the 32-bit getppid answered {answer}");
    }
    let mut truth = watch.stop("compat", args.count)?;
    truth.compat_syscalls = calls([("getppid", args.count)]);
    truth.syscalls = calls([("getppid", 1)]);
    Ok(truth)
}

/// Signals itself; one operation is one signal, handled before `kill` returns.
pub(crate) fn signals(args: &CountArgs, gate: Gate) -> Result<Truth> {
    let seen = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGUSR1, Arc::clone(&seen)).context("cannot handle a signal")?;
    let watch = gate.pass()?;
    for _ in 0..args.count {
        kill_process(getpid(), Signal::USR1).context("cannot signal this process")?;
    }
    let mut truth = watch.stop("signals", args.count)?;
    truth.syscalls = calls([("kill", args.count), ("rt_sigreturn", args.count)]);
    Ok(truth)
}
