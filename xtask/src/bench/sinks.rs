//! `cargo xtask bench sinks`: how many alerts a second each kind of sink takes on one
//! core, with its queue and without.
//!
//! The benchmark of that name does it; this builds and runs it.

use std::ffi::OsString;

use anyhow::{Context as _, Result};

use crate::setup::{self, Purpose};
use crate::{shell, workspace};

/// What it can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the benchmark is told; `-- --help` says what that can be
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Builds the benchmark for release and runs it.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let mut cargo = workspace::cargo();
    cargo.args(["bench", "--quiet", "--package", "landlord-tests", "--bench", "sinks", "--"]);
    cargo.args(&args.arguments);
    shell::run(&mut cargo).context("measuring the sinks")
}
