//! Reading test files, and what comes of them.

use super::{Outcome, Suite, read, run};
use crate::rules::load::{Options, SourceFile, load};
use crate::rules::rule::Rule;

const RULES: &str = "\
- rule: Shell by hand
  desc: d
  condition: evt.type = execve and proc.name in (bash, sh) and proc.tty != 0
  output: '%user.name uses %proc.name'
  priority: NOTICE
- rule: Shell
  desc: d
  condition: evt.type = execve and proc.name in (bash, sh)
  output: o
  priority: INFO
- rule: Named host
  desc: d
  condition: evt.type = connect and fd.sip.name = api.example
  output: o
  priority: INFO
- rule: Off
  desc: d
  condition: evt.type in (execve, close)
  output: o
  priority: INFO
  enabled: false
";

const EVENTS: &str = "\
- event: start
  evt.type: execve
  proc.name: bash
  user.name: ann
  proc.tty: 0
";

fn rules() -> Vec<Rule> {
    load(vec![SourceFile::new("r.yaml", RULES)], &Options::default()).rules
}

fn suite(text: &str) -> Result<Suite, Vec<String>> {
    let files = vec![SourceFile::new("0.yaml", EVENTS), SourceFile::new("t.yaml", text)];
    read(files).map_err(|reports| {
        let told = reports.iter().flat_map(|report| &report.diagnostics);
        let told = told.map(|it| {
            let help = it.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}:{}: {}{help}", it.place.line, it.place.column, it.message)
        });
        told.collect()
    })
}

fn outcome(text: &str) -> Outcome {
    run(&suite(text).unwrap(), &rules())
}

#[track_caller]
fn passes(text: &str) {
    let Outcome { passed, failures, .. } = outcome(text);
    assert!(passed > 0 && failures.is_empty(), "{failures:#?}");
}

/// The test fails so: the message and the details.
#[track_caller]
fn fails(text: &str, expected: &[&str]) {
    let Outcome { failures, .. } = outcome(text);
    let [failure] = failures.as_slice() else { panic!("{failures:#?}") };
    let lines: Vec<&str> =
        std::iter::once(&failure.message).chain(&failure.details).map(String::as_str).collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn rules_that_fire() {
    passes("- rule: Shell\n  fires: [{like: start}]\n");
    passes("- rule: Shell by hand\n  fires: [{like: start, proc.tty: 1}]\n");
    passes("- rule: Shell\n  fires: [{like: start, proc.tty: 1, behind: Shell by hand}]\n");
    passes(
        "- rule: Shell by hand\n  fires:\n    - like: start\n      proc.tty: 1\n      output: ann \
         uses bash\n      fields: {user.name: ann}\n",
    );
    // What is not in force never comes first, but is tried all the same.
    passes("- rule: Off\n  fires: [{evt.type: close}, {like: start}]\n");
    fails(
        "- rule: Shell\n  fires: [{like: start, proc.name: zsh}]\n",
        &["the rule should fire, and does not", "does not hold: proc.name in (bash, sh)"],
    );
    fails(
        "- rule: Shell\n  fires: [{like: start, proc.tty: 1}]\n",
        &[
            "rule `Shell by hand` matches, too, and comes first",
            "if that is meant, say `behind: Shell by hand`",
        ],
    );
    fails(
        "- rule: Shell\n  fires: [{like: start, behind: Shell by hand}]\n",
        &["rule `Shell by hand` does not come first"],
    );
    fails(
        "- rule: Shell by hand\n  fires: [{like: start, proc.tty: 1, output: ann, fields: \
         {user.name: bob, proc.tty: 1}}]\n",
        &[
            "the rule fires, but says something else",
            "- ann",
            "+ ann uses bash",
            "- proc.tty: 1 (not in the output)",
            "- user.name: \"bob\"",
            "+ user.name: \"ann\"",
        ],
    );
    fails(
        "- rule: Shel\n  fires: [{like: start}]\n",
        &["there is no rule `Shel`", "did you mean `Shell`?"],
    );
}

#[test]
fn rules_that_are_silent() {
    passes("- rule: Shell\n  silent: [{like: start, proc.name: zsh}]\n");
    passes("- rule: Shell by hand\n  silent: [{like: start}]\n");
    // A field that is taken away has no value.
    passes("- rule: Shell\n  silent: [{like: start, proc.name: ~}]\n");
    fails(
        "- rule: Shell\n  silent: [{like: start, proc.tty: 1}]\n",
        &["the rule should be silent, and fires"],
    );
}

#[test]
fn all_alerts_of_several_events() {
    let events = "  events: [{like: start, proc.tty: 1}, {evt.type: close}, {like: start}]\n";
    let test = |rest: &str| format!("- test: t\n{events}{rest}");
    passes(&test("  alerts: [Shell by hand, Shell]\n"));
    passes(&test("  match: all\n  alerts: [Shell by hand, Shell, Shell]\n"));
    passes(&test("  alerts: [{rule: Shell by hand, fields: {user.name: ann}}, Shell]\n"));
    fails(
        &test("  alerts: [Shell, Named host]\n"),
        &["the alerts are others than expected", "+ Shell by hand", "  Shell", "- Named host"],
    );
    fails(
        &test("  alerts: [{rule: Shell by hand, output: x}, Shell]\n"),
        &["rule `Shell by hand` says something else", "- x", "+ ann uses bash"],
    );
}

#[test]
fn hosts_have_the_addresses_that_the_tests_say() {
    let connect = "{evt.type: connect, fd.name: '10.0.0.1:4711->10.0.0.9:443'}";
    let rule = format!("- rule: Named host\n  fires: [{connect}]\n");
    fails(
        &rule,
        &["the rule should fire, and does not", "does not hold: fd.sip.name = api.example"],
    );
    passes(&format!("- host: api.example\n  addresses: [10.0.0.9]\n{rule}"));
}

#[test]
fn rules_without_tests_are_told() {
    let gaps = outcome("- rule: Shell\n  fires: [{like: start}]\n").gaps;
    let gaps: Vec<_> = gaps.iter().map(|gap| (&*gap.rule, gap.firing, gap.silent)).collect();
    assert_eq!(
        gaps,
        [
            ("Shell by hand", true, true),
            ("Shell", false, true),
            ("Named host", true, true),
            ("Off", true, true),
        ]
    );
}

#[test]
fn two_spellings_of_a_field_are_one() {
    passes(
        "- event: opened\n  evt.type: open\n  evt.arg: {flags: O_RDONLY, name: a}\n\
         - test: t\n  events: [{like: opened, evt.arg.flags: O_WRONLY}]\n  alerts: []\n",
    );
    let text = "- event: opened\n  evt.type: open\n  evt.arg: {flags: O_RDONLY}\n\
                - rule: Shell\n  silent: [{like: opened, 'evt.arg[flags]': O_WRONLY}]\n";
    let event = suite(text).unwrap().cases[0].events[0].clone();
    let flags = crate::rules::field::resolve("evt.arg.flags", None).unwrap();
    let value = crate::rules::event::Event::value(&event, &flags, 0);
    assert_eq!(value, Some(crate::rules::value::Value::Text(b"O_WRONLY")));
}

#[test]
fn mistakes_are_told_at_their_place() {
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(suite(text).unwrap_err(), expected, "{text}");
    };
    check(
        "rule: Shell\n",
        &[
            "1:1: a test file is a list of items, not a mapping (items look like `- rule: NAME` and \
           `- event: NAME`)",
        ],
    );
    check(
        "- fires: []\n",
        &[
            "1:3: it is not clear what this item is (an item begins with `rule:`, `test:`, `event:` \
           or `host:` and a name)",
        ],
    );
    check(
        "- rule: Shell\n",
        &["1:3: the rule has no tests (list events that fire it under `fires:`, others under \
           `silent:`)"],
    );
    check(
        "- rule: Shell\n  fire: []\n",
        &["2:3: `fire` is not a key here (did you mean `fires`?)"],
    );
    check(
        "- rule: Shell\n  fires: [{like: strat}]\n",
        &["2:18: there is no template `strat` (did you mean `start`?)"],
    );
    check(
        "- rule: Shell\n  fires: [{like: start, proc.nmae: x}]\n",
        &["2:25: `proc.nmae` is not a field (did you mean `proc.name`?)"],
    );
    check(
        "- rule: Shell\n  fires: [{like: start, cases: x}]\n",
        &["2:25: `cases` is not a key here (did you mean `case`?)"],
    );
    check("- rule: Shell\n  silent: [{proc.name: x}]\n", &["2:12: `evt.type` is missing"]);
    check(
        "- rule: Shell\n  silent: [{like: start, proc.tty: x}]\n",
        &["2:12: key `proc.tty`: a whole number from 0 is expected, not \"x\""],
    );
    check(
        "- rule: Shell\n  silent: [{like: start, output: x}]\n",
        &["2:12: an event under `silent:` expects no alert"],
    );
    check(
        "- test: t\n  events: []\n",
        &["1:3: a test has `events:` and `alerts:` (`alerts: []` expects none)"],
    );
    check("- event: start\n  evt.type: open\n", &["1:10: there is a template `start` already"]);
    check("- host: a\n  addresses: [b]\n", &["2:15: `b` is not an IP address"]);
    // All of a file at once; what is good is good.
    check(
        "- rule: Shell\n  fires: [{like: a}, {like: b}, {like: start}]\n- x: y\n",
        &[
            "2:18: there is no template `a` (define it before with `- event: a`)",
            "2:29: there is no template `b` (define it before with `- event: b`)",
            "3:3: it is not clear what this item is (an item begins with `rule:`, `test:`, \
             `event:` or `host:` and a name)",
        ],
    );
    assert!(suite("- a: [\n").unwrap_err()[0].contains("not YAML"));
}
