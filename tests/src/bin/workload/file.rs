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
    /// How many other files are open meanwhile
    #[arg(long, default_value_t = 0)]
    beside: usize,
}

/// Opens a file of its own for reading, and closes it; one operation is both calls.
pub(crate) fn openclose(args: &OpencloseArgs, gate: Gate) -> Result<Truth> {
    let file = tempfile::NamedTempFile::new().context("cannot make a file")?;
    let others: Result<Vec<_>, _> = (0..args.beside).map(|_| file.as_file().try_clone()).collect();
    let others = others.context("cannot have so many files open")?;
    let watch = gate.pass()?;
    for _ in 0..args.count {
        drop(open(file.path(), OFlags::RDONLY, Mode::empty()).context("cannot open the file")?);
    }
    let mut truth = watch.stop("openclose", args.count)?;
    drop(others);
    truth.syscalls = calls([("close", args.count)]);
    Ok(truth)
}
