//! Events for tests: fields and values in a map.

use std::collections::HashMap;

use crate::rules::event::{Argument, Event, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::field::{FieldId, Shape};
use crate::rules::naive::Owned;
use crate::rules::value::{Kind, Value};

/// An event that has what it was given.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    event_type: EventType,
    values: HashMap<FieldRef, Vec<Owned>>,
}

impl Sample {
    /// An event of the type of that name without any values.
    pub(crate) fn new(event_type: &str) -> Self {
        Self { event_type: EventType::named(event_type).unwrap(), values: HashMap::new() }
    }

    /// The same event with this value, or these, of a field.
    pub(crate) fn with(mut self, field: FieldRef, values: Vec<Owned>) -> Self {
        self.values.insert(field, values);
        self
    }

    /// The same event with this text in a field.
    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.with(field(name), vec![Owned::Text(text.as_bytes().to_vec())])
    }

    /// The same event with this number in a field.
    pub(crate) fn number(self, name: &str, number: i128) -> Self {
        self.with(field(name), vec![Owned::Number(number)])
    }

    /// The same event with this truth in a field.
    pub(crate) fn truth(self, name: &str, truth: bool) -> Self {
        self.with(field(name), vec![Owned::Bool(truth)])
    }
}

impl Event for Sample {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        if field.shape() == Shape::One && nth > 0 {
            return None;
        }
        match field.id {
            FieldId::EvtType => return Some(Value::Text(self.event_type.name().as_bytes())),
            FieldId::EvtNum => return Some(Value::Uint(7)),
            _ => {}
        }
        Some(match self.values.get(field)?.get(nth)? {
            Owned::Bool(truth) => Value::Bool(*truth),
            Owned::Number(number) if field.kind() == Kind::Int => {
                Value::Int(i64::try_from(*number).unwrap())
            }
            Owned::Number(number) => Value::Uint(u64::try_from(*number).unwrap()),
            Owned::Double(number) => Value::Double(*number),
            Owned::Text(text) if field.kind() == Kind::Bytes => Value::Bytes(text),
            Owned::Text(text) => Value::Text(text),
            Owned::Ip(address) => Value::Ip(*address),
        })
    }
}

/// A field as rules write it, such as `proc.aname[2]` or `evt.arg.flags`.
pub(crate) fn field(text: &str) -> FieldRef {
    let named = |name: &str| FieldId::ALL.iter().find(|id| id.spec().name == name).copied();
    if let Some(id) = named(text) {
        return FieldRef { id, argument: Argument::None };
    }
    if let Some((name, argument)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        let key = || Argument::Key(argument.into());
        let argument = argument.parse().map_or_else(|_| key(), Argument::Index);
        return FieldRef { id: named(name).unwrap(), argument };
    }
    let (name, parameter) = text.rsplit_once('.').unwrap();
    let argument = Argument::Param(ParamId::named(parameter).unwrap());
    FieldRef { id: named(name).unwrap(), argument }
}
