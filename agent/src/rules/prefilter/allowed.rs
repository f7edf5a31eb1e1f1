//! Sets of values of a fact, kept small: a set that would grow too large is replaced
//! by a larger one that is simpler.

use std::collections::BTreeSet;

use super::fact::{Domain, FactValue};

/// Texts that a set lists at most.
pub const MAX_TEXTS: usize = 16;
/// Bytes of a listed text at most; also of the beginning of a path.
pub const MAX_TEXT: usize = 64;
/// Ranges of numbers that a set has at most.
pub const MAX_RANGES: usize = 8;
/// Beginnings of paths that a set has at most.
pub const MAX_PREFIXES: usize = 16;

/// The values of a fact that are let through.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allowed {
    /// Whether an event is let through that has no value.
    pub missing: bool,
    /// Which values are let through.
    pub values: Values,
}

/// A set of values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// Of [`Domain::Truth`].
    Truths {
        /// Whether false is among them.
        no: bool,
        /// Whether true is among them.
        yes: bool,
    },
    /// Of [`Domain::Number`]: ranges from and to, sorted, that do not touch.
    Numbers(Vec<(i128, i128)>),
    /// Of [`Domain::Text`].
    Texts {
        /// Some texts.
        listed: BTreeSet<Box<[u8]>>,
        /// Whether it is all texts but those.
        others: bool,
    },
    /// Of [`Domain::Path`]: those that begin with one of these. An empty beginning
    /// stands for all paths.
    Paths(BTreeSet<Box<[u8]>>),
}

impl Allowed {
    /// Whether a value is among them, or the lack of one.
    #[must_use]
    pub fn admits(&self, value: Option<FactValue<'_>>) -> bool {
        value.map_or(self.missing, |value| self.values.contains(value))
    }

    /// True if it is every value and the lack of one.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.missing && self.values.is_all()
    }

    /// True if it is no value, nor the lack of one.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.missing && self.values.is_empty()
    }

    /// Whether all of the other one are among them.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        (self.missing || !other.missing) && self.values.includes(&other.values)
    }

    /// Those in one of the two, or more.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let missing = self.missing || other.missing;
        Self { missing, values: self.values.union(&other.values) }
    }

    /// Those in both, or more.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let missing = self.missing && other.missing;
        Self { missing, values: self.values.intersection(&other.values) }
    }
}

impl Values {
    /// All values of a domain.
    #[must_use]
    pub fn all(domain: Domain) -> Self {
        match domain {
            Domain::Truth => Self::Truths { no: true, yes: true },
            Domain::Number => Self::Numbers(vec![(i128::MIN, i128::MAX)]),
            Domain::Text => Self::Texts { listed: BTreeSet::new(), others: true },
            Domain::Path => Self::Paths([Box::default()].into()),
        }
    }

    /// Whether a value is among them.
    #[must_use]
    pub fn contains(&self, value: FactValue<'_>) -> bool {
        match (self, value) {
            (Self::Truths { no, yes }, FactValue::Truth(truth)) => {
                if truth {
                    *yes
                } else {
                    *no
                }
            }
            (Self::Numbers(ranges), FactValue::Number(number)) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&number))
            }
            (Self::Texts { listed, others }, FactValue::Text(text)) => {
                listed.contains(text) != *others
            }
            (Self::Paths(prefixes), FactValue::Text(path)) => {
                prefixes.iter().any(|prefix| path.starts_with(prefix))
            }
            // Whoever tells a value of another domain is let through.
            _ => true,
        }
    }

    /// True if it is every value.
    #[must_use]
    pub fn is_all(&self) -> bool {
        match self {
            Self::Truths { no, yes } => *no && *yes,
            Self::Numbers(ranges) => ranges.as_slice() == [(i128::MIN, i128::MAX)],
            Self::Texts { listed, others } => *others && listed.is_empty(),
            Self::Paths(prefixes) => prefixes.first().is_some_and(|prefix| prefix.is_empty()),
        }
    }

    /// True if it is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Truths { no, yes } => !no && !yes,
            Self::Numbers(ranges) => ranges.is_empty(),
            Self::Texts { listed, others } => !others && listed.is_empty(),
            Self::Paths(prefixes) => prefixes.is_empty(),
        }
    }

    /// Whether all of the other one are among them.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Truths { no, yes }, Self::Truths { no: other_no, yes: other_yes }) => {
                (*no || !other_no) && (*yes || !other_yes)
            }
            (Self::Numbers(ranges), Self::Numbers(others)) => {
                let holds = |(from, to): &(i128, i128)| {
                    ranges.iter().any(|(least, most)| least <= from && to <= most)
                };
                others.iter().all(holds)
            }
            (
                Self::Texts { listed, others },
                Self::Texts { listed: other_listed, others: other_others },
            ) => match (others, other_others) {
                (false, false) => other_listed.is_subset(listed),
                (true, true) => listed.is_subset(other_listed),
                (true, false) => listed.is_disjoint(other_listed),
                (false, true) => false,
            },
            (Self::Paths(prefixes), Self::Paths(others)) => {
                let begins = |path: &[u8]| prefixes.iter().any(|prefix| path.starts_with(prefix));
                others.iter().all(|path| begins(path))
            }
            _ => false,
        }
    }

    /// All values that are not among them, or more.
    #[must_use]
    pub fn complement(&self) -> Self {
        match self {
            Self::Truths { no, yes } => Self::Truths { no: !no, yes: !yes },
            Self::Numbers(ranges) => {
                let mut next = Some(i128::MIN);
                let mut between = Vec::new();
                for (from, to) in ranges {
                    if let (Some(next), Some(before)) = (next, from.checked_sub(1)) {
                        between.push((next, before));
                    }
                    next = to.checked_add(1);
                }
                between.extend(next.map(|next| (next, i128::MAX)));
                between.retain(|(from, to)| from <= to);
                Self::Numbers(between).bounded()
            }
            Self::Texts { listed, others } => {
                Self::Texts { listed: listed.clone(), others: !others }.bounded()
            }
            Self::Paths(_) => Self::all(Domain::Path),
        }
    }

    /// Those in one of the two, or more.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Truths { no, yes }, Self::Truths { no: other_no, yes: other_yes }) => {
                Self::Truths { no: *no || *other_no, yes: *yes || *other_yes }
            }
            (Self::Numbers(ranges), Self::Numbers(others)) => {
                Self::Numbers(ranges.iter().chain(others).copied().collect()).bounded()
            }
            (
                Self::Texts { listed, others },
                Self::Texts { listed: other_listed, others: other_others },
            ) => {
                let listed = match (others, other_others) {
                    (false, false) => listed | other_listed,
                    (true, true) => listed & other_listed,
                    (true, false) => listed - other_listed,
                    (false, true) => other_listed - listed,
                };
                Self::Texts { listed, others: *others || *other_others }.bounded()
            }
            (Self::Paths(prefixes), Self::Paths(others)) => {
                Self::Paths(prefixes | others).bounded()
            }
            // Values of two domains cannot be told apart.
            _ => self.everything(),
        }
    }

    /// Those in both, or more.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Truths { no, yes }, Self::Truths { no: other_no, yes: other_yes }) => {
                Self::Truths { no: *no && *other_no, yes: *yes && *other_yes }
            }
            (Self::Numbers(ranges), Self::Numbers(others)) => {
                let cut = |one: &(i128, i128)| {
                    let one = *one;
                    let cut = move |other: &(i128, i128)| (one.0.max(other.0), one.1.min(other.1));
                    others.iter().map(cut).filter(|(from, to)| from <= to)
                };
                Self::Numbers(ranges.iter().flat_map(cut).collect()).bounded()
            }
            (
                Self::Texts { listed, others },
                Self::Texts { listed: other_listed, others: other_others },
            ) => {
                let listed = match (others, other_others) {
                    (false, false) => listed & other_listed,
                    (true, true) => listed | other_listed,
                    (true, false) => other_listed - listed,
                    (false, true) => listed - other_listed,
                };
                Self::Texts { listed, others: *others && *other_others }.bounded()
            }
            (Self::Paths(prefixes), Self::Paths(others)) => {
                // What begins with both begins with the longer one.
                let mut both = BTreeSet::new();
                for one in prefixes {
                    both.extend(others.iter().filter(|other| other.starts_with(one)).cloned());
                    if others.iter().any(|other| one.starts_with(other)) {
                        both.insert(one.clone());
                    }
                }
                Self::Paths(both).bounded()
            }
            _ => self.everything(),
        }
    }

    /// All values of the same domain.
    fn everything(&self) -> Self {
        Self::all(match self {
            Self::Truths { .. } => Domain::Truth,
            Self::Numbers(_) => Domain::Number,
            Self::Texts { .. } => Domain::Text,
            Self::Paths(_) => Domain::Path,
        })
    }

    /// The same, or a larger set that keeps to the bounds.
    pub(super) fn bounded(self) -> Self {
        match self {
            Self::Truths { .. } => self,
            Self::Numbers(ranges) => Self::Numbers(bounded_ranges(ranges)),
            Self::Texts { mut listed, others: true } => {
                // To exclude less is to let more through.
                listed.retain(|text| text.len() <= MAX_TEXT);
                while listed.len() > MAX_TEXTS {
                    listed.pop_last();
                }
                Self::Texts { listed, others: true }
            }
            Self::Texts { listed, others: false } => {
                if listed.len() > MAX_TEXTS || listed.iter().any(|text| text.len() > MAX_TEXT) {
                    Self::all(Domain::Text)
                } else {
                    Self::Texts { listed, others: false }
                }
            }
            Self::Paths(prefixes) => Self::Paths(bounded_prefixes(prefixes)),
        }
    }
}

/// Sorts ranges, joins those that touch, and then those with the smallest gaps.
fn bounded_ranges(mut ranges: Vec<(i128, i128)>) -> Vec<(i128, i128)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let touch = kept.1 == i128::MAX || next.0 <= kept.1 + 1;
        if touch {
            kept.1 = kept.1.max(next.1);
        }
        touch
    });
    while ranges.len() > MAX_RANGES {
        let gap = |at: usize| ranges[at + 1].0.saturating_sub(ranges[at].1);
        let Some(narrow) = (0..ranges.len() - 1).min_by_key(|at| gap(*at)) else { break };
        ranges[narrow].1 = ranges[narrow + 1].1;
        ranges.remove(narrow + 1);
    }
    ranges
}

/// Leaves out what begins with another one, and cuts the longest until they are few
/// and short enough.
fn bounded_prefixes(prefixes: BTreeSet<Box<[u8]>>) -> BTreeSet<Box<[u8]>> {
    let shorten = |prefix: Box<[u8]>| prefix[..prefix.len().min(MAX_TEXT)].into();
    let mut prefixes = minimal(prefixes.into_iter().map(shorten).collect());
    while prefixes.len() > MAX_PREFIXES {
        let longest = prefixes.iter().map(|prefix| prefix.len()).max().unwrap_or(0);
        let cut = longest.saturating_sub(1);
        let shorten = |prefix: Box<[u8]>| prefix[..prefix.len().min(cut)].into();
        prefixes = minimal(prefixes.into_iter().map(shorten).collect());
    }
    prefixes
}

fn minimal(prefixes: BTreeSet<Box<[u8]>>) -> BTreeSet<Box<[u8]>> {
    let mut kept: Vec<Box<[u8]>> = Vec::new();
    // Sorted, so what a text begins with comes before it.
    for prefix in prefixes {
        if !kept.last().is_some_and(|last| prefix.starts_with(last)) {
            kept.push(prefix);
        }
    }
    kept.into_iter().collect()
}

impl Allowed {
    /// How much it lets through, from 0 for nothing to 1 for everything: a guess.
    pub(super) fn share(&self) -> f64 {
        let known = match &self.values {
            Values::Truths { no, yes } => 0.5 * f64::from(u8::from(*no) + u8::from(*yes)),
            values if values.is_empty() => 0.0,
            values if values.is_all() => 1.0,
            Values::Numbers(ranges) => {
                let single = ranges.iter().all(|(from, to)| from == to);
                if single { 0.1 } else { 0.5 }
            }
            Values::Texts { others: true, .. } => 0.9,
            Values::Texts { .. } => 0.1,
            Values::Paths(prefixes) => {
                // The longer they are, the less begins with them.
                let one = |prefix: &[u8]| {
                    1.0 / (1.0 + f64::from(u8::try_from(prefix.len()).unwrap_or(u8::MAX)))
                };
                prefixes.iter().map(|prefix| one(prefix)).sum::<f64>().min(0.9)
            }
        };
        if self.missing { 0.1 + 0.9 * known } else { 0.9 * known }
    }
}
