//! Hostile input: neither a panic nor a hang, nor memory without bound.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{findings, loaded, rule};
use crate::rules::diagnostic::Code;

/// Far more than it takes, so that a busy machine does not matter, and far less than
/// anything quadratic would take.
const LONG: Duration = Duration::from_secs(30);

#[track_caller]
fn refused(file: &str, code: Code, message: &str) {
    let begin = Instant::now();
    let loaded = loaded(&[file]);
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    let found = findings(&loaded);
    let refused = found.iter().any(|one| one.0 == code && one.3.contains(message));
    assert!(refused, "{:?}", &found[..found.len().min(5)]);
    let excerpts = loaded.reports[0].diagnostics.iter().map(|one| one.place.excerpt.len()).max();
    assert!(excerpts.unwrap_or(0) < 2000, "{excerpts:?}");
}

#[test]
fn long_conditions() {
    let million = |text: &str| text.repeat((10 << 20) / text.len());
    refused(&rule(&million("fd.num = 1 or "), &[]), Code::CompileCondition, "too long");
    refused(&rule(&million("("), &[]), Code::CompileCondition, "too long");
    refused(&rule(&format!("\"{}\"", million("\\x20")), &[]), Code::CompileCondition, "too long");
    refused(&rule(&"(".repeat(500_000), &[]), Code::CompileCondition, "");
    refused(&rule(&"not ".repeat(200_000), &[]), Code::CompileCondition, "");
    refused(
        &rule(&format!(">\n{}", "    fd.num = x or\n".repeat(40_000)), &[]),
        Code::CompileCondition,
        "",
    );
}

#[test]
fn lists_that_multiply() {
    let items = "0123456789, ".repeat(5_000);
    let mut file = format!("- list: l\n  items: [{items}]\n");
    file += &rule(&vec!["proc.name in (l)"; 5_000].join(" or "), &[]);
    refused(&file, Code::CompileCondition, "too long");
    let mut file = format!("- list: a\n  items: [{}]\n", "x,".repeat(100_000));
    file += &format!("- list: l\n  items: [{}]\n", "a,".repeat(100_000));
    refused(&file, Code::Validate, "too many items");
}

#[test]
fn macros_that_multiply() {
    let mut file = "- macro: m0\n  condition: fd.name = 0123456789\n".to_owned();
    for level in 1..60 {
        let before = level - 1;
        file += &format!(
            "- macro: m{level}\n  condition: m{before} or fd.num = {level} and m{before}\n"
        );
    }
    file += &rule("m59", &[]);
    refused(&file, Code::CompileCondition, "large");
}

#[test]
fn macros_in_a_long_row() {
    let mut file = String::new();
    for level in 0..20_000 {
        file += &format!("- macro: m{level}\n  condition: fd.num = 1\n");
    }
    for level in 0..19_999 {
        file += &format!("- macro: m{level}\n  condition: not (m{} and fd.num = 1)\n", level + 1);
    }
    refused(&file, Code::ConditionWarning, "");
}

#[test]
fn many_findings_are_bounded() {
    let loaded = loaded(&[&"- x\n".repeat(100_000)]);
    let report = &loaded.reports[0];
    assert!(report.failed());
    assert_eq!(report.diagnostics.len(), 501);
    assert!(report.diagnostics[500].message.contains("99500 more"));
}

#[test]
fn one_line_with_everything_in_it() {
    let items = "{list: l, items: [a]},".repeat(50_000);
    let begin = Instant::now();
    loaded(&[&format!("[{items}]")]);
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC*") {
        loaded(&[&text]);
    }

    #[test]
    fn anything_like_a_rule_file(words in proptest::collection::vec(
        prop_oneof![
            Just("- rule: r\n"), Just("- macro: m\n"), Just("- list: l\n"), Just("  condition: "),
            Just("  items: ["), Just("]\n"), Just("evt.type = open"), Just(" and m"), Just(" in (l)\n"),
            Just("  output: %proc.name\n"), Just("  priority: INFO\n"), Just("  desc: >\n"),
            Just("  override:\n"), Just("    condition: append\n"), Just("  exceptions:\n"),
            Just("  - name: e\n"), Just("    fields: [proc.name]\n"), Just("    values: [[a]]\n"),
            Just("---\n"), Just("&a "), Just("*a"), Just("\""), Just("ä\u{1f600}"), Just("\r\n"), Just("\t"),
        ],
        0..40,
    )) {
        loaded(&[&words.concat(), &words.concat()]);
    }

    #[test]
    fn places_are_in_the_file(
        condition in "[a-z.=() '\"<>,\\\\\u{e4}\u{6f22}\n]{0,60}",
        style in prop_oneof![Just(""), Just("'"), Just("\""), Just(">\n    "), Just("|\n    ")],
    ) {
        let close = if style.len() == 1 { style } else { "" };
        let condition = condition.replace('\n', "\n    ");
        let file = rule(&format!("{style}{condition}{close}"), &[]);
        for report in loaded(&[&file]).reports {
            for one in report.diagnostics {
                let line = file.split('\n').nth(one.place.line - 1).unwrap();
                prop_assert_eq!(line.trim_end_matches('\r'), one.place.excerpt.as_str());
                prop_assert!(one.place.column <= line.chars().count() + 1);
                prop_assert!(file.is_char_boundary(one.place.offset));
            }
        }
    }
}
