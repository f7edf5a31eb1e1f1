//! Events of test files: fields of a template, and what differs.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value as Json};

use super::read::{Reader, Told};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::field::{self, FieldId};
use crate::rules::load::yaml::{Node, Style, Value};
use crate::rules::value::Kind;

/// Fields by their names as [`FieldRef`] writes them, so that two spellings of a
/// field are one key. A field that is `null` is taken away.
pub(super) type Fields = BTreeMap<String, Json>;

/// Reads a field and its value into `fields`.
pub(super) fn field(
    key: &Node,
    name: &str,
    value: &Node,
    reader: &mut Reader<'_>,
    fields: &mut Fields,
) -> Result<(), Told> {
    let (name, brackets) = match name.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']').unwrap_or(rest))),
        None => (name, None),
    };
    // An object of arguments, such as the parameters of a call.
    if let (Value::Mapping(entries), None, Some((id, None))) =
        (&value.value, brackets, field::lookup(name))
        && id.spec().argument != field::ArgumentSpec::None
    {
        for (argument, value) in entries {
            let text = reader.text(argument, "the name of an argument")?;
            let field = resolve(name, Some(&text), argument, reader)?;
            let json = json(value, &field, reader)?;
            fields.insert(field.to_string(), json);
        }
        return Ok(());
    }
    let field = resolve(name, brackets, key, reader)?;
    let json = json(value, &field, reader)?;
    fields.insert(field.to_string(), json);
    Ok(())
}

fn resolve(
    name: &str,
    brackets: Option<&str>,
    key: &Node,
    reader: &mut Reader<'_>,
) -> Result<FieldRef, Told> {
    field::resolve(name, brackets).map_err(|error| {
        let help = error.help();
        reader.wrong(key, error.to_string(), help)
    })
}

/// A value as the type of the field asks for it: `0` is a number for `user.uid` and
/// a text for `proc.args`.
fn json(node: &Node, field: &FieldRef, reader: &mut Reader<'_>) -> Result<Json, Told> {
    match &node.value {
        Value::Null => Ok(Json::Null),
        Value::Scalar(text, style) => Ok(scalar(text, *style, field)),
        Value::Sequence(elements) => {
            elements.iter().map(|element| json(element, field, reader)).collect()
        }
        // Bytes that are no text.
        Value::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = reader.text(key, "a key")?;
                object.insert(key, Json::String(reader.text(value, "a text")?));
            }
            Ok(Json::Object(object))
        }
    }
}

fn scalar(text: &str, style: Style, field: &FieldRef) -> Json {
    let number = || {
        let whole = text.parse::<i64>().map(Number::from);
        whole.or_else(|_| text.parse::<u64>().map(Number::from)).ok()
    };
    let read = match field.kind() {
        _ if style != Style::Plain => None,
        Kind::Bool => text.parse().ok().map(Json::Bool),
        Kind::Double => text.parse().ok().and_then(Number::from_f64).map(Json::Number),
        Kind::Int | Kind::Uint | Kind::Port | Kind::Duration | Kind::Time => {
            number().map(Json::Number)
        }
        Kind::Text if field.id == FieldId::EvtTime && field.argument == Argument::None => {
            number().map(Json::Number)
        }
        Kind::Text | Kind::Bytes | Kind::Ip | Kind::Net => None,
    };
    // What cannot be read stays as it is; the event tells what it expects.
    read.unwrap_or_else(|| Json::String(text.to_owned()))
}
