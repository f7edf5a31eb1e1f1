//! Writes to a block device.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use landlord_tests::truth::Truth;
use rustix::fs::{Mode, OFlags, fdatasync, open, unlink};

use crate::gate::Gate;

/// What is written at once.
const BLOCK: usize = 1 << 20;
/// Direct writes come from memory that is aligned to the device's block; no
/// device has a larger one.
const ALIGNMENT: usize = 4096;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to write, on the device; it is removed afterwards
    #[arg(long)]
    file: PathBuf,
    /// Bytes to write: a multiple of 1 MiB
    #[arg(long)]
    bytes: usize,
}

/// Writes past the page cache, so that each byte is on the account of this
/// process; one operation is one MiB.
pub(crate) fn write(args: &Args, gate: Gate) -> Result<Truth> {
    ensure!(args.bytes.is_multiple_of(BLOCK), "{} is no multiple of 1 MiB", args.bytes);
    let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC;
    let file = open(&args.file, flags, Mode::RUSR | Mode::WUSR)
        .with_context(|| format!("cannot write {} directly", args.file.display()))?;
    let mut file = File::from(file);
    unlink(&args.file).context("cannot remove the file")?;
    let buffer = vec![1_u8; BLOCK + ALIGNMENT];
    let start = buffer.as_ptr().align_offset(ALIGNMENT);
    let watch = gate.pass()?;
    for _ in 0..args.bytes / BLOCK {
        file.write_all(&buffer[start..start + BLOCK]).context("cannot write")?;
    }
    fdatasync(&file).context("cannot write to the end")?;
    let blocks = u64::try_from(args.bytes / BLOCK).context("a count")?;
    let mut truth = watch.stop("disk", blocks)?;
    truth.disk_write_bytes = u64::try_from(args.bytes).context("a count")?;
    Ok(truth)
}
