//! `landlord rules test`: unit tests of rules.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{RuleFiles, load_or_tell, tell};
use crate::cli::figures::printable;
use crate::cli::style::{bad, doubtful, good};
use crate::rules::load;
use crate::rules::suite::{self, Failure, Gap, Outcome};

/// Run unit tests of rules
///
/// Tests are YAML files of events and the alerts that shall follow; docs/rule-tests.md
/// describes them. Exits with 1 when a test fails.
#[derive(Args, Debug)]
pub(super) struct Test {
    /// Test files, or folders of them
    #[arg(value_name = "DIR", required = true)]
    tests: Vec<PathBuf>,

    /// Rule files, or folders of them [default: the folder above the first DIR]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,

    /// Fail, too, when a rule lacks a test in which it fires or one in which it does not
    #[arg(long)]
    complete: bool,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Failures and a summary, for people
    Text,
    /// An object
    Json,
}

pub(super) fn run(flags: &Test, coloured: bool, out: &mut impl Write) -> Result<ExitCode> {
    let files = load::read(&flags.tests);
    ensure!(
        !files.is_empty(),
        "there are no tests (*.yaml, *.yml) in {}",
        flags.tests[0].display()
    );
    let Some(loaded) = load_or_tell(RuleFiles { files: rules(flags) }.read()?)? else {
        return Ok(ExitCode::FAILURE);
    };
    let suite = match suite::read(files) {
        Ok(suite) => suite,
        Err(reports) => {
            tell(&reports, &mut io::stderr())?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let outcome = suite::run(&suite, &loaded.rules);
    let text = match flags.output {
        Format::Text => text(&outcome, loaded.rules.len(), coloured),
        Format::Json => {
            serde_json::to_string_pretty(&json(&outcome)).context("cannot write JSON")? + "\n"
        }
    };
    out.write_all(text.as_bytes())?;
    let incomplete = flags.complete && !outcome.gaps.is_empty();
    let failed = !outcome.failures.is_empty() || incomplete;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The rule files: those above the tests, if none are named.
fn rules(flags: &Test) -> Vec<PathBuf> {
    if !flags.rules.is_empty() {
        return flags.rules.clone();
    }
    let above = flags.tests.first().map_or(Path::new("."), PathBuf::as_path);
    // `tests` alone has no parent but the empty one, and `.` none that shows.
    let above = std::path::absolute(above).ok().and_then(|path| path.parent().map(Path::to_owned));
    let here = std::env::current_dir().unwrap_or_default();
    let above = above.unwrap_or_else(|| here.clone());
    // Shorter, and as the user would write it.
    vec![above.strip_prefix(&here).ok().filter(|it| *it != Path::new("")).map_or_else(
        || if above == here { PathBuf::from(".") } else { above.clone() },
        Path::to_owned,
    )]
}

fn text(outcome: &Outcome, rules: usize, coloured: bool) -> String {
    let mut text = String::new();
    for failure in &outcome.failures {
        let Failure { place, subject, title, message, details } = failure;
        let colon = if title.is_empty() { "" } else { ": " };
        text += &format!(
            "{} {}:{}: {}{colon}{}\n  {message}\n",
            bad("failed", coloured),
            printable(&place.file),
            place.line,
            printable(subject),
            printable(title),
        );
        for line in details {
            let line = printable(line);
            let line = match line.as_bytes().first() {
                Some(b'-') => bad(&line, coloured),
                Some(b'+') => good(&line, coloured),
                _ => line,
            };
            text += &format!("    {line}\n");
        }
        text += "\n";
    }
    for Gap { rule, firing, silent } in &outcome.gaps {
        let lacks = match (firing, silent) {
            (true, true) => "has no test",
            (true, false) => "has no test in which it fires",
            (false, _) => "has no test in which it does not fire",
        };
        text += &format!("{} rule `{}` {lacks}\n", doubtful("untested", coloured), printable(rule));
    }
    if !outcome.gaps.is_empty() {
        text += "\n";
    }
    let tested = rules - outcome.gaps.len();
    let failed = outcome.failures.len();
    let verdict = if failed == 0 { good("ok", coloured) } else { bad("failed", coloured) };
    text += &format!(
        "{verdict}: {} passed, {failed} failed; {tested} of {rules} rules have tests of both kinds\n",
        outcome.passed
    );
    text
}

/// The outcome as JSON.
#[derive(Serialize)]
struct Report<'a> {
    passed: usize,
    failed: usize,
    failures: Vec<Entry<'a>>,
    untested: Vec<Untested<'a>>,
}

/// A failure as JSON.
#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    /// From 1.
    line: usize,
    /// The rule under test, or the name of the test.
    subject: &'a str,
    case: &'a str,
    message: &'a str,
    details: &'a [String],
}

/// A rule without tests as JSON.
#[derive(Serialize)]
struct Untested<'a> {
    rule: &'a str,
    /// No test shows that it fires.
    firing: bool,
    /// No test shows that it stays silent.
    silent: bool,
}

fn json(outcome: &Outcome) -> Report<'_> {
    let failures = outcome.failures.iter().map(|it| Entry {
        file: &it.place.file,
        line: it.place.line,
        subject: &it.subject,
        case: &it.title,
        message: &it.message,
        details: &it.details,
    });
    let untested = outcome.gaps.iter().map(|it| Untested {
        rule: &it.rule,
        firing: it.firing,
        silent: it.silent,
    });
    Report {
        passed: outcome.passed,
        failed: outcome.failures.len(),
        failures: failures.collect(),
        untested: untested.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{json, text};
    use crate::rules::load::{Options, SourceFile, load};
    use crate::rules::suite::{Outcome, read, run};

    const RULES: &str = "\
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name in (bash, sh)
  output: o
  priority: NOTICE
- rule: Open
  desc: d
  condition: evt.type = open
  output: o
  priority: NOTICE
";

    const TESTS: &str = "\
- rule: Shell
  fires:
    - {evt.type: execve, proc.name: bash}
    - {case: another shell, evt.type: execve, proc.name: zsh}
  silent:
    - {evt.type: execve, proc.name: ls}
- test: Both
  events:
    - {evt.type: execve, proc.name: sh}
    - {evt.type: close}
  alerts: [Shell, Open]
";

    fn outcome() -> Outcome {
        let rules = load(vec![SourceFile::new("r.yaml", RULES)], &Options::default()).rules;
        run(&read(vec![SourceFile::new("t.yaml", TESTS)]).unwrap(), &rules)
    }

    #[test]
    fn for_people() {
        insta::assert_snapshot!(text(&outcome(), 2, false), @"
        failed t.yaml:4: Shell: another shell
          the rule should fire, and does not
            does not hold: proc.name in (bash, sh)

        failed t.yaml:7: Both
          the alerts are others than expected
              Shell
            - Open

        untested rule `Open` has no test

        failed: 2 passed, 2 failed; 1 of 2 rules have tests of both kinds
        ");
    }

    #[test]
    fn for_programs() {
        let outcome = outcome();
        let report = serde_json::to_value(json(&outcome)).unwrap();
        assert_eq!((&report["passed"], &report["failed"]), (&2.into(), &2.into()));
        assert_eq!(report["failures"][0]["line"], 4);
        assert_eq!(report["failures"][0]["case"], "another shell");
        assert_eq!(report["untested"][0]["rule"], "Open");
    }
}
