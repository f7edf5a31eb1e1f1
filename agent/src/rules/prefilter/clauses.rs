//! Disjunctions of conjunctions of facts, kept small: two conjunctions that are too
//! many are replaced by one that holds whenever one of them does.

use std::mem;

use super::allowed::Allowed;
use super::fact::Fact;

/// Conjunctions that are kept for one type of event at most.
pub const MAX_CLAUSES: usize = 16;

/// A conjunction: what some facts have to be. Of no facts: it always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Clause {
    /// Sorted, each fact once, none that may be anything.
    facts: Vec<(Fact, Allowed)>,
}

/// A disjunction of conjunctions. Of none: it never holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Clauses(Vec<Clause>);

impl Clause {
    /// What the facts have to be, sorted by fact.
    #[must_use]
    pub fn facts(&self) -> &[(Fact, Allowed)] {
        &self.facts
    }

    fn get(&self, fact: Fact) -> Option<&Allowed> {
        self.facts.iter().find(|(known, _)| *known == fact).map(|(_, allowed)| allowed)
    }

    /// What holds if both do, or more; nothing if both cannot hold.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (fact, allowed) in &other.facts {
            match both.facts.binary_search_by_key(fact, |(fact, _)| *fact) {
                Ok(at) => {
                    let joined = both.facts[at].1.intersection(allowed);
                    if joined.is_nothing() {
                        return None;
                    }
                    both.facts[at].1 = joined;
                }
                Err(at) => both.facts.insert(at, (*fact, allowed.clone())),
            }
        }
        Some(both)
    }

    /// What holds if one of them does, or more.
    fn or(&self, other: &Self) -> Self {
        let mut either = Self::default();
        for (fact, allowed) in &self.facts {
            let joined = other.get(*fact).map(|other| allowed.union(other));
            either
                .facts
                .extend(joined.filter(|joined| !joined.is_anything()).map(|it| (*fact, it)));
        }
        either
    }

    /// Whether this one holds whenever the other does, as far as can be seen.
    fn covers(&self, other: &Self) -> bool {
        self.facts
            .iter()
            .all(|(fact, allowed)| other.get(*fact).is_some_and(|narrow| allowed.includes(narrow)))
    }

    /// How much it lets through, from 0 for nothing to 1 for everything: a guess, to
    /// choose what to join.
    fn share(&self) -> f64 {
        self.facts.iter().map(|(_, allowed)| allowed.share()).product()
    }
}

impl Clauses {
    /// What always holds.
    pub(super) fn always() -> Self {
        Self(vec![Clause::default()])
    }

    /// What never does.
    pub(super) const fn never() -> Self {
        Self(Vec::new())
    }

    /// What holds if a fact is so.
    pub(super) fn fact(fact: Fact, allowed: Allowed) -> Self {
        if allowed.is_anything() {
            return Self::always();
        }
        if allowed.is_nothing() {
            return Self::never();
        }
        Self(vec![Clause { facts: vec![(fact, allowed)] }])
    }

    /// True if it always holds.
    pub(super) fn is_always(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only.facts.is_empty())
    }

    /// The conjunctions.
    pub(super) fn into_clauses(self) -> Vec<Clause> {
        self.0
    }

    /// Makes it what holds if both do, or more; perhaps more than need be, if it is to
    /// be done hastily.
    pub(super) fn and(&mut self, other: &Self, hastily: bool) {
        if other.is_always() {
            return;
        }
        let mut both = Self::never();
        for one in mem::take(&mut self.0) {
            both.0.extend(other.0.iter().filter_map(|other| one.and(other)));
        }
        both.reduce(hastily);
        *self = both;
    }

    /// Makes it what holds if one of them does, or more, as [`and`](Self::and) does.
    pub(super) fn or(&mut self, other: &Self, hastily: bool) {
        if self.is_always() {
            return;
        }
        self.0.extend_from_slice(&other.0);
        self.reduce(hastily);
    }

    /// Drops conjunctions that another one covers, then joins pairs until they are
    /// few enough: each time the pair whose joining lets through the least more.
    fn reduce(&mut self, hastily: bool) {
        let mut kept: Vec<Clause> = Vec::new();
        for clause in mem::take(&mut self.0) {
            if !kept.iter().any(|known| known.covers(&clause)) {
                kept.retain(|known| !clause.covers(known));
                kept.push(clause);
            }
        }
        while kept.len() > MAX_CLAUSES {
            let mut best = (0, 1, f64::INFINITY);
            // Where there are very many, only what to join the newest with.
            let last = kept.len() - 1;
            for one in 0..last {
                let first = if hastily { last } else { one + 1 };
                for other in first..=last {
                    let joined = kept[one].or(&kept[other]).share();
                    let more = joined - kept[one].share().max(kept[other].share());
                    if more < best.2 {
                        best = (one, other, more);
                    }
                }
            }
            let joined = kept[best.0].or(&kept[best.1]);
            kept.retain(|known| !joined.covers(known));
            kept.push(joined);
        }
        self.0 = kept;
    }
}
