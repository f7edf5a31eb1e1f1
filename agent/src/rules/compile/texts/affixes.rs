//! Which literals a text begins or ends with: a tree of them, walked byte by byte
//! until the text leaves it, which most do at once.

use std::ops::Range;

use super::{Hits, Pair, at, index};

/// Literals that a text may begin with.
#[derive(Debug)]
pub(crate) struct Prefixes(Tree);

/// Literals that a text may end with.
#[derive(Debug)]
pub(crate) struct Suffixes(Tree);

impl Prefixes {
    /// Builds the table.
    pub(crate) fn new(pairs: Vec<Pair<'_>>) -> Self {
        Self(Tree::new(pairs))
    }

    /// Names the nodes that this text makes true.
    pub(crate) fn find(&self, text: &[u8], found: impl FnMut(&[u32])) {
        self.0.walk(text.iter(), found);
    }
}

impl Suffixes {
    /// Builds the table.
    pub(crate) fn new(pairs: Vec<Pair<'_>>) -> Self {
        let turned: Vec<(Vec<u8>, u32)> = pairs
            .into_iter()
            .map(|(text, node)| (text.iter().rev().copied().collect(), node))
            .collect();
        Self(Tree::new(turned.iter().map(|(text, node)| (text.as_slice(), *node)).collect()))
    }

    /// Names the nodes that this text makes true.
    pub(crate) fn find(&self, text: &[u8], found: impl FnMut(&[u32])) {
        self.0.walk(text.iter().rev(), found);
    }
}

/// A tree in which no branch has a single child, so that it has fewer than two
/// branches for each literal.
#[derive(Debug)]
struct Tree {
    branches: Vec<Branch>,
    /// First byte of the branch of the same number: those of one parent stand
    /// together, sorted.
    firsts: Vec<u8>,
    /// What the branches stand for, one after another.
    bytes: Vec<u8>,
    hits: Hits,
}

#[derive(Debug, Default)]
struct Branch {
    /// What follows the first byte, in `bytes`.
    label: Range<u32>,
    /// Its children, in `branches`.
    children: Range<u32>,
    /// One more than the number of the literal that ends here, 0 if none does.
    literal: u32,
}

/// Literals that still have to be hung below a branch.
struct Below {
    branch: usize,
    /// Which literals, sorted.
    texts: Range<usize>,
    /// How many bytes they have in common with the branch.
    depth: usize,
}

impl Tree {
    fn new(pairs: Vec<Pair<'_>>) -> Self {
        let (texts, hits) = Hits::group(pairs);
        let mut tree =
            Self { branches: vec![Branch::default()], firsts: vec![0], bytes: Vec::new(), hits };
        let mut below = vec![Below { branch: 0, texts: 0..texts.len(), depth: 0 }];
        while let Some(Below { branch, texts: mut range, depth }) = below.pop() {
            if range.start < range.end && texts[range.start].len() == depth {
                tree.branches[branch].literal = index(range.start + 1);
                range.start += 1;
            }
            let first_child = tree.branches.len();
            while range.start < range.end {
                let begin = texts[range.start];
                let same = texts[range.clone()].partition_point(|text| text[depth] <= begin[depth]);
                let end = range.start + same;
                let last = texts[end - 1];
                // They are sorted: what the first and the last share, all share.
                let shared = begin.iter().zip(last).take_while(|(one, other)| one == other).count();
                let label = index(tree.bytes.len());
                tree.bytes.extend_from_slice(&begin[depth + 1..shared]);
                tree.firsts.push(begin[depth]);
                below.push(Below {
                    branch: tree.branches.len(),
                    texts: range.start..end,
                    depth: shared,
                });
                let label = label..index(tree.bytes.len());
                tree.branches.push(Branch { label, ..Branch::default() });
                range.start = end;
            }
            tree.branches[branch].children = index(first_child)..index(tree.branches.len());
        }
        tree
    }

    fn walk<'text>(
        &self,
        mut text: impl Iterator<Item = &'text u8>,
        mut found: impl FnMut(&[u32]),
    ) {
        let mut branch = &self.branches[0];
        loop {
            if branch.literal != 0 {
                found(self.hits.of(at(branch.literal) - 1));
            }
            let Some(first) = text.next() else { return };
            let children = at(branch.children.start)..at(branch.children.end);
            let firsts = &self.firsts[children.clone()];
            let Some(child) = firsts.iter().position(|byte| byte == first) else { return };
            branch = &self.branches[children.start + child];
            let label = &self.bytes[at(branch.label.start)..at(branch.label.end)];
            if !label.iter().all(|byte| text.next() == Some(byte)) {
                return;
            }
        }
    }
}
