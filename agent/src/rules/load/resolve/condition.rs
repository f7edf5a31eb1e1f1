//! One condition: from its text to an expression and on to a condition, and from
//! what is wrong with it back to its place in the files.

use std::cell::Cell;
use std::ops::Range;

use super::MAX_READ;
use super::Resolver;
use crate::rules::ast::Expr;
use crate::rules::diagnostic::{Code, Problem, ProblemKind};
use crate::rules::load::composed::Composed;
use crate::rules::load::findings::Named;
use crate::rules::load::source::Spot;
use crate::rules::parse;
use crate::rules::parse::lists::{Substituted, substitute};
use crate::rules::typed::{Check, Condition, Literal, Operand, Test};

/// Bytes of a condition with its lists put in; the official ones have up to 30,000.
/// Once read it takes some fifty times as much.
const MAX_CONDITION: usize = 1 << 20;

/// A condition that could be read.
pub(super) struct Parsed {
    /// What it says.
    pub(super) expression: Expr,
    /// The way back to the text without lists.
    pub(super) substituted: Substituted,
    /// True if it names a list that is not known because of errors, which have been
    /// told.
    pub(super) uncertain: bool,
}

impl Resolver<'_> {
    /// Reads a condition; what is wrong is told. `around` are the items around it.
    pub(super) fn parse(
        &mut self,
        text: &Composed,
        around: &[Named],
        spot: Spot,
    ) -> Option<Parsed> {
        let result = self.try_parse(text, spot);
        match result {
            Ok(parsed) => Some(parsed),
            Err(problems) => {
                self.unread = true;
                for (spot, problem) in problems {
                    let Problem { message, help, .. } = problem;
                    self.findings.add(Code::CompileCondition, spot, around, message, help);
                }
                None
            }
        }
    }

    /// Reads a condition; what is wrong comes with its spot.
    pub(super) fn try_parse(
        &mut self,
        text: &Composed,
        spot: Spot,
    ) -> Result<Parsed, Vec<(Spot, Problem)>> {
        let too_long = |length: usize| {
            let message = format!("the condition is too long with its lists, {length} bytes");
            let help = format!("it may have {MAX_CONDITION} bytes; share it out to several rules");
            let kind = ProblemKind::Syntax;
            vec![(spot, Problem { span: 0..0, message, help: Some(help), kind })]
        };
        if text.len() > MAX_CONDITION {
            return Err(too_long(text.len()));
        }
        let written = text.text();
        let lists = &self.lists;
        let locator = text.locator(&self.findings);
        let locate = |span: &Range<usize>| locator.locate(span).unwrap_or(spot);
        let broken = &self.collection.broken_lists;
        let uncertain = Cell::new(false);
        let items_of = |name: &str| {
            uncertain.set(uncertain.get() || broken.contains(name));
            lists.using(name)
        };
        let substituted = substitute(&written, &items_of)
            .map_err(|problem| vec![(locate(&problem.span), problem)])?;
        self.read += substituted.text.len();
        if substituted.text.len() > MAX_CONDITION || self.read > MAX_READ {
            return Err(too_long(substituted.text.len()));
        }
        match parse::condition(&substituted.text) {
            Ok(expression) => Ok(Parsed { expression, substituted, uncertain: uncertain.get() }),
            Err(problems) => Err(problems
                .into_iter()
                .map(|problem| (locate(&substituted.origin_span(&problem.span)), problem))
                .collect()),
        }
    }

    /// Tells where problems of a condition stand.
    pub(super) fn located(
        &self,
        text: &Composed,
        substituted: &Substituted,
        problems: Vec<Problem>,
        otherwise: Spot,
    ) -> Vec<(Spot, Problem)> {
        let locator = text.locator(&self.findings);
        let locate = |problem: &Problem| {
            locator.locate(&substituted.origin_span(&problem.span)).unwrap_or(otherwise)
        };
        problems.into_iter().map(|problem| (locate(&problem), problem)).collect()
    }
}

/// Bytes that a condition takes, roughly. It is nested no deeper than the binder lets
/// it be.
pub(super) fn weight(condition: &Condition) -> usize {
    let inner = match condition {
        Condition::And(all) | Condition::Or(all) => all.iter().map(weight).sum(),
        Condition::Not(inner) => weight(inner),
        Condition::Check(check) => weight_of_check(check),
    };
    size_of::<Condition>() + inner
}

fn weight_of_check(check: &Check) -> usize {
    let right = match &check.test {
        Test::Exists => 0,
        Test::Literal { literals, .. } | Test::In(literals) | Test::Intersects(literals) => {
            literals.iter().map(weight_of_literal).sum()
        }
        Test::Operand { right, .. } | Test::InOperand { right, .. } => weight_of_operand(right),
        Test::Pmatch(paths) => paths.iter().map(|path| size_of_val(path) + path.len()).sum(),
    };
    weight_of_operand(&check.left) + right
}

fn weight_of_literal(literal: &Literal) -> usize {
    let text = match literal {
        Literal::Text(text) => text.len(),
        Literal::Host(name) => name.len(),
        Literal::Bool(_)
        | Literal::Int(_)
        | Literal::Double(_)
        | Literal::Ip(_)
        | Literal::Net(_) => 0,
    };
    size_of::<Literal>() + text
}

fn weight_of_operand(operand: &Operand) -> usize {
    let inner = match operand {
        Operand::Field(_) => 0,
        Operand::Text(text) => text.len(),
        Operand::Call(_, arguments) | Operand::List(arguments) => {
            arguments.iter().map(weight_of_operand).sum()
        }
    };
    size_of::<Operand>() + inner
}
