//! `landlord rules fields`: what conditions and outputs can name.

use std::io::Write;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::cli::table::aligned;
use crate::rules::field::reference::{self, Entry};
use crate::rules::field::similar;

/// List the fields that rules can name
///
/// These are Falco's fields and Landlord's own (`tenant.…`, `net.…`), with their
/// types, what the agent has to know to tell them, and from which kernel on.
#[derive(Args, Debug)]
pub(super) struct Fields {
    /// Only fields whose name begins so, such as proc or fd.s
    #[arg(value_name = "PREFIX", default_value = "")]
    prefix: String,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Format,

    /// Leave out the line of titles
    #[arg(long)]
    no_headers: bool,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Aligned columns for people
    Table,
    /// An array of objects
    Json,
    /// The page docs/fields.md, always of all fields
    Markdown,
}

/// No field has a name that begins so.
#[derive(Debug, thiserror::Error)]
#[error("no field begins with `{prefix}`{}", suggestion(*.near))]
struct NoSuchField {
    prefix: String,
    near: Option<&'static str>,
}

pub(super) fn run(flags: &Fields, out: &mut impl Write) -> Result<()> {
    let entries: Vec<Entry> =
        reference::entries().filter(|entry| entry.name.starts_with(&flags.prefix)).collect();
    if entries.is_empty() {
        let near = similar(&flags.prefix);
        return Err(NoSuchField { prefix: flags.prefix.clone(), near }.into());
    }
    let text = match flags.output {
        Format::Table => table(&entries, !flags.no_headers),
        Format::Json => serde_json::to_string_pretty(&entries).context("cannot write JSON")?,
        Format::Markdown => reference::markdown().trim_end().to_owned(),
    };
    writeln!(out, "{text}")?;
    Ok(())
}

fn suggestion(near: Option<&str>) -> String {
    match near {
        None => "; `landlord rules fields` lists them all".to_owned(),
        Some(near) => format!("; there is `{near}`"),
    }
}

fn table(entries: &[Entry], headers: bool) -> String {
    let titles: &[&str] = &["FIELD", "TYPE", "NEEDS", "KERNEL", "MEANING"];
    let rows = entries.iter().map(|entry| {
        vec![
            entry.form.to_string(),
            entry.type_name(),
            entry.needs.name().to_owned(),
            entry.min_kernel.to_owned(),
            entry.description.to_owned(),
        ]
    });
    aligned(headers.then_some(titles), rows, &[false; 5])
}

#[cfg(test)]
mod tests {
    use super::{Fields, Format, run};

    fn print(prefix: &str, output: Format) -> Result<String, String> {
        let flags = Fields { prefix: prefix.to_owned(), output, no_headers: false };
        let mut out = Vec::new();
        run(&flags, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn tables() {
        insta::assert_snapshot!(print("tenant.n", Format::Table).unwrap(), @"
        FIELD        TYPE  NEEDS            KERNEL  MEANING
        tenant.name  text  tenant identity  5.10    The tenant that the process belongs to; `host`, `pending` or `unknown` if it is none.
        ");
    }

    #[test]
    fn json_is_an_array() {
        let json = print("fd.", Format::Json).unwrap();
        let fields: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(fields.as_array().unwrap().iter().any(|field| field["name"] == "fd.name"));
    }

    #[test]
    fn no_such_field() {
        assert_eq!(
            print("proc.nmae", Format::Table).unwrap_err(),
            "no field begins with `proc.nmae`; there is `proc.name`"
        );
        assert_eq!(
            print("zzz", Format::Table).unwrap_err(),
            "no field begins with `zzz`; `landlord rules fields` lists them all"
        );
    }
}
