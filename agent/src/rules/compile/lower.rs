//! Conditions into the graph, once for all types of events that a condition does
//! not tell apart: checks of `evt.type` become true or false there.

use std::collections::HashMap;
use std::slice;

use super::check::{CheckKey, Reduced, implied_by, reduce};
use super::event_types::{EventTypes, event_types, is_evt_type, never_holds};
use super::graph::{Edge, Graph};
use super::hosts::HostSets;
use super::single::Single;
use crate::rules::event_type::EventType;
use crate::rules::field::Shape;
use crate::rules::typed::{Check, Condition, Operand, Test};
use crate::rules::value::Value;

/// A condition is not told apart by types of events if it has more checks of
/// `evt.type` than this: it would be lowered once for every type.
const MAX_TYPE_CHECKS: usize = 256;
/// Nor if lowering it for all types would visit more nodes than this.
const MAX_VISITS: usize = 1 << 22;

/// Lowers a condition: for the types of events that it can match, what has to hold.
pub(crate) fn lower(condition: &Condition, graph: &mut Graph) -> Vec<(EventType, Edge)> {
    let types = event_types(condition);
    let survey = Survey::of(condition);
    let mut known: HashMap<Vec<bool>, Edge> = HashMap::new();
    let mut lowered = Vec::new();
    let folds = survey.type_checks.len() <= MAX_TYPE_CHECKS
        && survey.nodes.saturating_mul(survey.variants(&types)) <= MAX_VISITS;
    for event_type in types.iter() {
        let truths = if folds { survey.truths(event_type) } else { Vec::new() };
        let edge = match known.get(&truths) {
            Some(edge) => *edge,
            None => {
                let truth = |check: &Check| {
                    let number = survey.numbers.get(check).filter(|_| folds)?;
                    truths.get(*number).copied()
                };
                let edge = lower_with(condition, &truth, graph);
                known.insert(truths, edge);
                edge
            }
        };
        lowered.push((event_type, edge));
    }
    lowered
}

/// What is known of a condition before it is lowered.
struct Survey<'condition> {
    nodes: usize,
    type_checks: Vec<Single>,
    numbers: HashMap<&'condition Check, usize>,
}

impl<'condition> Survey<'condition> {
    fn of(condition: &'condition Condition) -> Self {
        let mut survey = Self { nodes: 0, type_checks: Vec::new(), numbers: HashMap::new() };
        let mut open = vec![condition];
        while let Some(condition) = open.pop() {
            survey.nodes += 1;
            match condition {
                Condition::And(children) | Condition::Or(children) => open.extend(children),
                Condition::Not(inner) => open.push(inner),
                Condition::Check(check) => survey.add(check),
            }
        }
        survey
    }

    fn add(&mut self, check: &'condition Check) {
        let Operand::Field(field) = &check.left else { return };
        if !is_evt_type(field) || self.numbers.contains_key(check) {
            return;
        }
        let compared = !matches!(check.test, Test::Operand { .. } | Test::InOperand { .. });
        if compared {
            self.numbers.insert(check, self.type_checks.len());
            self.type_checks.push(Single::new(&check.test, Shape::One, &mut HostSets::default()));
        }
    }

    fn truths(&self, event_type: EventType) -> Vec<bool> {
        let name = Value::Text(event_type.name().as_bytes());
        self.type_checks.iter().map(|check| check.holds_alone(name)).collect()
    }

    /// In how many ways the types of events make the checks true or false.
    fn variants(&self, types: &EventTypes) -> usize {
        // Each check can at most double their number.
        let doubled =
            u32::try_from(self.type_checks.len()).map_or(u32::MAX, |number| number.min(31));
        types.len().min(1 << doubled)
    }
}

/// A conjunction or disjunction that is being lowered.
struct Open<'condition> {
    rest: slice::Iter<'condition, Condition>,
    negated: bool,
    /// Whether it is a conjunction, negation taken into account.
    all: bool,
    /// Where its parts begin among all that wait.
    first: usize,
    /// It is a part of one of the same kind and leaves its own parts to that one.
    joins: bool,
}

/// Conditions may be nested deeper than the stack is, so this does not recurse.
fn lower_with(
    condition: &Condition,
    truth: &impl Fn(&Check) -> Option<bool>,
    graph: &mut Graph,
) -> Edge {
    let mut open: Vec<Open<'_>> = Vec::new();
    // Parts of all that is open. Those of a disjunction wait negated.
    let mut parts: Vec<Edge> = Vec::new();
    let mut scratch = Vec::new();
    let (mut current, mut negated) = (condition, false);
    loop {
        let mut finished = None;
        match current {
            Condition::Not(inner) => {
                (current, negated) = (inner, !negated);
                continue;
            }
            Condition::Check(check) => {
                let known = truth(check).or_else(|| never_holds(check).then_some(false));
                let edge = known.map_or_else(|| leaf(check, graph), constant);
                finished = Some(edge.negate_if(negated));
            }
            Condition::And(children) | Condition::Or(children) => {
                let all = matches!(current, Condition::And(_)) != negated;
                let joins = open.last().is_some_and(|outer| outer.all == all);
                let rest = children.iter();
                open.push(Open { rest, negated, all, first: parts.len(), joins });
            }
        }
        loop {
            let Some(top) = open.last_mut() else { return finished.unwrap_or(Edge::TRUE) };
            if let Some(edge) = finished.take() {
                parts.push(edge.negate_if(!top.all));
            }
            if let Some(next) = top.rest.next() {
                (current, negated) = (next, top.negated);
                break;
            }
            if !top.joins {
                scratch.clear();
                scratch.extend(parts.drain(top.first..));
                finished = Some(graph.and(&mut scratch).negate_if(!top.all));
            }
            open.pop();
        }
    }
}

const fn constant(truth: bool) -> Edge {
    if truth { Edge::TRUE } else { Edge::FALSE }
}

fn leaf(check: &Check, graph: &mut Graph) -> Edge {
    match reduce(check, graph.literals_mut()) {
        Reduced::Never => Edge::FALSE,
        Reduced::Same(key) => {
            let implied = implied_by(&key, graph.literals_mut());
            let check = graph.check(key);
            match implied {
                Some(implied) => {
                    let implied = graph.check(implied);
                    graph.and(&mut vec![implied, check])
                }
                None => check,
            }
        }
        Reduced::Without(key) => {
            let exists = graph.check(CheckKey::exists(key.operand));
            let same = graph.check(key);
            graph.and(&mut vec![exists, same.negate_if(true)])
        }
    }
}
