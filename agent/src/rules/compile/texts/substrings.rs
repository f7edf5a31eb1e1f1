//! Which literals a text holds: first, quickly, whether any; only then which.

use aho_corasick::automaton::OverlappingState;
use aho_corasick::packed;
use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::{Hits, Pair};

/// Literals of one automaton. To build one takes more than proportionally long.
const MAX_LITERALS: usize = 4096;

/// Bytes whose case is folded at once.
const FOLDED: usize = 256;
/// Longest literal that is looked for in folded bytes: what the pieces have in common is
/// looked at twice.
const MAX_FOLDED: usize = FOLDED / 4;

/// Literals that a text may hold.
#[derive(Debug)]
pub(crate) struct Substrings {
    /// Tells whether one is there, if the literals are few.
    quick: Option<Quick>,
    /// Tell which ones are, each for its part of the literals.
    all: Vec<AhoCorasick>,
    hits: Hits,
}

impl Substrings {
    /// Builds the table; `fold` disregards ASCII case.
    ///
    /// # Panics
    ///
    /// If the literals have 2³¹ bytes.
    pub(crate) fn new(pairs: Vec<Pair<'_>>, fold: bool) -> Self {
        let (texts, hits) = Hits::group(pairs);
        let quick = Quick::new(&texts, fold);
        let build = |part: &[&[u8]]| {
            AhoCorasick::builder()
                .ascii_case_insensitive(fold)
                .match_kind(MatchKind::Standard)
                .build(part)
                .expect("rule files are smaller than 2 GiB")
        };
        Self { quick, all: texts.chunks(MAX_LITERALS).map(build).collect(), hits }
    }

    /// Names the nodes that this text makes true, perhaps more than once.
    pub(crate) fn find(&self, text: &[u8], mut found: impl FnMut(&[u32])) {
        if self.quick.as_ref().is_some_and(|quick| !quick.finds(text)) {
            return;
        }
        for (part, automaton) in self.all.iter().enumerate() {
            let input = Input::new(text);
            let mut state = OverlappingState::start();
            loop {
                automaton.find_overlapping(input.clone(), &mut state);
                let Some(literal) = state.get_match() else { break };
                found(self.hits.of(part * MAX_LITERALS + literal.pattern().as_usize()));
            }
        }
    }
}

/// Finds out many times faster than an automaton that no literal is there.
#[derive(Debug)]
struct Quick {
    searcher: packed::Searcher,
    /// Where ASCII case does not matter: bytes that the end of a piece of the text and
    /// the beginning of the next have in common.
    overlap: Option<usize>,
}

impl Quick {
    fn new(literals: &[&[u8]], fold: bool) -> Option<Self> {
        if !fold {
            return Some(Self { searcher: packed::Searcher::new(literals)?, overlap: None });
        }
        let longest = literals.iter().map(|literal| literal.len()).max()?;
        if longest > MAX_FOLDED {
            return None;
        }
        let folded: Vec<Vec<u8>> = literals.iter().map(|it| it.to_ascii_lowercase()).collect();
        let searcher = packed::Searcher::new(&folded)?;
        Some(Self { searcher, overlap: Some(longest.saturating_sub(1)) })
    }

    fn finds(&self, text: &[u8]) -> bool {
        let Some(overlap) = self.overlap else { return self.searcher.find(text).is_some() };
        let mut folded = [0; FOLDED];
        let mut rest = text;
        loop {
            let piece = &rest[..rest.len().min(FOLDED)];
            let folded = &mut folded[..piece.len()];
            folded.copy_from_slice(piece);
            folded.make_ascii_lowercase();
            if self.searcher.find(&*folded).is_some() {
                return true;
            }
            if piece.len() == rest.len() {
                return false;
            }
            rest = &rest[piece.len() - overlap..];
        }
    }
}
