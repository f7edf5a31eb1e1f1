//! Many tests of one text answered in one pass: which literals it equals, begins
//! with, ends with or holds, and which checks that answers.
//!
//! Every table is built from pairs of a literal and the node that it makes true.
//! Its memory is linear in them; a lookup neither allocates nor recurses.

mod affixes;
mod equal;
mod substrings;

pub(crate) use self::affixes::{Prefixes, Suffixes};
pub(crate) use self::equal::Equal;
pub(crate) use self::substrings::Substrings;

use std::ops::Range;

/// A literal and the node that becomes true when it is found.
pub(crate) type Pair<'text> = (&'text [u8], u32);

/// For each literal the nodes that it makes true.
#[derive(Debug, Default)]
struct Hits {
    nodes: Vec<u32>,
    /// Where the nodes of a literal begin; one more than there are literals.
    starts: Vec<u32>,
}

impl Hits {
    /// Sorts the pairs and joins those with the same literal: the distinct
    /// literals, and the nodes of each by its place among them.
    fn group<'text>(mut pairs: Vec<Pair<'text>>) -> (Vec<&'text [u8]>, Self) {
        pairs.sort_unstable();
        pairs.dedup();
        let mut texts: Vec<&[u8]> = Vec::new();
        let mut hits = Self::default();
        for (text, node) in pairs {
            if texts.last() != Some(&text) {
                texts.push(text);
                hits.starts.push(index(hits.nodes.len()));
            }
            hits.nodes.push(node);
        }
        hits.starts.push(index(hits.nodes.len()));
        (texts, hits)
    }

    /// The nodes of a literal.
    #[inline]
    fn of(&self, literal: usize) -> &[u32] {
        let range: Range<usize> = at(self.starts[literal])..at(self.starts[literal + 1]);
        &self.nodes[range]
    }
}

/// An index into a table as it is stored.
///
/// # Panics
///
/// If there are more than 2³² things in one table, which takes rule files of
/// gigabytes.
pub(crate) fn index(value: usize) -> u32 {
    u32::try_from(value).expect("rule files are smaller than 4 GiB")
}

/// A stored index as one to index with.
#[inline]
pub(crate) const fn at(value: u32) -> usize {
    value as usize
}

#[cfg(test)]
mod tests;
