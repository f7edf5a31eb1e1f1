//! Conditions: lists, macros, places of what is wrong, and rules that never fire.

use super::{findings, finds, finds_in, good, loaded, rule};
use crate::rules::diagnostic::Code::{
    CompileCondition, ConditionWarning, DeprecatedItem, NeverMatches, NoEvtType, Shadowed,
    UnknownFilter, UnknownSource, UnsafeNaCheck, UnusedList, UnusedMacro, Validate,
};
use crate::rules::load::{Options, SourceFile, load};
use crate::rules::rule::Matching;

#[test]
fn places() {
    let check = |condition: &str, line: usize, column: usize| {
        finds(&rule(condition, &[]), &[(CompileCondition, line, column, "proc.nmae")]);
    };
    check("evt.type = open and proc.nmae = a", 3, 34);
    check("'evt.type = \"open\" and proc.nmae = a'", 3, 37);
    check("\"evt.type = 'open' and\\tproc.nmae = a\"", 3, 38);
    check(">\n    evt.type = open and\n    proc.nmae = a", 5, 5);
    check(">-\n\n    evt.type = open and\n\n       proc.nmae = a", 7, 8);
    check("|\n    evt.type = open and\n      proc.nmae = a", 5, 7);
    check("evt.type = open and\n    proc.nmae = a", 4, 5);
    check("evt.type = open and fd.name = ä and proc.nmae = a", 3, 50);
}

#[test]
fn places_behind_lists_appends_and_exceptions() {
    let list = "- list: l\n  items: [open, close, dup]\n";
    let file = format!("{list}{}", rule("evt.type in (l) and proc.nmae = a", &[]));
    finds(&file, &[(CompileCondition, 5, 34, "proc.nmae")]);
    // What comes out of a list is told where the list is named.
    let list = "- list: l\n  items: [1, two]\n";
    let file = format!("{list}{}", rule("evt.type = open and fd.num in (l)", &[]));
    finds(&file, &[(CompileCondition, 5, 45, "two")]);
    let second =
        "- rule: r\n  condition: >\n    and proc.nmae = a\n  override: {condition: append}\n";
    let loaded = loaded(&[&rule("evt.type = open", &[]), second]);
    let report = &loaded.reports[1].diagnostics[0];
    assert_eq!((report.place.line, report.place.column), (3, 9), "{report:?}");
}

#[test]
fn lists_in_lists() {
    let check = |lists: &[(&str, &str)], expected: &str| {
        let mut file = String::new();
        for (name, items) in lists {
            file += &format!("- list: {name}\n  items: [{items}]\n");
        }
        file += &rule("evt.type = open and proc.name in (l)", &[]);
        let loaded = loaded(&[&file]);
        let list = loaded.lists.iter().find(|list| &*list.name == "l").unwrap();
        assert_eq!(list.items.join(" "), expected);
    };
    check(&[("a", "x, y"), ("l", "a, z")], "x y z");
    // Those that are defined later stay what they are written as.
    check(&[("l", "a, z"), ("a", "x, y")], "a z");
    // One level: what the inner list says, as it is written.
    check(&[("b", "x"), ("a", "b, y"), ("l", "a, z")], "b y z");
    check(&[("l", "l, z")], "l z");
    check(&[("l", "1, true, 0x10, 'q r', 1.50")], "1 true 0x10 q r 1.50");
}

#[test]
fn macros_see_what_is_before_them() {
    let m = |name: &str, condition: &str| format!("- macro: {name}\n  condition: {condition}\n");
    let append = |name: &str, condition: &str| {
        format!("- macro: {name}\n  condition: {condition}\n  override: {{condition: append}}\n")
    };
    let open = m("a", "evt.type = open");
    good(&[&open, &m("b", "a and fd.num = 1"), &rule("b", &[])], |_| (), ());
    finds(
        &(m("b", "a and fd.num = 1") + &open + &rule("b", &[])),
        &[(Validate, 2, 14, "no macro `a`")],
    );
    // Appending lets it see more.
    good(&[&m("b", "fd.num = 1"), &open, &append("b", "and a"), &rule("b", &[])], |_| (), ());
    // Redefining does, too, and the name keeps its own place.
    good(&[&m("b", "fd.num = 1"), &open, &m("b", "a"), &rule("b", &[])], |_| (), ());
    good(&[&m("b", "fd.num = 1"), &m("c", "b"), &open, &m("b", "a"), &rule("c", &[])], |_| (), ());
    // A rule sees all.
    good(&[&rule("a", &[]), &open], |_| (), ());
    finds(&rule("evt.type = open and spawend", &[]), &[(Validate, 3, 34, "no macro `spawend`")]);
}

#[test]
fn loops() {
    finds(
        &format!(
            "- macro: a\n  condition: fd.num = 1\n- macro: a\n  condition: or a\n  override: {{condition: append}}\n{}",
            rule("a", &[])
        ),
        &[(Validate, 2, 14, "made of itself")],
    );
    let file = "- macro: a\n  condition: fd.num = 1\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n";
    finds(
        &format!("{file}{}", rule("a", &[])),
        &[(Validate, 4, 14, "`b` is made of itself"), (Validate, 6, 14, "`a` is made of itself")],
    );
}

#[test]
fn skipped_for_what_is_unknown() {
    let skip = &["skip-if-unknown-filter: true"];
    let file = rule("evt.type = open and proc.nmae = a", skip);
    finds(&file, &[(UnknownFilter, 3, 34, "skipped")]);
    assert!(loaded(&[&file]).rules.is_empty());
    let file = rule("evt.type = open", skip).replace("output: o", "output: '%proc.nmae'");
    finds(&file, &[(UnknownFilter, 4, 13, "skipped")]);
    // Other errors are not forgiven.
    finds(&rule("evt.type = open and fd.num = a", skip), &[(CompileCondition, 3, 43, "")]);
    // A macro is forgiven where only rules use it that forgive.
    let bad = "- macro: m\n  condition: proc.nmae = a\n";
    let m = format!("{bad}{}", rule("evt.type = open and m", skip));
    let found: Vec<_> = findings(&loaded(&[&m])).into_iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(found, [(UnknownFilter, 2), (UnknownFilter, 5)]);
    let m = format!("{bad}{}", rule("evt.type = open and m", &[]));
    finds(&m, &[(CompileCondition, 2, 14, "proc.nmae")]);
    // What no rule uses does not make a file bad.
    finds(bad, &[(UnusedMacro, 1, 3, "`m`")]);
    let bad = "- macro: m\n  condition: fd.num = x\n";
    let found: Vec<_> = findings(&loaded(&[bad])).into_iter().map(|it| it.0).collect();
    assert_eq!(found, [UnusedMacro, ConditionWarning]);
}

#[test]
fn macros_of_other_sources() {
    let m = "- macro: m\n  condition: ka.verb = create and jevt.rawtime exists\n";
    let n = "- macro: n\n  condition: m and proc.name = a\n";
    let audit = "source: k8s_audit";
    let skipped = rule("n and ka.target.name = a", &[audit]);
    let found = findings(&loaded(&[m, n, &skipped]));
    assert!(found.iter().all(|it| it.0 == UnknownSource), "{found:#?}");
    // A rule that is read tells all the same, also one that is skipped for it.
    let used = rule("evt.type = open and n", &[]).replace(": r", ": s");
    finds_in(
        &[m, n, &used],
        &[(CompileCondition, 2, 14, "ka.verb"), (CompileCondition, 2, 35, "jevt.rawtime")],
    );
    let forgiving = rule("evt.type = open and n", &["skip-if-unknown-filter: true"]);
    finds_in(
        &[m, n, &forgiving],
        &[
            (UnknownFilter, 2, 14, "ka.verb"),
            (UnknownFilter, 2, 35, "jevt.rawtime"),
            (UnknownFilter, 3, 14, "skipped"),
        ],
    );
    // What is no condition is told, whoever uses it.
    finds("- macro: m\n  condition: ka.verb =\n", &[(CompileCondition, 2, 23, "")]);
}

#[test]
fn unused() {
    finds("- macro: m\n  condition: fd.num = 1\n", &[(UnusedMacro, 1, 3, "`m`")]);
    finds("- list: l\n  items: [a]\n", &[(UnusedList, 1, 3, "`l`")]);
    // A list in a list is used, even if that is not.
    finds("- list: a\n  items: [x]\n- list: l\n  items: [a]\n", &[(UnusedList, 3, 3, "`l`")]);
    // What cannot be read may use anything.
    finds_in(
        &["- macro: m\n  condition: fd.num = 1\n", &rule("evt.type = open and = m", &[])],
        &[(CompileCondition, 3, 34, "")],
    );
}

#[test]
fn warnings_of_conditions() {
    finds(
        &rule("evt.type = open and proc.name = \"<NA>\"", &[]),
        &[(UnsafeNaCheck, 3, 46, "missing")],
    );
    finds(&rule("proc.name = a", &[]), &[(NoEvtType, 1, 3, "nearly every type")]);
    finds(&rule("proc.name = a", &["warn_evttypes: false"]), &[]);
}

#[test]
fn rules_that_never_fire() {
    finds(&rule("evt.type = open and evt.type = close", &[]), &[(NeverMatches, 1, 3, "`r`")]);
    finds(
        &rule("evt.type = open and fd.num = 1 and fd.num = 2", &[]),
        &[(NeverMatches, 1, 3, "`r`")],
    );
    finds(
        &rule("evt.type = open and evt.dir = >", &[]),
        &[(NeverMatches, 1, 3, "`r`"), (DeprecatedItem, 3, 34, "never holds")],
    );
    finds(
        &rule("evt.type = open and evt.dir = <", &[]),
        &[(DeprecatedItem, 3, 34, "always holds")],
    );
    let narrow =
        rule("evt.type = open and proc.name = a and fd.num = 1", &[]).replace(": r", ": s");
    let wide = rule("evt.type in (open, close) and proc.name = a", &[]);
    finds_in(&[&wide, &narrow], &[(Shadowed, 1, 3, "the rule `r` matches first")]);
    finds_in(&[&narrow, &wide], &[]);
    finds_in(&[&wide.replace("output", "enabled: false\n  output"), &narrow], &[]);
    let files = [wide, narrow].map(|text| SourceFile::new("a", text)).to_vec();
    let options = Options { matching: Matching::All, ..Options::default() };
    assert!(load(files, &options).reports.iter().all(|report| report.diagnostics.is_empty()));
}
