//! `landlord version`.

use std::io::Write;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

/// Print the version
#[derive(Args, Debug)]
pub(super) struct Version {
    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line
    Text,
    /// An object
    Json,
}

pub(super) fn run(flags: &Version, out: &mut impl Write) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match flags.output {
        Format::Text => writeln!(out, "landlord {version}")?,
        Format::Json => {
            let version = json!({
                "version": version,
                "architecture": std::env::consts::ARCH,
                "license": env!("CARGO_PKG_LICENSE"),
            });
            writeln!(out, "{version:#}")?;
        }
    }
    Ok(())
}
