//! Values as alerts write them: as text, and as JSON.

use std::io::Write as _;

use jiff::tz::TimeZone;

use super::escape;
use super::time::{Form, written};
use crate::rules::event::{Argument, Event, FieldRef};
use crate::rules::field::{FieldId, Flag, Shape};
use crate::rules::transform::Values;
use crate::rules::value::Value;

/// Bytes of a buffer that are shown.
const SHOWN: usize = 1023;

/// When the event happened, in nanoseconds since 1970.
pub(super) fn time_of<E: Event + ?Sized>(event: &E) -> Option<u64> {
    let rawtime = FieldRef { id: FieldId::EvtRawtime, argument: Argument::None };
    match event.value(&rawtime, 0)? {
        Value::Uint(time) => Some(time),
        _ => None,
    }
}

/// Appends the field's value as text; false if it has none.
pub(super) fn field_text<E: Event + ?Sized>(
    field: &FieldRef,
    event: &E,
    zone: &TimeZone,
    out: &mut Vec<u8>,
) -> bool {
    if let Some(form) = Form::of(field.id) {
        return time_of(event).map(|time| form.write(time, zone, out)).is_some();
    }
    let Some(first) = event.value(field, 0) else { return false };
    if field.shape() == Shape::One {
        text(first, Some(field.id), out);
    } else {
        list_text((0..).map_while(|nth| event.value(field, nth)), out);
    }
    true
}

/// Appends the values of a transformer as text.
pub(super) fn values_text(values: Values<'_>, is_list: bool, out: &mut Vec<u8>) {
    match values.get(0) {
        Some(value) if !is_list => text(value, None, out),
        _ => list_text(values.iter(), out),
    }
}

/// Appends the field's value as JSON, `null` if it has none.
pub(super) fn field_json<E: Event + ?Sized>(field: &FieldRef, event: &E, out: &mut Vec<u8>) {
    if Form::of(field.id).is_some() {
        let time = time_of(event);
        return json(time.map(Value::Uint), None, out);
    }
    let first = event.value(field, 0);
    if first.is_none() || field.shape() == Shape::One {
        return json(first, Some(field.id), out);
    }
    out.push(b'[');
    for (nth, value) in (0..).map_while(|nth| event.value(field, nth)).enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        json(Some(value), Some(field.id), out);
    }
    out.push(b']');
}

fn list_text<'a>(values: impl Iterator<Item = Value<'a>>, out: &mut Vec<u8>) {
    out.push(b'(');
    for (nth, value) in values.enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        text(value, None, out);
    }
    out.push(b')');
}

fn text(value: Value<'_>, field: Option<FieldId>, out: &mut Vec<u8>) {
    let has = |flag| field.is_some_and(|id| id.spec().has(flag));
    match value {
        Value::Bool(value) => written(&write!(out, "{value}")),
        Value::Int(value) if has(Flag::Hex) => written(&write!(out, "{value:X}")),
        Value::Int(value) => written(&write!(out, "{value}")),
        Value::Uint(value) if has(Flag::Padded) => written(&write!(out, "{value:09}")),
        Value::Uint(value) => written(&write!(out, "{value}")),
        Value::Double(value) => written(&write!(out, "{value:.1}")),
        Value::Text(value) => out.extend_from_slice(value),
        Value::Bytes(value) => out.extend(dotted(value)),
        Value::Ip(value) => written(&write!(out, "{value}")),
    }
}

fn json(value: Option<Value<'_>>, field: Option<FieldId>, out: &mut Vec<u8>) {
    let has = |flag| field.is_some_and(|id| id.spec().has(flag));
    match value {
        None => out.extend_from_slice(b"null"),
        Some(Value::Bool(value)) => written(&write!(out, "{value}")),
        Some(Value::Int(value)) if !has(Flag::Hex) => written(&write!(out, "{value}")),
        Some(Value::Uint(value)) => written(&write!(out, "{value}")),
        // Debug writes the fewest digits that tell the number, and always a point.
        Some(Value::Double(value)) if value.is_finite() => written(&write!(out, "{value:?}")),
        Some(Value::Double(_)) => out.extend_from_slice(b"null"),
        Some(Value::Text(value)) => escape::string(value, out),
        Some(Value::Bytes(value)) => {
            out.push(b'"');
            // Printable bytes are UTF-8, so that each can be escaped by itself.
            for byte in dotted(value) {
                escape::escaped(&[byte], out);
            }
            out.push(b'"');
        }
        Some(value @ (Value::Int(_) | Value::Ip(_))) => {
            out.push(b'"');
            text(value, field, out);
            out.push(b'"');
        }
    }
}

/// The beginning of a buffer, with a dot for each byte that is not printable.
fn dotted(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let shown = bytes.iter().take(SHOWN);
    shown.map(|byte| if (b' '..=b'~').contains(byte) { *byte } else { b'.' })
}
