//! What people and programs get to read.

use std::sync::Arc;

use super::{Code, Diagnostic, FileReport, Item, Place, json, summary, text};

fn place(line: usize, column: usize, length: usize, excerpt: &str) -> Place {
    Place {
        file: "f.yaml".into(),
        line,
        column,
        offset: 7,
        length,
        excerpt: excerpt.to_owned(),
        excerpt_column: 1,
    }
}

fn report(code: Code, place: Place, help: Option<&str>) -> FileReport {
    let rule = Place { line: 1, column: 3, excerpt: "- rule: r".to_owned(), ..place.clone() };
    let items = vec![Item { kind: "rule", name: "r".to_owned(), place: rule }];
    let help = help.map(str::to_owned);
    let file = Arc::clone(&place.file);
    let message = "it is wrong".to_owned();
    FileReport { file, diagnostics: vec![Diagnostic { code, message, help, place, items }] }
}

#[test]
fn underlined() {
    let check = |place: Place, expected: &str| {
        let shown = text(&report(Code::Validate, place, Some("do it")), false);
        assert_eq!(shown, expected, "{shown}");
    };
    check(
        place(12, 6, 3, "  a: foo bar"),
        "error: it is wrong\n  --> f.yaml:12:6 (rule `r`)\n   |\n12 |   a: foo bar\n   |      ^^^\n   = help: do it\n\n",
    );
    // Tabs, wide and combining characters, and what would steer a terminal.
    check(
        place(1, 4, 2, "\t漢e\u{301}字\u{1b}[2J"),
        "error: it is wrong\n --> f.yaml:1:4 (rule `r`)\n  |\n1 |     漢e\u{301}字\u{fffd}[2J\n  |        ^^\n  = help: do it\n\n",
    );
    // The end of a line, and a part of a long one.
    check(
        place(1, 2, 1, "a"),
        "error: it is wrong\n --> f.yaml:1:2 (rule `r`)\n  |\n1 | a\n  |  ^\n  = help: do it\n\n",
    );
    check(
        Place { excerpt_column: 500, ..place(1, 501, 2, "xyz") },
        "error: it is wrong\n --> f.yaml:1:501 (rule `r`)\n  |\n1 | …xyz\n  |   ^^\n  = help: do it\n\n",
    );
    check(
        Place::of_file(&"f.yaml".into()),
        "error: it is wrong\n--> f.yaml (rule `r`)\n = help: do it\n\n",
    );
}

#[test]
fn colours_only_where_wanted() {
    let report = report(Code::UnusedMacro, place(1, 1, 1, "a"), None);
    assert!(text(&report, true).starts_with("\x1b[1;33mwarning\x1b[0m"));
    assert!(!text(&report, false).contains('\x1b'));
}

#[test]
fn summaries() {
    let check = |report: &FileReport, expected: &str| assert_eq!(summary(report), expected);
    check(&report(Code::Validate, place(1, 1, 1, ""), None), "f.yaml: Invalid");
    check(&report(Code::UnusedList, place(1, 1, 1, ""), None), "f.yaml: Ok, with warnings");
    check(&FileReport { file: "f.yaml".into(), diagnostics: vec![] }, "f.yaml: Ok");
}

#[test]
fn for_programs() {
    let shown = json(&[report(Code::UnknownKey, place(3, 5, 2, "    cond: x"), Some("do it"))]);
    let expected = serde_json::json!({ "falco_load_results": [{
        "name": "f.yaml",
        "successful": true,
        "schema_valid": false,
        "schema_warnings": ["line 3: it is wrong"],
        "errors": [],
        "warnings": [{
            "code": "LOAD_UNKNOWN_KEY",
            "codedesc": "the key is not known",
            "message": "it is wrong; do it",
            "context": {
                "locations": [
                    { "item_type": "rules content", "item_name": "",
                      "position": { "name": "f.yaml", "line": 0, "column": 0, "offset": 0 } },
                    { "item_type": "rule", "item_name": "r",
                      "position": { "name": "f.yaml", "line": 0, "column": 2, "offset": 7 } },
                    { "item_type": "value for", "item_name": "",
                      "position": { "name": "f.yaml", "line": 2, "column": 4, "offset": 7 } },
                ],
                "snippet": "    cond: x\n    ^\n",
            },
        }],
    }] });
    assert_eq!(shown, expected);
}
