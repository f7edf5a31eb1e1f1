//! How `landlord tenants` and `landlord pods` write what they list.

use std::io::Write;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Flags of a list.
#[derive(Args, Debug)]
pub(super) struct Listing {
    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,

    /// Leave out the line of titles
    #[arg(long)]
    no_headers: bool,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns for people
    Table,
    /// The same with more columns
    Wide,
    /// Names only, as `KIND/NAME`
    Name,
    /// An array of objects
    Json,
}

impl Listing {
    /// Writes a list: names of a `kind`, or a table, wide or not, with its titles or not.
    ///
    /// # Errors
    ///
    /// That nothing is there, as `none` says, except as JSON, where that is an answer; or
    /// that it cannot be written.
    pub(super) fn write<T: Serialize>(
        &self,
        out: &mut impl Write,
        rows: &[T],
        kind: &str,
        name: impl Fn(&T) -> String,
        table: impl FnOnce(bool, bool) -> String,
        none: &'static str,
    ) -> Result<()> {
        let text = match self.output {
            Format::Json => serde_json::to_string_pretty(rows).context("cannot write JSON")?,
            _ if rows.is_empty() => anyhow::bail!(none),
            Format::Name => {
                let names = rows.iter().map(|row| format!("{kind}/{}", name(row)));
                names.collect::<Vec<_>>().join("\n")
            }
            Format::Table | Format::Wide => table(self.output == Format::Wide, !self.no_headers),
        };
        writeln!(out, "{text}")?;
        Ok(())
    }
}
