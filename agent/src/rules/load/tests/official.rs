//! Falco's own rule files, where they are at hand.

use std::path::PathBuf;

use crate::rules::diagnostic::{Severity, text};
use crate::rules::load::{Options, SourceFile, load, read};

/// The official files in the order in which they are meant to be read.
fn official() -> Option<Vec<SourceFile>> {
    const ORDER: [&str; 5] = ["falco_rules", "incubating", "sandbox", "deprecated", "application"];
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/falco-rules");
    let folder = std::env::var_os("LANDLORD_FALCO_RULES").unwrap_or_else(|| default.into());
    let mut files = read(&[PathBuf::from(folder)]);
    files.retain(|file| file.text.is_ok());
    files.sort_by_key(|file| ORDER.iter().position(|name| file.name.contains(name)));
    (!files.is_empty()).then_some(files)
}

fn skipped() {
    eprintln!("skipped: there are no official rule files; LANDLORD_FALCO_RULES names their folder");
}

fn errors(files: Vec<SourceFile>) -> String {
    let mut reports = load(files, &Options::default()).reports;
    reports.iter_mut().for_each(|report| {
        report.diagnostics.retain(|one| one.code.severity() == Severity::Error);
    });
    reports.iter().map(|report| text(report, false)).collect()
}

#[test]
fn each_loads_alone_and_all_together() {
    let Some(files) = official() else { return skipped() };
    for file in &files {
        assert_eq!(errors(vec![file.clone()]), "", "{}", file.name);
    }
    let loaded = load(files.clone(), &Options::default());
    assert_eq!(loaded.rules.len(), 97);
    assert_eq!(errors(files), "");
}

#[test]
fn truncated_they_are_refused_or_not_but_never_panic() {
    let Some(files) = official() else { return skipped() };
    let text = files.iter().find_map(|file| file.text.as_ref().ok()).cloned().unwrap_or_default();
    for end in (0..text.len()).step_by(997).filter(|&end| text.is_char_boundary(end)) {
        let loaded = load(vec![SourceFile::new("cut", &text[..end])], &Options::default());
        assert_eq!(loaded.reports.len(), 1);
    }
}
