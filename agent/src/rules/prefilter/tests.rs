use proptest::collection::vec;
use proptest::prelude::proptest;
use proptest::prop_assert;

use super::{MAX_CLAUSES, MAX_PREFIXES, MAX_RANGES, MAX_TEXT, MAX_TEXTS, Prefilter, Values};
use crate::rules::event_type::EventType;
use crate::rules::naive;
use crate::rules::random::{self, Sample, field};
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test};

proptest! {
    #[test]
    fn no_event_is_dropped_that_a_rule_matches(
        conditions in vec(random::condition(), 1..5),
        events in vec(random::event(), 1..8),
    ) {
        let prefilter = Prefilter::new(&conditions.iter().collect::<Vec<_>>());
        let numbered: Vec<(usize, &Condition)> = conditions.iter().enumerate().collect();
        for event in &events {
            let matching = naive::matching(&numbered, event, &random::hosts());
            prop_assert!(matching.is_empty() || prefilter.passes(event), "{prefilter}");
        }
        is_bounded(&prefilter);
    }
}

fn is_bounded(prefilter: &Prefilter) {
    for event_type in EventType::all() {
        let clauses = prefilter.clauses(event_type);
        assert!(clauses.len() <= MAX_CLAUSES);
        for (_, allowed) in clauses.iter().flat_map(|clause| clause.facts()) {
            match &allowed.values {
                Values::Truths { .. } => {}
                Values::Numbers(ranges) => assert!(ranges.len() <= MAX_RANGES),
                Values::Texts { listed, .. } => {
                    assert!(listed.len() <= MAX_TEXTS);
                    assert!(listed.iter().all(|text| text.len() <= MAX_TEXT));
                }
                Values::Paths(prefixes) => {
                    assert!(prefixes.len() <= MAX_PREFIXES);
                    assert!(prefixes.iter().all(|text| text.len() <= MAX_TEXT));
                }
            }
        }
    }
}

fn test(name: &str, test: Test) -> Condition {
    Condition::Check(Check { left: Operand::Field(field(name)), test })
}

fn compare(name: &str, operator: Comparison, literal: Literal) -> Condition {
    test(name, Test::Literal { operator, modifier: None, literals: vec![literal] })
}

fn text(text: &str) -> Literal {
    Literal::Text(text.as_bytes().into())
}

fn is(name: &str, value: &str) -> Condition {
    compare(name, Comparison::Eq, text(value))
}

fn among(name: &str, values: &[&str]) -> Condition {
    test(name, Test::In(values.iter().map(|value| text(value)).collect()))
}

fn begins(name: &str, value: &str) -> Condition {
    compare(name, Comparison::StartsWith, text(value))
}

fn truth(name: &str, truth: bool) -> Condition {
    compare(name, Comparison::Eq, Literal::Bool(truth))
}

fn number(name: &str, operator: Comparison, number: i128) -> Condition {
    compare(name, operator, Literal::Int(number))
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn check(condition: Condition, expected: &str) {
    let opened = Condition::And(vec![is("evt.type", "openat"), condition]);
    let shown = Prefilter::new(&[&opened]).to_string();
    let shown = shown.strip_prefix("openat\n").unwrap_or(&shown);
    assert_eq!(shown, expected);
}

#[test]
fn what_is_known_early_is_kept() {
    check(truth("evt.is_open_write", true), "  if opened for writing\n");
    check(truth("evt.is_open_write", false), "  if not opened for writing\n");
    check(compare("container.id", Comparison::Ne, text("host")), "  if in a container\n");
    check(is("container.id", "host"), "  if not in a container\n");
    check(is("container.id", "0123456789ab"), "  if in a container\n");
    check(number("fd.num", Comparison::Ge, 0), "  if the descriptor is at least 0\n");
    check(number("user.uid", Comparison::Ne, 0), "  if the user is at most -1 or at least 1\n");
    check(among("proc.name", &["a", "b"]), "  if the process is one of a, b\n");
    check(begins("fd.name", "/etc/"), "  if the path begins with one of /etc/\n");
    check(is("fd.name", "/etc/shadow"), "  if the path begins with one of /etc/shadow\n");
    check(
        compare("fd.name", Comparison::Glob, text("/root/*.key")),
        "  if the path begins with one of /root/\n",
    );
    check(test("fd.name", Test::Exists), "  if the path is known\n");
}

#[test]
fn what_is_not_known_early_may_be() {
    check(is("proc.cmdline", "sh"), "  always\n");
    check(not(is("proc.cmdline", "sh")), "  always\n");
    check(
        Condition::And(vec![is("proc.cmdline", "sh"), truth("evt.is_open_read", true)]),
        "  if opened for reading\n",
    );
    check(
        Condition::Or(vec![is("proc.cmdline", "sh"), truth("evt.is_open_read", true)]),
        "  always\n",
    );
    check(compare("fd.name", Comparison::Contains, text("/etc")), "  if the path is known\n");
}

#[test]
fn the_lack_of_a_value_refutes_a_check_and_fulfils_its_negation() {
    check(not(truth("evt.is_open_write", true)), "  if not opened for writing (or is unknown)\n");
    check(not(among("proc.name", &["a"])), "  if the process is none of a (or is unknown)\n");
    check(compare("proc.name", Comparison::Ne, text("a")), "  if the process is none of a\n");
    check(not(test("proc.name", Test::Exists)), "  if the process is unknown\n");
    // One container or another: early they are the same.
    check(not(is("container.id", "0123456789ab")), "  always\n");
    // A path can begin so without being it.
    check(not(is("fd.name", "/etc/shadow")), "  always\n");
}

#[test]
fn a_set_that_had_to_grow_is_not_taken_for_exact_when_it_is_negated() {
    let odd = (0..40).map(|number| Literal::Int(number * 2 + 1)).collect();
    let even = not(test("user.uid", Test::In(odd)));
    let prefilter = Prefilter::new(&[&even]);
    assert!(
        (0..100).all(|uid| prefilter.passes(&Sample::new("openat").number("user.uid", uid * 2)))
    );
    let names: Vec<String> = (0..40).map(|number| format!("n{number}")).collect();
    let others = not(among("proc.name", &names.iter().map(String::as_str).collect::<Vec<_>>()));
    let prefilter = Prefilter::new(&[&others]);
    assert!(prefilter.passes(&Sample::new("openat").text("proc.name", "m")));
}

#[test]
fn facts_of_a_disjunction_stay_apart() {
    let one = Condition::And(vec![truth("evt.is_open_write", true), begins("fd.name", "/etc")]);
    let other = Condition::And(vec![truth("evt.is_open_read", true), begins("fd.name", "/root")]);
    check(
        Condition::Or(vec![one, other]),
        "  if opened for writing and the path begins with one of /etc\n  \
         or if opened for reading and the path begins with one of /root\n",
    );
}

#[test]
fn what_contradicts_itself_wants_no_event() {
    check(Condition::And(vec![is("fd.typechar", "f"), is("fd.typechar", "4")]), "");
    let impossible = Condition::And(vec![begins("fd.name", "/a"), begins("fd.name", "/b")]);
    check(impossible, "");
    let never = number("evt.num", Comparison::Eq, 0);
    assert!(Prefilter::new(&[&never]).event_types().is_empty());
}

#[test]
fn too_many_become_fewer_that_let_more_through() {
    let paths: Vec<String> = (0..100).map(|number| format!("/data/{number:03}/key")).collect();
    let any = Condition::Or(paths.iter().map(|path| begins("fd.name", path)).collect());
    let kept: Vec<String> = (0..10).map(|number| format!("/data/{number:02}")).collect();
    check(any, &format!("  if the path begins with one of {}\n", kept.join(", ")));
    let clause = |number: i128| {
        let path = begins("fd.name", &format!("/{number}"));
        Condition::And(vec![self::number("user.uid", Comparison::Eq, number), path])
    };
    let many = Condition::Or((0..60).map(clause).collect());
    let prefilter = Prefilter::new(&[&many]);
    is_bounded(&prefilter);
    let event =
        |uid: i128, path: &str| Sample::new("openat").number("user.uid", uid).text("fd.name", path);
    assert!((0..60).all(|number| prefilter.passes(&event(number, &format!("/{number}/x")))));
    assert!(!prefilter.passes(&event(0, "elsewhere")));
    assert!(!prefilter.passes(&Sample::new("openat").truth("evt.is_open_write", true)));
}
