//! What a part of a condition cannot hold without: one of a few checks of texts.
//!
//! Tables answer all checks of a text at once, so it is cheap to see which of these
//! failed, and a rule that lacks one need not be looked at.

use super::check::CheckKey;
use super::graph::{Edge, Graph, Node};
use super::texts::{at, index};

/// No more checks than this: what has more alternatives is likely to have one.
const MAX_CHECKS: usize = 12;

/// For every node what it needs to hold, and what it needs not to hold.
pub(crate) struct Needs {
    nodes: Vec<[Need; 2]>,
}

/// Nodes of checks of texts of which one has to hold; nothing if that is not known.
type Need = Option<Box<[u32]>>;

impl Needs {
    /// Finds out for all nodes. A node comes after all it refers to.
    pub(crate) fn new(graph: &Graph) -> Self {
        let mut needs = Self { nodes: Vec::with_capacity(graph.nodes().len()) };
        for (number, node) in graph.nodes().iter().enumerate() {
            let both = match node {
                Node::True => [None, None],
                Node::Check(check) => {
                    let in_table = CheckKey::group(&graph.checks()[at(*check)]).is_some();
                    [in_table.then(|| Box::from([index(number)])), None]
                }
                Node::And(range) => {
                    let children = graph.children(range);
                    let negated = children.iter().map(|edge| edge.negate_if(true));
                    [needs.of_all(children), needs.of_any(negated)]
                }
            };
            needs.nodes.push(both);
        }
        needs
    }

    /// What an edge needs to hold.
    pub(crate) fn of(&self, edge: Edge) -> Option<&[u32]> {
        self.nodes[edge.node()][usize::from(edge.negated())].as_deref()
    }

    /// All have to hold, so what one of them needs will do: the fewest.
    fn of_all(&self, edges: &[Edge]) -> Need {
        let needs = edges.iter().filter_map(|edge| self.of(*edge));
        needs.min_by_key(|nodes| nodes.len()).map(Box::from)
    }

    /// One has to hold, and with it one of what it needs.
    fn of_any(&self, edges: impl Iterator<Item = Edge>) -> Need {
        let mut all = Vec::new();
        for edge in edges {
            all.extend_from_slice(self.of(edge)?);
            if all.len() > MAX_CHECKS {
                return None;
            }
        }
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then(|| all.into())
    }
}
