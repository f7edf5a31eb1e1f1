//! `landlord rules explain`: what a rule comes to.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use super::{RuleFiles, load_or_tell};
use crate::cli::figures::printable;
use crate::cli::style::{doubtful, faint, strong};
use crate::cli::table::aligned;
use crate::rules::explain::{Definition, Explanation, explain};
use crate::rules::load::Loaded;
use crate::rules::rule::Rule;
use crate::rules::similar::similar;

/// Tell what a rule comes to
///
/// Shows its condition with all macros, lists, overrides and exceptions in place, where
/// each of them stands, what it looks at and what may come before it.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The rule, by its full name
    #[arg(value_name = "RULE")]
    rule: String,

    /// Rule files, or folders of them [default: /etc/landlord/rules if it exists]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Sections for people
    Text,
    /// An object
    Json,
}

/// No rule has the name that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("no rule is called `{asked}`{}", suggestion(.near.as_deref()))]
struct NoSuchRule {
    asked: String,
    near: Option<String>,
}

fn suggestion(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; `landlord rules list` lists them all".to_owned(),
    }
}

pub(super) fn run(flags: &Explain, coloured: bool, out: &mut impl Write) -> Result<ExitCode> {
    let files = RuleFiles { files: flags.rules.clone() }.read()?;
    let Some(loaded) = load_or_tell(files.clone())? else { return Ok(ExitCode::FAILURE) };
    let explanation = explain(find(&loaded, &flags.rule)?, &loaded, &files);
    let text = match flags.output {
        Format::Text => text(&explanation, coloured),
        Format::Json => {
            serde_json::to_string_pretty(&explanation).context("cannot write JSON")? + "\n"
        }
    };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn find<'l>(loaded: &'l Loaded, name: &str) -> Result<&'l Rule, NoSuchRule> {
    let mut named = loaded.rules.iter().filter(|rule| *rule.name == *name);
    named.next().ok_or_else(|| {
        // People type the beginning of a long name, or a word of it.
        let names = || loaded.rules.iter().map(|rule| &*rule.name);
        let lower = name.to_lowercase();
        let near = similar(name, names())
            .or_else(|| names().find(|it| !lower.is_empty() && it.to_lowercase().contains(&lower)));
        NoSuchRule { asked: printable(name), near: near.map(printable) }
    })
}

fn text(it: &Explanation, coloured: bool) -> String {
    let mut text = String::new();
    let state = if it.enabled { String::new() } else { doubtful(", not enabled", coloured) };
    text += &format!("{} ({}{state})\n", strong(&printable(&it.rule), coloured), it.priority);
    text += &format!("{}\n", printable(&it.description));
    if !it.tags.is_empty() {
        text += &format!("{}\n", faint(&printable(&it.tags.join(", ")), coloured));
    }
    let mut section = |title: &str, lines: &[String]| {
        text += &format!("\n{}\n", strong(title, coloured));
        for line in lines {
            text += &format!("  {line}\n");
        }
    };
    section("Condition", &it.expanded.lines().map(printable).collect::<Vec<_>>());
    section("Where it comes from", &places(it));
    section("Exceptions", &exceptions(it));
    section("Events", &[it.events.join(", ")]);
    section("Fields", &fields(it));
    section(
        "What a sensor lets through",
        &it.prefilter.iter().map(|it| printable(it)).collect::<Vec<_>>(),
    );
    section("What comes first", &order(it));
    text
}

fn places(it: &Explanation) -> Vec<String> {
    let rows = |kind: &str, name: &str, definitions: &[Definition]| -> Vec<Vec<String>> {
        let row = |it: &Definition| {
            let place = format!("{}:{}", printable(&it.file), it.line);
            vec![kind.to_owned(), printable(name), place, printable(&it.what)]
        };
        definitions.iter().map(row).collect()
    };
    let mut all = rows("rule", "", &it.definitions);
    for part in &it.parts {
        all.extend(rows(part.kind, &part.name, &part.definitions));
    }
    lines(&aligned(None, all, &[false; 4]))
}

fn exceptions(it: &Explanation) -> Vec<String> {
    if it.exceptions.is_empty() {
        return vec!["none".to_owned()];
    }
    let rows = it.exceptions.iter().map(|it| {
        let values = match it.values {
            0 => "no values yet".to_owned(),
            1 => "1 value".to_owned(),
            more => format!("{more} values"),
        };
        let place = format!("{}:{}", printable(&it.file), it.line);
        vec![printable(&it.name), printable(&it.fields.join(", ")), values, place]
    });
    lines(&aligned(None, rows, &[false; 4]))
}

fn fields(it: &Explanation) -> Vec<String> {
    let rows = it.fields.iter().map(|it| {
        let asked = if it.in_condition { "" } else { "output only" };
        let kernel = format!("Linux {}", it.min_kernel);
        vec![printable(&it.field), it.needs.name().to_owned(), kernel, asked.to_owned()]
    });
    lines(&aligned(None, rows, &[false; 4]))
}

fn order(it: &Explanation) -> Vec<String> {
    if let Some(why) = &it.never_fires {
        return vec![printable(why)];
    }
    match it.tried_after.as_slice() {
        [] => vec!["no rule is asked about the same events before it".to_owned()],
        before => {
            let mut lines = vec![
                "no rule always does; asked before about some of the same events are:".to_owned(),
            ];
            lines.extend(before.iter().map(|rule| format!("  {}", printable(rule))));
            lines
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::{explain, find, text};
    use crate::rules::load::{Loaded, Options, SourceFile, load};

    const RULES: &str = "\
- macro: opened
  condition: (evt.type in (open, openat))
- rule: Any open
  desc: Something was opened
  condition: opened and fd.num >= 0
  output: o
  priority: DEBUG
- rule: Shadow read
  desc: Somebody read the password hashes
  condition: opened and fd.name = /etc/shadow
  output: Read by %proc.name
  priority: ERROR
  tags: [T1003]
  exceptions:
    - {name: programs, fields: proc.name, values: [login, sshd]}
";

    fn files() -> Vec<SourceFile> {
        vec![SourceFile::new("r.yaml", RULES)]
    }

    fn loaded() -> Loaded {
        load(files(), &Options::default())
    }

    #[test]
    fn for_people() {
        let loaded = loaded();
        let explanation = explain(find(&loaded, "Shadow read").unwrap(), &loaded, &files());
        insta::assert_snapshot!(text(&explanation, false), @"
        Shadow read (Error)
        Somebody read the password hashes
        T1003

        Condition
          evt.type in (open, openat)
          and fd.name = /etc/shadow
          and not proc.name in (login, sshd)

        Where it comes from
          rule           r.yaml:8  defined
          macro  opened  r.yaml:1  defined

        Exceptions
          programs  proc.name  2 values  r.yaml:15

        Events
          open, openat

        Fields
          evt.type   event             Linux 5.10
          fd.name    descriptor table  Linux 5.10
          proc.name  process table     Linux 5.10

        What a sensor lets through
          open, openat
            if the process is none of login, sshd (or is unknown) and the path begins with one of /etc/shadow

        What comes first
          no rule always does; asked before about some of the same events are:
            Any open
        ");
    }

    #[test]
    fn unknown_rules() {
        let check = |asked: &str, expected: &str| {
            assert_eq!(find(&loaded(), asked).unwrap_err().to_string(), expected);
        };
        check("Shadow reed", "no rule is called `Shadow reed`; did you mean `Shadow read`?");
        check("shadow", "no rule is called `shadow`; did you mean `Shadow read`?");
        check("x", "no rule is called `x`; `landlord rules list` lists them all");
    }
}
