//! A JSON document that may hold anything: what is missing or of another type than
//! expected is `None`, and the rest still counts.

use std::collections::BTreeMap;

use serde_json::Value;

/// Longer texts are nothing that a rule compares with.
const MAX_TEXT: usize = 64 << 10;
/// Longer labels are no names; they would only fill memory.
const MAX_LABEL: usize = 4096;
/// More labels than any workload has.
const MAX_LABELS: usize = 512;

/// A value in a document, or its absence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doc<'a>(Option<&'a Value>);

impl<'a> Doc<'a> {
    pub(super) const fn new(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// The member of that name of an object.
    pub(super) fn get(self, key: &str) -> Self {
        Self(self.0.and_then(|value| value.get(key)))
    }

    /// The member at that path of names.
    pub(super) fn at(self, path: &[&str]) -> Self {
        path.iter().fold(self, |doc, key| doc.get(key))
    }

    /// Whether there is a value that says something: neither absent, `null`, nor empty.
    pub(super) fn says(self) -> bool {
        match self.0 {
            None | Some(Value::Null) => false,
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        }
    }

    /// Text that is neither empty nor very long.
    pub(super) fn str(self) -> Option<&'a str> {
        let is_sane = |text: &&str| (1..=MAX_TEXT).contains(&text.len());
        self.0.and_then(Value::as_str).filter(is_sane)
    }

    /// The same, owned.
    pub(super) fn text(self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    pub(super) fn flag(self) -> Option<bool> {
        self.0.and_then(Value::as_bool)
    }

    /// Elements of an array.
    pub(super) fn list(self) -> impl Iterator<Item = Self> {
        self.0.and_then(Value::as_array).into_iter().flatten().map(Self::new)
    }

    /// Values of an object, in the order of their keys.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a str, Self)> {
        let members = self.0.and_then(Value::as_object);
        members.into_iter().flatten().map(|(key, value)| (key.as_str(), Self::new(value)))
    }

    /// An object of texts as labels.
    pub(super) fn labels(self) -> BTreeMap<String, String> {
        bounded_labels(self.members().filter_map(|(key, value)| Some((key, value.0?.as_str()?))))
    }

    /// A moment as RFC 3339 writes it, in nanoseconds since 1970. What never came to
    /// pass is written as the year 1.
    pub(super) fn time(self) -> Option<u64> {
        let time: jiff::Timestamp = self.str()?.parse().ok()?;
        u64::try_from(time.as_nanosecond()).ok().filter(|time| *time != 0)
    }
}

/// Labels without what is too long to be one.
pub(super) fn bounded_labels<'a>(
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<String, String> {
    labels
        .filter(|(key, value)| key.len() <= MAX_LABEL && value.len() <= MAX_LABEL)
        .take(MAX_LABELS)
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_none() {
        let value = serde_json::json!({"a": {"b": [1, "x", null]}, "t": 7, "e": ""});
        let doc = Doc::new(&value);
        assert_eq!(doc.at(&["a", "b", "c"]).str(), None);
        assert_eq!(doc.get("t").str(), None);
        assert_eq!(doc.get("e").str(), None);
        let long = Value::from("x".repeat(MAX_TEXT + 1));
        assert_eq!(Doc::new(&long).str(), None);
        assert_eq!(doc.at(&["a", "b"]).list().filter_map(Doc::str).collect::<Vec<_>>(), ["x"]);
        assert!(!doc.get("e").says() && !doc.get("z").says() && doc.get("t").says());
    }

    #[test]
    fn times() {
        let check = |text: &str, expected: Option<u64>| {
            let value = Value::from(text);
            assert_eq!(Doc::new(&value).time(), expected, "{text}");
        };
        check("1970-01-01T00:00:01.000000002Z", Some(1_000_000_002));
        check("1970-01-01T01:00:01+01:00", Some(1_000_000_000));
        check("0001-01-01T00:00:00Z", None);
        check("yesterday", None);
    }

    #[test]
    fn labels_are_bounded() {
        let many: serde_json::Map<_, _> =
            (0..2000).map(|n| (format!("k{n}"), Value::from("v"))).collect();
        assert_eq!(Doc::new(&many.into()).labels().len(), MAX_LABELS);
        let long = serde_json::json!({"a": "x".repeat(5000), "b": "y", "c": 3});
        assert_eq!(Doc::new(&long).labels().len(), 1);
    }
}
