//! Records, as bytes, and what rules see of them.

mod agreement;
mod deeds;
mod descriptors;
mod draft;
mod events;
mod laws;
mod parameters;
mod paths;
mod places;
mod processes;
mod sockets;
mod world;

use self::draft::Draft;
use self::world::World;
use super::View;
use crate::rules::event::{Event as _, FieldRef};
use crate::rules::event_type::EventType;
use crate::rules::field;
use crate::rules::value::Value;
use crate::{calls, decode};

/// The field of a name such as `proc.aname[2]`.
fn field_of(name: &str) -> FieldRef {
    let found = match name.strip_suffix(']').and_then(|inner| inner.split_once('[')) {
        Some((name, argument)) => field::resolve(name, Some(argument)),
        None => field::resolve(name, None),
    };
    found.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn shown(value: Value<'_>) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Text(bytes) | Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Ip(value) => value.to_string(),
    }
}

/// All values of a field, with commas between them; `-` when it has none.
fn told(view: &View<'_>, name: &str) -> String {
    let field = field_of(name);
    let values: Vec<String> = (0..).map_while(|nth| view.value(&field, nth)).map(shown).collect();
    if values.is_empty() { "-".to_owned() } else { values.join(",") }
}

/// Looks at an event in the world.
#[track_caller]
fn look<T>(world: &World, draft: &Draft, see: impl FnOnce(&View<'_>) -> T) -> T {
    let bytes = draft.bytes();
    let record = decode::record(&bytes).unwrap();
    let event_type = EventType::named(draft.name).unwrap();
    let call = calls::of_record(&record).filter(|call| call.event_type == event_type);
    see(&View::new(&record, call, event_type, world.around(&record)))
}

/// Expects fields of an event, in the world as it is.
#[track_caller]
fn check(draft: &Draft, expected: &[(&str, &str)]) {
    check_in(&World::default(), draft, expected);
}

#[track_caller]
fn check_in(world: &World, draft: &Draft, expected: &[(&str, &str)]) {
    look(world, draft, |view| {
        for (name, value) in expected {
            assert_eq!(told(view, name), *value, "{name} of {}", draft.name);
        }
    });
}
