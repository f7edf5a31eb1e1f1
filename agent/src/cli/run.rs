//! `landlord run`: the agent itself.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use super::doctor::wanted;
use super::logging;
use super::style::ColorChoice;
use crate::config::{self, Overrides};
use crate::kernel::requirements::{Machine, Status, probe};
use crate::pipeline;

/// Run the agent in the foreground
///
/// Counts what every tenant uses and serves it at /metrics for Prometheus and at
/// /v1/usage as JSON. Its counters stay in the kernel when it stops, so that the
/// next one misses nothing; `landlord detach` removes them. Flags win over
/// LANDLORD_* variables, and those over the file.
#[derive(Args, Debug)]
pub(super) struct Run {
    /// Configuration file [default: /etc/landlord/landlord.yaml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Let sensors and counters end with the agent, as --pin-enabled false does
    #[arg(long, conflicts_with_all = ["pin_path", "pin_enabled"])]
    no_pin: bool,

    /// Rule files, or folders of them, in Falco's format [default: what the
    /// configuration says, else the rules that come with Landlord]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,

    #[command(flatten)]
    overrides: Overrides,
}

pub(super) fn run(flags: Run, color: ColorChoice) -> Result<()> {
    let mut overrides = flags.overrides;
    if flags.no_pin {
        overrides = overrides.with("pin.enabled", "false");
    }
    let mut config = config::load(flags.config.as_deref(), &overrides)?;
    if !flags.rules.is_empty() {
        config.set_rule_paths(flags.rules);
    }
    let work = logging::start(config.log, color, true)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let report = probe(&Machine::here(), &wanted(&config));
    if let Some(refusal) = report.fatal() {
        bail!(refusal);
    }
    for row in report.with(Status::Degraded) {
        tracing::warn!("{}", row.sentence());
    }
    Ok(pipeline::run(&config, work)?)
}
