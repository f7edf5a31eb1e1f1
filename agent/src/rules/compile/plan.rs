//! What is done for one type of event: which rules are asked, and what is asked
//! first so that most of them fall out at once.
//!
//! Rules that look at the same type of event share what they begin with: that a
//! file was opened for writing, that it happened in a container. Such parts are
//! the guards of the type, and so are the few texts of which a rule needs one. A guard
//! that does not hold refuses all rules that need it, with one operation on a set of
//! bits.

use std::collections::{HashMap, HashSet};

use super::check::TextTest;
use super::estimate::Estimates;
use super::graph::{Edge, Graph, Node};
use super::needs::Needs;
use super::texts::{at, index};

/// No more guards than this: each is asked for every event that still has rules
/// which need it.
const MAX_GUARDS: usize = 128;
/// Parts that are weighed against each other; the others are not worth it alone.
const MAX_CANDIDATES: usize = 512;
/// Rules refused for a nanosecond below which it is better to look at the rules: that
/// takes some 30 ns each.
const MIN_WORTH: f32 = 0.03;
/// Nanoseconds to look at what a table has answered.
const LOOK: f32 = 1.5;
/// Longest way down that evaluation takes in one go, as it recurses.
pub(crate) const MAX_HEIGHT: u32 = 32;

/// What is done for a type of event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The rules in the order in which they were loaded.
    pub(crate) rules: Box<[PlannedRule]>,
    /// In the order in which they are asked.
    pub(crate) guards: Box<[Guard]>,
    /// For each guard the rules that need it, a bit each: as many words as
    /// [`words`](Self::words) for the first guard, then for the second.
    pub(crate) needed_by: Box<[u64]>,
}

/// A rule within a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedRule {
    /// The caller's number of it.
    pub(crate) rule: usize,
    /// What has to hold.
    pub(crate) edge: Edge,
    /// Nodes to evaluate before, in this order, where the condition is nested
    /// deeper than [`MAX_HEIGHT`].
    pub(crate) steps: Box<[u32]>,
}

/// Something that the conditions of some rules cannot hold without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// This holds.
    Edge(Edge),
    /// One of these checks of texts holds: their nodes, each with its table.
    Texts(Box<[(u32, u32)]>),
}

/// What guards are chosen by.
pub(crate) struct Choice<'graph> {
    pub(crate) graph: &'graph Graph,
    pub(crate) estimates: &'graph Estimates,
    pub(crate) needs: &'graph Needs,
}

impl Plan {
    /// Words of a set of rules.
    pub(crate) fn words(&self) -> usize {
        self.rules.len().div_ceil(64)
    }

    /// Plans for these rules, which are in load order.
    pub(crate) fn new(rules: &[(usize, Edge)], choice: &Choice<'_>) -> Self {
        let rules: Box<[PlannedRule]> = rules
            .iter()
            .map(|(rule, edge)| PlannedRule {
                rule: *rule,
                edge: *edge,
                steps: steps(*edge, choice.graph),
            })
            .collect();
        let mut plan = Self { rules, guards: Box::default(), needed_by: Box::default() };
        plan.choose_guards(choice);
        plan
    }

    /// Takes again and again what refuses most for its cost.
    fn choose_guards(&mut self, choice: &Choice<'_>) {
        // How likely each rule is still to be asked.
        let mut alive = vec![1.0_f32; self.rules.len()];
        let mut asked = HashSet::new();
        let mut candidates = self.candidates(choice);
        candidates.sort_by(|one, other| other.gain(&alive).total_cmp(&one.gain(&alive)));
        candidates.truncate(MAX_CANDIDATES);
        let mut guards = Vec::new();
        let mut needed_by = Vec::new();
        while guards.len() < MAX_GUARDS {
            // What asking a table is good for, over all that look at its answer.
            let mut gains: HashMap<Group, f32> = HashMap::new();
            for candidate in &candidates {
                let gain = candidate.gain(&alive);
                candidate
                    .tables
                    .iter()
                    .for_each(|(group, _)| *gains.entry(*group).or_default() += gain);
            }
            let worth = |candidate: &Candidate| candidate.worth(&alive, &asked, &gains);
            let best = (0..candidates.len())
                .map(|number| (number, worth(&candidates[number])))
                .max_by(|one, other| one.1.total_cmp(&other.1));
            let Some((best, worth)) = best else { break };
            if worth < MIN_WORTH {
                break;
            }
            let chosen = candidates.swap_remove(best);
            let first = needed_by.len();
            needed_by.resize(first + self.words(), 0_u64);
            for rule in &chosen.rules {
                let rule = at(*rule);
                needed_by[first + rule / 64] |= 1 << (rule % 64);
                alive[rule] *= chosen.chance;
            }
            asked.extend(chosen.tables.iter().map(|(group, _)| *group));
            guards.push(chosen.guard);
        }
        self.guards = guards.into();
        self.needed_by = needed_by.into();
    }

    /// All parts of the rules' conditions that could guard them.
    fn candidates(&self, choice: &Choice<'_>) -> Vec<Candidate> {
        let mut parts: HashMap<Part<'_>, Vec<u32>> = HashMap::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let edges = match &choice.graph.nodes()[rule.edge.node()] {
                Node::And(range) if !rule.edge.negated() => choice.graph.children(range),
                Node::And(_) | Node::Check(_) | Node::True => std::slice::from_ref(&rule.edge),
            };
            for edge in edges {
                let part = match choice.needs.of(*edge) {
                    Some(nodes) => Part::Texts(nodes),
                    None if choice.graph.height(edge.node()) < MAX_HEIGHT => Part::Edge(*edge),
                    None => continue,
                };
                let rules = parts.entry(part).or_default();
                if rules.last() != Some(&index(number)) {
                    rules.push(index(number));
                }
            }
        }
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_unstable();
        parts.into_iter().map(|(part, rules)| Candidate::new(&part, rules, choice)).collect()
    }
}

/// A part of the conditions of some rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part<'graph> {
    Edge(Edge),
    Texts(&'graph [u32]),
}

/// What one table answers.
type Group = (u32, TextTest);

/// What may become a guard.
struct Candidate {
    guard: Guard,
    rules: Vec<u32>,
    /// How often it holds.
    chance: f32,
    /// Nanoseconds to ask it, when the tables are asked.
    cost: f32,
    /// The tables it looks at, and what it takes to ask each.
    tables: Vec<(Group, f32)>,
}

impl Candidate {
    fn new(part: &Part<'_>, rules: Vec<u32>, choice: &Choice<'_>) -> Self {
        match part {
            Part::Edge(edge) => Self {
                guard: Guard::Edge(*edge),
                rules,
                chance: choice.estimates.chance(*edge),
                cost: choice.estimates.cost(*edge),
                tables: Vec::new(),
            },
            Part::Texts(nodes) => {
                let none = nodes.iter().map(|node| 1.0 - choice.chance(*node)).product::<f32>();
                let group =
                    |node: &u32| choice.group(*node).map(|group| (group, choice.cost(*node)));
                let mut tables: Vec<(Group, f32)> = nodes.iter().filter_map(group).collect();
                tables.sort_unstable_by_key(|(group, _)| *group);
                tables.dedup_by_key(|(group, _)| *group);
                // The tables are numbered later.
                let guard = Guard::Texts(nodes.iter().map(|node| (0, *node)).collect());
                let cost = nodes.iter().map(|_| LOOK).sum();
                Self { guard, rules, chance: 1.0 - none, cost, tables }
            }
        }
    }

    /// How many rules it refuses.
    fn gain(&self, alive: &[f32]) -> f32 {
        self.rules.iter().map(|rule| alive[at(*rule)]).sum::<f32>() * (1.0 - self.chance)
    }

    /// How many rules it refuses for each nanosecond. A table is paid for by all that
    /// look at its answer, in proportion to what they gain.
    fn worth(&self, alive: &[f32], asked: &HashSet<Group>, gains: &HashMap<Group, f32>) -> f32 {
        let gain = self.gain(alive);
        let open = self.tables.iter().filter(|(group, _)| !asked.contains(group));
        let share = |(group, cost): &(Group, f32)| cost * gain / gains[group].max(gain);
        gain / (self.cost + open.map(share).sum::<f32>())
    }
}

impl Choice<'_> {
    /// Which table answers the check of a node.
    fn group(&self, node: u32) -> Option<(u32, TextTest)> {
        match &self.graph.nodes()[at(node)] {
            Node::Check(check) => self.graph.checks()[at(*check)].group(),
            Node::True | Node::And(_) => None,
        }
    }

    fn chance(&self, node: u32) -> f32 {
        self.estimates.chance(Edge::to(node))
    }

    fn cost(&self, node: u32) -> f32 {
        self.estimates.cost(Edge::to(node))
    }
}

/// Nodes below a deep one, so chosen and ordered that from each to the next known
/// ones it is never further than [`MAX_HEIGHT`].
fn steps(edge: Edge, graph: &Graph) -> Box<[u32]> {
    if graph.height(edge.node()) < MAX_HEIGHT {
        return Box::default();
    }
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![edge.node()];
    while let Some(node) = open.pop() {
        // A shallow node leads to no step.
        if graph.height(node) < MAX_HEIGHT || !seen.insert(node) {
            continue;
        }
        if graph.height(node).is_multiple_of(MAX_HEIGHT) {
            found.push(index(node));
        }
        if let Node::And(range) = &graph.nodes()[node] {
            open.extend(graph.children(range).iter().map(|edge| edge.node()));
        }
    }
    // A node comes after all it refers to.
    found.sort_unstable();
    found.into()
}
