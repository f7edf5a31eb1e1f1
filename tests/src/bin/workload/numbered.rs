//! Files of their own numbers, made one after the other at a steady rate.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use landlord_tests::truth::Truth;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, unlinkat};

use crate::gate::{Gate, calls};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The beginning of their paths; eight digits follow
    prefix: PathBuf,
    /// How many
    #[arg(long)]
    count: u32,
    /// How many a second; if it falls behind it makes up for that
    #[arg(long)]
    rate: u32,
}

/// Makes a file, closes and removes it, and so on; one operation is one file. Between
/// the word and the end it opens nothing else.
pub(crate) fn make(args: &Args, gate: Gate) -> Result<Truth> {
    ensure!(args.rate > 0, "at this rate there is never a file");
    let prefix = args.prefix.to_str().context("the path is no text")?;
    let watch = gate.pass()?;
    let began = Instant::now();
    for number in 0..args.count {
        let due = Duration::from_secs(number.into()) / args.rate;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let file = format!("{prefix}{number:08}");
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(openat(CWD, &file, flags, Mode::RUSR).with_context(|| format!("cannot make {file}"))?);
        unlinkat(CWD, &file, AtFlags::empty()).with_context(|| format!("cannot remove {file}"))?;
    }
    let mut truth = watch.stop("numbered", args.count.into())?;
    truth.syscalls = calls([("openat", args.count.into()), ("unlinkat", args.count.into())]);
    Ok(truth)
}
