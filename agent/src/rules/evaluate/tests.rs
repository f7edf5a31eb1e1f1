use proptest::collection::vec;
use proptest::prelude::proptest;
use proptest::prop_assert_eq;

use super::{Scratch, evaluate};
use crate::rules::compile::Program;
use crate::rules::event::Event as _;
use crate::rules::naive::{self, Owned};
use crate::rules::random::{self, Sample, field};
use crate::rules::rule::Matching;
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test};
use crate::rules::{bind, parse};

fn numbered(conditions: &[Condition]) -> Vec<(usize, &Condition)> {
    conditions.iter().enumerate().collect()
}

fn program(conditions: &[Condition], matching: Matching) -> Program {
    let mut program = Program::new(&numbered(conditions), matching);
    for (name, addresses) in random::hosts() {
        program.set_addresses(&name, addresses);
    }
    program
}

fn matches(program: &Program, event: &Sample, scratch: &mut Scratch) -> Vec<usize> {
    let mut rules = Vec::new();
    let any = evaluate(program, event, scratch, |rule| rules.push(rule));
    assert_eq!(any, !rules.is_empty());
    rules
}

proptest! {
    #[test]
    fn a_program_matches_what_its_conditions_mean(
        conditions in vec(random::condition(), 1..7),
        events in vec(random::event(), 1..6),
    ) {
        let all = program(&conditions, Matching::All);
        let first = program(&conditions, Matching::First);
        let mut scratch = Scratch::new(&all);
        for event in &events {
            let expected = naive::matching(&numbered(&conditions), event, &random::hosts());
            prop_assert_eq!(&matches(&all, event, &mut scratch), &expected);
            prop_assert_eq!(matches(&first, event, &mut scratch), &expected[..expected.len().min(1)]);
            let asked = all.event_types().contains(event.event_type());
            prop_assert_eq!(asked || expected.is_empty(), true);
        }
    }
}

/// A condition as rules write it.
fn condition(text: &str) -> Condition {
    let parsed = parse::condition(text).unwrap();
    let bound = bind::condition(&parsed, &mut |name| panic!("{text}: macro {}", name.text));
    bound.unwrap().condition
}

fn check(text: &str, event: &Sample, expected: bool) {
    let condition = [condition(text)];
    let mut program = program(&condition, Matching::All);
    program.set_addresses("shop.example.com", ["10.0.0.9".parse().unwrap()]);
    let found = matches(&program, event, &mut Scratch::new(&program));
    assert_eq!(found == [0], expected, "{text}");
    let mut hosts = random::hosts();
    hosts.insert("shop.example.com".to_owned(), vec!["10.0.0.9".parse().unwrap()]);
    assert_eq!(naive::holds(&condition[0], event, &hosts), expected, "{text}, naively");
}

fn texts(texts: &[&str]) -> Vec<Owned> {
    texts.iter().map(|text| Owned::Text(text.as_bytes().to_vec())).collect()
}

fn addresses(addresses: &[&str]) -> Vec<Owned> {
    addresses.iter().map(|address| Owned::Ip(address.parse().unwrap())).collect()
}

#[test]
fn without_a_value_every_check_is_false() {
    let event = Sample::new("openat");
    check("proc.name = a", &event, false);
    check("proc.name != a", &event, false);
    check("not proc.name = a", &event, true);
    check("proc.name exists", &event, false);
    check("not proc.name exists", &event, true);
    check("fd.num < 5", &event, false);
    check("fd.ip != 10.0.0.1", &event, false);
    check("evt.is_open_write = false", &event, false);
    check("proc.aname != a", &event, false);
    check("proc.name contains \"\"", &event, false);
    check("proc.name contains \"\"", &event.text("proc.name", ""), true);
}

#[test]
fn of_two_ends_one_has_to_be_and_both_have_to_differ() {
    let event = |ends| Sample::new("connect").with(field("fd.ip"), addresses(ends));
    check("fd.ip = 10.0.0.1", &event(&["10.0.0.1", "10.0.0.2"]), true);
    check("fd.ip = 10.0.0.2", &event(&["10.0.0.1", "10.0.0.2"]), true);
    check("fd.ip = 10.0.0.3", &event(&["10.0.0.1", "10.0.0.2"]), false);
    check("fd.ip != 10.0.0.1", &event(&["10.0.0.1", "10.0.0.2"]), false);
    check("fd.ip != 10.0.0.3", &event(&["10.0.0.1", "10.0.0.2"]), true);
    check("fd.ip in (10.0.0.3, 10.0.0.2)", &event(&["10.0.0.1", "10.0.0.2"]), true);
    // A socket that listens has one end.
    check("fd.ip != 10.0.0.1", &event(&["10.0.0.2"]), true);
    check("fd.ip = 10.0.0.2", &event(&["10.0.0.2"]), true);
    let event = |ends| Sample::new("connect").with(field("fd.net"), addresses(ends));
    check("fd.net = 10.0.0.0/8", &event(&["192.168.0.1", "10.9.9.9"]), true);
    check("fd.net != 10.0.0.0/8", &event(&["192.168.0.1", "10.9.9.9"]), false);
    check("fd.net in (172.16.0.0/12, 10.0.0.0/8)", &event(&["10.9.9.9"]), true);
    check("fd.net != 10.0.0.0/8", &event(&["::ffff:10.0.0.1"]), true);
}

#[test]
fn of_ancestors_one_has_to_pass() {
    let event = Sample::new("execve").with(field("proc.aname"), texts(&["sh", "nginx"]));
    check("proc.aname = nginx", &event, true);
    check("proc.aname = bash", &event, false);
    check("proc.aname != nginx", &event, true);
    check("not proc.aname = nginx", &event, false);
    check("proc.aname in (bash, sh)", &event, true);
    check("proc.aname startswith ngi", &event, true);
    let event = event.with(field("proc.aname[2]"), texts(&["nginx"]));
    check("proc.aname[2] = nginx", &event, true);
    check("proc.aname[2] != nginx", &event, false);
}

#[test]
fn of_a_list_all_are_in_or_one_intersects() {
    let event = |types: &[&str]| Sample::new("dup2").with(field("fd.types"), texts(types));
    check("fd.types in (file, ipv4)", &event(&["file", "ipv4"]), true);
    check("fd.types in (file, ipv4)", &event(&["file", "pipe"]), false);
    check("fd.types intersects (file, ipv4)", &event(&["file", "pipe"]), true);
    check("fd.types intersects (file, ipv4)", &event(&["pipe"]), false);
    check("fd.types intersects ()", &event(&["pipe"]), false);
    check("fd.types in ()", &event(&["pipe"]), false);
}

#[test]
fn paths_match_by_their_components() {
    let event = |path| Sample::new("openat").text("fd.name", path);
    check("fd.name pmatch (/opt/dir)", &event("/opt/dir"), true);
    check("fd.name pmatch (/opt/dir)", &event("/opt/dir/x"), true);
    check("fd.name pmatch (/opt/dir)", &event("/opt/dir2"), false);
    check("fd.name pmatch (/opt/dir)", &event("/opt"), false);
    check("fd.name pmatch (/a, /opt/*/x)", &event("/opt/dir/x/y"), true);
    check("fd.name pmatch (/opt/*/x)", &event("/opt/a/b/x"), false);
    check("fd.name pmatch (/opt/[a-c]?)", &event("/opt/b1/z"), true);
    check("fd.name pmatch (/)", &event("/anything"), true);
    check("fd.name pmatch ()", &event("/anything"), false);
}

#[test]
fn texts_compare_as_bytes() {
    let event = Sample::new("openat").text("fd.name", "/proc/1/environ");
    check("fd.name glob /proc/*/environ", &event, true);
    check("fd.name glob /proc/*", &event, true);
    check("fd.name glob /PROC/*", &event, false);
    check("fd.name iglob /PROC/*", &event, true);
    check("fd.name icontains ENV", &event, true);
    check("fd.name regex \"/proc/[0-9]+/environ\"", &event, true);
    check("fd.name regex \"/proc/[0-9]+\"", &event, false);
    check("fd.name startswith anyof (/etc, /proc)", &event, true);
    check("fd.name startswith oneof (/proc, /proc/1)", &event, false);
    check("fd.name startswith allof (/proc, /proc/1)", &event, true);
    check("fd.name contains allof ()", &event, false);
    let odd = Sample::new("openat").with(field("fd.name"), vec![Owned::Text(b"/a\xffb".to_vec())]);
    check("fd.name regex \"/a.b\"", &odd, true);
    check("fd.name regex \"/ab\"", &odd, false);
    check("fd.name endswith b", &odd, true);
}

#[test]
fn values_compare_with_values() {
    let event = Sample::new("execve").text("proc.name", "sh").text("proc.pname", "sh");
    check("proc.name = val(proc.pname)", &event, true);
    check("proc.name != val(proc.pname)", &event, false);
    check("proc.name = val(proc.cwd)", &event, false);
    check("proc.name != val(proc.cwd)", &event, false);
    check("toupper(proc.name) = SH", &event, true);
    check("toupper(proc.name) in (SH, BASH)", &event, true);
    check("len(proc.name) = 2", &event, true);
    check("len(proc.name) > val(user.uid)", &event, false);
    check("len(proc.name) > val(user.uid)", &event.number("user.uid", 1), true);
}

#[test]
fn types_of_events_decide_before_anything_is_asked() {
    let event = Sample::new("openat").truth("evt.is_open_write", true);
    check("evt.type = openat", &event, true);
    check("evt.type in (open, openat) and evt.is_open_write = true", &event, true);
    check("evt.type = open and evt.is_open_write = true", &event, false);
    check("evt.type != open", &event, true);
    check("not evt.type = openat", &event, false);
    check("evt.type startswith open", &event, true);
    check("evt.type = open or (evt.type = openat and evt.is_open_write = true)", &event, true);
    check("not evt.num = 0", &event, true);
    check("evt.num = 0 or evt.type = openat", &event, true);
    check("evt.num = 0", &event, false);
}

#[test]
fn hosts_are_compared_by_their_addresses() {
    let event = Sample::new("connect").with(field("fd.sip"), addresses(&["10.0.0.9"]));
    check("fd.sip.name = shop.example.com", &event, true);
    check("fd.sip.name != shop.example.com", &event, false);
    check("fd.sip.name in (other.example.com, shop.example.com)", &event, true);
    check("fd.sip.name = other.example.com", &event, false);
    check("fd.sip.name != other.example.com", &event, true);
    check("fd.sip.name != other.example.com", &Sample::new("connect"), false);
}

#[test]
fn a_host_is_named_once_and_its_addresses_can_change() {
    let rules = [
        condition("fd.sip.name in (a.example.com, b.example.com)"),
        condition("fd.sip.name = b.example.com"),
    ];
    let mut program = Program::new(&numbered(&rules), Matching::All);
    assert_eq!(program.host_names().collect::<Vec<_>>(), ["a.example.com", "b.example.com"]);
    let event = Sample::new("connect").with(field("fd.sip"), addresses(&["10.0.0.9"]));
    let mut scratch = Scratch::new(&program);
    assert_eq!(matches(&program, &event, &mut scratch), [0_usize; 0]);
    program.set_addresses("b.example.com", ["10.0.0.9".parse().unwrap()]);
    assert_eq!(matches(&program, &event, &mut scratch), [0, 1]);
    program.set_addresses("b.example.com", []);
    program.set_addresses("a.example.com", ["10.0.0.9".parse().unwrap()]);
    program.set_addresses("c.example.com", ["10.0.0.9".parse().unwrap()]);
    assert_eq!(matches(&program, &event, &mut scratch), [0]);
}

#[test]
fn only_the_first_counts_or_all_do() {
    let rules = [
        condition("evt.type = openat and proc.name = b"),
        condition("evt.type = openat and proc.name startswith a"),
        condition("evt.type = openat"),
        condition("evt.type = openat and proc.name = a"),
        condition("evt.type = open and proc.name = a"),
    ];
    let event = Sample::new("openat").text("proc.name", "a");
    let first = Program::new(&numbered(&rules), Matching::First);
    let all = Program::new(&numbered(&rules), Matching::All);
    let mut scratch = Scratch::new(&all);
    assert_eq!(matches(&first, &event, &mut scratch), [1]);
    assert_eq!(matches(&all, &event, &mut scratch), [1, 2, 3]);
    // What stands behind a rule that always holds is not even kept.
    assert_eq!(first.rules_for(event.event_type()), 3);
    assert_eq!(all.rules_for(event.event_type()), 4);
    assert_eq!(all.event_types().len(), 2);
    let renumbered = [(7, &rules[2])];
    let program = Program::new(&renumbered, Matching::First);
    assert_eq!(matches(&program, &event, &mut scratch), [7]);
}

/// `((p and a) or b) and c …`, a level deeper for each name.
fn nested(levels: usize) -> Condition {
    (0..levels).fold(condition("fd.num >= 0"), |inner, level| {
        let check = condition(&format!("proc.name = n{level}"));
        match level % 3 {
            0 => Condition::Or(vec![inner, check]),
            1 => Condition::And(vec![Condition::Not(Box::new(check)), inner]),
            _ => Condition::Not(Box::new(Condition::Or(vec![check, inner]))),
        }
    })
}

#[test]
fn deep_conditions_need_no_deep_stack() {
    let deep = || {
        let rules = [nested(990), condition("evt.type = openat and proc.name = n3")];
        let program = Program::new(&numbered(&rules), Matching::All);
        let mut scratch = Scratch::new(&program);
        for level in [0, 1, 2, 3, 500, 988, 989, 10_000] {
            let name = format!("n{level}");
            let event = Sample::new("openat").text("proc.name", &name).number("fd.num", 3);
            let expected = naive::matching(&numbered(&rules), &event, &random::hosts());
            assert_eq!(matches(&program, &event, &mut scratch), expected, "{name}");
        }
    };
    let small = std::thread::Builder::new().stack_size(1 << 20).spawn(deep);
    small.unwrap().join().unwrap();
}

#[test]
fn wide_conditions_take_memory_and_time_in_proportion() {
    let name = |number: usize| Literal::Text(format!("name-{number}").into_bytes().into());
    let is = |number: usize, operator| {
        let test = Test::Literal { operator, modifier: None, literals: vec![name(number)] };
        Condition::Check(Check { left: Operand::Field(field("proc.name")), test })
    };
    let any = Condition::Or((0..100_000).map(|number| is(number, Comparison::Eq)).collect());
    let all = Condition::And((0..100_000).map(|number| is(number, Comparison::Ne)).collect());
    // Each a check of its own.
    let pairs = (0..30_000)
        .map(|number| {
            let others = condition(&format!("fd.num = {number}"));
            Condition::And(vec![is(number, Comparison::StartsWith), others])
        })
        .collect();
    let rules = [any, all, Condition::Or(pairs)];
    let program = Program::new(&numbered(&rules), Matching::All);
    let event = |name: &str| Sample::new("openat").text("proc.name", name).number("fd.num", 29_999);
    let mut scratch = Scratch::new(&program);
    assert_eq!(matches(&program, &event("name-77777"), &mut scratch), [0]);
    assert_eq!(matches(&program, &event("name-29999x"), &mut scratch), [1, 2]);
    assert_eq!(matches(&program, &event("name"), &mut scratch), [1]);
}

#[test]
fn a_scratch_forgets_before_its_numbers_run_out() {
    let rules = [condition("proc.name = a")];
    let program = Program::new(&numbered(&rules), Matching::All);
    let mut scratch = Scratch::new(&program);
    let (hit, miss) = (Sample::new("openat").text("proc.name", "a"), Sample::new("openat"));
    assert_eq!(matches(&program, &hit, &mut scratch), [0]);
    scratch.generation = super::LAST_GENERATION - 1;
    for _ in 0..4 {
        assert_eq!(matches(&program, &hit, &mut scratch), [0]);
        assert_eq!(matches(&program, &miss, &mut scratch), [0_usize; 0]);
    }
    assert!(scratch.generation < 8);
}
