//! Which literals a text equals: one, found by its hash.

use super::{Hits, Pair, at, index};

/// Literals that a text is compared with as a whole.
#[derive(Debug)]
pub(crate) struct Equal {
    /// One more than the number of the literal there, 0 where there is none. The
    /// length is a power of two, at least twice the number of literals.
    slots: Box<[Slot]>,
    /// The literals one after another.
    bytes: Box<[u8]>,
    /// Where a literal begins; one more than there are.
    starts: Box<[u32]>,
    hits: Hits,
    /// A bit for each length that a literal has; the last for all longer ones.
    lengths: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    literal: u32,
    hash: u32,
}

impl Equal {
    /// Builds the table.
    pub(crate) fn new(pairs: Vec<Pair<'_>>) -> Self {
        let (texts, hits) = Hits::group(pairs);
        let mut slots = vec![Slot::default(); (texts.len() * 2).next_power_of_two()];
        let mut starts = vec![0];
        let mut bytes = Vec::new();
        let mut lengths = 0;
        for (number, text) in texts.iter().enumerate() {
            bytes.extend_from_slice(text);
            starts.push(index(bytes.len()));
            lengths |= length_bit(text);
            let hash = hash(text);
            let mut slot = at(hash) & (slots.len() - 1);
            while slots[slot].literal != 0 {
                slot = (slot + 1) & (slots.len() - 1);
            }
            slots[slot] = Slot { literal: index(number + 1), hash };
        }
        Self { slots: slots.into(), bytes: bytes.into(), starts: starts.into(), hits, lengths }
    }

    /// The nodes that this text makes true.
    #[inline]
    pub(crate) fn find(&self, text: &[u8]) -> &[u32] {
        if self.lengths & length_bit(text) == 0 {
            return &[];
        }
        if self.starts.len() == 2 {
            return if self.is_literal(0, text) { self.hits.of(0) } else { &[] };
        }
        let hash = hash(text);
        let mask = self.slots.len() - 1;
        let mut at_slot = at(hash) & mask;
        loop {
            let slot = self.slots[at_slot];
            if slot.literal == 0 {
                return &[];
            }
            let number = at(slot.literal) - 1;
            if slot.hash == hash && self.is_literal(number, text) {
                return self.hits.of(number);
            }
            at_slot = (at_slot + 1) & mask;
        }
    }

    #[inline]
    fn is_literal(&self, number: usize, text: &[u8]) -> bool {
        let literal = &self.bytes[at(self.starts[number])..at(self.starts[number + 1])];
        // Most are short: to compare them takes less time than to call who does it.
        let (words, rest) = literal.as_chunks::<8>();
        let (other_words, other_rest) = text.as_chunks::<8>();
        literal.len() == text.len()
            && words.iter().zip(other_words).all(|(one, other)| one == other)
            && rest.iter().zip(other_rest).all(|(one, other)| one == other)
    }
}

const fn length_bit(text: &[u8]) -> u64 {
    let length = if text.len() < 63 { text.len() } else { 63 };
    1 << length
}

/// Mixes sixteen bytes at a time. The literals come from rule files, not from those
/// who make events, so nobody can choose what collides.
fn hash(text: &[u8]) -> u32 {
    let (pairs, rest) = text.as_chunks::<16>();
    let mut hash = MIX[0] ^ text.len() as u64;
    for pair in pairs {
        let (low, high) = halves(pair);
        hash = mix(low ^ hash, high ^ MIX[1]);
    }
    // What is left, with some of what went before if there is that.
    let (low, high) = match (rest, text.last_chunk::<16>()) {
        ([], _) => (0, 0),
        (_, Some(last)) => halves(last),
        (rest, None) => match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (rest.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
        },
    };
    let [_, _, _, _, high @ ..] = mix(low ^ hash, high ^ MIX[2]).to_le_bytes();
    u32::from_le_bytes(high)
}

/// Odd numbers without a pattern.
const MIX: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93, 0xa076_1d64_78bd_642f];

fn mix(one: u64, other: u64) -> u64 {
    let product = (u128::from(one) * u128::from(other)).to_le_bytes();
    let (low, high) = halves(&product);
    low ^ high
}

fn halves(bytes: &[u8; 16]) -> (u64, u64) {
    let [b0, b1, b2, b3, b4, b5, b6, b7, high @ ..] = *bytes;
    (u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]), u64::from_le_bytes(high))
}
