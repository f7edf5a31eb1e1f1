//! Values of fields from JSON and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};

use super::{Fields, JsonEventError, Owned, field_of};
use crate::rules::event::FieldRef;
use crate::rules::field::{ArgumentSpec, FieldError, FieldId, Shape, lookup, resolve};
use crate::rules::value::Kind;

/// Key of bytes that are no text.
const ENCODED: &str = "base64";

/// Reads one entry of an event.
pub(super) fn entry(key: &str, value: &Json, fields: &mut Fields) -> Result<(), JsonEventError> {
    if value.is_null() {
        return Ok(());
    }
    let wrong = |problem: FieldError| JsonEventError::Key { key: key.to_owned(), problem };
    // An object of arguments: of parameters, variables, labels.
    if let Json::Object(arguments) = value
        && let Some((id, None)) = lookup(key)
        && id.spec().argument != ArgumentSpec::None
        && !arguments.contains_key(ENCODED)
    {
        for (argument, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
            let field = resolve(key, Some(argument)).map_err(wrong)?;
            let key = format!("{key}[{argument}]");
            fields.insert(field.clone(), values(&key, &field, value)?);
        }
        return Ok(());
    }
    let field = field_of(key).map_err(wrong)?;
    match (field.id, value) {
        // A time is a number where the field is a text of it.
        (FieldId::EvtTime, Json::Number(_)) => {
            let rawtime = FieldRef { id: FieldId::EvtRawtime, ..field };
            let values = values(key, &rawtime, value)?;
            fields.insert(rawtime, values);
        }
        // The words of a command line.
        (FieldId::ProcArgs, Json::Array(words)) => {
            let words: Result<Vec<Vec<u8>>, _> = words
                .iter()
                .map(|word| bytes(word).ok_or_else(|| mistyped(key, "a text", word)))
                .collect();
            fields.insert(field, vec![Owned::Text(words?.join(&b' ').into())]);
        }
        _ => {
            let values = values(key, &field, value)?;
            fields.insert(field, values);
        }
    }
    Ok(())
}

/// The values of a field, an array where it can have several.
fn values(key: &str, field: &FieldRef, value: &Json) -> Result<Vec<Owned>, JsonEventError> {
    match (field.shape(), value) {
        (Shape::One, _) => Ok(vec![one(key, field, value)?]),
        (Shape::Ends | Shape::Ancestors | Shape::List, Json::Array(elements)) => {
            elements.iter().map(|value| one(key, field, value)).collect()
        }
        (Shape::Ends | Shape::Ancestors | Shape::List, _) => Ok(vec![one(key, field, value)?]),
    }
}

fn one(key: &str, field: &FieldRef, value: &Json) -> Result<Owned, JsonEventError> {
    let (expected, read) = match field.kind() {
        Kind::Bool => ("true or false", value.as_bool().map(Owned::Bool)),
        Kind::Int => ("a whole number", value.as_i64().map(Owned::Int)),
        Kind::Uint => ("a whole number from 0", value.as_u64().map(Owned::Uint)),
        Kind::Duration | Kind::Time => ("nanoseconds", value.as_u64().map(Owned::Uint)),
        Kind::Port => {
            let port = value.as_u64().filter(|&port| port <= u64::from(u16::MAX));
            ("a port", port.map(Owned::Uint))
        }
        Kind::Double => ("a number", value.as_f64().map(Owned::Double)),
        Kind::Text => {
            let text = bytes(value).or_else(|| match (field.id, value) {
                // The text of a number is known.
                (FieldId::EvtArg, Json::Number(number)) => Some(number.to_string().into_bytes()),
                _ => None,
            });
            ("a text", text.map(|text| Owned::Text(text.into())))
        }
        Kind::Bytes => {
            ("a text or {\"base64\": …}", bytes(value).map(|it| Owned::Bytes(it.into())))
        }
        Kind::Ip | Kind::Net => {
            let address = value.as_str().and_then(|text| text.parse().ok());
            ("an IP address", address.map(Owned::Ip))
        }
    };
    read.ok_or_else(|| mistyped(key, expected, value))
}

/// A text, or bytes in base64.
fn bytes(value: &Json) -> Option<Vec<u8>> {
    match value {
        Json::String(text) => Some(text.clone().into_bytes()),
        Json::Object(object) if object.len() == 1 => {
            BASE64.decode(object.get(ENCODED)?.as_str()?).ok()
        }
        _ => None,
    }
}

/// A value as JSON.
pub(super) fn written(value: &Owned) -> Json {
    match value {
        Owned::Bool(value) => json!(value),
        Owned::Int(value) => json!(value),
        Owned::Uint(value) => json!(value),
        Owned::Double(value) => json!(value),
        Owned::Text(bytes) | Owned::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(_) => json!({ ENCODED: BASE64.encode(bytes) }),
        },
        Owned::Ip(value) => json!(value.to_string()),
    }
}

fn mistyped(key: &str, expected: &'static str, found: &Json) -> JsonEventError {
    const LONGEST: usize = 60;
    let mut shown = found.to_string();
    if shown.chars().count() > LONGEST {
        shown = shown.chars().take(LONGEST).chain(['…']).collect();
    }
    JsonEventError::Value { key: key.to_owned(), expected, found: shown }
}

/// What a JSON value is, in words.
pub(super) const fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
