//! What follows a `%` in an output: a field, or a transformer with its arguments.

use crate::rules::ast;
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::{self, FieldError, Flag, Shape};
use crate::rules::parse;
use crate::rules::transform::signature::{self, Misfit};
use crate::rules::typed::{Operand, Transformer};

/// A token read from the beginning of a text.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) operand: Operand,
    /// The fields in it, each as written.
    pub(super) fields: Vec<(String, FieldRef)>,
    /// Bytes of the text that it takes.
    pub(super) length: usize,
}

/// Why a text does not begin with a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// True if a name in it is unknown.
    pub(super) is_unknown: bool,
    /// Bytes from the beginning of the text.
    pub(super) at: usize,
}

/// Reads the token at the beginning of a text.
pub(super) fn token(text: &str) -> Result<Token, Unreadable> {
    let word = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let mut fields = Vec::new();
    if Transformer::named(&text[..word]).is_some() && text[word..].starts_with('(') {
        let (read, length) = parse::operand(text).map_err(|problems| {
            let first = problems.into_iter().next();
            first.map_or_else(
                || syntax("this is no transformer", 0),
                |first| Unreadable { help: first.help, ..syntax(&first.message, first.span.start) },
            )
        })?;
        let operand = bind(&read, &mut fields)?;
        return Ok(Token { operand, fields, length });
    }
    // Outputs have no blanks around fields: the longest one counts.
    let Some((found, length)) = field::longest(text) else { return Err(unknown(text)) };
    let field = found.map_err(|error| wrong(&error, 0))?;
    let operand = named(&text[..length], field, 0, &mut fields)?;
    Ok(Token { operand, fields, length })
}

/// Looks up what was read.
fn bind(
    operand: &ast::Operand,
    fields: &mut Vec<(String, FieldRef)>,
) -> Result<Operand, Unreadable> {
    match operand {
        ast::Operand::Field { name, argument } => {
            let brackets = argument.as_ref().map(|argument| argument.text.as_str());
            let field = field::resolve(&name.text, brackets)
                .map_err(|error| wrong(&error, name.span.start))?;
            let key = brackets.map_or_else(String::new, |brackets| format!("[{brackets}]"));
            named(&format!("{}{key}", name.text), field, name.span.start, fields)
        }
        ast::Operand::Call { transformer: name, arguments, argument: selector, span } => {
            let Some(transformer) = Transformer::named(&name.text) else {
                return Err(syntax("this is no transformer", name.span.start));
            };
            let mut bound = Vec::with_capacity(arguments.len());
            for argument in arguments {
                bound.push(bind_argument(argument, fields, span.start)?);
            }
            let brackets = selector.as_ref().map(|selector| selector.text.as_bytes());
            signature::call(transformer, bound, brackets).map_err(|it| misfit(&it, span.start))
        }
    }
}

fn bind_argument(
    argument: &ast::Argument,
    fields: &mut Vec<(String, FieldRef)>,
    at: usize,
) -> Result<Operand, Unreadable> {
    match argument {
        ast::Argument::Operand(operand) => {
            let bound = bind(operand, fields)?;
            signature::argument(&bound).map_err(|it| misfit(&it, at))?;
            Ok(bound)
        }
        ast::Argument::Text(literal) => Ok(Operand::Text(literal.bytes.as_slice().into())),
        ast::Argument::Number(number) => Ok(Operand::Text(number.text.as_bytes().into())),
        ast::Argument::List(items, _) => {
            let mut elements = Vec::with_capacity(items.len());
            for item in items {
                let bound = bind_argument(item, fields, at)?;
                signature::element(&bound).map_err(|it| misfit(&it, at))?;
                elements.push(bound);
            }
            Ok(Operand::List(elements))
        }
    }
}

fn misfit(misfit: &Misfit, at: usize) -> Unreadable {
    Unreadable { help: misfit.help().map(str::to_owned), ..syntax(&misfit.to_string(), at) }
}

/// A field that stands in an output, noted as it was written.
fn named(
    key: &str,
    mut field: FieldRef,
    at: usize,
    fields: &mut Vec<(String, FieldRef)>,
) -> Result<Operand, Unreadable> {
    let spec = field.id.spec();
    if spec.has(Flag::ConditionOnly) {
        return Err(syntax(&format!("`{}` is for conditions only", spec.name), at));
    }
    if field.shape() == Shape::Ancestors {
        // Without a number an output means the process itself.
        field.argument = Argument::Index(0);
    }
    fields.push((key.to_owned(), field.clone()));
    Ok(Operand::Field(field))
}

/// No field begins the text.
fn unknown(text: &str) -> Unreadable {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    match text[..end].trim_end_matches('.') {
        "" => syntax("a field has to follow the `%`", 0),
        name => wrong(&FieldError::Unknown(name.to_owned()), 0),
    }
}

fn wrong(error: &FieldError, at: usize) -> Unreadable {
    Unreadable { message: error.to_string(), help: error.help(), is_unknown: true, at }
}

fn syntax(message: &str, at: usize) -> Unreadable {
    Unreadable { message: message.to_owned(), help: None, is_unknown: false, at }
}
