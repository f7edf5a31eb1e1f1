//! `cargo xtask bench rules`: how many events a second rules are evaluated for.
//!
//! The agent's benchmark of that name does it; this builds and runs it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::setup::{self, Purpose};
use crate::{shell, workspace};

/// What it can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files or folders; Landlord's own, and Falco's if they are at hand
    files: Vec<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Leave out rules that are not enabled
    #[arg(long)]
    enabled_only: bool,
    /// Fail when a target is missed
    #[arg(long)]
    check: bool,
}

/// Builds the benchmark for release and runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--quiet", "--package", "landlord", "--bench", "rules", "--"]);
    let flags =
        [(args.json, "--json"), (args.enabled_only, "--enabled-only"), (args.check, "--check")];
    cargo.args(flags.iter().filter(|(given, _)| *given).map(|(_, flag)| flag));
    // Cargo runs it in the folder of its package.
    let absolute =
        |file: &PathBuf| std::path::absolute(file).with_context(|| file.display().to_string());
    cargo.args(args.files.iter().map(absolute).collect::<Result<Vec<_>>>()?);
    shell::run(&mut cargo).context("measuring the rules")
}
