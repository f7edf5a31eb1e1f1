//! `cargo xtask run`: the agent as it will run in production, on this machine.

use std::os::unix::process::CommandExt as _;

use anyhow::{Context as _, Result};

use crate::build::Build;
use crate::root;
use crate::setup::{self, Purpose};

/// What the agent is told; `run` if nothing is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The agent's own arguments, after `--`: a subcommand and its flags
    #[arg(last = true, default_value = "run")]
    agent: Vec<String>,
}

/// Builds the agent and becomes it, so that signals and the exit code are its
/// own.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let agent = Build { release: true, fully_static: false }.agent()?;
    let mut command = root::command(&agent, &[])?;
    Err(command.args(&args.agent).exec()).context("starting the agent")
}
