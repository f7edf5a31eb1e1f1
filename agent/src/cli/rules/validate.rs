//! `landlord rules validate`: what is wrong with rule files.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::RuleFiles;
use crate::rules::diagnostic::{FileReport, Severity, json, summary, text};
use crate::rules::load::{self, Loaded, Options};

/// Check rule files
///
/// Tells everything that is wrong in one go. Exits with 0 when the rules can be used,
/// also with warnings, and with 1 when they cannot.
#[derive(Args, Debug)]
pub(super) struct Validate {
    #[command(flatten)]
    files: RuleFiles,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Findings with their lines, for people
    Text,
    /// An object in the form of Falco's validation output
    Json,
}

pub(super) fn run(flags: &Validate, coloured: bool, out: &mut impl Write) -> Result<ExitCode> {
    let loaded = load::load(flags.files.read()?, &Options::default());
    let text = match flags.output {
        Format::Text => told(&loaded, coloured),
        Format::Json => json(&loaded.reports).to_string() + "\n",
    };
    out.write_all(text.as_bytes())?;
    Ok(if loaded.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The findings, then a line for each file and one for all.
fn told(loaded: &Loaded, coloured: bool) -> String {
    let mut told: String = loaded.reports.iter().map(|report| text(report, coloured)).collect();
    for report in &loaded.reports {
        told += &summary(report);
        told += "\n";
    }
    told += &format!("\n{}\n", verdict(loaded));
    told
}

fn verdict(loaded: &Loaded) -> String {
    let count = |severity| {
        loaded.reports.iter().map(|report: &FileReport| report.with(severity).count()).sum()
    };
    let (errors, warnings): (usize, usize) = (count(Severity::Error), count(Severity::Warning));
    let found = match (errors, warnings) {
        (0, 0) => String::new(),
        (errors, warnings) => {
            format!(" ({}, {})", counted(errors, "error"), counted(warnings, "warning"))
        }
    };
    if loaded.failed() {
        format!("These rules cannot be used{found}.")
    } else {
        let enabled = loaded.rules.iter().filter(|rule| rule.enabled).count();
        let rules = counted(loaded.rules.len(), "rule");
        format!("{rules}, of which {enabled} enabled{found}.")
    }
}

/// A number of things.
fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::told;
    use crate::rules::load::{Options, SourceFile, load};

    const RULE: &str = "- rule: r\n  desc: d\n  condition: evt.type = open\n  output: o\n  \
                        priority: INFO\n";

    fn validated(files: &[&str]) -> String {
        let name = |nth: usize| format!("{nth}.yaml");
        let files = files.iter().enumerate();
        let files = files.map(|(nth, text)| SourceFile::new(&name(nth), *text)).collect();
        told(&load(files, &Options::default()), false)
    }

    #[test]
    fn verdicts() {
        insta::assert_snapshot!(validated(&[RULE]), @"
        0.yaml: Ok

        1 rule, of which 1 enabled.
        ");
        insta::assert_snapshot!(validated(&[RULE, "- rule: r\n  enabled: false\n"]), @"
        warning: switching a rule with nothing but `enabled` is deprecated
         --> 1.yaml:2:3 (rule `r`)
          |
        2 |   enabled: false
          |   ^^^^^^^
          = help: add `override:` and below it `enabled: replace`

        0.yaml: Ok
        1.yaml: Ok, with warnings

        1 rule, of which 0 enabled (0 errors, 1 warning).
        ");
        insta::assert_snapshot!(validated(&["- rule: s\n  enabled: maybe\n", RULE]), @"
        error: `enabled` takes true or false, not `maybe`
         --> 0.yaml:2:12 (rule `s`)
          |
        2 |   enabled: maybe
          |            ^^^^^

        0.yaml: Invalid
        1.yaml: Ok

        These rules cannot be used (1 error, 0 warnings).
        ");
    }
}
