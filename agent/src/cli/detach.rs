//! `landlord detach`: takes the sensors out of the kernel.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::config::{self, Overrides};
use crate::kernel::detach;

/// Remove the sensors and counters that a stopped agent left in the kernel
///
/// An agent that stops leaves its sensors counting, so that the next one misses
/// nothing. This ends that: the counters are lost and the next agent starts at
/// zero. It refuses while an agent runs.
#[derive(Args, Debug)]
pub(super) struct Detach {
    /// Configuration file of the stopped agent
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Folder on bpffs that holds the sensors
    #[arg(long, value_name = "FOLDER")]
    pin_path: Option<String>,
}

pub(super) fn run(flags: &Detach, out: &mut impl Write) -> Result<()> {
    let overrides = match &flags.pin_path {
        Some(path) => Overrides::default().with("pin.path", path).with("pin.enabled", "true"),
        None => Overrides::default(),
    };
    let config = config::load(flags.config.as_deref(), &overrides)?;
    let Some(path) = &config.pin else {
        bail!("the configuration switches pinning off; name the folder with --pin-path");
    };
    if detach(path)? {
        writeln!(out, "sensors and counters below {} are gone", path.display())?;
    } else {
        writeln!(out, "nothing to remove below {}", path.display())?;
    }
    Ok(())
}
