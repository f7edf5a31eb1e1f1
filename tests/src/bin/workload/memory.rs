//! Memory, held for a while or taken until killed.

use anyhow::{Context as _, Result, bail};
use landlord_tests::truth::Truth;

use crate::amount::duration;
use crate::gate::Gate;

/// What is taken at once.
const STEP: usize = 1 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Bytes to hold; each page is written
    #[arg(long)]
    bytes: usize,
    /// Seconds to hold them
    #[arg(long, default_value_t = 0.0)]
    seconds: f64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct OomArgs {
    /// Bytes to try for
    #[arg(long)]
    bytes: usize,
}

/// Holds memory.
pub(crate) fn hold(args: &Args, gate: Gate) -> Result<Truth> {
    let time = duration(args.seconds)?;
    let watch = gate.pass()?;
    let held = vec![1_u8; args.bytes];
    std::thread::sleep(time);
    let mut truth = watch.stop("memory", 1)?;
    truth.memory_bytes = u64::try_from(std::hint::black_box(held).len()).context("it is held")?;
    Ok(truth)
}

/// Takes memory step by step. To get it all is a failure: there was no limit.
pub(crate) fn take_until_killed(args: &OomArgs, gate: Gate) -> Result<Truth> {
    let _watch = gate.pass()?;
    let mut held = Vec::new();
    while held.len() * STEP < args.bytes {
        held.push(vec![1_u8; STEP]);
    }
    bail!("took {} bytes and was not killed", std::hint::black_box(held).len() * STEP);
}
