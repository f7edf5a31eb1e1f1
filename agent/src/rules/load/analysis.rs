//! Rules that can never fire: their condition cannot hold, or an earlier rule always
//! matches first.
//!
//! Whoever is warned here is warned rightly: a condition is said never to hold, or to
//! imply another, only where that follows from its form. What takes knowing what
//! values an event can have is not found, save that `evt.dir` is always `<`.
//!
//! A missing value makes every check of it false. So of a check and the opposite
//! check (`=` and `!=`) both may be false, but not both true; and `not` of a check
//! that holds never holds.

use std::collections::HashMap;

use super::Options;
use super::findings::{Findings, Named};
use crate::rules::bind::of_direction;
use crate::rules::compile::event_types;
use crate::rules::diagnostic::Code;
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::field::Shape;
use crate::rules::rule::Matching;
use crate::rules::rule::Rule;
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test};

/// Comparisons of checks in a load. The official files take some 100,000; where
/// there are more, the rules that are left are not looked at.
const MAX_STEPS: usize = 20_000_000;
/// More types of events than this are told, as Falco does.
const MANY_TYPES: usize = 100;

/// A rule with its place.
pub(super) struct Judged {
    /// The rule.
    pub(super) rule: Rule,
    /// Its name and place.
    pub(super) named: Named,
}

/// Warns of rules that can never fire, and of those that are asked about nearly every
/// event.
pub(super) fn judge(rules: Vec<Judged>, options: &Options, findings: &mut Findings) -> Vec<Rule> {
    let mut steps = Steps(MAX_STEPS);
    let mut candidates: Vec<&Judged> = Vec::new();
    for judged in &rules {
        let Judged { rule, named } = judged;
        let around = std::slice::from_ref(named);
        let types = event_types(&rule.condition);
        if types.is_empty() || never(&rule.condition, &mut steps) {
            let message =
                format!("the rule `{}` can never fire: its condition never holds", rule.name);
            let help = if types.is_empty() {
                "no type of event (`evt.type`) fits all of the condition"
            } else {
                "look for parts joined by `and` that exclude each other, and for empty lists"
            };
            findings.add(Code::NeverMatches, named.spot, around, message, Some(help));
            continue;
        }
        if rule.warn_evttypes && types.len() > MANY_TYPES {
            let message =
                format!("the rule `{}` is asked about nearly every type of event", rule.name);
            let help = "add `evt.type in (…) and` to its condition, or `warn_evttypes: false`";
            findings.add(Code::NoEvtType, named.spot, around, message, Some(help));
        }
        if rule.enabled {
            candidates.push(judged);
        }
    }
    if options.matching == Matching::First {
        shadows(&candidates, &mut steps, findings);
    }
    rules.into_iter().map(|judged| judged.rule).collect()
}

fn shadows(rules: &[&Judged], steps: &mut Steps, findings: &mut Findings) {
    // Only rules that want a type of event in common can shadow each other, so each
    // is held against those that want its first type.
    let mut wanting: HashMap<usize, Vec<&Judged>> = HashMap::new();
    for &later in rules {
        let types = event_types(&later.rule.condition);
        let first = types.iter().next().map(EventType::index);
        let earlier = first.and_then(|first| wanting.get(&first)).into_iter().flatten().copied();
        let shadow = { earlier }.find(|earlier| {
            earlier.rule.source == later.rule.source
                && implies(&later.rule.condition, &earlier.rule.condition, steps)
        });
        if let Some(earlier) = shadow {
            let named = &later.named;
            let message = format!(
                "the rule `{}` never fires: whatever it matches, the rule `{}` matches first",
                later.rule.name, earlier.rule.name
            );
            let place = findings.told(earlier.named.spot, named.spot);
            let help = format!(
                "that rule is {place}; put this one before it, or narrow the condition of that one"
            );
            let around = std::slice::from_ref(named);
            findings.add(Code::Shadowed, named.spot, around, message, Some(help));
            continue;
        }
        for event_type in types.iter() {
            wanting.entry(event_type.index()).or_default().push(later);
        }
    }
}

/// How much may still be compared.
struct Steps(usize);

impl Steps {
    /// Takes some; false if there are none left.
    fn take(&mut self, count: usize) -> bool {
        self.0 = self.0.saturating_sub(count.max(1));
        self.0 > 0
    }
}

/// True if the condition certainly holds for no event.
fn never(condition: &Condition, steps: &mut Steps) -> bool {
    if !steps.take(1) {
        return false;
    }
    match condition {
        Condition::Or(any) => any.iter().all(|one| never(one, steps)),
        Condition::And(all) => all.iter().any(|one| never(one, steps)) || excluded(all, steps),
        Condition::Not(inner) => always(inner),
        Condition::Check(check) if of_direction(check) == Some(false) => true,
        Condition::Check(check) => match &check.test {
            Test::In(literals) | Test::Intersects(literals) => literals.is_empty(),
            Test::Pmatch(paths) => paths.is_empty(),
            Test::Exists | Test::Literal { .. } | Test::Operand { .. } | Test::InOperand { .. } => {
                false
            }
        },
    }
}

/// True if the condition certainly holds for every event.
fn always(condition: &Condition) -> bool {
    match condition {
        Condition::And(all) => all.iter().all(always),
        Condition::Or(any) => any.iter().any(always),
        Condition::Check(check) => of_direction(check) == Some(true),
        // What may be missing holds for no event that lacks it.
        Condition::Not(_) => false,
    }
}

/// True if two of these exclude each other: one is the other's `not`, or they ask of a
/// field that has one value for values without one in common.
fn excluded(all: &[Condition], steps: &mut Steps) -> bool {
    let holds = |condition: &Condition, steps: &mut Steps| {
        all.iter().any(|other| other != condition && implies(other, condition, steps))
    };
    let negated = all.iter().any(|one| match one {
        Condition::Not(inner) => all.contains(inner) || holds(inner, steps),
        Condition::And(_) | Condition::Or(_) | Condition::Check(_) => false,
    });
    if negated {
        return true;
    }
    let mut allowed: HashMap<&FieldRef, Vec<&Literal>> = HashMap::new();
    for one in all {
        let Condition::Check(check) = one else { continue };
        let Some((field, values)) = values(check) else { continue };
        let exact = values.iter().all(is_exact);
        if !exact || !steps.take(values.len()) {
            continue;
        }
        let these = allowed.entry(field).or_insert_with(|| values.iter().collect());
        if !steps.take(these.len() * values.len().min(64)) {
            return false;
        }
        these.retain(|value| values.contains(value));
        if these.is_empty() {
            return true;
        }
    }
    // `x != a` with `x = a`; the other values were excluded above.
    all.iter().any(|one| match one {
        Condition::Check(Check {
            left: Operand::Field(field),
            test: Test::Literal { operator: Comparison::Ne, modifier: None, literals },
        }) => allowed.get(field).is_some_and(|values| {
            !values.is_empty() && values.iter().all(|value| literals.contains(value))
        }),
        _ => false,
    })
}

/// The field that a check asks to be one of some values, if the field has no more
/// than one value at a time.
fn values(check: &Check) -> Option<(&FieldRef, &[Literal])> {
    let Operand::Field(field) = &check.left else { return None };
    match &check.test {
        Test::Literal { operator: Comparison::Eq, modifier: None, literals }
        | Test::In(literals)
        | Test::Intersects(literals) => is_single(field).then_some((field, literals.as_slice())),
        _ => None,
    }
}

/// True if a field has at most one value for an event.
fn is_single(field: &FieldRef) -> bool {
    match field.id.spec().shape {
        Shape::One => true,
        Shape::Ancestors => matches!(field.argument, Argument::Index(_)),
        Shape::Ends | Shape::List => false,
    }
}

/// True if a value equals the literal only if it is the same.
fn is_exact(literal: &Literal) -> bool {
    match literal {
        Literal::Bool(_) | Literal::Int(_) | Literal::Text(_) => true,
        Literal::Double(_) | Literal::Ip(_) | Literal::Net(_) | Literal::Host(_) => false,
    }
}

/// True if `other` certainly holds wherever `one` does.
fn implies(one: &Condition, other: &Condition, steps: &mut Steps) -> bool {
    if !steps.take(1) {
        return false;
    }
    if one == other {
        return true;
    }
    match (one, other) {
        (_, Condition::And(all)) => all.iter().all(|inner| implies(one, inner, steps)),
        (Condition::Or(any), _) => any.iter().all(|inner| implies(inner, other, steps)),
        (Condition::And(all), Condition::Or(any)) => {
            any.iter().any(|inner| implies(one, inner, steps))
                || all.iter().any(|inner| implies(inner, other, steps))
        }
        (_, Condition::Or(any)) => any.iter().any(|inner| implies(one, inner, steps)),
        (Condition::And(all), _) => all.iter().any(|inner| implies(inner, other, steps)),
        (Condition::Not(one), Condition::Not(other)) => implies(other, one, steps),
        (Condition::Check(one), Condition::Check(other)) => stricter(one, other, steps),
        (Condition::Not(_), Condition::Check(_)) | (Condition::Check(_), Condition::Not(_)) => {
            false
        }
    }
}

/// True if a check asks for no more than another.
fn stricter(one: &Check, other: &Check, steps: &mut Steps) -> bool {
    if one.left != other.left {
        return false;
    }
    // Every check asks that there is a value.
    if other.test == Test::Exists {
        return true;
    }
    let (Some((field, fewer)), Some((_, more))) = (values(one), values(other)) else {
        return prefixes(one, other);
    };
    let sorted = more.is_sorted();
    let has = |value: &Literal| {
        if sorted { more.binary_search(value).is_ok() } else { more.contains(value) }
    };
    let cost = if sorted { fewer.len() } else { fewer.len() * more.len() };
    is_single(field) && !fewer.is_empty() && steps.take(cost) && fewer.iter().all(has)
}

/// The same for beginnings, ends and parts of texts.
fn prefixes(one: &Check, other: &Check) -> bool {
    let text = |check: &Check| match &check.test {
        Test::Literal { operator, modifier: None, literals } => match literals.as_slice() {
            [Literal::Text(text)] => Some((*operator, text.clone())),
            _ => None,
        },
        _ => None,
    };
    let (Some((stricter, longer)), Some((asked, shorter))) = (text(one), text(other)) else {
        return false;
    };
    let holds = || longer.windows(shorter.len().max(1)).any(|part| *part == *shorter);
    match (stricter, asked) {
        (Comparison::Eq | Comparison::StartsWith, Comparison::StartsWith) => {
            longer.starts_with(&shorter)
        }
        (Comparison::Eq | Comparison::EndsWith, Comparison::EndsWith) => longer.ends_with(&shorter),
        (
            Comparison::Eq | Comparison::StartsWith | Comparison::EndsWith | Comparison::Contains,
            Comparison::Contains,
        ) => shorter.is_empty() || holds(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_STEPS, Steps, implies, never};
    use crate::rules::typed::Condition;
    use crate::rules::{bind, parse};

    fn condition(text: &str) -> Condition {
        let expression = parse::condition(text).unwrap();
        bind::condition(&expression, &mut |_| unreachable!()).unwrap().condition
    }

    #[test]
    fn what_never_holds() {
        let check = |text: &str, expected: bool| {
            let found = never(&condition(text), &mut Steps(MAX_STEPS));
            assert_eq!(found, expected, "{text}");
        };
        check("proc.name = a and proc.name = b", true);
        check("proc.name = a and proc.name in (b, c)", true);
        check("proc.name = a and proc.name != a", true);
        check("proc.name in (a, b) and proc.name != a", false);
        check("proc.name = a and not proc.name = a", true);
        check("proc.name = a and not proc.name in (a, b)", true);
        check("proc.name = a and not proc.name in (b, c)", false);
        check("proc.name in ()", true);
        check("proc.name in () or fd.name = a", false);
        check("proc.name in () or fd.name in ()", true);
        check("fd.num = 1 and (fd.num = 2 or fd.num = 3 and fd.num = 4)", false);
        check("fd.num = 1 and fd.num = 2 or fd.num = 3 and fd.num = 4", true);
        check("proc.aname[2] = a and proc.aname[2] = b", true);
        // Different ancestors, different ends.
        check("proc.aname = a and proc.aname = b", false);
        check("proc.aname[1] = a and proc.aname[2] = b", false);
        check("fd.ip = 1.2.3.4 and fd.ip = 1.2.3.5", false);
        // Both may lack a value.
        check("not proc.name = a and not proc.name != a", false);
        check("not proc.name in ()", false);
        check("evt.dir = >", true);
        check("evt.dir = <", false);
        check("evt.dir = > and proc.name = a", true);
        check("evt.dir = > or proc.name = a", false);
        check("not evt.dir = <", true);
        check("not evt.dir in (<, >)", true);
        check("not evt.dir = >", false);
        check("not (evt.dir = < or proc.name = a)", true);
        check("not (evt.dir = < and proc.name = a)", false);
        check("proc.name startswith a and proc.name = b", false);
    }

    #[test]
    fn what_implies_what() {
        let check = |one: &str, other: &str, expected: bool| {
            let found = implies(&condition(one), &condition(other), &mut Steps(MAX_STEPS));
            assert_eq!(found, expected, "{one} → {other}");
        };
        check("proc.name = a", "proc.name = a", true);
        check("proc.name = a and fd.num = 1", "proc.name = a", true);
        check("fd.num = 1 and proc.name = a", "proc.name = a and fd.num = 1", true);
        check("proc.name = a", "proc.name = a and fd.num = 1", false);
        check("proc.name = a", "proc.name = a or fd.num = 1", true);
        check("proc.name = a or fd.num = 1", "proc.name = a", false);
        check("proc.name = a", "proc.name in (b, a)", true);
        check("proc.name in (a, b)", "proc.name in (c, b, a)", true);
        check("proc.name in (a, d)", "proc.name in (c, b, a)", false);
        check("proc.name = a", "proc.name exists", true);
        check("proc.name exists", "proc.name = a", false);
        check("not proc.name in (a, b)", "not proc.name = a", true);
        check("not proc.name = a", "not proc.name in (a, b)", false);
        // A process without a name does not differ from `a`.
        check("not proc.name = a", "proc.name != a", false);
        check("fd.name startswith /etc/ssh", "fd.name startswith /etc", true);
        check("fd.name startswith /etc", "fd.name startswith /etc/ssh", false);
        check("fd.name = /etc/ssh/x", "fd.name contains ssh", true);
        check("fd.name endswith .pem", "fd.name endswith pem", true);
        check("fd.name endswith .pem", "fd.name startswith .pem", false);
        check("(proc.name = a or proc.name = b) and fd.num = 1", "proc.name in (a, b)", true);
        check("proc.aname = a", "proc.aname in (a, b)", false);
    }

    #[test]
    fn steps_are_bounded() {
        let all: Vec<String> = (0..3000).map(|nth| format!("fd.name contains {nth}x")).collect();
        let condition = condition(&all.join(" and "));
        let other = super::Condition::Or(vec![condition.clone(), condition.clone()]);
        let mut steps = Steps(1000);
        assert!(
            !implies(&other, &super::Condition::And(vec![other.clone()]), &mut steps)
                || steps.0 > 0
        );
        let mut steps = Steps(1000);
        never(&condition, &mut steps);
    }
}
