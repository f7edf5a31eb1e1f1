//! The form of items.

use super::{finds, good, loaded, rule};
use crate::rules::diagnostic::Code::{
    DeprecatedItem, ExceptionNameNotUnique, InvalidListName, InvalidMacroName, UnknownItem,
    UnknownKey, UnknownSource, UnusedList, UnusedMacro, Validate, YamlParse, YamlValidate,
};
use crate::rules::rule::Priority;

const C: &str = "evt.type = open";

#[test]
fn documents() {
    finds("", &[]);
    finds("# nothing\n---\n", &[]);
    finds("- \n- ~\n", &[]);
    good(
        &[&format!("{}---\n{}", rule(C, &[]), rule("evt.type = close", &[]))],
        |it| it.condition_text.clone(),
        "evt.type = close".into(),
    );
    finds("a: b\n", &[(YamlValidate, 1, 1, "this is a mapping")]);
    finds("rule: r\n", &[(YamlValidate, 1, 1, "this is a mapping")]);
    finds("hello\n", &[(YamlValidate, 1, 1, "this is a single value")]);
    finds("- a\n- [b]\n", &[(YamlValidate, 1, 3, "single value"), (YamlValidate, 2, 3, "a list")]);
    finds("- list: l\n\titems: []\n", &[(YamlParse, 2, 1, "not YAML")]);
}

#[test]
fn what_was_before_a_yaml_error_is_read() {
    let file = format!("{}- rule: [\n", rule("evt.type = opne", &[]));
    let found = super::findings(&loaded(&[&file]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].1, 3);
    assert_eq!(found[1].0, YamlParse);
}

#[test]
fn kinds() {
    finds("- rul: r\n  desc: d\n", &[(UnknownItem, 1, 3, "`rul`")]);
    finds("- {}\n", &[(UnknownItem, 1, 3, "``")]);
    // The first of the kinds decides.
    finds(
        "- macro: m\n  list: l\n  items: []\n",
        &[(UnknownKey, 1, 3, "`macro`"), (UnusedList, 2, 3, "`l`")],
    );
}

#[test]
fn engine_versions() {
    let check = |version: &str, expected: &[_]| {
        finds(&format!("- required_engine_version: {version}\n"), expected);
    };
    check("2", &[]);
    check("63", &[]);
    check("0.57.0", &[]);
    check("'0.63.0'", &[]);
    check("64", &[(Validate, 1, 28, "needs version 0.64.0")]);
    check("0.63.1", &[(Validate, 1, 28, "needs version 0.63.1")]);
    check("1.0.0", &[(Validate, 1, 28, "needs version 1.0.0")]);
    check("0.57", &[(YamlValidate, 1, 28, "not a version")]);
    check("-1", &[(YamlValidate, 1, 28, "not a version")]);
    check("", &[(YamlValidate, 1, 3, "empty")]);
    check("[1]", &[(YamlValidate, 1, 28, "this is a list")]);
}

#[test]
fn plugin_versions() {
    let check = |plugin: &str, expected: &[_]| {
        finds(&format!("- required_plugin_versions:\n  - {plugin}\n"), expected);
    };
    check("{name: container, version: 0.4.0}", &[]);
    check("{name: k8smeta, version: 0.1.0}", &[]);
    check("{name: json, version: 0.1.0, alternatives: [{name: container, version: 0.4.0}]}", &[]);
    check("{name: json, version: 0.7.0}", &[(Validate, 2, 12, "`json` 0.7.0")]);
    check("{name: container, version: 1.0.0}", &[(Validate, 2, 12, "`container` 1.0.0")]);
    check("{name: container, version: 0.99.0}", &[(Validate, 2, 12, "`container` 0.99.0")]);
    check("{name: container, version: x}", &[(Validate, 2, 32, "not a version")]);
    check("{name: container}", &[(YamlValidate, 2, 6, "`version` is missing")]);
    check("container", &[(YamlValidate, 2, 5, "single value")]);
    check("{name: container, version: 0.4.0, x: y}", &[(UnknownKey, 2, 39, "`x`")]);
    check(
        "{name: json, version: 0.1.0, alternatives: [{name: json, version: 0.2.0}]}",
        &[(Validate, 2, 12, "twice")],
    );
    finds("- required_plugin_versions: x\n", &[(YamlValidate, 1, 29, "takes a list")]);
}

#[test]
fn lists() {
    let check = |list: &str, expected: &[_]| {
        finds(&format!("{list}\n{}", rule("evt.type in (l)", &[])), expected);
    };
    check("- list: l\n  items: [open, close]", &[]);
    check(
        "- list: l\n  items: []",
        &[(crate::rules::diagnostic::Code::NeverMatches, 3, 3, "never")],
    );
    check("- list: l", &[(YamlValidate, 1, 3, "`items` is missing")]);
    check("- list: l\n  items: open", &[(YamlValidate, 2, 10, "takes a list")]);
    check("- list: l\n  items:", &[(YamlValidate, 2, 3, "takes a list")]);
    check("- list: l\n  items: [open, ~]", &[(YamlValidate, 2, 17, "nothing")]);
    check("- list: l\n  items: [[open]]", &[(YamlValidate, 2, 11, "a list")]);
    check("- list: l\n  item: [open]\n  items: [open]", &[(UnknownKey, 2, 3, "`item`")]);
    finds("- list: a b\n  items: []\n", &[(InvalidListName, 1, 3, "a b"), (UnusedList, 1, 3, "")]);
    finds("- list:\n  items: []\n", &[(YamlValidate, 1, 3, "empty")]);
    finds("- list: [l]\n  items: []\n", &[(YamlValidate, 1, 9, "single value")]);
}

#[test]
fn macros() {
    let check = |it: &str, expected: &[_]| finds(&format!("{it}\n{}", rule("m", &[])), expected);
    check("- macro: m\n  condition: evt.type = open", &[]);
    check("- macro: m", &[(YamlValidate, 1, 3, "`condition` is missing")]);
    check("- macro: m\n  condition: ''", &[(YamlValidate, 2, 14, "empty")]);
    check("- macro: m\n  condition: [a]", &[(YamlValidate, 2, 14, "single value")]);
    check("- macro: m\n  condition: evt.type = open\n  desc: d", &[(UnknownKey, 3, 3, "`desc`")]);
    finds(
        "- macro: 1m\n  condition: evt.type = open\n",
        &[(InvalidMacroName, 1, 3, "1m"), (UnusedMacro, 1, 3, "1m")],
    );
}

#[test]
fn rules() {
    good(&[&rule(C, &[])], |it| it.enabled, true);
    let full = [
        "source: syscall",
        "enabled: no",
        "capture: on",
        "capture_duration: 500",
        "warn_evttypes: False",
        "skip-if-unknown-filter: true",
        "tags: [b, a, b]",
        "exceptions:",
    ];
    good(
        &[&rule(C, &full)],
        |it| (it.enabled, it.capture, it.capture_duration_ms, it.warn_evttypes, it.tags.clone()),
        (false, true, Some(500), false, vec!["a".to_owned(), "b".to_owned()]),
    );
    good(
        &[&rule(C, &[])],
        |it| (it.priority, it.source.to_string()),
        (Priority::Informational, "syscall".into()),
    );
    good(
        &[&rule(C, &[]).replace("output: o", "output: '  o '")],
        |it| it.output_text.clone(),
        "o".into(),
    );
    for key in ["condition", "output", "desc", "priority"] {
        let mut file: String = rule(C, &[])
            .lines()
            .filter(|line| !line.starts_with(&format!("  {key}")))
            .map(|line| format!("{line}\n"))
            .collect();
        let message = format!("the key `{key}` is missing");
        finds(&file, &[(YamlValidate, 1, 3, &message)]);
        file += &format!("  {key}:\n");
        finds(&file, &[(YamlValidate, 5, 3, "empty")]);
    }
    // All errors of an item at once.
    finds(
        "- rule: r\n  desc: d\n  priority: loud\n  enabled: maybe\n",
        &[
            (YamlValidate, 1, 3, "`condition` is missing"),
            (YamlValidate, 1, 3, "`output` is missing"),
            (YamlValidate, 3, 13, "not a priority"),
            (YamlValidate, 4, 12, "takes true or false"),
        ],
    );
    finds(&rule(C, &["capture_duration: -1"]), &[(YamlValidate, 6, 21, "milliseconds")]);
    finds(&rule(C, &["tags: a"]), &[(YamlValidate, 6, 9, "takes a list")]);
    finds(&rule(C, &["conditon: a"]), &[(UnknownKey, 6, 3, "`conditon`")]);
    finds(&rule(C, &["desc: again"]), &[(UnknownKey, 6, 3, "second time")]);
    finds(&rule(C, &["exceptions: {}"]), &[(YamlValidate, 6, 15, "takes a list")]);
    finds(&rule(C, &["exceptions: [a]"]), &[(YamlValidate, 6, 16, "an exception is a mapping")]);
    finds(&rule(C, &["exceptions: [{fields: a}]"]), &[(YamlValidate, 6, 17, "`name` is missing")]);
    finds(
        &rule(
            C,
            &["exceptions:", "- {name: e, fields: proc.name}", "- {name: e, fields: proc.name}"],
        ),
        &[(ExceptionNameNotUnique, 8, 12, "two exceptions `e`")],
    );
}

#[test]
fn sources() {
    let file = rule("ka.verb = get", &["source: k8s_audit"]);
    finds(&file, &[(UnknownSource, 6, 11, "`k8s_audit`")]);
    assert!(loaded(&[&file]).rules.is_empty());
    // What it uses is used.
    let file =
        format!("- macro: m\n  condition: ka.verb = get\n{}", rule("m", &["source: k8s_audit"]));
    finds(&file, &[(UnknownSource, 8, 11, "`k8s_audit`")]);
    finds(&rule(C, &["source: syscal"]), &[(UnknownSource, 6, 11, "`syscal`")]);
}

#[test]
fn truths() {
    for (word, expected) in
        [("true", true), ("Yes", true), ("ON", true), ("n", false), ("'off'", false)]
    {
        good(&[&rule(C, &[&format!("enabled: {word}")])], |it| it.enabled, expected);
    }
    for word in ["tRUE", "1", "enabled"] {
        finds(&rule(C, &[&format!("enabled: {word}")]), &[(YamlValidate, 6, 12, "true or false")]);
    }
}

#[test]
fn the_output_is_checked() {
    use crate::rules::diagnostic::Code::CompileOutput;
    let file = rule(C, &[]).replace("output: o", "output: o %proc.nmae x");
    finds(&file, &[(CompileOutput, 4, 14, "proc.nmae")]);
    let file = rule(C, &[]).replace("output: o", "output: o %container.info");
    finds(&file, &[(DeprecatedItem, 4, 13, "%container.info")]);
}
