//! `landlord record`: everything that rules are held against, in a file.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::doctor::wanted;
use super::duration;
use crate::config::{self, Overrides};
use crate::kernel::requirements::{Machine, probe};
use crate::pipeline::{self, Recording};

/// Record what happens, for `landlord replay`
///
/// Writes every event that the rules want, and what is known of processes, containers
/// and tenants, until it is interrupted or the time is over. It needs no agent, and
/// may run beside one. The file holds command lines and environments: keep it safe.
#[derive(Args, Debug)]
pub(super) struct Record {
    /// File to write; an existing one is replaced
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Rule files, or folders of them, that decide what is recorded [default: the rules
    /// that come with Landlord]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,

    /// End after this time
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    duration: Option<Duration>,

    /// Configuration file [default: /etc/landlord/landlord.yaml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(flags: Record, out: &mut impl Write) -> Result<()> {
    let mut config = config::load(flags.config.as_deref(), &Overrides::default())?;
    if let Some(refusal) = probe(&Machine::here(), &wanted(&config)).fatal() {
        bail!(refusal);
    }
    config.detection.as_ref().context("the configuration switches rules off")?;
    if !flags.rules.is_empty() {
        config.set_rule_paths(flags.rules);
    }
    let recording = Recording { file: flags.output, duration: flags.duration };
    let told = pipeline::record(&config, &recording, || {
        // Without standard error there is nobody to be told.
        writeln!(io::stderr(), "recording to {}", recording.file.display()).ok();
    })?;
    writeln!(
        out,
        "{}: {} records, {} alerts, {} records lost",
        recording.file.display(),
        told.statistics.records,
        told.statistics.alerts,
        told.counts.lost
    )?;
    Ok(())
}
