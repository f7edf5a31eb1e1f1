//! What a configuration says of each key, and where it is said.

use figment::Figment;
use serde_json::Value;

use crate::config::explain::FILE_LAYER;
use crate::config::keys::{KEYS, Kind};
use crate::config::resolve::DEFAULT_LAYER;

/// What stands for what may be a secret.
const SECRET: &str = "***";

/// A key of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its dotted name.
    pub key: &'static str,
    /// Its value. Headers are not told.
    pub value: Value,
    /// Where it is from: `default`, `file`, a variable of the environment or a flag.
    pub origin: String,
}

/// Every key outside of lists, in the order of the documentation.
pub(super) fn entries(layers: &Figment) -> Vec<Entry> {
    let keys = KEYS.iter().filter(|key| !key.name.contains("[]"));
    keys.filter_map(|key| {
        let value = layers.find_value(key.name).ok()?;
        let origin = match layers.find_metadata(key.name).map(|it| it.name.as_ref()) {
            None | Some(DEFAULT_LAYER) => "default",
            Some(FILE_LAYER) => "file",
            Some(name) => name,
        };
        let mut value = serde_json::to_value(value).ok()?;
        match key.kind {
            Kind::Sinks => value.as_array_mut()?.iter_mut().for_each(hide_headers),
            _ if key.name.ends_with("headers") && value != "" => value = SECRET.into(),
            _ => {}
        }
        Some(Entry { key: key.name, value, origin: origin.to_owned() })
    })
    .collect()
}

fn hide_headers(sink: &mut Value) {
    if let Some(Value::Object(headers)) = sink.get_mut("headers") {
        headers.values_mut().for_each(|value| *value = SECRET.into());
    }
}
