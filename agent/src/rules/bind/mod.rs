//! [`ast`](super::ast) → [`typed`](super::typed): names are looked up, literals get
//! the type of what they are compared with, macros are replaced by what they stand for.
//!
//! What the types forbid is refused here, so that nothing behind this stage has to
//! ask again. All that is wrong with a condition is told in one go. Nothing here
//! reads files, resolves hosts or knows which rule it is about.

mod check;
mod direction;
mod literal;
mod operand;
mod regex;
mod shape;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::ast::{Expr, Name};
use super::diagnostic::{Code, Problem, ProblemKind};
use super::parse::{MAX_CHECKS, MAX_DEPTH, MAX_LITERALS};
use super::typed::Condition;

pub use self::direction::of_direction;
pub use self::shape::{depth, size};

/// A condition that means something, and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Equal conditions are equal values: sets are sorted, `and` in `and` and `or` in
    /// `or` are one, nothing is negated twice.
    pub condition: Condition,
    /// In the order of the text.
    pub warnings: Vec<Warning>,
}

/// Something that a condition may do but probably was not meant to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What kind of warning.
    pub code: Code,
    /// Bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is odd, in one sentence without a full stop.
    pub message: String,
    /// What to do about it, in one sentence without a full stop.
    pub help: Option<String>,
}

/// Gives a condition its meaning.
///
/// `macros` tells what a macro stands for, or why it stands for nothing; it is asked
/// once for each place that names one.
///
/// # Errors
///
/// All that is wrong with it, in the order of the text; among that a condition which
/// its macros make too large: deeper than [`MAX_DEPTH`], more than [`MAX_CHECKS`]
/// checks or [`MAX_LITERALS`] literals.
pub fn condition(
    expr: &Expr,
    macros: &mut dyn FnMut(&Name) -> Result<Condition, Problem>,
) -> Result<Bound, Vec<Problem>> {
    let mut binder = Binder {
        macros,
        problems: Vec::new(),
        warnings: Vec::new(),
        checks: 0,
        literals: 0,
        regexes: 0,
        full: false,
    };
    let condition = binder.expr(expr);
    if binder.problems.is_empty() && depth(&condition) > MAX_DEPTH {
        binder.too_large(0..0, &format!("is nested deeper than {MAX_DEPTH} levels"));
    }
    binder.warnings.sort_by_key(|warning| warning.span.start);
    if binder.problems.is_empty() {
        Ok(Bound { condition, warnings: binder.warnings })
    } else {
        Err(binder.problems)
    }
}

struct Binder<'a> {
    macros: &'a mut dyn FnMut(&Name) -> Result<Condition, Problem>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
    checks: usize,
    literals: usize,
    regexes: usize,
    /// True when the condition is too large; from then on nothing is added.
    full: bool,
}

impl Binder<'_> {
    fn expr(&mut self, expr: &Expr) -> Condition {
        match expr {
            Expr::And(all) => shape::and(all.iter().map(|one| self.expr(one))),
            Expr::Or(any) => shape::or(any.iter().map(|one| self.expr(one))),
            Expr::Not(inner) => shape::not(self.expr(inner)),
            Expr::Macro(name) => self.expand(name),
            Expr::Check(check) => self.check(check),
        }
    }

    fn expand(&mut self, name: &Name) -> Condition {
        if self.full {
            return hole();
        }
        match (self.macros)(name) {
            Ok(condition) => {
                let (checks, literals) = size(&condition);
                self.count(&name.span, checks, literals);
                condition
            }
            Err(problem) => {
                self.problems.push(problem);
                hole()
            }
        }
    }

    /// Adds to the size of the condition.
    fn count(&mut self, span: &Range<usize>, checks: usize, literals: usize) {
        self.checks += checks;
        self.literals += literals;
        if self.full {
            return;
        }
        if self.checks > MAX_CHECKS {
            self.too_large(span.clone(), &format!("has more than {MAX_CHECKS} checks"));
        } else if self.literals > MAX_LITERALS {
            self.too_large(span.clone(), &format!("has more than {MAX_LITERALS} literals"));
        }
    }

    fn too_large(&mut self, span: Range<usize>, what: &str) {
        self.full = true;
        let message = format!("with its macros the condition {what}");
        self.refuse(ProblemKind::Type, span, message, "split it");
    }

    fn refuse(
        &mut self,
        kind: ProblemKind,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(problem(kind, span, message, help));
    }

    fn warn(&mut self, code: Code, span: Range<usize>, message: String, help: &str) {
        self.warnings.push(Warning { code, span, message, help: Some(help.to_owned()) });
    }
}

fn problem(
    kind: ProblemKind,
    span: Range<usize>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Problem {
    let help = Some(help.into()).filter(|help| !help.is_empty());
    Problem { kind, span, message: message.into(), help }
}

/// Stands for what means nothing; nobody sees it, for there is a problem then.
const fn hole() -> Condition {
    Condition::Or(Vec::new())
}
