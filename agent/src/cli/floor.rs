//! `landlord floor`: empty programs on the sensors' hooks, held until told to stop.
//!
//! A hidden subcommand for the benchmark; it meters nothing.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::kernel::cgroupfs::Hierarchies;
use crate::kernel::floor;

/// Hold empty programs on the sensors' hooks
///
/// For the benchmark: what the hooks themselves cost. Prints `ready` once the
/// programs are attached; SIGTERM or SIGINT takes them away.
#[derive(Args, Debug)]
#[command(hide = true)]
pub(super) struct FloorCommand {
    /// Names of the hooks, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
    hooks: Vec<String>,

    /// Cgroup whose packets pass the programs [default: the root of cgroup v2]
    #[arg(long, value_name = "FOLDER")]
    root_cgroup: Option<PathBuf>,
}

pub(super) fn run(flags: &FloorCommand, out: &mut impl Write) -> Result<()> {
    let root_cgroup = match &flags.root_cgroup {
        Some(path) => path.clone(),
        None => Hierarchies::find()?.unified,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        // The handlers come first: whoever reads `ready` may stop us at once.
        let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
        let floor = floor::attach(&flags.hooks, &root_cgroup)?;
        writeln!(out, "ready").and_then(|()| out.flush()).context("cannot write `ready`")?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        drop(floor);
        Ok(())
    })
}
