//! Files, opened again and again under several names.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use landlord_tests::truth::Truth;
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::amount::Amount;
use crate::gate::{Gate, calls};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files, one after the other
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    amount: Amount,
}

/// Opens them for reading and closes them; one operation is one open. Between the
/// word and the end it opens nothing else.
pub(crate) fn open_all(args: &Args, gate: Gate) -> Result<Truth> {
    ensure!(!args.files.is_empty(), "there is no file to open");
    let watch = gate.pass()?;
    let mut rounds = args.amount.begin()?;
    let mut files = args.files.iter().cycle();
    while rounds.more() {
        let file = files.next().context("the circle of files has no end")?;
        openat(CWD, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .with_context(|| format!("cannot open {}", file.display()))?;
    }
    let opens = rounds.done();
    let mut truth = watch.stop("opens", opens)?;
    truth.syscalls = calls([("openat", opens)]);
    Ok(truth)
}
