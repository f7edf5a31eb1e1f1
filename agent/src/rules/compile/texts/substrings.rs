//! Which literals a text holds: first, quickly, whether any; only then which.

use aho_corasick::automaton::OverlappingState;
use aho_corasick::packed;
use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::{Hits, Pair};

/// Literals of one automaton. To build one takes more than proportionally long.
const MAX_LITERALS: usize = 4096;

/// Literals that a text may hold.
#[derive(Debug)]
pub(crate) struct Substrings {
    /// Tells whether one is there, if the literals are few.
    quick: Option<packed::Searcher>,
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
        let quick = if fold { None } else { packed::Searcher::new(&texts) };
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
        if self.quick.as_ref().is_some_and(|quick| quick.find(text).is_none()) {
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
