//! From names to fields: exactly, as the beginning of a text, and by likeness.

use super::{ArgumentSpec, FieldId, Flag};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::similar;

/// Why a text does not name a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// There is no field of that name.
    #[error("`{0}` is not a field")]
    Unknown(String),
    /// The field has to have an argument.
    #[error("`{0}` needs an argument in brackets")]
    ArgumentMissing(&'static str),
    /// The field has none.
    #[error("`{0}` takes no argument")]
    ArgumentUnwanted(&'static str),
    /// The argument has to be a number.
    #[error("`{argument}` is not a number that `{field}` can have in brackets")]
    NotANumber {
        /// The field.
        field: &'static str,
        /// What stands in its brackets.
        argument: String,
    },
    /// No event has such a parameter.
    #[error("`{0}` is not a parameter of any event")]
    UnknownParam(String),
    /// There is no such type of event.
    #[error("`{0}` is not a type of event")]
    UnknownType(String),
}

impl FieldError {
    /// What was probably meant, or what to do; no full stop.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown(name) => did_you_mean(similar(name)),
            Self::ArgumentMissing(field @ ("evt.arg" | "evt.rawarg")) => {
                Some(format!("such as `{field}.name`, or `evt.arg[0]` for the first"))
            }
            Self::ArgumentMissing(field) => Some(format!("such as `{field}[…]`")),
            Self::ArgumentUnwanted(_) => None,
            Self::NotANumber { field, .. } => Some(format!("such as `{field}[1]`")),
            Self::UnknownParam(name) => {
                did_you_mean(similar::similar(name, ParamId::all().map(ParamId::name)))
            }
            Self::UnknownType(name) => {
                did_you_mean(similar::similar(name, EventType::all().map(EventType::name)))
            }
        }
    }
}

/// The field of a name, and what follows it after a dot where the field takes an
/// argument so: `evt.arg.flags` is `evt.arg` with `flags`.
#[must_use]
pub fn lookup(name: &str) -> Option<(FieldId, Option<&str>)> {
    if let Some(id) = exactly(name) {
        return Some((id, None));
    }
    name.rmatch_indices('.').find_map(|(dot, _)| {
        let id = exactly(&name[..dot])?;
        let rest = &name[dot + 1..];
        (id.spec().has(Flag::Dotted) && !rest.is_empty()).then_some((id, Some(rest)))
    })
}

/// The field that a name and the text in its brackets stand for.
///
/// # Errors
///
/// If there is none, or its argument is missing, unwanted or not of its kind.
pub fn resolve(name: &str, brackets: Option<&str>) -> Result<FieldRef, FieldError> {
    let unknown = || FieldError::Unknown(name.to_owned());
    let (id, dotted) = lookup(name).ok_or_else(unknown)?;
    if dotted.is_some() && brackets.is_some() {
        return Err(FieldError::ArgumentUnwanted(id.spec().name));
    }
    argument(id, dotted.or(brackets)).map(|argument| FieldRef { id, argument })
}

/// The longest field that a text begins with, its argument included, and the bytes
/// that it takes: nothing if it begins with none.
///
/// So are outputs read: in `%proc.name.` the full stop is text.
#[must_use]
pub fn longest(text: &str) -> Option<(Result<FieldRef, FieldError>, usize)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let run = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (id, length) =
        (1..=run).rev().find_map(|length| Some((exactly(&text[..length])?, length)))?;
    let spec = id.spec();
    let rest = &text[length..];
    let mut given = None;
    let mut end = length;
    if spec.argument != ArgumentSpec::None
        && let Some(inner) = rest.strip_prefix('[')
        && let Some(close) = inner.find(']')
    {
        given = Some(&inner[..close]);
        end += close + 2;
    } else if spec.has(Flag::Dotted)
        && let Some(inner) = rest.strip_prefix('.')
    {
        let word = dotted(id, inner);
        if !word.is_empty() {
            given = Some(word);
            end += 1 + word.len();
        }
    }
    Some((argument(id, given).map(|argument| FieldRef { id, argument }), end))
}

/// The field that a misspelt name was probably meant to be.
#[must_use]
pub fn similar(name: &str) -> Option<&'static str> {
    similar::similar(name, FieldId::ALL.iter().map(|id| id.spec().name))
}

fn did_you_mean(name: Option<&str>) -> Option<String> {
    name.map(|name| format!("did you mean `{name}`?"))
}

/// The argument after a dot at the beginning of a text.
fn dotted(id: FieldId, text: &str) -> &str {
    let longest_named = |known: &dyn Fn(&str) -> bool| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let run = &text[..end.unwrap_or(text.len())];
        (1..=run.len()).rev().map(|end| &run[..end]).find(|word| known(word)).unwrap_or(run)
    };
    match id {
        FieldId::EvtArg | FieldId::EvtRawarg => {
            longest_named(&|word| ParamId::named(word).is_some())
        }
        FieldId::EvtTypeIs => longest_named(&|word| EventType::named(word).is_some()),
        FieldId::EvtAbspath => ["src", "dst"]
            .into_iter()
            .find(|end| text.starts_with(end))
            .map_or("", |end| &text[..end.len()]),
        // Keys of labels.
        _ => {
            let is_key = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
            &text[..text.find(|c| !is_key(c)).unwrap_or(text.len())]
        }
    }
}

fn argument(id: FieldId, given: Option<&str>) -> Result<Argument, FieldError> {
    let spec = id.spec();
    let index = |text: &str| {
        let not_a_number =
            || FieldError::NotANumber { field: spec.name, argument: text.to_owned() };
        text.parse().map(Argument::Index).map_err(|_| not_a_number())
    };
    let key = |text: &str| Ok(Argument::Key(text.into()));
    match (spec.argument, given) {
        (ArgumentSpec::None | ArgumentSpec::OptionalIndex | ArgumentSpec::OptionalKey, None) => {
            Ok(Argument::None)
        }
        (ArgumentSpec::None, Some(_)) => Err(FieldError::ArgumentUnwanted(spec.name)),
        (ArgumentSpec::Index | ArgumentSpec::Key | ArgumentSpec::Param, None | Some("")) => {
            Err(FieldError::ArgumentMissing(spec.name))
        }
        (ArgumentSpec::Index | ArgumentSpec::OptionalIndex, Some(text)) => index(text),
        (ArgumentSpec::Key, Some(name)) if id == FieldId::EvtTypeIs => {
            let known = EventType::named(name);
            known.map_or_else(|| Err(FieldError::UnknownType(name.to_owned())), |_| key(name))
        }
        (ArgumentSpec::Key | ArgumentSpec::OptionalKey, Some(text)) => key(text),
        (ArgumentSpec::Param, Some(text)) => match ParamId::named(text) {
            Some(param) => Ok(Argument::Param(param)),
            // The type of a raw value is that of its name.
            None if id == FieldId::EvtArg && text.starts_with(|c: char| c.is_ascii_digit()) => {
                index(text)
            }
            None => Err(FieldError::UnknownParam(text.to_owned())),
        },
    }
}

fn exactly(name: &str) -> Option<FieldId> {
    let found = FieldId::ALL.binary_search_by_key(&name, |id| id.spec().name);
    found.ok().map(|at| FieldId::ALL[at])
}
