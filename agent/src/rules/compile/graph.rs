//! The conditions of all rules as one graph in which equal parts are one node.
//!
//! There are only conjunctions, checks and negated edges: a disjunction is the
//! negation of a conjunction of negations. A node comes after all that it refers
//! to, so whoever goes through them in order needs no recursion.

use std::collections::HashMap;
use std::ops::Range;

use super::check::{CheckKey, Literals};
use super::texts::{at, index};

/// A node, or the negation of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Edge(u32);

impl Edge {
    /// What always holds.
    pub(crate) const TRUE: Self = Self(0);
    /// What never does.
    pub(crate) const FALSE: Self = Self(1);

    /// To a node.
    pub(crate) const fn to(node: u32) -> Self {
        Self(node << 1)
    }

    /// Where it leads.
    #[inline]
    pub(crate) const fn node(self) -> usize {
        at(self.0 >> 1)
    }

    /// Whether what is there has to be false.
    #[inline]
    pub(crate) const fn negated(self) -> bool {
        self.0 & 1 != 0
    }

    /// The contrary, if asked.
    pub(crate) const fn negate_if(self, negate: bool) -> Self {
        Self(self.0 ^ negate as u32)
    }
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// It holds.
    True,
    /// The check of that number.
    Check(u32),
    /// All of these hold: two or more, in [`Graph::children`].
    And(Range<u32>),
}

/// The graph, while it is built.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    children: Vec<Edge>,
    /// Longest way down from a node: 0 for what is no conjunction.
    heights: Vec<u32>,
    checks: Vec<CheckKey>,
    check_nodes: HashMap<CheckKey, u32>,
    /// The conjunctions, by the hash of their children.
    conjunctions: HashMap<Box<[Edge]>, u32>,
    literals: Literals,
}

/// Parts of a conjunction that are taken into another one.
const MAX_FLATTENED: usize = 64;

impl Graph {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::True],
            children: Vec::new(),
            heights: vec![0],
            checks: Vec::new(),
            check_nodes: HashMap::new(),
            conjunctions: HashMap::new(),
            literals: Literals::default(),
        }
    }

    /// The nodes, each after those it refers to.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The checks by their number.
    pub(crate) fn checks(&self) -> &[CheckKey] {
        &self.checks
    }

    /// What the checks refer to by number.
    pub(crate) fn literals(&self) -> &Literals {
        &self.literals
    }

    /// The same, to add to it.
    pub(crate) fn literals_mut(&mut self) -> &mut Literals {
        &mut self.literals
    }

    /// What a conjunction is of.
    pub(crate) fn children(&self, range: &Range<u32>) -> &[Edge] {
        &self.children[at(range.start)..at(range.end)]
    }

    /// The same, to put them into another order.
    pub(crate) fn children_mut(&mut self, range: &Range<u32>) -> &mut [Edge] {
        &mut self.children[at(range.start)..at(range.end)]
    }

    /// Longest way down from a node.
    pub(crate) fn height(&self, node: usize) -> u32 {
        self.heights[node]
    }

    /// The node of a check.
    pub(crate) fn check(&mut self, key: CheckKey) -> Edge {
        if let Some(node) = self.check_nodes.get(&key) {
            return Edge::to(*node);
        }
        let node = index(self.nodes.len());
        self.nodes.push(Node::Check(index(self.checks.len())));
        self.heights.push(0);
        self.checks.push(key.clone());
        self.check_nodes.insert(key, node);
        Edge::to(node)
    }

    /// The node of a conjunction of these; it may turn out to be simpler than one.
    pub(crate) fn and(&mut self, edges: &mut Vec<Edge>) -> Edge {
        self.flatten(edges);
        self.merge_refused(edges);
        edges.sort_unstable();
        edges.dedup();
        let contradicts = |pair: &[Edge]| pair[0].negate_if(true) == pair[1];
        if edges.contains(&Edge::FALSE) || edges.windows(2).any(contradicts) {
            return Edge::FALSE;
        }
        edges.retain(|edge| *edge != Edge::TRUE);
        match edges.as_slice() {
            [] => Edge::TRUE,
            [only] => *only,
            several => {
                if let Some(node) = self.conjunctions.get(several) {
                    return Edge::to(*node);
                }
                let node = index(self.nodes.len());
                let first = index(self.children.len());
                self.children.extend_from_slice(several);
                let height = several.iter().map(|edge| self.heights[edge.node()]).max();
                self.heights.push(height.unwrap_or(0) + 1);
                self.nodes.push(Node::And(first..index(self.children.len())));
                self.conjunctions.insert(several.into(), node);
                Edge::to(node)
            }
        }
    }

    /// Takes what a conjunction among them is of in its stead. Where alternatives fall
    /// away for a type of event one is left, and what it is of can guard a rule.
    fn flatten(&self, edges: &mut Vec<Edge>) {
        for at in 0..edges.len() {
            let Node::And(range) = &self.nodes[edges[at].node()] else { continue };
            // To copy a long one into many others would cost too much.
            if !edges[at].negated() && range.len() <= MAX_FLATTENED {
                let (first, rest) = self.children(range).split_at(1);
                edges[at] = first[0];
                edges.extend_from_slice(rest);
            }
        }
    }

    /// Makes one check of all refused ones that compare the same texts in the same
    /// way: `not a = x and not a = y` is `not a in (x, y)`. Disjunctions come here
    /// as well, as negated conjunctions.
    fn merge_refused(&mut self, edges: &mut Vec<Edge>) {
        let mut groups: HashMap<_, Vec<Edge>> = HashMap::new();
        for edge in edges.iter().filter(|edge| edge.negated()) {
            if let Some(group) = self.key_of(*edge).and_then(CheckKey::group) {
                groups.entry(group).or_default().push(*edge);
            }
        }
        groups.retain(|_, members| members.len() > 1);
        if groups.is_empty() {
            return;
        }
        edges.retain(|edge| {
            let group = self.key_of(*edge).and_then(CheckKey::group).filter(|_| edge.negated());
            group.is_none_or(|group| !groups.contains_key(&group))
        });
        // In the order of the nodes, so that the same rules give the same program.
        let mut groups: Vec<Vec<Edge>> = groups.into_values().collect();
        groups.sort_unstable();
        for members in groups {
            let keys = members.iter().filter_map(|edge| self.key_of(*edge));
            if let Some(key) = CheckKey::union(keys) {
                edges.push(self.check(key).negate_if(true));
            }
        }
    }

    fn key_of(&self, edge: Edge) -> Option<&CheckKey> {
        match self.nodes[edge.node()] {
            Node::Check(check) => Some(&self.checks[at(check)]),
            Node::True | Node::And(_) => None,
        }
    }
}
