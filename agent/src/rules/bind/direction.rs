//! Checks of `evt.dir`, which old rules have: calls are seen when they return, so it
//! is always `<`.

use crate::rules::field::FieldId;
use crate::rules::typed::{Check, Comparison, Literal, Operand, Test};

/// What the check comes to for every event; nothing if it is about another field, or
/// compares in a way that nobody compares directions.
#[must_use]
pub fn of_direction(check: &Check) -> Option<bool> {
    match &check.left {
        Operand::Field(field) if field.id == FieldId::EvtDir => {}
        _ => return None,
    }
    let is_exit = |literal: &Literal| *literal == Literal::Text((*b"<").into());
    match &check.test {
        Test::Exists => Some(true),
        Test::Literal { operator: Comparison::Eq, modifier: None, literals }
        | Test::In(literals)
        | Test::Intersects(literals) => Some(literals.iter().any(is_exit)),
        Test::Literal { operator: Comparison::Ne, modifier: None, literals } => {
            Some(!literals.iter().any(is_exit))
        }
        Test::Literal { .. } | Test::Operand { .. } | Test::InOperand { .. } | Test::Pmatch(_) => {
            None
        }
    }
}
