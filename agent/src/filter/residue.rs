//! A condition → what of it is decided by the fields that are known: a condition
//! over these fields that holds whenever the whole one does, whatever the others say.
//!
//! Checks of other fields count as true where they have to hold, and as false where
//! they must not.

use super::numbers::outcomes;
use crate::rules::compile::event_types;
use crate::rules::event::FieldRef;
use crate::rules::event_type::EventType;
use crate::rules::field::FieldId;
use crate::rules::typed::{Check, Comparison, Condition, Literal, Operand, Test};

/// What is known of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Knowledge {
    /// Nothing.
    Nothing,
    /// It has a value, and that is 0 or more.
    NotNegative,
    /// Whether it is `host`; it has a value, or lacks it for good.
    Host,
    /// Its value, or that it has none.
    All,
}

/// Deeper parts of a condition count as unknown; rules are never nested so deep.
pub(super) const MAX_DEPTH: usize = 1500;
/// What `container.id` says of processes outside of containers.
pub(super) const HOST: &[u8] = b"host";

/// What is left of a condition for events of a type.
pub(super) fn residue(
    condition: &Condition,
    event_type: EventType,
    known: &dyn Fn(&FieldRef) -> Knowledge,
) -> Condition {
    Reader { event_type, known }.part(condition, false, MAX_DEPTH)
}

/// What always holds.
pub(super) const fn always() -> Condition {
    Condition::And(Vec::new())
}

/// What never holds.
const fn never() -> Condition {
    Condition::Or(Vec::new())
}

/// Whether a condition is [`always`].
pub(super) fn is_always(condition: &Condition) -> bool {
    matches!(condition, Condition::And(parts) if parts.is_empty())
}

/// Whether a condition never holds.
pub(super) fn is_never(condition: &Condition) -> bool {
    matches!(condition, Condition::Or(parts) if parts.is_empty())
}

struct Reader<'known> {
    event_type: EventType,
    known: &'known dyn Fn(&FieldRef) -> Knowledge,
}

/// What is known of a check.
#[derive(Clone, Copy)]
enum Decided {
    /// Nothing.
    No,
    /// The known fields tell it.
    ByFields,
    /// It is so.
    Already(bool),
}

impl Reader<'_> {
    fn part(&self, condition: &Condition, negated: bool, depth: usize) -> Condition {
        if depth == 0 {
            return always();
        }
        match condition {
            Condition::Not(inner) => self.part(inner, !negated, depth - 1),
            Condition::And(children) => self.parts(children, !negated, negated, depth),
            Condition::Or(children) => self.parts(children, negated, negated, depth),
            Condition::Check(check) => match self.decided(check) {
                Decided::No => always(),
                Decided::Already(truth) if truth != negated => always(),
                Decided::Already(_) => never(),
                Decided::ByFields if negated => Condition::Not(Box::new(condition.clone())),
                Decided::ByFields => condition.clone(),
            },
        }
    }

    fn parts(&self, children: &[Condition], all: bool, negated: bool, depth: usize) -> Condition {
        let mut parts = Vec::new();
        for child in children {
            let part = self.part(child, negated, depth - 1);
            let (settles, skipped) = if all {
                (is_never(&part), is_always(&part))
            } else {
                (is_always(&part), is_never(&part))
            };
            if settles {
                return part;
            }
            if !skipped {
                parts.push(part);
            }
        }
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        if all { Condition::And(parts) } else { Condition::Or(parts) }
    }

    fn decided(&self, check: &Check) -> Decided {
        if let Some(truth) = of_type(check, self.event_type) {
            return Decided::Already(truth);
        }
        let knowledge = match &check.left {
            Operand::Field(field) => (self.known)(field),
            made if self.knows(made) => Knowledge::All,
            _ => Knowledge::Nothing,
        };
        match knowledge {
            Knowledge::Nothing => Decided::No,
            Knowledge::NotNegative => match outcomes(&check.test, (0, i64::MAX.into())) {
                (true, true) => Decided::No,
                (holds, _) => Decided::Already(holds),
            },
            Knowledge::Host if is_about_host(&check.test) => Decided::ByFields,
            Knowledge::Host => Decided::No,
            Knowledge::All if self.knows_test(&check.test) => Decided::ByFields,
            Knowledge::All => Decided::No,
        }
    }

    /// Whether all that an operand is made of is known.
    fn knows(&self, operand: &Operand) -> bool {
        let mut open = vec![operand];
        while let Some(operand) = open.pop() {
            match operand {
                Operand::Field(field) if (self.known)(field) != Knowledge::All => return false,
                Operand::Field(_) | Operand::Text(_) => {}
                Operand::Call(_, operands) | Operand::List(operands) => open.extend(operands),
            }
        }
        true
    }

    fn knows_test(&self, test: &Test) -> bool {
        match test {
            Test::Exists | Test::Pmatch(_) => true,
            // The addresses of a host change with time.
            Test::Literal { literals, .. } | Test::In(literals) | Test::Intersects(literals) => {
                !literals.iter().any(|literal| matches!(literal, Literal::Host(_)))
            }
            Test::Operand { right, .. } | Test::InOperand { right, .. } => self.knows(right),
        }
    }
}

/// Whether a test asks nothing but whether it is the host.
fn is_about_host(test: &Test) -> bool {
    match test {
        Test::Literal { operator: Comparison::Eq | Comparison::Ne, literals, .. }
        | Test::In(literals)
        | Test::Intersects(literals) => literals.iter().all(|literal| match literal {
            Literal::Text(text) => **text == *HOST,
            _ => false,
        }),
        Test::Literal { .. }
        | Test::Exists
        | Test::Operand { .. }
        | Test::InOperand { .. }
        | Test::Pmatch(_) => false,
    }
}

/// What the type of an event says of a check.
pub(super) fn of_type(check: &Check, event_type: EventType) -> Option<bool> {
    let Operand::Field(field) = &check.left else { return None };
    if !matches!(field.id, FieldId::EvtType | FieldId::SyscallType | FieldId::EvtNum) {
        return None;
    }
    let check = Condition::Check(check.clone());
    if !event_types(&check).contains(event_type) {
        return Some(false);
    }
    let contrary = Condition::Not(Box::new(check));
    (!event_types(&contrary).contains(event_type)).then_some(true)
}
