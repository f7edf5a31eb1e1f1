//! What later items do to earlier ones.

use super::{finds_in, good, loaded, rule};
use crate::rules::diagnostic::Code::{
    AppendNoValues, CompileCondition, DeprecatedItem, UnknownKey, Validate, YamlValidate,
};
use crate::rules::load::{Options, SourceFile, load};
use crate::rules::rule::Priority;

const C: &str = "evt.type = open";

/// Findings in the second of two files, the first of which has a rule `r`.
#[track_caller]
fn then(second: &str, expected: &[(crate::rules::diagnostic::Code, usize, usize, &str)]) {
    finds_in(&[&rule(C, &["tags: [t]"]), second], expected);
}

#[test]
fn redefinition_keeps_its_turn() {
    let other = rule("evt.type = close", &[]).replace("rule: r", "rule: s");
    let loaded = loaded(&[&rule(C, &[]), &other, &rule("evt.type = dup", &["tags: [x]"])]);
    let rules: Vec<_> =
        loaded.rules.iter().map(|it| (&*it.name, it.condition_text.as_str())).collect();
    assert_eq!(rules, [("r", "evt.type = dup"), ("s", "evt.type = close")]);
    assert_eq!(&*loaded.rules[0].place.file, "c.yaml");
}

#[test]
fn redefinition_for_another_source() {
    then(&rule(C, &["source: syscall"]), &[]);
    then(&rule(C, &["source: k8s_audit"]), &[(Validate, 6, 11, "source `syscall`")]);
}

#[test]
fn append_flag() {
    let second = "- rule: r\n  condition: and proc.name = a\n  append: true\n";
    then(second, &[(DeprecatedItem, 3, 3, "deprecated")]);
    good(
        &[&rule(C, &[]), second],
        |it| it.condition_text.clone(),
        "evt.type = open and proc.name = a".into(),
    );
    // There are no parentheses: `and` binds closer than the `or` before it.
    let second = "- rule: r\n  condition: and proc.name = a\n  append: true\n";
    good(
        &[&rule("evt.type = open or evt.type = close", &[]), second],
        |it| matches!(it.condition, crate::rules::typed::Condition::Or(_)),
        true,
    );
    then(
        "- rule: s\n  condition: and proc.name = a\n  append: true\n",
        &[(Validate, 1, 3, "no rule `s`"), (DeprecatedItem, 3, 3, "deprecated")],
    );
    then(
        "- rule: r\n  append: true\n",
        &[
            (Validate, 1, 3, "neither a condition nor exceptions"),
            (DeprecatedItem, 2, 3, "deprecated"),
        ],
    );
    then(
        "- rule: r\n  append: true\n  tags: [a]\n  condition: and proc.name = a\n",
        &[(DeprecatedItem, 2, 3, "deprecated"), (UnknownKey, 3, 3, "`tags` has no effect")],
    );
    then(
        "- rule: r\n  append: true\n  override: {condition: append}\n  condition: and proc.name = a\n",
        &[(DeprecatedItem, 2, 3, "deprecated"), (YamlValidate, 2, 3, "exclude each other")],
    );
}

#[test]
fn override_append() {
    let second = "- rule: r\n  condition: and proc.name = a\n  output: more\n  desc: more\n  tags: [s]\n  override: {condition: append, output: append, desc: append, tags: append}\n";
    good(
        &[&rule(C, &["tags: [t]"]), second],
        |it| {
            (
                it.condition_text.clone(),
                it.output_text.clone(),
                it.description.clone(),
                it.tags.join(" "),
            )
        },
        (
            "evt.type = open and proc.name = a".into(),
            "o more".into(),
            "d more".into(),
            "s t".into(),
        ),
    );
    then(
        "- rule: r\n  priority: INFO\n  override: {priority: append}\n",
        &[(YamlValidate, 3, 24, "cannot be appended to")],
    );
    then(
        "- rule: s\n  tags: [a]\n  override: {tags: append}\n",
        &[(Validate, 1, 3, "no rule `s`")],
    );
}

#[test]
fn override_replace() {
    let second = "- rule: r\n  condition: evt.type = dup\n  output: n\n  desc: n\n  priority: ERROR\n  enabled: false\n  tags: []\n  capture: true\n  capture_duration: 7\n  warn_evttypes: false\n  override:\n    condition: replace\n    output: replace\n    desc: replace\n    priority: replace\n    enabled: replace\n    tags: replace\n    capture: replace\n    capture_duration: replace\n    warn_evttypes: replace\n";
    good(
        &[&rule(C, &["tags: [t]"]), second],
        |it| {
            (it.condition_text.clone(), it.output_text.clone(), it.description.clone(), it.priority)
        },
        ("evt.type = dup".into(), "n".into(), "n".into(), Priority::Error),
    );
    good(
        &[&rule(C, &["tags: [t]"]), second],
        |it| (it.enabled, it.tags.len(), it.capture, it.capture_duration_ms, it.warn_evttypes),
        (false, 0, true, Some(7), false),
    );
    // Both at once.
    good(
        &[
            &rule(C, &["tags: [t]"]),
            "- rule: r\n  output: n\n  tags: [s]\n  override: {output: replace, tags: append}\n",
        ],
        |it| (it.output_text.clone(), it.tags.join(" ")),
        ("n".into(), "s t".into()),
    );
}

#[test]
fn override_checks() {
    then(
        "- rule: r\n  override: {condition: append}\n",
        &[(YamlValidate, 2, 14, "nothing to go by")],
    );
    then(
        "- rule: r\n  condition: and proc.name = a\n  output: o\n  override: {condition: append}\n",
        &[(YamlValidate, 3, 3, "does not say what to do with `output`")],
    );
    then("- rule: r\n  tags: [a]\n  override: {tags: add}\n", &[(YamlValidate, 3, 20, "`add`")]);
    then(
        "- rule: r\n  tags: [a]\n  override: {tag: append}\n",
        &[(YamlValidate, 3, 14, "`tag` cannot be overridden")],
    );
    then(
        "- rule: r\n  tags: [a]\n  override: {source: replace}\n",
        &[(YamlValidate, 3, 14, "`source`")],
    );
    then(
        "- rule: r\n  tags: [a]\n  override: append\n",
        &[(YamlValidate, 3, 13, "takes a mapping")],
    );
    // Without anything in it, it is a definition.
    then(&rule(C, &["override: {}"]), &[]);
    then(&rule(C, &["override:"]), &[]);
}

#[test]
fn toggles() {
    let off = "- rule: r\n  enabled: false\n";
    then(off, &[(DeprecatedItem, 2, 3, "deprecated")]);
    good(&[&rule(C, &[]), off], |it| it.enabled, false);
    good(&[&rule(C, &["enabled: false"]), "- rule: r\n  enabled: true\n"], |it| it.enabled, true);
    then(
        "- rule: s\n  enabled: true\n",
        &[(Validate, 1, 3, "no rule `s`"), (DeprecatedItem, 2, 3, "")],
    );
    then("- rule: r\n", &[(YamlValidate, 1, 3, "no `condition`")]);
}

#[test]
fn rules_that_are_off_are_checked() {
    finds_in(
        &[&rule("evt.tpye = open", &["enabled: false"])],
        &[(CompileCondition, 3, 14, "evt.tpye")],
    );
}

#[test]
fn minimum_priority() {
    let options = Options { minimum_priority: Priority::Notice, ..Options::default() };
    let loaded = load(vec![SourceFile::new("a", rule(C, &[]))], &options);
    assert!(!loaded.rules[0].enabled);
    let file = rule(C, &[]).replace("INFO", "notice");
    assert!(load(vec![SourceFile::new("a", file)], &options).rules[0].enabled);
}

#[test]
fn nothing_follows_from_a_broken_item() {
    finds_in(
        &["- rule: r\n  desc: d\n", "- rule: r\n  tags: [a]\n  override: {tags: append}\n"],
        &[
            (YamlValidate, 1, 3, "condition"),
            (YamlValidate, 1, 3, "output"),
            (YamlValidate, 1, 3, "priority"),
        ],
    );
}

#[test]
fn lists_and_macros() {
    let check = |second: &str, expected: &str| {
        let first = "- list: l\n  items: [a]\n- macro: m\n  condition: proc.name = a\n";
        let loaded =
            loaded(&[first, second, &rule("evt.type = open and proc.name in (l) and m", &[])]);
        assert!(!loaded.failed(), "{:?}", loaded.reports);
        let found =
            format!("{} | {}", loaded.lists[0].items.join(" "), loaded.macros[0].condition_text);
        assert_eq!(found, expected, "{second}");
    };
    check("- list: l\n  items: [b]\n", "b | proc.name = a");
    check("- list: l\n  items: [b]\n  append: true\n", "a b | proc.name = a");
    check("- list: l\n  items: [b]\n  override: {items: append}\n", "a b | proc.name = a");
    check("- list: l\n  items: [b]\n  override: {items: replace}\n", "b | proc.name = a");
    check("- macro: m\n  condition: fd.num = 1\n", "a | fd.num = 1");
    check(
        "- macro: m\n  condition: or fd.num = 1\n  append: true\n",
        "a | proc.name = a or fd.num = 1",
    );
    check(
        "- macro: m\n  condition: or fd.num = 1\n  override: {condition: append}\n",
        "a | proc.name = a or fd.num = 1",
    );
    let refused = |item: &str, line: usize, column: usize, code, message: &str| {
        finds_in(&[item], &[(code, line, column, message)]);
    };
    refused(
        "- list: l\n  items: [b]\n  override: {items: append}\n",
        1,
        3,
        Validate,
        "no list `l`",
    );
    refused(
        "- macro: m\n  condition: or fd.num = 1\n  override: {condition: append}\n",
        1,
        3,
        Validate,
        "no macro `m`",
    );
    refused(
        "- macro: m\n  condition: fd.num = 1\n  override: {items: append}\n",
        3,
        14,
        YamlValidate,
        "`items`",
    );
}

#[test]
fn exceptions() {
    let check = |exception: &[&str], expected: &str| {
        let file = rule("evt.type = open", &[&["exceptions:"], exception].concat());
        good(&[&file], |it| it.condition_text.clone(), expected.to_owned());
    };
    check(&["- {name: e, fields: [proc.name, fd.name]}"], "(evt.type = open)");
    check(
        &["- {name: e, fields: [proc.name, fd.name], values: [[a, b], [c, d e]]}"],
        "(evt.type = open) and not ((proc.name = a and fd.name = b) or (proc.name = c and fd.name = \"d e\"))",
    );
    check(
        &[
            "- {name: e, fields: [proc.name, fd.name], comps: [in, startswith], values: [[[a, b], /x]]}",
        ],
        "(evt.type = open) and not ((proc.name in (a, b) and fd.name startswith /x))",
    );
    // A single value for a list may be a list's name.
    check(
        &["- {name: e, fields: [proc.name], comps: [in], values: [[a], ['(b, c)']]}"],
        "(evt.type = open) and not ((proc.name in (a)) or (proc.name in (b, c)))",
    );
    check(
        &["- {name: e, fields: proc.name, values: [a, b c]}"],
        "(evt.type = open) and not (proc.name in (a, \"b c\"))",
    );
    check(
        &["- {name: e, fields: fd.name, comps: pmatch, values: [/x]}"],
        "(evt.type = open) and not (fd.name pmatch (/x))",
    );
    check(
        &["- {name: e, fields: fd.name, comps: startswith anyof, values: [/x, /y]}"],
        "(evt.type = open) and not (fd.name startswith anyof (/x, /y))",
    );
    check(
        &[
            "- {name: e, fields: proc.name, values: [a]}",
            "- {name: f, fields: fd.num, values: [1]}",
        ],
        "(evt.type = open) and not (proc.name in (a)) and not (fd.num in (1))",
    );
}

#[test]
fn exceptions_that_do_not_fit() {
    let check = |exception: &str, column: usize, code, message: &str| {
        let file = rule(C, &["exceptions:", &format!("- {exception}")]);
        finds_in(&[&file], &[(code, 7, column, message)]);
    };
    check("{name: e, values: [[a]]}", 12, Validate, "has no fields");
    check("{name: e, fields: [], values: [[a]]}", 12, Validate, "has no fields");
    check(
        "{name: e, fields: [proc.name], comps: [=, =]}",
        43,
        Validate,
        "1 fields have 2 comparisons",
    );
    check("{name: e, fields: [proc.name], comps: in}", 43, Validate, "has to be one");
    check("{name: e, fields: proc.name, comps: [in]}", 41, Validate, "has to be one");
    check("{name: e, fields: proc.name, comps: =}", 41, Validate, "all values at once");
    check(
        "{name: e, fields: [proc.name], comps: [like]}",
        44,
        Validate,
        "`like` is not a comparison",
    );
    check(
        "{name: e, fields: [proc.name, fd.name], values: [[a]]}",
        54,
        Validate,
        "2 fields have 1 values",
    );
    check("{name: e, fields: [proc.name], values: [a]}", 45, Validate, "each value has to be one");
    check("{name: e, fields: proc.name, values: [[a]]}", 43, Validate, "single value");
    check("{name: e, fields: proc.name, values: a}", 34, YamlValidate, "takes a list");
    check("{name: e, fields: proc.nmae}", 23, Validate, "proc.nmae");
    check("{name: e, fields: proc.nmae, values: [a]}", 23, CompileCondition, "proc.nmae");
    check("{name: e, fields: fd.num, values: [1, x]}", 43, CompileCondition, "x");
}

#[test]
fn appended_exceptions() {
    let first = rule(C, &["exceptions:", "- {name: e, fields: proc.name, values: [a]}"]);
    let second = |exception: &str| {
        format!("- rule: r\n  exceptions:\n  - {exception}\n  override: {{exceptions: append}}\n")
    };
    good(
        &[&first, &second("{name: e, values: [b]}")],
        |it| it.condition_text.clone(),
        "(evt.type = open) and not (proc.name in (a, b))".into(),
    );
    good(
        &[&first, &second("{name: f, fields: fd.num, values: [1]}")],
        |it| it.condition_text.clone(),
        "(evt.type = open) and not (proc.name in (a)) and not (fd.num in (1))".into(),
    );
    let check = |exception: &str, expected: &[_]| {
        finds_in(&[&first, &second(exception)], expected);
    };
    check(
        "{name: e, fields: proc.name, values: [b]}",
        &[(Validate, 3, 23, "its fields cannot be changed")],
    );
    check("{name: e, comps: in, values: [b]}", &[(Validate, 3, 22, "its comps cannot be changed")]);
    check("{name: f, values: [b]}", &[(Validate, 3, 12, "has no fields")]);
    check("{name: f, fields: fd.num, values: []}", &[(Validate, 3, 12, "has no values")]);
    check("{name: e}", &[(AppendNoValues, 3, 12, "adds no values")]);
    let replace = second("{name: f, fields: fd.num, values: [1]}").replace("append", "replace");
    good(
        &[&first, &replace],
        |it| it.condition_text.clone(),
        "(evt.type = open) and not (fd.num in (1))".into(),
    );
}
