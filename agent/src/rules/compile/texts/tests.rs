use proptest::collection::vec;
use proptest::prelude::{Strategy, proptest};
use proptest::{prop_assert_eq, prop_oneof};

use super::{Equal, Pair, Prefixes, Substrings, Suffixes};

/// Short texts of few letters, so that they meet; some longer than a word.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let letter = || prop_oneof![4 => b'a'..=b'b', 1 => 0_u8..=255];
    prop_oneof![6 => vec(letter(), 0..6), 1 => vec(letter(), 6..80)]
}

fn pairs(literals: &[Vec<u8>]) -> Vec<Pair<'_>> {
    (0..).zip(literals).map(|(node, literal)| (literal.as_slice(), node)).collect()
}

/// The numbers of the literals for which it holds.
fn expected(literals: &[Vec<u8>], holds: impl Fn(&[u8]) -> bool) -> Vec<u32> {
    (0..).zip(literals).filter(|(_, literal)| holds(literal)).map(|(node, _)| node).collect()
}

fn sorted(find: impl FnOnce(&mut Vec<u32>)) -> Vec<u32> {
    let mut nodes = Vec::new();
    find(&mut nodes);
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

fn holds(text: &[u8], literal: &[u8]) -> bool {
    literal.is_empty() || text.windows(literal.len()).any(|part| part == literal)
}

proptest! {
    #[test]
    fn every_table_finds_what_looking_one_by_one_finds(
        literals in vec(text(), 0..40),
        text in text(),
        pick in 0_usize..80,
    ) {
        // Often a text that is among the literals.
        let text = literals.get(pick).unwrap_or(&text);
        let find = |nodes: &mut Vec<u32>| nodes.extend(Equal::new(pairs(&literals)).find(text));
        prop_assert_eq!(sorted(find), expected(&literals, |literal| literal == text));

        let table = Prefixes::new(pairs(&literals));
        let found = sorted(|nodes| table.find(text, |more| nodes.extend(more)));
        prop_assert_eq!(found, expected(&literals, |literal| text.starts_with(literal)));

        let table = Suffixes::new(pairs(&literals));
        let found = sorted(|nodes| table.find(text, |more| nodes.extend(more)));
        prop_assert_eq!(found, expected(&literals, |literal| text.ends_with(literal)));

        let table = Substrings::new(pairs(&literals), false);
        let found = sorted(|nodes| table.find(text, |more| nodes.extend(more)));
        prop_assert_eq!(found, expected(&literals, |literal| holds(text, literal)));

        let table = Substrings::new(pairs(&literals), true);
        let found = sorted(|nodes| table.find(text, |more| nodes.extend(more)));
        let (lower, folded) = (text.to_ascii_lowercase(), |literal: &[u8]| literal.to_ascii_lowercase());
        prop_assert_eq!(found, expected(&literals, |literal| holds(&lower, &folded(literal))));
    }
}

#[test]
fn literals_are_found_anywhere_in_a_long_text_whatever_their_case() {
    let literals: Vec<Vec<u8>> = [&b"GLIBC_TUNABLES"[..], b"http_PROXY"].map(<[u8]>::to_vec).into();
    let table = Substrings::new(pairs(&literals), true);
    let found = |text: &[u8]| sorted(|nodes| table.find(text, |more| nodes.extend(more)));
    for at in 0..1_000 {
        let mut text = vec![b'a'; 1_100];
        assert_eq!(found(&text), [] as [u32; 0]);
        text[at..at + 10].copy_from_slice(b"HTTP_proxy");
        assert_eq!(found(&text), [1], "{at}");
        text[at + 9] = b'_';
        assert_eq!(found(&text), [] as [u32; 0], "{at}");
    }
}

#[test]
fn long_literals_share_no_memory_with_their_number() {
    // Each begins with all before it: the tree must not copy them into each other.
    let literals: Vec<Vec<u8>> = (0..2_000).map(|length| vec![b'x'; length]).collect();
    let table = Prefixes::new(pairs(&literals));
    let found = sorted(|nodes| table.find(&[b'x'; 1_000], |more| nodes.extend(more)));
    assert_eq!(found.len(), 1_001);
}
