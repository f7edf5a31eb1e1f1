//! The evaluation of one event.

use super::Room;
use crate::rules::compile::{
    Code, Edge, Guard, PairTest, Pairing, Plan, Program, Single, Source, Table, at, compares_values,
};
use crate::rules::event::Event;
use crate::rules::transform::{self, Values};
use crate::rules::typed::Comparison;
use crate::rules::value::Value;

/// An event, a program, and what is known so far.
pub(super) struct Run<'run, E: ?Sized> {
    pub(super) program: &'run Program,
    pub(super) event: &'run E,
    pub(super) generation: u32,
    pub(super) memo: &'run mut [u32],
    pub(super) asked: &'run mut [u32],
    pub(super) room: &'run mut Room,
}

impl<E: Event + ?Sized> Run<'_, E> {
    /// Asks the guards of a plan and leaves the rules that none refused. False if
    /// there is none left.
    pub(super) fn guard(&mut self, plan: &Plan, alive: &mut [u64]) -> bool {
        alive.fill(u64::MAX);
        let spare = alive.len() * 64 - plan.rules.len();
        if let Some(last) = alive.last_mut() {
            *last >>= spare;
        }
        let needed_by = plan.needed_by.chunks_exact(alive.len().max(1));
        for (guard, needed_by) in plan.guards.iter().zip(needed_by) {
            let asked = alive.iter().zip(needed_by).any(|(alive, needs)| alive & needs != 0);
            if !asked {
                continue;
            }
            let holds = match guard {
                Guard::Edge(edge) => self.holds(*edge),
                Guard::Texts(nodes) => self.has_one(nodes),
            };
            if holds {
                continue;
            }
            let mut left = 0;
            for (alive, needs) in alive.iter_mut().zip(needed_by) {
                *alive &= !needs;
                left |= *alive;
            }
            if left == 0 {
                return false;
            }
        }
        true
    }

    /// Whether one of these checks of texts holds: nodes with their tables.
    #[inline]
    fn has_one(&mut self, nodes: &[(u32, u32)]) -> bool {
        let mark = self.generation << 1 | 1;
        let mut found = false;
        for (table, node) in nodes {
            if self.asked[at(*table)] != self.generation {
                self.ask(at(*table));
            }
            found |= self.memo[at(*node)] == mark;
        }
        found
    }

    /// Whether an edge holds.
    #[inline]
    pub(super) fn holds(&mut self, edge: Edge) -> bool {
        self.truth(edge.node()) != edge.negated()
    }

    /// Whether a node holds; evaluates it at most once.
    #[inline]
    pub(super) fn truth(&mut self, node: usize) -> bool {
        let known = self.memo[node];
        if known >> 1 == self.generation { known & 1 != 0 } else { self.find_out(node) }
    }

    /// Evaluates a node and remembers whether it holds.
    fn find_out(&mut self, node: usize) -> bool {
        let truth = match self.program.nodes[node] {
            Code::True => true,
            Code::Unused => false,
            Code::Table(table) => return self.in_table(table, node),
            Code::Exists(source) => self.exists(source),
            Code::Single(single) => {
                let (source, single) = &self.program.singles[at(single)];
                self.single(source, single)
            }
            Code::Pair(pair) => self.pair(&self.program.pairs[at(pair)]),
            Code::And(first, end) => {
                let children = &self.program.children[at(first)..at(end)];
                children.iter().all(|edge| self.holds(*edge))
            }
        };
        self.memo[node] = self.generation << 1 | u32::from(truth);
        truth
    }

    /// Whether a table makes a node true.
    fn in_table(&mut self, number: u32, node: usize) -> bool {
        let number = at(number);
        if self.asked[number] == self.generation {
            return false;
        }
        self.ask(number);
        self.memo[node] == self.generation << 1 | 1
    }

    /// Asks a table: it marks all nodes that are true.
    fn ask(&mut self, number: usize) {
        self.asked[number] = self.generation;
        let (source, table) = &self.program.tables[number];
        let mark = self.generation << 1 | 1;
        match source {
            Source::Field { field, several: false } => {
                if let Some(text) = text(&self.event.value(field, 0)) {
                    look_up(table, text, mark, self.memo);
                }
            }
            Source::Field { field, several: true } => {
                let mut nth = 0;
                while let Some(text) = text(&self.event.value(field, nth)) {
                    look_up(table, text, mark, self.memo);
                    nth += 1;
                }
            }
            Source::Made(operand) => {
                let values = transform::apply(operand, self.event, &mut self.room.left);
                for value in values.iter().flat_map(Values::iter) {
                    if let Some(text) = text(&Some(value)) {
                        look_up(table, text, mark, self.memo);
                    }
                }
            }
        }
    }

    fn exists(&mut self, source: u32) -> bool {
        match &self.program.exists[at(source)] {
            Source::Field { field, .. } => self.event.value(field, 0).is_some(),
            Source::Made(operand) => {
                let values = transform::apply(operand, self.event, &mut self.room.left);
                values.is_some_and(|values| !values.is_empty())
            }
        }
    }

    fn single(&mut self, source: &Source, single: &Single) -> bool {
        let hosts = self.program.hosts.sets();
        let Single { ask, every } = single;
        match source {
            Source::Field { field, several: false } => {
                let value = self.event.value(field, 0);
                value.as_ref().is_some_and(|value| ask.passes(value, hosts, &mut self.room.lossy))
            }
            Source::Field { field, several: true } => {
                let mut nth = 0;
                while let Some(value) = self.event.value(field, nth) {
                    if ask.passes(&value, hosts, &mut self.room.lossy) != *every {
                        return !every;
                    }
                    nth += 1;
                }
                *every && nth > 0
            }
            Source::Made(operand) => {
                let Room { left, lossy, .. } = self.room;
                let values = transform::apply(operand, self.event, left);
                let mut values = values.iter().flat_map(Values::iter).peekable();
                let passes = |value| ask.passes(&value, hosts, lossy);
                if *every {
                    values.peek().is_some() && values.all(passes)
                } else {
                    values.any(passes)
                }
            }
        }
    }

    fn pair(&mut self, pair: &Pairing) -> bool {
        let Room { left, right, .. } = self.room;
        let Some(left) = transform::apply(&pair.left, self.event, left) else { return false };
        let Some(right) = transform::apply(&pair.right, self.event, right) else { return false };
        let mut left = left.iter().peekable();
        let (operator, every, others) = match pair.test {
            PairTest::Compare { operator, every } => (operator, every, 1),
            PairTest::Among { every } => (Comparison::Eq, every, right.len()),
        };
        let passes =
            |value| right.iter().take(others).any(|other| compares_values(operator, value, other));
        if every { left.peek().is_some() && left.all(passes) } else { left.any(passes) }
    }
}

/// The text that a value is. By reference: to move the value first takes as long as
/// to look it up.
#[inline]
const fn text<'event>(value: &Option<Value<'event>>) -> Option<&'event [u8]> {
    match value {
        Some(Value::Text(text) | Value::Bytes(text)) => Some(text),
        _ => None,
    }
}

fn look_up(table: &Table, text: &[u8], mark: u32, memo: &mut [u32]) {
    let mut found = |nodes: &[u32]| nodes.iter().for_each(|node| memo[at(*node)] = mark);
    match table {
        Table::Equal(table) => found(table.find(text)),
        Table::Prefixes(table) => table.find(text, found),
        Table::Suffixes(table) => table.find(text, found),
        Table::Substrings(table) => table.find(text, found),
    }
}
