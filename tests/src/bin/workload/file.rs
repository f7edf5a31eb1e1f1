//! A file that nobody watches, opened and closed.

use anyhow::{Context as _, Result};
use landlord_tests::truth::Truth;
use rustix::fs::{Mode, OFlags, open};

use crate::gate::{Gate, calls};

#[derive(Debug, clap::Args)]
pub(crate) struct OpencloseArgs {
    /// How many times
    #[arg(long)]
    count: u64,
}

/// Opens a file of its own for reading, and closes it; one operation is both calls.
pub(crate) fn openclose(args: &OpencloseArgs, gate: Gate) -> Result<Truth> {
    let file = tempfile::NamedTempFile::new().context("cannot make a file")?;
    let watch = gate.pass()?;
    for _ in 0..args.count {
        drop(open(file.path(), OFlags::RDONLY, Mode::empty()).context("cannot open the file")?);
    }
    let mut truth = watch.stop("openclose", args.count)?;
    truth.syscalls = calls([("close", args.count)]);
    Ok(truth)
}
