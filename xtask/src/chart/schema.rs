//! Makes `values.schema.json`, by which Helm refuses values.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::values::Entry;

/// The whole schema as text.
pub(super) fn schema(entries: &[Entry]) -> Result<String> {
    let mut root = group("Values of the chart landlord.");
    for entry in entries {
        let parent = entry.path[..entry.path.len() - 1]
            .iter()
            .try_fold(&mut root, |node, name| node.get_mut("properties")?.get_mut(name))
            .and_then(|node| node.get_mut("properties")?.as_object_mut())
            .with_context(|| format!("{}: its group is not there", entry.name()))?;
        let name = entry.path.last().cloned().unwrap_or_default();
        parent.insert(name, node(entry));
    }
    // A chart that has this one as a part hands down its own globals.
    root["properties"]["global"] = json!({ "type": "object" });
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    Ok(format!("{root:#}\n"))
}

fn group(about: &str) -> Value {
    let mut group =
        json!({ "type": "object", "additionalProperties": false, "properties": Map::new() });
    if !about.is_empty() {
        group["description"] = json!(about);
    }
    group
}

fn node(entry: &Entry) -> Value {
    let mut node = match &entry.default {
        None => group(&entry.about),
        Some(default) => {
            let mut node = json!({
                "description": entry.about,
                "default": default,
                "type": kind(default),
            });
            if default.is_object() {
                node["additionalProperties"] = json!(false);
            }
            node
        }
    };
    for (name, value) in &entry.schema {
        node[name] = value.clone();
    }
    node
}

fn kind(default: &Value) -> &'static str {
    match default {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::values::parse;
    use super::schema;

    #[test]
    fn types_come_from_defaults_and_the_rest_from_comments() {
        let check = |text: &str, at: &str, expected: Value| {
            let schema: Value =
                serde_json::from_str(&schema(&parse(text).unwrap()).unwrap()).unwrap();
            assert_eq!(schema.pointer(at), Some(&expected), "{text}");
        };
        let text = "# G.\ng:\n  # A.\n  # @schema {\"minimum\": 1}\n  a: 1\n# M.\nm: {}\n";
        check(
            text,
            "/properties/g/properties/a",
            json!({ "description": "A.", "default": 1, "type": "integer", "minimum": 1 }),
        );
        check(text, "/properties/g/additionalProperties", json!(false));
        check(text, "/properties/m/additionalProperties", json!(false));
        check(text, "/properties/global", json!({ "type": "object" }));
        check(text, "/additionalProperties", json!(false));
    }
}
