//! What a configuration says of each key, and where it is said.

use std::fmt;

use figment::Figment;
use serde_json::Value;

use crate::config::explain::FILE_LAYER;
use crate::config::keys::{KEYS, Key, is_secret};
use crate::config::resolve::DEFAULT_LAYER;

/// What stands for what may be a secret.
const SECRET: &str = "***";

/// A key of a configuration.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// Its dotted name.
    pub key: &'static str,
    /// Where its value is from: `default`, `file`, a variable of the environment or a
    /// flag.
    pub origin: String,
    /// As it was said, secrets and all.
    value: Value,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key)
            .field("origin", &self.origin)
            .field("value", &self.value())
            .finish()
    }
}

impl Entry {
    /// Its value for people: what may be a secret is not told.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut value = self.value.clone();
        if self.key.split('.').any(is_secret) {
            hide(&mut value);
        } else {
            hide_inside(&mut value);
        }
        value
    }

    /// Whether another value needs a restart.
    pub(super) fn is_read_at_start(&self) -> bool {
        KEYS.iter().any(|key| key.name == self.key && !key.changes_while_running())
    }

    /// Whether another configuration says the same of it.
    pub(super) fn is_same_in(&self, others: &[Self]) -> bool {
        others.iter().any(|other| other.key == self.key && other.value == self.value)
    }
}

/// Every key outside of lists, in the order of the documentation.
pub(super) fn entries(layers: &Figment) -> Vec<Entry> {
    let entry = |key: &Key| {
        let value = layers.find_value(key.name).ok()?;
        let origin = match layers.find_metadata(key.name).map(|it| it.name.as_ref()) {
            None | Some(DEFAULT_LAYER) => "default",
            Some(FILE_LAYER) => "file",
            Some(name) => name,
        };
        let value = serde_json::to_value(value).ok()?;
        Some(Entry { key: key.name, origin: origin.to_owned(), value })
    };
    KEYS.iter().filter(|key| !key.name.contains("[]")).filter_map(entry).collect()
}

/// Hides what is said, but not that nothing is.
fn hide(value: &mut Value) {
    match value {
        Value::Object(values) => values.values_mut().for_each(hide),
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        value => *value = SECRET.into(),
    }
}

/// Hides what may be a secret by the names that it is under.
fn hide_inside(value: &mut Value) {
    match value {
        Value::Object(values) => {
            for (name, value) in values {
                if is_secret(name) { hide(value) } else { hide_inside(value) }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide_inside),
        _ => {}
    }
}
