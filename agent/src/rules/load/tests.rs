//! What rule files come to: a table for each rule of the loader, accepted and refused.

mod broken;
mod conditions;
mod form;
mod limits;
mod official;
mod overrides;

use super::{Loaded, Options, SourceFile, load};
use crate::rules::diagnostic::{Code, Severity};

/// Loads files that are called `a.yaml`, `b.yaml` and so on.
fn loaded(files: &[&str]) -> Loaded {
    let names = ('a'..='z').map(|letter| format!("{letter}.yaml"));
    let files = names.zip(files).map(|(name, text)| SourceFile::new(&name, *text));
    load(files.collect(), &Options::default())
}

/// All findings, each as `Code line:column message`.
fn findings(loaded: &Loaded) -> Vec<(Code, usize, usize, String)> {
    let all = loaded.reports.iter().flat_map(|report| &report.diagnostics);
    all.map(|one| (one.code, one.place.line, one.place.column, one.message.clone())).collect()
}

/// The file has exactly these findings: code, line, column and a part of the message.
#[track_caller]
fn finds(file: &str, expected: &[(Code, usize, usize, &str)]) {
    finds_in(&[file], expected);
}

#[track_caller]
fn finds_in(files: &[&str], expected: &[(Code, usize, usize, &str)]) {
    let found = findings(&loaded(files));
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            (found.0, found.1, found.2) == (expected.0, expected.1, expected.2)
                && found.3.contains(expected.3)
        });
    assert!(same, "{files:#?}\nfinds {found:#?}\nnot {expected:#?}");
}

/// The files have no error, and what is wanted of the last rule is this.
#[track_caller]
fn good<T: PartialEq + std::fmt::Debug>(
    files: &[&str],
    wanted: impl Fn(&crate::rules::rule::Rule) -> T,
    expected: T,
) {
    let loaded = loaded(files);
    let errors = loaded.reports.iter().flat_map(|report| report.with(Severity::Error));
    let errors: Vec<_> = errors.map(|one| (&one.message, one.place.line)).collect();
    assert!(errors.is_empty(), "{files:#?}\n{errors:#?}");
    assert_eq!(loaded.rules.last().map(wanted), Some(expected), "{files:#?}");
}

/// A rule with a condition and more lines of keys.
fn rule(condition: &str, more: &[&str]) -> String {
    let mut text =
        format!("- rule: r\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n");
    more.iter().for_each(|line| text += &format!("  {line}\n"));
    text
}
