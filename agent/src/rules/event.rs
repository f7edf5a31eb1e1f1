//! What the rules ask of an event, whoever made it.

use std::fmt;

use super::event_type::{EventType, ParamId};
use super::field::{FieldId, Shape};
use super::value::{Kind, Value};

/// An event as the rules see it.
///
/// Asking is cheap and has no effect, so that a rule may ask twice or not at all.
pub trait Event {
    /// The type: `evt.type`.
    fn event_type(&self) -> EventType;

    /// The value of a field; nothing if this event has none.
    ///
    /// `nth` counts from 0. Fields of [`Shape::One`] have
    /// a value at most for 0; the others for 0 up to the first that is missing:
    /// [`Ends`](super::field::Shape::Ends) the client's then the server's end,
    /// [`Ancestors`](super::field::Shape::Ancestors) the parent first, and
    /// [`List`](super::field::Shape::List) its elements. Numbers, texts and
    /// addresses come as the field's kind says.
    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>>;
}

/// A field and its argument, as conditions and outputs name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// Which field.
    pub id: FieldId,
    /// What stands in its brackets.
    pub argument: Argument,
}

/// The argument of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// There is none.
    None,
    /// A number: `proc.aname[2]`, `evt.arg[0]`.
    Index(u32),
    /// A key: `proc.env[HOME]`, `tenant.labels[team]`, `container.mount.dest[/etc/*]`.
    Key(Box<str>),
    /// The name of a parameter of the event: `evt.arg.flags`.
    Param(ParamId),
}

impl FieldRef {
    /// Type of its values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.argument {
            Argument::Param(param) if self.id == FieldId::EvtRawarg => param.raw_kind(),
            _ => self.id.spec().kind,
        }
    }

    /// How many values it has: at most one where its argument picks that one.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self.argument {
            Argument::None => self.id.spec().shape,
            // The services of a pod each have a label of that key.
            Argument::Key(_) if self.id.spec().shape == Shape::List => Shape::List,
            Argument::Index(_) | Argument::Key(_) | Argument::Param(_) => Shape::One,
        }
    }
}

/// As conditions and outputs write it.
impl fmt::Display for FieldRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.id.spec().name;
        match (&self.argument, self.id) {
            (Argument::None, _) => out.write_str(name),
            (Argument::Index(index), _) => write!(out, "{name}[{index}]"),
            (Argument::Key(key), FieldId::EvtTypeIs | FieldId::ThreadCgroup) => {
                write!(out, "{name}.{key}")
            }
            (Argument::Key(key), _) => write!(out, "{name}[{key}]"),
            (Argument::Param(param), _) => write!(out, "{name}.{}", param.name()),
        }
    }
}
