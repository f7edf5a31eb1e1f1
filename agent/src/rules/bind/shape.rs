//! Conditions put together so that equal ones become equal values.

use crate::rules::typed::{Condition, Operand, Test};

/// All of these; `and` inside is taken apart.
pub(super) fn and(of: impl Iterator<Item = Condition>) -> Condition {
    let mut all = Vec::new();
    for one in of {
        match one {
            Condition::And(inner) => all.extend(inner),
            other => all.push(other),
        }
    }
    only(&mut all).unwrap_or(Condition::And(all))
}

/// One of these; `or` inside is taken apart.
pub(super) fn or(of: impl Iterator<Item = Condition>) -> Condition {
    let mut any = Vec::new();
    for one in of {
        match one {
            Condition::Or(inner) => any.extend(inner),
            other => any.push(other),
        }
    }
    only(&mut any).unwrap_or(Condition::Or(any))
}

fn only(of: &mut Vec<Condition>) -> Option<Condition> {
    if of.len() == 1 { of.pop() } else { None }
}

/// Not this; a double negation is none.
pub(super) fn not(of: Condition) -> Condition {
    match of {
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

/// How many levels of `and`, `or` and `not` a condition has above its deepest check.
#[must_use]
pub fn depth(condition: &Condition) -> usize {
    let mut deepest = 0;
    let mut open = vec![(condition, 0)];
    while let Some((one, level)) = open.pop() {
        deepest = deepest.max(level);
        match one {
            Condition::And(of) | Condition::Or(of) => {
                open.extend(of.iter().map(|inner| (inner, level + 1)));
            }
            Condition::Not(inner) => open.push((inner, level + 1)),
            Condition::Check(_) => {}
        }
    }
    deepest
}

/// How many checks and how many literals a condition has, arguments of transformers
/// counted as literals.
#[must_use]
pub fn size(condition: &Condition) -> (usize, usize) {
    let (mut checks, mut literals) = (0, 0);
    let mut open = vec![condition];
    while let Some(one) = open.pop() {
        match one {
            Condition::And(of) | Condition::Or(of) => open.extend(of),
            Condition::Not(inner) => open.push(inner),
            Condition::Check(check) => {
                checks += 1;
                literals += arguments(&check.left) + of_test(&check.test);
            }
        }
    }
    (checks, literals)
}

fn of_test(test: &Test) -> usize {
    match test {
        Test::Exists => 0,
        Test::Literal { literals, .. } | Test::In(literals) | Test::Intersects(literals) => {
            literals.len()
        }
        Test::Operand { right, .. } | Test::InOperand { right, .. } => arguments(right),
        Test::Pmatch(paths) => paths.len(),
    }
}

fn arguments(operand: &Operand) -> usize {
    let mut count = 0;
    let mut open = vec![operand];
    while let Some(one) = open.pop() {
        if let Operand::Call(_, of) | Operand::List(of) = one {
            count += of.len();
            open.extend(of);
        }
    }
    count
}
