//! Tables and plans of a few rules.

use landlord_ebpf::abi::{COMPAT_BIT, COMPAT_PLANS, Plan, plan_flag, truth};

use super::subject::call;
use crate::filter::early::early;
use crate::filter::{Filter, State, TableCalls};
use crate::rules::event_type::EventType;
use crate::rules::load::{Options, SourceFile, load};
use crate::rules::{bind, parse};

/// The filter of one rule.
fn filter(condition: &str, output: &str) -> Filter {
    let text = format!(
        "- rule: r\n  desc: d\n  priority: ERROR\n  condition: >\n    {condition}\n  output: '{output}'\n"
    );
    let loaded = load(vec![SourceFile::new("test", text)], &Options::default());
    assert!(!loaded.failed(), "{:#?}", loaded.reports);
    Filter::new(&loaded.rules, &[], &TableCalls)
}

/// Which combinations of these letters pass: `F`ailed, `R`ead, `W`rite, `C`reate,
/// e`X`ecute, c`O`ntainer.
fn check(condition: &str, name: &str, holds: impl Fn(&dyn Fn(u32) -> bool) -> bool) {
    let bound =
        bind::condition(&parse::condition(condition).unwrap(), &mut |_| unreachable!()).unwrap();
    let event_type = EventType::named(name).unwrap();
    let table = early(&bound.condition, event_type, &call(name).1);
    for bits in 0..64 {
        let expected = holds(&|bit| bits & bit != 0);
        assert_eq!(table >> bits & 1 != 0, expected, "{condition}: {name} {bits:06b}");
    }
}

#[test]
fn what_is_known_before_anything_is_read() {
    use truth::{CONTAINER, CREATE, EXECUTE, FAILED, READ, WRITE};
    check("evt.failed = true", "openat", |has| has(FAILED));
    check("evt.rawres >= 0", "openat", |has| !has(FAILED));
    check("evt.rawres < 0", "unlink", |_| true);
    check("evt.rawres = -2", "unlink", |has| has(FAILED));
    check("not evt.rawres = -2", "unlink", |_| true);
    check("evt.rawres in (0, 1, 2)", "dup", |has| !has(FAILED));
    check("evt.res = SUCCESS", "unlink", |has| !has(FAILED));
    check("evt.res != SUCCESS", "unlink", |has| has(FAILED));
    check("evt.res = EACCES", "unlink", |has| has(FAILED));
    check("evt.res startswith E", "unlink", |has| has(FAILED));
    check("evt.res in (SUCCESS, EPERM)", "unlink", |_| true);
    check("fd.num >= 0", "openat", |has| !has(FAILED));
    check("fd.num = -1", "openat", |has| has(FAILED));
    check("fd.num >= 0", "fchmod", |_| true);
    check("evt.is_open_write = true", "openat", |has| has(WRITE));
    check("not evt.is_open_write = true", "openat", |has| !has(WRITE));
    check("evt.is_open_read = true and fd.num >= 0", "open", |has| has(READ) && !has(FAILED));
    check("evt.is_open_exec = true", "open", |has| has(EXECUTE));
    check("evt.is_open_create = true", "creat", |has| has(CREATE));
    check("evt.is_open_write = true", "unlink", |_| false);
    check("not evt.is_open_write = true", "unlink", |_| true);
    check("evt.is_open_write exists", "openat", |_| true);
    // The flags are in memory, which may be unreadable.
    check("not evt.is_open_write = true", "openat2", |_| true);
    check("evt.is_open_write = true", "openat2", |has| has(WRITE));
    check("evt.arg.flags contains O_CREAT", "openat", |has| has(CREATE));
    check("evt.arg.flags contains O_TRUNC", "openat", |_| true);
    check("evt.arg.flags contains O_WRONLY", "openat", |has| has(WRITE) && !has(READ));
    check("container.id = host", "openat", |_| true);
    check("container.id != host", "openat", |has| has(CONTAINER));
    check("container.id = abc", "openat", |has| has(CONTAINER));
    check("not container.id = abc", "openat", |_| true);
    check("evt.type = open", "openat", |_| false);
    check("evt.num = 0", "openat", |_| false);
    check("proc.name = a or evt.is_open_read = true", "openat", |_| true);
    check("not (proc.name = a or evt.is_open_read = true)", "openat", |has| !has(READ));
}

/// The plan that a filter has for a call.
fn plan(filter: &Filter, name: &str) -> Option<Plan> {
    let (number, _) = call(name);
    filter.plans().iter().find(|(index, _)| *index == number).map(|(_, plan)| *plan)
}

#[test]
fn what_is_wanted_has_a_plan() {
    let filter = filter("evt.type in (openat, close) and fd.num >= 0", "a");
    let types: Vec<&str> = filter.wanted().iter().map(EventType::name).collect();
    assert_eq!(types, ["close", "openat"]);
    assert_eq!(filter.state(), State::default());
    assert!(plan(&filter, "openat").is_some_and(|plan| plan.early == 0x5555_5555_5555_5555));
    assert!(plan(&filter, "open").is_none());
    // Both tables.
    let numbers = crate::calls::numbers(EventType::named("openat").unwrap());
    let compat = numbers.filter(|number| number & COMPAT_BIT != 0).min().unwrap() & !COMPAT_BIT;
    assert!(filter.plans().iter().any(|(index, _)| *index == COMPAT_PLANS + compat));
    assert!(filter.plans().is_sorted_by_key(|(index, _)| *index));
    assert!(filter.absent().is_empty() && filter.unsupported().is_empty());
}

#[test]
fn programs_that_are_started_are_told_otherwise() {
    let filter = filter("evt.type in (execve, execveat)", "a");
    assert!(plan(&filter, "execve").is_some_and(|plan| plan.early == !0x5555_5555_5555_5555));
    let filter = self::filter("evt.type = execve and evt.rawres = 0", "a");
    assert!(plan(&filter, "execve").is_none());
    assert!(!filter.wanted().is_empty());
}

#[test]
fn what_processes_change_is_told_if_it_is_asked_for() {
    let check = |condition: &str, output: &str, expected: &[&str]| {
        let filter = filter(condition, output);
        let calls = ["chdir", "fchdir", "setpgid", "setsid"];
        let found: Vec<&str> =
            calls.into_iter().filter(|name| plan(&filter, name).is_some()).collect();
        assert_eq!(found, expected, "{condition}, {output}");
    };
    check("evt.type = close and proc.name = a", "%proc.name", &[]);
    check("evt.type = close and proc.cwd = /a", "a", &["chdir", "fchdir"]);
    check("evt.type = close", "%proc.cwd", &["chdir", "fchdir"]);
    check("evt.type = close and proc.sname = a", "a", &["setpgid", "setsid"]);
    check("evt.type = close", "%toupper(proc.cwd)", &["chdir", "fchdir"]);
    check("evt.type = close and proc.name = val(proc.cwd)", "a", &["chdir", "fchdir"]);
}

#[test]
fn what_processes_change_is_never_dropped() {
    let filter = filter("evt.type = chdir and fs.path.name = /a and proc.cwd = /b", "a");
    let plan = plan(&filter, "chdir").unwrap();
    assert_eq!(plan.flags & (plan_flag::CWD | plan_flag::VERDICT), plan_flag::CWD);
    let filter = self::filter("evt.type = chdir and fs.path.name = /a and evt.failed = true", "a");
    let plan = self::plan(&filter, "chdir").unwrap();
    assert_eq!(plan.flags & plan_flag::VERDICT, plan_flag::VERDICT);
}

#[test]
fn what_an_open_was_given_is_looked_up_if_a_rule_asks_for_it() {
    let check = |condition: &str, name: &str, looked_up: bool| {
        let plan = plan(&filter(condition, "%fd.nameraw"), name).unwrap();
        assert_eq!(plan.flags & plan_flag::RAW != 0, looked_up, "{condition}");
    };
    check("evt.type = openat and fd.nameraw contains ../ and proc.name = a", "openat", true);
    check("evt.type in (open, openat) and not fd.nameraw startswith /", "open", true);
    check("evt.type = openat and fd.name contains ../", "openat", false);
    check("evt.type = openat and proc.name = a", "openat", false);
}

#[test]
fn what_depends_on_who_acts_is_not_looked_up() {
    let check = |condition: &str, looked_up: bool| {
        let plan = plan(&filter(condition, "a"), "openat").unwrap();
        assert_eq!(plan.flags & plan_flag::VERDICT != 0, looked_up, "{condition}");
    };
    check("evt.type = openat and proc.name = a", false);
    check("evt.type = openat and proc.name = a and fd.name = /a", true);
    check("evt.type = openat and (proc.name = a or fd.name = /a)", false);
    check("evt.type = openat and container.id != host", true);
    // On the host it is dropped early; containers are not told apart.
    check("evt.type = openat and container.id = abc", false);
}
