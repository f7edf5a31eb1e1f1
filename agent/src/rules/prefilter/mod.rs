//! What a sensor may drop early without a rule noticing.
//!
//! For each type of event a rule set comes down to a few conjunctions of [`Fact`]s,
//! of which one holds whenever a rule matches. They are bounded whatever the rules
//! say: at most [`MAX_CLAUSES`] conjunctions for a type, each with every fact once,
//! each fact with at most [`MAX_TEXTS`] texts, [`MAX_PREFIXES`] beginnings of paths or
//! [`MAX_RANGES`] ranges, no text longer than [`MAX_TEXT`] bytes. What does not fit
//! lets more through, never less. What is no early fact counts as true.
//!
//! Nothing here knows the kernel: it is plain data that a sensor reads.

mod allowed;
mod clauses;
mod fact;
mod leaf;
mod words;

use std::collections::HashMap;
use std::fmt;

pub use self::allowed::{Allowed, MAX_PREFIXES, MAX_RANGES, MAX_TEXT, MAX_TEXTS, Values};
use self::clauses::Clauses;
pub use self::clauses::{Clause, MAX_CLAUSES};
pub use self::fact::{Domain, Fact, FactValue};
use super::compile::{Edge, EventTypes, Graph, Node, at, lower};
use super::event::{Event, FieldRef};
use super::event_type::EventType;
use super::typed::Condition;

/// Parts of a condition from which on it is not weighed which of them to join.
const MANY: usize = 1_000;

/// What events have to be like for any rule to match them.
#[derive(Clone, Debug)]
pub struct Prefilter {
    /// For each type of event the number of its conjunctions, if a rule can match it.
    filter_of: Vec<Option<usize>>,
    filters: Vec<Vec<Clause>>,
    /// The fields of the facts, by fact.
    fields: Vec<FieldRef>,
}

impl Prefilter {
    /// Finds what can be told early about these conditions.
    #[must_use]
    pub fn new(conditions: &[&Condition]) -> Self {
        let mut graph = Graph::new();
        let mut edges_of: Vec<Vec<Edge>> = vec![Vec::new(); EventType::COUNT];
        for condition in conditions {
            for (event_type, edge) in lower(condition, &mut graph) {
                if edge != Edge::FALSE {
                    edges_of[event_type.index()].push(edge);
                }
            }
        }
        let truths = truths(&graph);
        let mut known: HashMap<Vec<Edge>, usize> = HashMap::new();
        let mut filters = Vec::new();
        let mut filter_of = Vec::with_capacity(EventType::COUNT);
        for mut edges in edges_of {
            edges.sort_unstable();
            edges.dedup();
            if edges.is_empty() {
                filter_of.push(None);
                continue;
            }
            let number = known.entry(edges).or_insert_with_key(|edges| {
                let mut any = Clauses::never();
                for edge in edges {
                    any.or(truths[edge.node()].of(*edge), edges.len() > MANY);
                }
                filters.push(any.into_clauses());
                filters.len() - 1
            });
            filter_of.push(Some(*number));
        }
        let fields = Fact::ALL.iter().map(|fact| fact.field()).collect();
        Self { filter_of, filters, fields }
    }

    /// The types of events that have to be made at all.
    #[must_use]
    pub fn event_types(&self) -> EventTypes {
        EventType::all().filter(|one| !self.clauses(*one).is_empty()).collect()
    }

    /// What an event of that type has to be like: one of these holds. Of none, no
    /// event of that type is wanted.
    #[must_use]
    pub fn clauses(&self, event_type: EventType) -> &[Clause] {
        let filter = self.filter_of[event_type.index()];
        filter.map_or(&[], |filter| &self.filters[filter])
    }

    /// Whether a rule may match an event.
    #[must_use]
    pub fn passes<E: Event + ?Sized>(&self, event: &E) -> bool {
        let admits = |(fact, allowed): &(Fact, Allowed)| {
            let field = Fact::ALL.iter().position(|known| known == fact);
            field.is_none_or(|at| allowed.admits(fact.value(&self.fields[at], event)))
        };
        self.clauses(event.event_type()).iter().any(|clause| clause.facts().iter().all(admits))
    }
}

/// In words: for each group of types of events, what lets one through.
impl fmt::Display for Prefilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, filter) in self.filters.iter().enumerate().filter(|(_, it)| !it.is_empty()) {
            let types: Vec<&str> = EventType::all()
                .filter(|one| self.filter_of[one.index()] == Some(number))
                .map(EventType::name)
                .collect();
            let types = match types.as_slice() {
                all if all.len() > EventType::COUNT / 2 => {
                    format!("{} types of events", all.len())
                }
                some => some.join(", "),
            };
            writeln!(out, "{types}")?;
            for (number, clause) in filter.iter().enumerate() {
                let or = if number > 0 { "or " } else { "" };
                if clause.facts().is_empty() {
                    writeln!(out, "  {or}always")?;
                    continue;
                }
                let facts: Vec<String> = clause
                    .facts()
                    .iter()
                    .map(|(fact, allowed)| words::InWords(*fact, allowed).to_string())
                    .collect();
                writeln!(out, "  {or}if {}", facts.join(" and "))?;
            }
        }
        Ok(())
    }
}

/// What has to be so early for a node to hold, and what for it not to hold.
struct Truths {
    holds: Clauses,
    fails: Clauses,
}

impl Truths {
    const fn of(&self, edge: Edge) -> &Clauses {
        if edge.negated() { &self.fails } else { &self.holds }
    }
}

/// What every node comes down to. A node comes after all it refers to.
fn truths(graph: &Graph) -> Vec<Truths> {
    let mut truths: Vec<Truths> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let truth = match node {
            Node::True => Truths { holds: Clauses::always(), fails: Clauses::never() },
            Node::Check(check) => {
                let (holds, fails) = leaf::of_check(&graph.checks()[at(*check)], graph.literals());
                Truths { holds, fails }
            }
            Node::And(range) => {
                let (mut holds, mut fails) = (Clauses::always(), Clauses::never());
                let children = graph.children(range);
                for edge in children {
                    let hastily = children.len() > MANY;
                    holds.and(truths[edge.node()].of(*edge), hastily);
                    fails.or(truths[edge.node()].of(edge.negate_if(true)), hastily);
                }
                Truths { holds, fails }
            }
        };
        truths.push(truth);
    }
    truths
}

#[cfg(test)]
mod tests;
