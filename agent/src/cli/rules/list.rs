//! `landlord rules list`: the rules as they are in force.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{RuleFiles, load_or_tell};
use crate::cli::figures::printable;
use crate::cli::table::aligned;
use crate::rules::rule::Rule;

/// List the rules that files define, after all overrides
///
/// In the order in which they are tried. Exits with 1 when the files have errors.
#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    files: RuleFiles,

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
}

/// A rule as JSON.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    rule: &'a str,
    description: &'a str,
    priority: &'static str,
    enabled: bool,
    source: &'a str,
    tags: &'a [String],
    /// With overrides and exceptions, macros and lists by their names.
    condition: &'a str,
    output: &'a str,
    file: &'a str,
    /// From 1.
    line: usize,
}

pub(super) fn run(flags: &List, out: &mut impl Write) -> Result<ExitCode> {
    let Some(loaded) = load_or_tell(flags.files.read()?)? else { return Ok(ExitCode::FAILURE) };
    let text = match flags.output {
        Format::Table => table(&loaded.rules, !flags.no_headers),
        Format::Json => {
            let entries: Vec<Entry<'_>> = loaded.rules.iter().map(entry).collect();
            serde_json::to_string_pretty(&entries).context("cannot write JSON")?
        }
    };
    writeln!(out, "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn entry(rule: &Rule) -> Entry<'_> {
    Entry {
        rule: &rule.name,
        description: &rule.description,
        priority: rule.priority.name(),
        enabled: rule.enabled,
        source: &rule.source,
        tags: &rule.tags,
        condition: &rule.condition_text,
        output: &rule.output_text,
        file: &rule.place.file,
        line: rule.place.line,
    }
}

fn table(rules: &[Rule], headers: bool) -> String {
    let rows = rules.iter().map(|rule| {
        vec![
            printable(&rule.name),
            rule.priority.name().to_owned(),
            if rule.enabled { "yes" } else { "no" }.to_owned(),
            printable(&format!("{}:{}", rule.place.file, rule.place.line)),
            printable(&rule.tags.join(",")),
        ]
    });
    let titles: &[&str] = &["RULE", "PRIORITY", "ENABLED", "WHERE", "TAGS"];
    aligned(headers.then_some(titles), rows, &[false; 5])
}

#[cfg(test)]
mod tests {
    use super::{entry, table};
    use crate::rules::load::{Options, SourceFile, load};

    const RULES: &str = "\
- rule: Shell in a pod
  desc: Somebody opened a shell
  condition: evt.type = execve
  output: Shell
  priority: WARNING
  tags: [shell, T1059]
- rule: Another
  desc: d
  condition: evt.type = open
  output: o
  priority: info
  enabled: false
";

    #[test]
    fn tables() {
        let loaded = load(vec![SourceFile::new("a.yaml", RULES)], &Options::default());
        insta::assert_snapshot!(table(&loaded.rules, true), @"
        RULE            PRIORITY       ENABLED  WHERE     TAGS
        Shell in a pod  Warning        yes      a.yaml:1  T1059,shell
        Another         Informational  no       a.yaml:7
        ");
    }

    #[test]
    fn objects() {
        let loaded = load(vec![SourceFile::new("a.yaml", RULES)], &Options::default());
        let object = serde_json::to_value(entry(&loaded.rules[1])).unwrap();
        let expected = serde_json::json!({
            "rule": "Another",
            "description": "d",
            "priority": "Informational",
            "enabled": false,
            "source": "syscall",
            "tags": [],
            "condition": "evt.type = open",
            "output": "o",
            "file": "a.yaml",
            "line": 7,
        });
        assert_eq!(object, expected);
    }
}
