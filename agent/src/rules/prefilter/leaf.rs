//! What a check says about a fact.

use std::collections::BTreeSet;

use super::allowed::{Allowed, MAX_RANGES, Values};
use super::clauses::Clauses;
use super::fact::{Domain, Fact};
use crate::rules::compile::{CheckKey, Literals, TestKey, TextTest};
use crate::rules::typed::{self, Comparison, Literal, Modifier, Operand};

/// What has to be so early for a check to hold, and what for it not to hold.
pub(super) fn of_check(key: &CheckKey, literals: &Literals) -> (Clauses, Clauses) {
    let unknown = (Clauses::always(), Clauses::always());
    let Operand::Field(field) = literals.operand(key.operand) else { return unknown };
    let Some(fact) = Fact::of(field) else { return unknown };
    let domain = fact.domain();
    let passing = match &key.test {
        TestKey::Exists => Passing::exactly(Values::all(domain)),
        TestKey::Texts(test, texts) => {
            let texts = texts.iter().map(|number| literals.text(*number).into());
            of_texts(fact, *test, texts.collect())
        }
        TestKey::Other(test) => of_test(fact, test),
    };
    let failing = if passing.exact { passing.values.complement() } else { Values::all(domain) };
    // A check holds only of a value, and fails without one.
    let holds = Allowed { missing: false, values: passing.values.bounded() };
    let fails = Allowed { missing: true, values: failing };
    (Clauses::fact(fact, holds), Clauses::fact(fact, fails))
}

/// The values that pass a test, or more than those.
struct Passing {
    values: Values,
    /// Whether it is not more.
    exact: bool,
}

impl Passing {
    const fn exactly(values: Values) -> Self {
        Self { values, exact: true }
    }

    const fn at_most(values: Values) -> Self {
        Self { values, exact: false }
    }

    /// Nothing is known but that there is a value.
    fn any(fact: Fact) -> Self {
        Self::at_most(Values::all(fact.domain()))
    }
}

fn of_texts(fact: Fact, test: TextTest, texts: BTreeSet<Box<[u8]>>) -> Passing {
    match (fact.domain(), test) {
        (Domain::Truth, TextTest::Equal) if fact == Fact::InContainer => in_container(&texts),
        (Domain::Text, TextTest::Equal) => {
            Passing::exactly(Values::Texts { listed: texts, others: false })
        }
        (Domain::Path, TextTest::Equal) => Passing::at_most(Values::Paths(texts)),
        (Domain::Path, TextTest::Prefix) => Passing::at_most(Values::Paths(texts)),
        _ => Passing::any(fact),
    }
}

/// Whether these identifiers stand for containers or for the host. Containers are not
/// told apart early, so of another one than these the same is known.
fn in_container(listed: &BTreeSet<Box<[u8]>>) -> Passing {
    let host = listed.iter().any(|id| Fact::is_host(id));
    let containers = listed.iter().any(|id| !Fact::is_host(id));
    Passing { values: Values::Truths { no: host, yes: containers }, exact: !containers }
}

fn of_test(fact: Fact, test: &typed::Test) -> Passing {
    let (operator, literals) = match test {
        typed::Test::In(literals) | typed::Test::Intersects(literals) => (Comparison::Eq, literals),
        typed::Test::Literal { operator, modifier: None, literals } => (*operator, literals),
        typed::Test::Literal {
            operator: Comparison::Eq,
            modifier: Some(Modifier::AnyOf),
            literals,
        } => (Comparison::Eq, literals),
        typed::Test::Exists => return Passing::exactly(Values::all(fact.domain())),
        typed::Test::Literal { .. }
        | typed::Test::Operand { .. }
        | typed::Test::InOperand { .. }
        | typed::Test::Pmatch(_) => return Passing::any(fact),
    };
    let each = literals.iter().map(|literal| of_literal(fact.domain(), operator, literal));
    // More than one only where one of them has to be equal.
    let joined = each.reduce(|one, other| {
        let (one, other) = (one?, other?);
        // Too many ranges are joined by what lies between them.
        let exact = one.exact && other.exact && literals.len() <= MAX_RANGES;
        Some(Passing { values: one.values.union(&other.values), exact })
    });
    joined.flatten().unwrap_or_else(|| Passing::any(fact))
}

/// The values that compare so with a literal, if that can be told.
fn of_literal(domain: Domain, operator: Comparison, literal: &Literal) -> Option<Passing> {
    Some(match (domain, literal) {
        (Domain::Number, Literal::Int(number)) => {
            Passing::exactly(Values::Numbers(ranges(operator, *number)?))
        }
        (Domain::Truth, Literal::Bool(truth)) => {
            let wanted = match operator {
                Comparison::Eq => *truth,
                Comparison::Ne => !truth,
                _ => return None,
            };
            Passing::exactly(Values::Truths { no: !wanted, yes: wanted })
        }
        (Domain::Path, Literal::Text(pattern)) if operator == Comparison::Glob => {
            // Up to the first wildcard a pattern is what a path begins with.
            let plain = pattern.iter().take_while(|byte| !b"*?[\\".contains(byte));
            Passing::at_most(Values::Paths([plain.copied().collect()].into()))
        }
        _ => return None,
    })
}

fn ranges(operator: Comparison, number: i128) -> Option<Vec<(i128, i128)>> {
    let below = number.checked_sub(1).map(|before| (i128::MIN, before));
    let above = number.checked_add(1).map(|after| (after, i128::MAX));
    Some(match operator {
        Comparison::Eq => vec![(number, number)],
        Comparison::Ne => below.into_iter().chain(above).collect(),
        Comparison::Lt => below.into_iter().collect(),
        Comparison::Le => vec![(i128::MIN, number)],
        Comparison::Gt => above.into_iter().collect(),
        Comparison::Ge => vec![(number, i128::MAX)],
        _ => return None,
    })
}
