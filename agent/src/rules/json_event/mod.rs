//! Events written as JSON, for `landlord rules eval` and the unit tests of rules.
//!
//! One object an event, with the names of fields as keys:
//!
//! ```json
//! {"evt.type": "openat", "evt.time": 1700000000000000000, "fd.name": "/etc/shadow",
//!  "proc.name": "cat", "proc.aname": ["bash", "sshd"], "proc.env": {"HOME": "/root"},
//!  "evt.arg": {"flags": "O_RDONLY"}, "fd.ip": ["10.0.0.1", "10.0.0.2"]}
//! ```
//!
//! - `evt.type` is all that an event has to have; `null` is as good as no key.
//! - A field with an argument has its own key, `proc.aname[2]` or `evt.arg.flags`, or
//!   is an object of its arguments. A field with several values is an array:
//!   ancestors from the parent on, of a connection the client's end, then the
//!   server's.
//! - Bytes that are no text are written `{"base64": "…"}`.
//! - What follows from the fields that are there need not be written: see [`derive`].
//!
//! Mistakes are errors that name the key: an unknown field, a value of another type.

mod derive;
pub(crate) mod errno;
mod read;

use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::{Map, Value as Json};

use super::event::{Argument, Event, FieldRef};
use super::event_type::EventType;
use super::field::{self, FieldError, FieldId, Shape};
use super::value::Value;

/// An event that was read from JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonEvent {
    event_type: EventType,
    given: Fields,
    /// What follows from the fields that were given.
    derived: Fields,
}

/// The values of fields; those of ancestors and lists in their order.
type Fields = HashMap<FieldRef, Vec<Owned>>;

/// A value that belongs to its event.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Box<[u8]>),
    Bytes(Box<[u8]>),
    Ip(IpAddr),
}

/// Why a text is not an event.
#[derive(Debug, thiserror::Error)]
pub enum JsonEventError {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON, but no object.
    #[error("an event is an object, not {0}")]
    NotAnObject(&'static str),
    /// It has no type.
    #[error("`evt.type` is missing")]
    NoType,
    /// A key is not the name of a field.
    #[error("key `{key}`: {problem}{}", hint(.problem))]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: FieldError,
    },
    /// A value is not one that the field can have.
    #[error("key `{key}`: {expected} is expected, not {found}")]
    Value {
        /// The key.
        key: String,
        /// Such as `a text`.
        expected: &'static str,
        /// Such as `true`.
        found: String,
    },
}

fn hint(problem: &FieldError) -> String {
    problem.help().map(|help| format!("; {help}")).unwrap_or_default()
}

impl JsonEvent {
    /// Reads an event from one line of JSON.
    ///
    /// # Errors
    ///
    /// If it is not an object of fields with values of their types.
    pub fn from_line(line: &str) -> Result<Self, JsonEventError> {
        Self::from_value(&serde_json::from_str(line)?)
    }

    /// Reads an event from a JSON value.
    ///
    /// # Errors
    ///
    /// If it is not an object of fields with values of their types.
    pub fn from_value(value: &Json) -> Result<Self, JsonEventError> {
        let object =
            value.as_object().ok_or_else(|| JsonEventError::NotAnObject(read::kind_of(value)))?;
        let mut given = Fields::new();
        for (key, value) in object {
            read::entry(key, value, &mut given)?;
        }
        let named = FieldRef { id: FieldId::EvtType, argument: Argument::None };
        let event_type = match given.get(&named).map(Vec::as_slice) {
            Some([Owned::Text(name)]) => {
                let name = String::from_utf8_lossy(name).into_owned();
                EventType::named(&name).ok_or_else(|| JsonEventError::Key {
                    key: "evt.type".to_owned(),
                    problem: FieldError::UnknownType(name),
                })?
            }
            _ => return Err(JsonEventError::NoType),
        };
        // An alias is told by its proper name.
        given.insert(named, vec![Owned::Text(event_type.name().as_bytes().into())]);
        let derived = derive::derive(event_type, &given);
        Ok(Self { event_type, given, derived })
    }

    /// Writes the fields that were given; reading them gives the same event.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let entries = self.given.iter().map(|(field, values)| {
            let json = match values.as_slice() {
                [value] if field.shape() == Shape::One => read::written(value),
                values => Json::Array(values.iter().map(read::written).collect()),
            };
            (field.to_string(), json)
        });
        Json::Object(entries.collect::<Map<_, _>>())
    }

    fn stored(&self, field: &FieldRef, nth: usize) -> Option<&Owned> {
        self.given.get(field).or_else(|| self.derived.get(field))?.get(nth)
    }
}

impl Event for JsonEvent {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        let spec = field.id.spec();
        let stored = match field.argument {
            Argument::Index(index) if field.id == FieldId::EvtArg => {
                let param = *self.event_type.params().get(usize::try_from(index).ok()?)?;
                let argument = Argument::Param(param);
                self.stored(&FieldRef { id: field.id, argument }, nth)
            }
            // An ancestor by its number, or by its place among all.
            Argument::Index(index) if spec.shape == Shape::Ancestors && index > 0 => {
                let place = usize::try_from(index - 1).ok()?;
                let all = FieldRef { id: field.id, argument: Argument::None };
                let by_place = || self.stored(&all, place).filter(|_| nth == 0);
                self.stored(field, nth).or_else(by_place)
            }
            Argument::None if spec.shape == Shape::Ancestors => {
                let index = u32::try_from(nth + 1).ok()?;
                let argument = Argument::Index(index);
                let by_number = || self.stored(&FieldRef { id: field.id, argument }, 0);
                self.stored(field, nth).or_else(by_number)
            }
            _ => self.stored(field, nth),
        };
        stored.map(Owned::value)
    }
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Text(value) => Value::Text(value),
            Self::Bytes(value) => Value::Bytes(value),
            Self::Ip(value) => Value::Ip(*value),
        }
    }
}

/// The field of a key, `proc.aname[2]` included.
fn field_of(key: &str) -> Result<FieldRef, FieldError> {
    match key.strip_suffix(']').and_then(|inner| inner.split_once('[')) {
        Some((name, argument)) => field::resolve(name, Some(argument)),
        None => field::resolve(key, None),
    }
}

#[cfg(test)]
mod tests;
