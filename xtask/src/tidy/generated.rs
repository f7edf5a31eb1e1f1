//! Files that are written by the agent itself, or made from others, so that they
//! cannot be wrong.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Findings;
use crate::build::Build;
use crate::report::say;
use crate::{chart, files, shell, workspace};

/// Each file, and the agent's arguments that print it.
const FILES: [(&str, [&str; 2]); 6] = [
    ("charts/landlord/crds/tenants.landlord.dev.yaml", ["docs", "crd"]),
    ("docs/cli.md", ["docs", "cli"]),
    ("docs/configuration.md", ["docs", "config"]),
    ("docs/configuration.schema.json", ["config", "schema"]),
    ("docs/fields.md", ["docs", "fields"]),
    ("docs/metrics.md", ["docs", "metrics"]),
];

/// Compares each file with what the agent prints; `fix` rewrites those that
/// differ.
pub(super) fn check(fix: bool) -> Findings {
    let agent = Build::tested(false).programs()?.agent;
    let mut findings = Vec::new();
    for (file, args) in FILES {
        findings.extend(compare(file, &print(&agent, &args)?, fix)?);
    }
    Ok(findings)
}

/// The same for the files of the chart that are made from others.
pub(super) fn chart(fix: bool) -> Findings {
    let mut findings = Vec::new();
    for made in chart::made()? {
        findings.extend(compare(&made.file, &made.text, fix)?);
    }
    // What is rendered depends on the schema, which may just have been written.
    for made in chart::rendered()? {
        findings.extend(compare(&made.file, &made.text, fix)?);
    }
    Ok(findings)
}

/// What is wrong with a file that has to be as expected; `fix` rewrites it instead.
fn compare(file: &str, expected: &str, fix: bool) -> Result<Option<String>> {
    let path = workspace::root().join(file);
    let actual = files::read_text(&path).unwrap_or_default();
    let Some(line) = first_difference(&actual, expected) else { return Ok(None) };
    if fix {
        files::write(&path, expected)?;
        say("Wrote", file);
        return Ok(None);
    }
    Ok(Some(format!("{file}:{line}: stale; `cargo xtask tidy --fix` rewrites it")))
}

fn print(agent: &Path, args: &[&str]) -> Result<String> {
    // The width of this terminal is nobody else's.
    shell::capture(
        Command::new(agent).args(args).env("COLUMNS", "100").env_remove("CLICOLOR_FORCE"),
    )
}

/// The number of the first line that differs, from 1.
fn first_difference(actual: &str, expected: &str) -> Option<usize> {
    if actual == expected {
        return None;
    }
    let same = actual.lines().zip(expected.lines()).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_different_line_is_named() {
        let check = |actual, expected, line| assert_eq!(first_difference(actual, expected), line);
        check("a\nb\n", "a\nb\n", None);
        check("a\nx\n", "a\nb\n", Some(2));
        check("", "a\n", Some(1));
        check("a\n", "a\nb\n", Some(2));
        check("a", "a\n", Some(2));
    }
}
