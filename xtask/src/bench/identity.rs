//! `cargo xtask bench identity`: what it costs a node to know all pods of the cluster,
//! and how soon it knows a new one.
//!
//! The benchmark of that name does it, against a double of the API server; this builds
//! and runs it.

use anyhow::{Context as _, Result};

use crate::setup::{self, Purpose};
use crate::{shell, workspace};

/// What it can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pods of the cluster
    #[arg(long, default_value_t = 10_000)]
    pods: u32,
    /// Changes a second
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// For how long
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Fail when a target is missed
    #[arg(long)]
    check: bool,
}

/// Builds the benchmark for release and runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--quiet", "--package", "landlord-tests", "--bench", "identity", "--"]);
    for (flag, value) in [("--pods", args.pods), ("--rate", args.rate), ("--seconds", args.seconds)]
    {
        cargo.arg(flag).arg(value.to_string());
    }
    let flags = [(args.json, "--json"), (args.check, "--check")];
    cargo.args(flags.iter().filter(|(given, _)| *given).map(|(_, flag)| flag));
    shell::run(&mut cargo).context("measuring the identity")
}
