//! Fields and transformers: what they are called, what may stand in their brackets,
//! and the type of what they give.

use std::ops::Range;

use super::problem;
use crate::rules::ast::{self, Name, Span};
use crate::rules::diagnostic::{Problem, ProblemKind};
use crate::rules::field::{self, FieldError, FieldSpec, Flag};
use crate::rules::transform::signature::{self, Misfit, Type};
use crate::rules::typed::{Operand, Transformer};

/// An operand and what a check has to know of it.
pub(super) struct Typed {
    pub(super) operand: Operand,
    /// The type of what it comes to.
    pub(super) values: Type,
    /// Where it stands.
    pub(super) span: Span,
    /// What it is called, without arguments.
    pub(super) name: &'static str,
    /// The field, if it is one and nothing is applied to it.
    pub(super) field: Option<&'static FieldSpec>,
}

/// Why nothing may be done to the type of an event but compare it with literals.
pub(super) const EVENTS_AHEAD: &str = "the events of a rule have to be known before one happens";

/// Transformers in transformers. What walks over operands, down to the evaluation
/// of an event, takes a few frames of the stack a level.
pub(super) const MAX_CALLS: usize = 100;

/// Looks an operand up.
pub(super) fn bind(operand: &ast::Operand) -> Result<Typed, Problem> {
    match operand {
        ast::Operand::Call { span, .. } if calls(operand) > MAX_CALLS => {
            let message = format!("transformers are nested deeper than {MAX_CALLS} levels");
            Err(wrong(span, message, ""))
        }
        _ => bind_shallow(operand),
    }
}

/// How deep transformers are nested in it.
fn calls(operand: &ast::Operand) -> usize {
    let mut deepest = 0;
    let mut open: Vec<(usize, &[ast::Argument])> = Vec::new();
    let arguments = |operand| match operand {
        &ast::Operand::Field { .. } => None,
        ast::Operand::Call { arguments, .. } => Some(arguments.as_slice()),
    };
    open.extend(arguments(operand).map(|arguments| (1, arguments)));
    while let Some((depth, inner)) = open.pop() {
        deepest = deepest.max(depth);
        open.extend(inner.iter().filter_map(|argument| match argument {
            ast::Argument::Operand(operand) => Some((depth + 1, arguments(operand)?)),
            ast::Argument::List(items, _) => Some((depth + 1, items.as_slice())),
            ast::Argument::Text(_) | ast::Argument::Number(_) => None,
        }));
    }
    deepest
}

fn bind_shallow(operand: &ast::Operand) -> Result<Typed, Problem> {
    match operand {
        ast::Operand::Field { name, argument } => field(name, argument.as_ref()),
        ast::Operand::Call { transformer, arguments, argument, span } => {
            call(transformer, arguments, argument.as_ref(), span)
        }
    }
}

/// True for the fields that are compared with the addresses of a host.
pub(super) fn is_host(spec: &FieldSpec) -> bool {
    spec.has(Flag::HostName)
}

/// True for the fields that name the type of the event.
pub(super) fn is_event_type(spec: &FieldSpec) -> bool {
    matches!(spec.name, "evt.type" | "syscall.type")
}

fn field(name: &Name, bracket: Option<&Name>) -> Result<Typed, Problem> {
    let end = bracket.map_or(name.span.end, |bracket| bracket.span.end + 1);
    let span = name.span.start..end;
    let text = bracket.map(|bracket| bracket.text.as_str());
    let field = field::resolve(&name.text, text).map_err(|error| {
        let span = match (&error, bracket) {
            (FieldError::Unknown(_), _) | (_, None) => name.span.clone(),
            (_, Some(bracket)) => bracket.span.clone(),
        };
        let help = error.help().unwrap_or_else(|| match error {
            FieldError::Unknown(_) => "`landlord rules fields` lists the fields".to_owned(),
            _ => String::new(),
        });
        problem(ProblemKind::UnknownName, span, error.to_string(), help)
    })?;
    let spec = field.id.spec();
    if spec.has(Flag::OutputOnly) {
        let message = format!("`{}` is for outputs only", spec.name);
        return Err(problem(ProblemKind::UnknownName, span, message, ""));
    }
    let operand = Operand::Field(field);
    let values = Type::of(&operand);
    Ok(Typed { operand, values, span, name: spec.name, field: Some(spec) })
}

fn call(
    name: &Name,
    arguments: &[ast::Argument],
    selector: Option<&Name>,
    span: &Span,
) -> Result<Typed, Problem> {
    let Some(transformer) = Transformer::named(&name.text) else {
        let message = format!("there is no transformer `{}`", name.text);
        return Err(wrong(&name.span, message, ""));
    };
    let mut operands = Vec::with_capacity(arguments.len());
    let mut spans = Vec::with_capacity(arguments.len());
    // A loop, for adapters take several frames of the stack a level.
    for argument in arguments {
        let (operand, span) = bind_argument(argument)?;
        operands.push(operand);
        spans.push(span);
    }
    let brackets = selector.map(|selector| selector.text.as_bytes());
    let operand = signature::call(transformer, operands, brackets).map_err(|it| {
        let at = match (&it, selector) {
            (Misfit::Argument { nth, .. }, _) => spans.get(*nth).unwrap_or(span),
            (Misfit::Brackets(_) | Misfit::Letter(_), Some(selector)) => &selector.span,
            _ => &name.span,
        };
        misfit(&it, at)
    })?;
    let values = Type::of(&operand);
    Ok(Typed { operand, values, span: span.clone(), name: transformer.name(), field: None })
}

fn bind_argument(argument: &ast::Argument) -> Result<(Operand, Span), Problem> {
    match argument {
        ast::Argument::Text(literal) => {
            Ok((Operand::Text(literal.bytes.as_slice().into()), literal.span.clone()))
        }
        ast::Argument::Number(number) => {
            Ok((Operand::Text(number.text.as_bytes().into()), number.span.clone()))
        }
        ast::Argument::Operand(operand) => {
            let bound = bind_shallow(operand)?;
            if let Some(spec) = bound.field.filter(|spec| is_event_type(spec)) {
                let misfit = Misfit::Field(spec.name);
                return Err(wrong(&bound.span, misfit.to_string(), EVENTS_AHEAD));
            }
            signature::argument(&bound.operand).map_err(|it| misfit(&it, &bound.span))?;
            Ok((bound.operand, bound.span))
        }
        ast::Argument::List(items, span) => {
            let mut operands = Vec::with_capacity(items.len());
            for item in items {
                let (operand, span) = bind_argument(item)?;
                signature::element(&operand).map_err(|it| misfit(&it, &span))?;
                operands.push(operand);
            }
            Ok((Operand::List(operands), span.clone()))
        }
    }
}

fn misfit(misfit: &Misfit, span: &Span) -> Problem {
    wrong(span, misfit.to_string(), misfit.help().unwrap_or_default())
}

fn wrong(span: &Range<usize>, message: String, help: &str) -> Problem {
    problem(ProblemKind::Type, span.clone(), message, help)
}
