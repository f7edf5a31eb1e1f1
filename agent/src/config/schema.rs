//! The configuration as a JSON Schema, for editors and checks before anything is rolled out.
//!
//! It is written from the table of keys. What no schema can tell, such as whether a regular
//! expression is one, `landlord config check` does.

use serde_json::{Map, Value, json};

use crate::config::keys::{KEYS, Key, Kind};

/// Keys of the elements of lists that must be there.
const REQUIRED: [(&str, &[&str]); 2] =
    [("sinks", &["name", "kind", "to"]), ("tenants", &["match", "tenant"])];

/// The schema, as the text of a file.
#[must_use]
pub fn schema() -> String {
    let mut root = section();
    for key in KEYS {
        let mut node = &mut root;
        let mut parts = key.name.split('.').peekable();
        while let Some(part) = parts.next() {
            let (name, is_list) = part.strip_suffix("[]").map_or((part, false), |it| (it, true));
            let properties = node.pointer_mut("/properties").and_then(Value::as_object_mut);
            let Some(properties) = properties else { break };
            if parts.peek().is_none() {
                properties.insert(name.to_owned(), of(key));
                break;
            }
            let below = properties.entry(name).or_insert_with(section);
            node = if is_list { &mut below["items"] } else { below };
        }
    }
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("Configuration of landlord");
    format!("{root:#}\n")
}

/// What has keys, and no others than those of the table.
fn section() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": Map::new() })
}

fn of(key: &Key) -> Value {
    let mut node = value(key);
    node["description"] = json!(key.about);
    let default: Option<Value> = serde_saphyr::from_str(key.default).ok();
    if let Some(default) = default.filter(|_| !key.default.is_empty()) {
        node["default"] = default;
    }
    node
}

fn value(key: &Key) -> Value {
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    match &key.kind {
        Kind::Address => json!({ "type": "string", "pattern": ":[0-9]{1,5}$" }),
        Kind::Duration(..) => json!({ "type": "string", "pattern": "^[0-9]+ *(ms|s|m|h)$" }),
        Kind::Count(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Ratio => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Choice(_) | Kind::Runtime => json!({ "enum": key.kind.words() }),
        Kind::AbsolutePath => json!({ "type": "string", "pattern": "^/" }),
        Kind::OptionalPath => json!({ "type": "string", "pattern": "^(/.*)?$" }),
        Kind::Regex => json!({ "type": "string", "format": "regex" }),
        Kind::OptionalHost | Kind::Text | Kind::Template | Kind::Label | Kind::Annotation => {
            json!({ "type": "string" })
        }
        Kind::Paths | Kind::LabelKeys | Kind::Texts => texts(),
        Kind::Headers => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::Rules | Kind::Sinks => {
            let mut items = section();
            let required = REQUIRED.iter().find(|(list, _)| *list == key.name);
            items["required"] = json!(required.map_or(&[][..], |(_, names)| names));
            json!({ "type": "array", "items": items })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::schema;
    use crate::config::keys::KEYS;

    #[test]
    fn every_key_has_a_place_where_its_name_says() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        for key in KEYS {
            let path = key.name.replace("[]", "/items").replace('.', "/properties/");
            let node = schema.pointer(&format!("/properties/{path}")).expect(key.name);
            assert_eq!(node["description"], key.about, "{}", key.name);
            let has_default = !key.default.is_empty();
            assert_eq!(node.get("default").is_some(), has_default, "{}", key.name);
        }
        assert_eq!(schema["properties"]["max_cgroups"]["maximum"], 4095);
        assert_eq!(schema["properties"]["otlp"]["additionalProperties"], false);
    }
}
