//! Guesses of what a check costs and how often it holds, by which the cheap and
//! selective are asked first. They change how long an event takes, never what it
//! matches.

use super::check::{CheckKey, Literals, TestKey, TextTest, shape};
use super::graph::{Edge, Graph, Node};
use super::texts::at;
use crate::rules::field::{FieldId, Shape};
use crate::rules::typed::{Comparison, Literal, Modifier, Operand, Test};

/// The guesses for every node.
pub(crate) struct Estimates {
    nodes: Vec<Estimate>,
}

/// A guess.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    /// Nanoseconds.
    cost: f32,
    /// How often it holds, 0 to 1.
    chance: f32,
}

impl Estimates {
    /// Guesses, and puts what conjunctions are of in the order in which it is best
    /// asked.
    pub(crate) fn new(graph: &mut Graph) -> Self {
        let mut estimates = Self { nodes: Vec::with_capacity(graph.nodes().len()) };
        for number in 0..graph.nodes().len() {
            let estimate = match graph.nodes()[number].clone() {
                Node::True => Estimate { cost: 0.1, chance: 1.0 },
                Node::Check(check) => of_check(&graph.checks()[at(check)], graph.literals()),
                Node::And(range) => {
                    let children = graph.children_mut(&range);
                    // Exchanging two neighbours gains nothing in this order.
                    let rank = |edge: &Edge| {
                        estimates.cost(*edge) / (1.0 - estimates.chance(*edge)).max(0.001)
                    };
                    children.sort_by(|one, other| rank(one).total_cmp(&rank(other)));
                    estimates.of_all(children)
                }
            };
            estimates.nodes.push(estimate);
        }
        estimates
    }

    /// Nanoseconds that asking takes.
    pub(crate) fn cost(&self, edge: Edge) -> f32 {
        self.nodes[edge.node()].cost
    }

    /// How often it holds.
    pub(crate) fn chance(&self, edge: Edge) -> f32 {
        let chance = self.nodes[edge.node()].chance;
        if edge.negated() { 1.0 - chance } else { chance }
    }

    fn of_all(&self, children: &[Edge]) -> Estimate {
        let mut all = Estimate { cost: 1.0, chance: 1.0 };
        for child in children {
            all.cost += all.chance * self.cost(*child);
            all.chance *= self.chance(*child);
        }
        all
    }
}

fn of_check(key: &CheckKey, literals: &Literals) -> Estimate {
    let operand = literals.operand(key.operand);
    let values = match shape(operand) {
        Shape::One => 1.0,
        Shape::Ends => 2.0,
        Shape::Ancestors | Shape::List => 5.0,
    };
    let (fetch, usual) = match operand {
        Operand::Field(field) => (4.0, usual(field.id)),
        Operand::Text(_) | Operand::Call(..) | Operand::List(_) => (100.0, None),
    };
    let (test, chance) = match &key.test {
        TestKey::Exists => (0.0, 0.9),
        TestKey::Texts(test, texts) => {
            let literals: f32 = texts.iter().take(32).map(|_| 1.0).sum();
            match test {
                TextTest::Equal => (12.0, usual.unwrap_or((0.01 * literals).min(0.1))),
                TextTest::Prefix | TextTest::Suffix => (12.0, (0.02 * literals).min(0.2)),
                TextTest::Substring => (20.0, (0.01 * literals).min(0.1)),
                TextTest::FoldedSubstring => (80.0, (0.01 * literals).min(0.1)),
            }
        }
        TestKey::Other(test) => {
            let (cost, chance) = of_test(test);
            (cost, usual.map_or(chance, |usual| toward(test, usual)))
        }
    };
    Estimate { cost: values * (fetch + test), chance }
}

/// How often a field has the value that rules ask for, where that is not what its
/// type suggests.
const fn usual(field: FieldId) -> Option<f32> {
    match field {
        // Rules about files ask for files, and for calls that did not fail.
        FieldId::FdTypechar | FieldId::FdType => Some(0.8),
        FieldId::FdNum | FieldId::EvtRawres | FieldId::EvtRes => Some(0.9),
        FieldId::FdNameChanged | FieldId::FdConnected => Some(0.8),
        FieldId::EvtIsOpenRead => Some(0.7),
        FieldId::EvtIsOpenWrite => Some(0.2),
        FieldId::EvtIsOpenExec => Some(0.02),
        FieldId::ContainerId => Some(0.3),
        _ => None,
    }
}

/// The chance of a test of a field that usually is as rules ask.
fn toward(test: &Test, usual: f32) -> f32 {
    match test {
        Test::Literal { operator: Comparison::Ne, .. } => 1.0 - usual,
        Test::Literal { operator: Comparison::Lt | Comparison::Le, .. } => 1.0 - usual,
        Test::Literal { operator: Comparison::Eq, literals, .. } => match literals.as_slice() {
            [Literal::Bool(false)] => 1.0 - usual,
            _ => usual,
        },
        _ => usual,
    }
}

/// Nanoseconds for a value, and how often it passes.
fn of_test(test: &Test) -> (f32, f32) {
    match test {
        Test::Exists => (0.0, 0.8),
        Test::Literal { operator, modifier, literals } => {
            let (cost, chance) = match operator {
                Comparison::Eq => (2.0, 0.3),
                Comparison::Ne => (2.0, 0.7),
                Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge => (2.0, 0.5),
                Comparison::StartsWith | Comparison::EndsWith => (4.0, 0.1),
                Comparison::Contains | Comparison::IContains => (50.0, 0.1),
                Comparison::Glob | Comparison::IGlob => (60.0, 0.1),
                Comparison::Regex => (200.0, 0.1),
            };
            let number: f32 = literals.iter().take(1_000).map(|_| 1.0).sum();
            match modifier {
                None | Some(Modifier::AnyOf) => (cost * number, chance),
                Some(Modifier::OneOf | Modifier::AllOf) => (cost * number, chance * 0.5),
            }
        }
        Test::In(_) | Test::Intersects(_) => (8.0, 0.2),
        Test::InOperand { .. } => (50.0, 0.2),
        Test::Operand { .. } => (20.0, 0.3),
        Test::Pmatch(paths) => {
            let number: f32 = paths.iter().take(1_000).map(|_| 1.0).sum();
            (10.0 + 5.0 * number, 0.1)
        }
    }
}
