//! Attributes within the bounds of back-ends, and the names that fields have there.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use serde_json::Value;

/// Attributes of a record at most: Loki refuses lines with more than 128, and adds some
/// of its own.
const MOST: usize = 100;
/// Bytes of all attributes of a record: Loki refuses lines with more than 64 KB.
const BYTES: usize = 48 << 10;
/// Bytes of one text.
const TEXT: usize = 8 << 10;

/// Fields of rules that the semantic conventions have a name for.
const NAMES: &[(&str, &str)] = &[
    ("container.id", "container.id"),
    ("container.image", "container.image.name"),
    ("container.image.repository", "container.image.name"),
    ("container.image.tag", "container.image.tags"),
    ("container.name", "container.name"),
    ("fd.cip", "client.address"),
    ("fd.cport", "client.port"),
    ("fd.l4proto", "network.transport"),
    ("fd.lip", "network.local.address"),
    ("fd.lport", "network.local.port"),
    ("fd.rip", "network.peer.address"),
    ("fd.rport", "network.peer.port"),
    ("fd.sip", "server.address"),
    ("fd.sport", "server.port"),
    ("k8s.ns.name", "k8s.namespace.name"),
    ("k8s.pod.name", "k8s.pod.name"),
    ("k8s.pod.uid", "k8s.pod.uid"),
    ("proc.cmdline", "process.command_line"),
    ("proc.exepath", "process.executable.path"),
    ("proc.name", "process.executable.name"),
    ("proc.pid", "process.pid"),
    ("proc.ppid", "process.parent_pid"),
    ("user.name", "process.user.name"),
    ("user.uid", "process.user.id"),
];

/// What an attribute is called that has the value of a field of a rule's output.
pub(super) fn name(field: &str) -> String {
    match NAMES.binary_search_by_key(&field, |(known, _)| known) {
        Ok(at) => NAMES[at].1.to_owned(),
        Err(_) => format!("falco.{field}"),
    }
}

/// Collects attributes.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    kept: Vec<KeyValue>,
    bytes: usize,
    dropped: u32,
}

impl Attributes {
    /// Adds one, unless it is there or there is no room, which is counted.
    pub(super) fn add(&mut self, key: impl Into<String>, value: AnyValue) {
        let key = key.into();
        if self.kept.iter().any(|known| known.key == key) {
            return;
        }
        let bytes = key.len() + size(&value);
        if self.kept.len() >= MOST || self.bytes + bytes > BYTES {
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.kept.push(KeyValue { key, value: Some(value), ..KeyValue::default() });
    }

    /// They, and how many were dropped.
    pub(super) fn done(self) -> (Vec<KeyValue>, u32) {
        (self.kept, self.dropped)
    }
}

fn size(value: &AnyValue) -> usize {
    match &value.value {
        Some(Kind::StringValue(text)) => text.len(),
        Some(Kind::ArrayValue(array)) => array.values.iter().map(size).sum(),
        _ => 8,
    }
}

/// A text, cut where it is too long.
pub(super) fn text(text: &str) -> AnyValue {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    of(Kind::StringValue(text[..end].to_owned()))
}

/// A whole number.
pub(super) fn number(number: u64) -> AnyValue {
    // What is larger is no number that anybody counts to.
    of(Kind::IntValue(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// Yes or no.
pub(super) const fn flag(flag: bool) -> AnyValue {
    of(Kind::BoolValue(flag))
}

/// A list of texts.
pub(super) fn texts(list: &[String]) -> AnyValue {
    of(Kind::ArrayValue(ArrayValue { values: list.iter().map(|it| text(it)).collect() }))
}

/// A value of a rule's output; `None` of one that is not there.
pub(super) fn value(value: &Value) -> Option<AnyValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => of(Kind::BoolValue(*value)),
        Value::Number(value) => match (value.as_u64(), value.as_i64(), value.as_f64()) {
            (Some(value), ..) => number(value),
            (_, Some(value), _) => of(Kind::IntValue(value)),
            (.., value) => of(Kind::DoubleValue(value.unwrap_or(f64::NAN))),
        },
        Value::String(value) => text(value),
        other => text(&other.to_string()),
    })
}

const fn of(kind: Kind) -> AnyValue {
    AnyValue { value: Some(kind) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Attributes, BYTES, MOST, NAMES, TEXT, name, number, size, text, value};

    #[test]
    fn names_are_in_order() {
        assert!(NAMES.is_sorted_by_key(|(field, _)| field));
        assert_eq!(name("proc.cmdline"), "process.command_line");
        assert_eq!(name("fd.name"), "falco.fd.name");
    }

    #[test]
    fn bounds_are_kept_and_counted() {
        let mut many = Attributes::default();
        for key in 0..200 {
            many.add(key.to_string(), number(1));
            many.add(key.to_string(), number(2));
        }
        let (kept, dropped) = many.done();
        assert_eq!((kept.len(), dropped), (MOST, 200));
        assert_eq!(size(&text(&"ä".repeat(TEXT))), TEXT);
        assert_eq!(size(&text(&format!("x{}", "ä".repeat(TEXT)))), TEXT - 1);
        let mut large = Attributes::default();
        for key in 0..10 {
            large.add(key.to_string(), text(&"x".repeat(TEXT)));
        }
        let (kept, dropped) = large.done();
        assert_eq!((kept.len(), dropped), (BYTES / TEXT - 1, 5));
    }

    #[test]
    fn values_keep_their_types() {
        assert_eq!(value(&json!(null)), None);
        let all = json!([true, 7, -7, 1.5, "x", [1]]);
        let all: Vec<_> = all.as_array().unwrap().iter().map(|it| value(it).unwrap()).collect();
        insta::assert_compact_debug_snapshot!(all, @r#"[AnyValue { value: Some(BoolValue(true)) }, AnyValue { value: Some(IntValue(7)) }, AnyValue { value: Some(IntValue(-7)) }, AnyValue { value: Some(DoubleValue(1.5)) }, AnyValue { value: Some(StringValue("x")) }, AnyValue { value: Some(StringValue("[1]")) }]"#);
    }
}
