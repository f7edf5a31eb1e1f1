//! `landlord completion`: a script that completes the command line.

use std::io::Write;

use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

/// Print a script that completes the command line
///
/// For bash: `source <(landlord completion bash)`.
#[derive(Args, Debug)]
pub(super) struct Completion {
    /// The shell to write for
    shell: Shell,
}

pub(super) fn run(flags: &Completion, out: &mut impl Write) -> Result<()> {
    // The generator panics where it cannot write: it gets memory, not the pipe.
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut super::Cli::command(), "landlord", &mut script);
    out.write_all(&script)?;
    Ok(())
}
