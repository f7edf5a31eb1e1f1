//! A [`Program`] and an event → the rules that match.
//!
//! Nothing here allocates: what an event needs is in a [`Scratch`] that was made
//! once. (Two things may grow on their first uses and then stay: the room for the
//! results of transformers, and that of regular expressions.) Nothing recurses
//! deeper than a fixed number of levels, however conditions are nested.

mod run;

use self::run::Run;
use crate::rules::compile::{Program, at};
use crate::rules::event::Event;
use crate::rules::rule::Matching;
use crate::rules::transform;

/// What the evaluation of an event needs to remember. One serves any number of
/// events and programs, one after another.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The number of the current event, from 1; entries of others are stale.
    generation: u32,
    /// For each node, twice the generation and its truth, if it is known.
    memo: Vec<u32>,
    /// For each table the generation in which it was last asked.
    asked: Vec<u32>,
    /// A bit for each rule of the plan that is not refused yet.
    alive: Vec<u64>,
    room: Room,
}

/// Room for values that are made.
#[derive(Debug, Default)]
struct Room {
    /// For transformers on the left and on the right of a comparison.
    left: transform::Scratch,
    right: transform::Scratch,
    /// For a text that is not UTF-8.
    lossy: String,
}

/// Half of what a memo holds is the generation.
const LAST_GENERATION: u32 = u32::MAX >> 1;

impl Scratch {
    /// Makes room for a program, so that evaluation need not.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let mut scratch = Self::default();
        scratch.fit(program);
        scratch
    }

    /// Grows to what a program needs, if it is too small.
    fn fit(&mut self, program: &Program) {
        if self.memo.len() < program.nodes.len() {
            self.memo.resize(program.nodes.len(), 0);
        }
        if self.asked.len() < program.tables.len() {
            self.asked.resize(program.tables.len(), 0);
        }
        if self.alive.len() < program.words {
            self.alive.resize(program.words, 0);
        }
    }

    /// Forgets what was known of the last event.
    fn next(&mut self) -> u32 {
        if self.generation == LAST_GENERATION {
            self.memo.fill(0);
            self.asked.fill(0);
            self.generation = 0;
        }
        self.generation += 1;
        self.generation
    }
}

/// Names the rules that an event matches, in load order: the first or all of them,
/// as the program was compiled. Says whether there is one.
pub fn evaluate<E: Event + ?Sized>(
    program: &Program,
    event: &E,
    scratch: &mut Scratch,
    mut matched: impl FnMut(usize),
) -> bool {
    let Some(plan) = program.plan_of[event.event_type().index()] else { return false };
    let plan = &program.plans[at(plan)];
    scratch.fit(program);
    let generation = scratch.next();
    let Scratch { memo, asked, alive, room, .. } = scratch;
    let alive = &mut alive[..plan.words()];
    let mut run = Run { program, event, generation, memo, asked, room };
    if !run.guard(plan, alive) {
        return false;
    }
    let mut found = false;
    for (number, word) in alive.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            let rule = &plan.rules[number * 64 + at(rest.trailing_zeros())];
            rest &= rest - 1;
            for step in &rule.steps {
                run.truth(at(*step));
            }
            if run.holds(rule.edge) {
                found = true;
                matched(rule.rule);
                if program.matching == Matching::First {
                    return true;
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
