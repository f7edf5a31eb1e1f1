//! What holds for every condition that means something.

use std::collections::BTreeMap;
use std::thread;

use proptest::prelude::*;

use super::{bound, try_bind};
use crate::rules::ast::Expr;
use crate::rules::bind::operand::MAX_CALLS;
use crate::rules::bind::{condition, depth, size};
use crate::rules::parse::{self, MAX_CHECKS, MAX_DEPTH};
use crate::rules::typed::Condition;
use crate::rules::{bind, print};

/// Checks that are already as they are printed.
const CHECKS: [&str; 8] = [
    "proc.name = a",
    "proc.aname[2] in (a, b)",
    "evt.type in (open, openat)",
    r#"evt.buffer contains "\x00 \xff""#,
    r#"fd.name pmatch ("/etc/\x1b*", /var)"#,
    "proc.name != oneof (a, a, b)",
    r#"tolower(concat(proc.name, "x")) = val(proc.pname)"#,
    "fd.snet in (10.0.0.0/8, fd00::/8)",
];

/// A condition of these.
fn any_text() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(CHECKS.to_vec()).prop_map(str::to_owned);
    leaf.prop_recursive(5, 32, 4, |inner| {
        let join = |joint: &'static str| {
            let join = move |of: Vec<String>| format!("({})", of.join(joint));
            proptest::collection::vec(inner.clone(), 2..5).prop_map(join)
        };
        prop_oneof![
            join(" and "),
            join(" or "),
            inner.clone().prop_map(|one| format!("not ({one})"))
        ]
    })
}

/// What it comes to if each check comes to what it is told.
fn evaluate(expr: &Expr, told: &BTreeMap<String, bool>) -> bool {
    match expr {
        Expr::And(all) => all.iter().all(|one| evaluate(one, told)),
        Expr::Or(any) => any.iter().any(|one| evaluate(one, told)),
        Expr::Not(inner) => !evaluate(inner, told),
        Expr::Macro(_) | Expr::Check(_) => told[&print::condition(expr)],
    }
}

fn evaluate_typed(condition: &Condition, told: &BTreeMap<String, bool>) -> bool {
    match condition {
        Condition::And(all) => all.iter().all(|one| evaluate_typed(one, told)),
        Condition::Or(any) => any.iter().any(|one| evaluate_typed(one, told)),
        Condition::Not(inner) => !evaluate_typed(inner, told),
        Condition::Check(_) => told[&print::typed(condition)],
    }
}

fn nests_alike(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) => {
            all.len() > 1
                && all.iter().all(|one| !matches!(one, Condition::And(_)) && nests_alike(one))
        }
        Condition::Or(any) => {
            any.len() > 1
                && any.iter().all(|one| !matches!(one, Condition::Or(_)) && nests_alike(one))
        }
        Condition::Not(inner) => !matches!(**inner, Condition::Not(_)) && nests_alike(inner),
        Condition::Check(_) => true,
    }
}

proptest! {
    #[test]
    fn binding_keeps_the_meaning(text in any_text(), truth: [bool; CHECKS.len()]) {
        let told = CHECKS.iter().map(|check| (*check).to_owned()).zip(truth).collect();
        let expr = parse::condition(&text).unwrap();
        let typed = bound(&text).condition;
        prop_assert_eq!(evaluate(&expr, &told), evaluate_typed(&typed, &told));
        prop_assert!(nests_alike(&typed));
    }

    #[test]
    fn what_is_printed_binds_to_the_same(text in any_text()) {
        let typed = bound(&text).condition;
        let printed = print::typed(&typed);
        prop_assert_eq!(&bound(&printed).condition, &typed, "{}", printed);
    }

    #[test]
    fn every_condition_is_bound_or_refused_with_places_in_it(
        left in "proc\\.[a-z]{2,6}|fd\\.s?(ip|net|port)|evt\\.(type|arg\\.[a-z]{3}|buffer|num)|len\\(proc\\.name\\)",
        operator in "=|!=|contains|bcontains|in|intersects|pmatch|regex|glob|= anyof|<",
        right in "5|-?[0-9]{1,30}|0x[0-9a-f]{1,40}|\"\\PC{0,10}\"|\\(\\)|\\([a-z]{3}, 10\\.0\\.0\\.[0-9]{1,4}\\)|val\\(proc\\.[a-z]{3,5}\\)",
    ) {
        let text = format!("{left} {operator} {right}");
        if let Ok(expr) = parse::condition(&text)
            && let Err(problems) = condition(&expr, &mut super::macros)
        {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(text.get(problem.span.clone()).is_some(), "{:?}", problem);
            }
        }
    }
}

#[test]
fn depth_and_size_are_counted() {
    let check = |text: &str, expected: (usize, (usize, usize))| {
        let condition = bound(text).condition;
        assert_eq!((depth(&condition), size(&condition)), expected, "{text}");
    };
    check("proc.pid exists", (0, (1, 0)));
    check("not proc.pid exists", (1, (1, 0)));
    check("proc.pid = 1 and (proc.pid in (2, 3) or not proc.pid = 4)", (3, (3, 4)));
    check(r#"join("-", (proc.name, 5)) = y"#, (0, (1, 5)));
}

#[test]
fn macros_cannot_make_a_condition_endless() {
    // Each is twice the one before it.
    let mut last = bound("proc.pid = 1").condition;
    let double = parse::condition("m and m").unwrap();
    let problems = loop {
        match condition(&double, &mut |_| Ok(last.clone())) {
            Ok(bound) => last = bound.condition,
            Err(problems) => break problems,
        }
    };
    assert_eq!(size(&last).0, MAX_CHECKS);
    let expected = format!("with its macros the condition has more than {MAX_CHECKS} checks");
    assert_eq!(problems[0].message, expected);

    // Each is deeper than the one before it.
    let mut last = bound("proc.pid = 1").condition;
    let deeper = parse::condition("not (m or proc.pid = 2)").unwrap();
    let problems = loop {
        match condition(&deeper, &mut |_| Ok(last.clone())) {
            Ok(bound) => last = bound.condition,
            Err(problems) => break problems,
        }
    };
    assert!(depth(&last) <= MAX_DEPTH && depth(&last) > MAX_DEPTH - 2);
    let expected =
        format!("with its macros the condition is nested deeper than {MAX_DEPTH} levels");
    assert_eq!(problems[0].message, expected);
}

#[test]
fn the_deepest_condition_fits_the_smallest_stack() {
    const STACK: usize = 2 << 20;
    let walk = || {
        let levels = MAX_DEPTH / 2;
        let text = format!(
            "{}proc.pid = 1{}",
            "proc.pid = 2 and (proc.pid = 3 or (".repeat(levels),
            "))".repeat(levels)
        );
        let calls =
            |levels| format!("{}proc.name{} = x", "tolower(".repeat(levels), ")".repeat(levels));
        let problems = try_bind(&calls(MAX_CALLS + 1)).unwrap_err();
        assert_eq!(problems[0].message, "transformers are nested deeper than 100 levels");
        for text in [text, calls(MAX_CALLS)] {
            let typed = try_bind(&text).unwrap().condition;
            let copy = typed.clone();
            assert!(copy == typed);
            assert_eq!(bind::size(&copy), bind::size(&typed));
            assert!(bound(&print::typed(&copy)).condition == typed);
        }
    };
    thread::Builder::new().stack_size(STACK).spawn(walk).unwrap().join().unwrap();
}
