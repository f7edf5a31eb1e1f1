//! What is known before anything is read → whether an event may be wanted: a table
//! with a bit for each combination of [`truth`] bits.
//!
//! A condition is read once for all combinations: each check comes down to those for
//! which it may hold and those for which it may not. Whatever these bits do not tell
//! may be either.

use landlord_ebpf::abi::{NO_ARGUMENT, Plan, RESULT, plan_flag, truth};

use super::numbers::outcomes;
use super::residue::{HOST, MAX_DEPTH, of_type};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::field::FieldId;
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test};

/// The highest number of an error, as the kernel counts.
pub(super) const MAX_ERROR: i128 = 4095;
/// What `evt.res` says of a call that did not fail.
const SUCCESS: &[u8] = b"SUCCESS";

/// Combinations of a call that failed.
pub(super) const FAILED: u64 = with(truth::FAILED);
/// Combinations of a call that did not fail.
pub(super) const SUCCEEDED: u64 = !FAILED;

const READ: u64 = with(truth::READ);
const WRITE: u64 = with(truth::WRITE);
const CREATE: u64 = with(truth::CREATE);
const EXECUTE: u64 = with(truth::EXECUTE);
const CONTAINER: u64 = with(truth::CONTAINER);

/// The combinations that have a bit.
const fn with(bit: u32) -> u64 {
    let (mut table, mut bits) = (0, 0);
    while bits < 64 {
        if bits & bit != 0 {
            table |= 1 << bits;
        }
        bits += 1;
    }
    table
}

/// Bit n: events of that type for which the truths n hold may match the condition.
pub(super) fn early(condition: &Condition, event_type: EventType, plan: &Plan) -> u64 {
    let opening = Opening::of(event_type, plan);
    Lanes { event_type, opening, makes_descriptor: plan.fd == RESULT }
        .part(condition, false, MAX_DEPTH)
}

/// For which combinations something may hold, and for which it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct May {
    hold: u64,
    fail: u64,
}

impl May {
    const UNKNOWN: Self = Self { hold: u64::MAX, fail: u64::MAX };
    const FAIL: Self = Self { hold: 0, fail: u64::MAX };

    /// One for some combinations, another for all others.
    const fn split(lanes: u64, these: Self, others: Self) -> Self {
        Self {
            hold: these.hold & lanes | others.hold & !lanes,
            fail: these.fail & lanes | others.fail & !lanes,
        }
    }

    /// One or the other.
    const fn or(self, other: Self) -> Self {
        Self { hold: self.hold | other.hold, fail: self.fail | other.fail }
    }

    const fn of((hold, fail): (bool, bool)) -> Self {
        Self { hold: if hold { u64::MAX } else { 0 }, fail: if fail { u64::MAX } else { 0 } }
    }
}

struct Lanes {
    event_type: EventType,
    opening: Opening,
    /// What the call returns is the descriptor that the event is about.
    makes_descriptor: bool,
}

impl Lanes {
    fn part(&self, condition: &Condition, negated: bool, depth: usize) -> u64 {
        if depth == 0 {
            return u64::MAX;
        }
        let part = |child| self.part(child, negated, depth - 1);
        match condition {
            Condition::Not(inner) => self.part(inner, !negated, depth - 1),
            Condition::And(children) if negated => {
                children.iter().fold(0, |any, child| any | part(child))
            }
            Condition::Or(children) if !negated => {
                children.iter().fold(0, |any, child| any | part(child))
            }
            Condition::And(children) | Condition::Or(children) => {
                children.iter().fold(u64::MAX, |all, child| all & part(child))
            }
            Condition::Check(check) => {
                let may = self.check(check);
                if negated { may.fail } else { may.hold }
            }
        }
    }

    fn check(&self, check: &Check) -> May {
        if let Some(truth) = of_type(check, self.event_type) {
            return May::of((truth, !truth));
        }
        let Operand::Field(field) = &check.left else { return May::UNKNOWN };
        let test = &check.test;
        match field.id {
            FieldId::EvtFailed => truth_in(FAILED, test),
            FieldId::EvtRawres => result(test),
            FieldId::EvtRes => result_name(test),
            FieldId::FdNum if self.makes_descriptor => descriptor(test),
            FieldId::EvtIsOpenRead => self.opening.truth_in(READ, test),
            FieldId::EvtIsOpenWrite => self.opening.truth_in(WRITE, test),
            FieldId::EvtIsOpenCreate => self.opening.truth_in(CREATE, test),
            FieldId::EvtIsOpenExec => self.opening.truth_in(EXECUTE, test),
            // Not known to be on the host: it may be there, or in any container.
            FieldId::ContainerId => May::split(CONTAINER, May::UNKNOWN, text_is(HOST, test)),
            FieldId::EvtArg if self.opening == Opening::Sure && is_flags(field) => flags(test),
            _ => May::UNKNOWN,
        }
    }
}

/// What is told of how a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// Nothing: it is no call that opens files.
    None,
    /// What the bits say: the flags are in a register, which cannot change, or implied.
    Sure,
    /// What the bits say, or nothing: the flags are in memory.
    Likely,
    /// Something that the bits do not say.
    Unknown,
}

impl Opening {
    fn of(event_type: EventType, plan: &Plan) -> Self {
        const OPENING: [&str; 5] = ["creat", "open", "open_by_handle_at", "openat", "openat2"];
        if !OPENING.contains(&event_type.name()) {
            return Self::None;
        }
        match plan.open_flags {
            _ if plan.flags & plan_flag::CREAT != 0 => Self::Sure,
            NO_ARGUMENT => Self::Unknown,
            _ if plan.flags & plan_flag::FLAGS_IN_REGISTER != 0 => Self::Sure,
            _ => Self::Likely,
        }
    }

    /// A test of a truth that holds for these combinations.
    fn truth_in(self, lanes: u64, test: &Test) -> May {
        match self {
            Self::None => May::FAIL,
            Self::Sure => truth_in(lanes, test),
            Self::Likely => truth_in(lanes, test).or(May::FAIL),
            Self::Unknown => May::UNKNOWN,
        }
    }
}

/// A test of a truth that holds for these combinations, and never for others.
fn truth_in(lanes: u64, test: &Test) -> May {
    let passes = |truth: bool| match test {
        Test::Exists => Some(true),
        Test::Literal { operator, modifier: None, literals } => match (operator, &**literals) {
            (Comparison::Eq, [Literal::Bool(wanted)]) => Some(truth == *wanted),
            (Comparison::Ne, [Literal::Bool(wanted)]) => Some(truth != *wanted),
            _ => None,
        },
        Test::In(literals) => Some(literals.contains(&Literal::Bool(truth))),
        _ => None,
    };
    let may = |truth| passes(truth).map_or(May::UNKNOWN, |passes| May::of((passes, !passes)));
    May::split(lanes, may(true), may(false))
}

/// A call that failed returned the number of an error, negative; every other one
/// something else.
fn result(test: &Test) -> May {
    let error = May::of(outcomes(test, (-MAX_ERROR, -1)));
    let below = May::of(outcomes(test, (i64::MIN.into(), -MAX_ERROR - 1)));
    let above = May::of(outcomes(test, (0, i64::MAX.into())));
    May::split(FAILED, error, below.or(above))
}

/// A call that failed made no descriptor, whose number is told as -1.
fn descriptor(test: &Test) -> May {
    let none = May::of(outcomes(test, (-1, -1)));
    May::split(FAILED, none, May::of(outcomes(test, (0, i64::MAX.into()))))
}

/// A call that failed has the name of an error, or none if that is not known.
fn result_name(test: &Test) -> May {
    let is_success = |literal: &Literal| *literal == Literal::Text(SUCCESS.into());
    let failed = match test {
        Test::Literal { operator: Comparison::Eq, modifier: None, literals }
        | Test::In(literals)
            if literals.iter().all(is_success) =>
        {
            May::FAIL
        }
        _ => May::UNKNOWN,
    };
    May::split(FAILED, failed, text_is(SUCCESS, test))
}

/// A test of a text that is known.
fn text_is(text: &[u8], test: &Test) -> May {
    let passes = |operator: Comparison, literal: &Literal| {
        let Literal::Text(literal) = literal else { return None };
        Some(match operator {
            Comparison::Eq => **literal == *text,
            Comparison::Ne => **literal != *text,
            Comparison::StartsWith => text.starts_with(literal),
            Comparison::EndsWith => text.ends_with(literal),
            _ => return None,
        })
    };
    let passes = match test {
        Test::Exists => Some(true),
        Test::Literal { operator, modifier: None, literals } => match literals.as_slice() {
            [literal] => passes(*operator, literal),
            _ => None,
        },
        Test::In(literals) => Some(literals.contains(&Literal::Text(text.into()))),
        _ => None,
    };
    passes.map_or(May::UNKNOWN, |passes| May::of((passes, !passes)))
}

fn is_flags(field: &FieldRef) -> bool {
    field.argument == Argument::Param(ParamId::FLAGS)
}

/// A test for the name of a flag that the bits tell of.
fn flags(test: &Test) -> May {
    let Test::Literal { operator: Comparison::Contains, modifier: None, literals } = test else {
        return May::UNKNOWN;
    };
    let [Literal::Text(name)] = literals.as_slice() else { return May::UNKNOWN };
    let hold = match &**name {
        b"O_CREAT" | b"O_TMPFILE" | b"O_F_CREATED" => CREATE,
        b"O_RDONLY" => READ & !WRITE,
        b"O_WRONLY" => WRITE & !READ,
        // Also what asks for neither.
        b"O_RDWR" => !(READ ^ WRITE),
        _ => u64::MAX,
    };
    May { hold, fail: u64::MAX }
}
