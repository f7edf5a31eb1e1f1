//! Which types of events a condition can match: what the index of a program and
//! the choice of syscalls in the kernel rest on.
//!
//! As in Falco it is read off the tests of `evt.type` and `syscall.type` alone, so
//! it is never too small for what the condition says, with one exception that is
//! part of the language: `evt.num=0` matches nothing.

use std::slice;

use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::field::FieldId;
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test};

const WORDS: usize = EventType::COUNT.div_ceil(64);

/// A set of types of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventTypes {
    words: [u64; WORDS],
}

impl EventTypes {
    /// Without any.
    pub const NONE: Self = Self { words: [0; WORDS] };

    /// With all that there are.
    #[must_use]
    pub fn all() -> Self {
        EventType::all().collect()
    }

    /// Whether a type is among them.
    #[must_use]
    pub fn contains(&self, event_type: EventType) -> bool {
        let index = event_type.index();
        self.words[index / 64] & (1 << (index % 64)) != 0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        EventType::all().filter(|event_type| self.contains(*event_type)).count()
    }

    /// True if there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// They, in the order of [`EventType::all`].
    pub fn iter(&self) -> impl Iterator<Item = EventType> {
        EventType::all().filter(|event_type| self.contains(*event_type))
    }

    /// Those that are in one of the two.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(other.words).for_each(|(word, other)| *word |= other);
        self
    }

    /// Those that are in both.
    #[must_use]
    pub fn intersection(mut self, other: &Self) -> Self {
        self.words.iter_mut().zip(other.words).for_each(|(word, other)| *word &= other);
        self
    }

    /// Those that are not in it.
    #[must_use]
    pub fn complement(&self) -> Self {
        EventType::all().filter(|event_type| !self.contains(*event_type)).collect()
    }
}

impl FromIterator<EventType> for EventTypes {
    fn from_iter<I: IntoIterator<Item = EventType>>(types: I) -> Self {
        let mut set = Self::NONE;
        for event_type in types {
            let index = event_type.index();
            set.words[index / 64] |= 1 << (index % 64);
        }
        set
    }
}

/// A conjunction or disjunction that is being read.
struct Open<'condition> {
    rest: slice::Iter<'condition, Condition>,
    negated: bool,
    /// Whether all have to hold, negation taken into account.
    all: bool,
    types: EventTypes,
}

/// The types of events that a condition can match.
///
/// Conditions may be nested deeper than the stack is, so this does not recurse.
#[must_use]
pub fn event_types(condition: &Condition) -> EventTypes {
    let everything = EventTypes::all();
    let mut open: Vec<Open<'_>> = Vec::new();
    let (mut current, mut negated) = (condition, false);
    loop {
        let mut finished = None;
        match current {
            Condition::Not(inner) => {
                (current, negated) = (inner, !negated);
                continue;
            }
            Condition::Check(check) => finished = Some(of_check(check, negated, &everything)),
            Condition::And(children) | Condition::Or(children) => {
                let all = matches!(current, Condition::And(_)) != negated;
                let types = if all { everything } else { EventTypes::NONE };
                open.push(Open { rest: children.iter(), negated, all, types });
            }
        }
        loop {
            let Some(top) = open.last_mut() else { return finished.unwrap_or(everything) };
            if let Some(types) = finished.take() {
                let joined =
                    if top.all { top.types.intersection(&types) } else { top.types.union(&types) };
                top.types = joined;
            }
            if let Some(next) = top.rest.next() {
                (current, negated) = (next, top.negated);
                break;
            }
            finished = Some(top.types);
            open.pop();
        }
    }
}

fn of_check(check: &Check, negated: bool, everything: &EventTypes) -> EventTypes {
    let Operand::Field(field) = &check.left else { return *everything };
    if never_holds(check) {
        return if negated { *everything } else { EventTypes::NONE };
    }
    if !is_type_of_event(field) {
        return *everything;
    }
    let (positive, literals) = match &check.test {
        Test::Literal { operator: Comparison::Eq, modifier: None, literals } => (true, literals),
        Test::Literal { operator: Comparison::Ne, modifier: None, literals } => (false, literals),
        Test::In(literals) => (true, literals),
        _ => return *everything,
    };
    let named: EventTypes = literals.iter().filter_map(type_named).collect();
    if positive == negated { named.complement() } else { named }
}

/// True for `evt.type` and `syscall.type`.
fn is_type_of_event(field: &FieldRef) -> bool {
    is_evt_type(field) || field.id == FieldId::SyscallType
}

/// True for `evt.type`, which every event has.
pub(super) fn is_evt_type(field: &FieldRef) -> bool {
    field.id == FieldId::EvtType && field.argument == Argument::None
}

/// Events are counted from 1: `evt.num=0` is how rules write what never holds.
pub(super) fn never_holds(check: &Check) -> bool {
    let Operand::Field(FieldRef { id: FieldId::EvtNum, .. }) = &check.left else { return false };
    match &check.test {
        Test::Literal { operator: Comparison::Eq, modifier: None, literals } => {
            literals.as_slice() == [Literal::Int(0)]
        }
        _ => false,
    }
}

fn type_named(literal: &Literal) -> Option<EventType> {
    let Literal::Text(name) = literal else { return None };
    let named = EventType::named(std::str::from_utf8(name).ok()?);
    // A type has other names too, but it tells only one.
    named.filter(|event_type| event_type.name().as_bytes() == &**name)
}

#[cfg(test)]
mod tests {
    use super::event_types;
    use crate::rules::event_type::EventType;
    use crate::rules::typed::Condition;
    use crate::rules::{bind, parse};

    fn condition(text: &str) -> Condition {
        let bound = bind::condition(&parse::condition(text).unwrap(), &mut |_| unreachable!());
        bound.unwrap().condition
    }

    /// Which of `open`, `openat` and `close` a condition can match.
    fn check(text: &str, expected: &[&str]) {
        let types = event_types(&condition(text));
        let asked = ["open", "openat", "close"].into_iter();
        let found: Vec<&str> =
            asked.filter(|name| types.contains(EventType::named(name).unwrap())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn types_follow_from_what_is_asked_of_them() {
        check("evt.type = open", &["open"]);
        check("evt.type == open", &["open"]);
        check("evt.type in (open, close)", &["open", "close"]);
        check("evt.type != open", &["openat", "close"]);
        check("syscall.type = openat", &["openat"]);
        check("proc.name = a", &["open", "openat", "close"]);
        // Only these operators tell.
        check("evt.type startswith op", &["open", "openat", "close"]);
        check("evt.type exists", &["open", "openat", "close"]);
    }

    #[test]
    fn conjunctions_narrow_and_disjunctions_widen() {
        check("evt.type = open and proc.name = a", &["open"]);
        check("evt.type = open and evt.type = close", &[]);
        check("evt.type in (open, close) and evt.type != open", &["close"]);
        check("evt.type = open or evt.type = close", &["open", "close"]);
        check("evt.type = open or proc.name = a", &["open", "openat", "close"]);
    }

    #[test]
    fn negations_reach_down_to_the_checks() {
        check("not evt.type = open", &["openat", "close"]);
        check("not not evt.type = open", &["open"]);
        check("not evt.type != open", &["open"]);
        check("not (evt.type = open or evt.type = close)", &["openat"]);
        check("not (evt.type = open and proc.name = a)", &["open", "openat", "close"]);
        check("not (evt.type != open or proc.name = a)", &["open"]);
    }

    #[test]
    fn events_are_counted_from_one() {
        check("evt.num = 0", &[]);
        check("evt.type = open and evt.num = 0", &[]);
        check("evt.type = open or evt.num = 0", &["open"]);
        check("not evt.num = 0", &["open", "openat", "close"]);
        check("evt.num = 1", &["open", "openat", "close"]);
    }

    #[test]
    fn of_nothing_everything_follows() {
        let all = event_types(&Condition::And(Vec::new()));
        assert_eq!((all.len(), all.complement().is_empty()), (EventType::COUNT, true));
        assert!(event_types(&Condition::Or(Vec::new())).is_empty());
        let deep = (0..100_000)
            .fold(condition("evt.type = open"), |inner, _| Condition::Not(Box::new(inner)));
        assert_eq!(event_types(&deep).iter().map(EventType::name).collect::<Vec<_>>(), ["open"]);
        // What is nested so deep cannot be dropped on this stack.
        std::mem::forget(deep);
    }
}
