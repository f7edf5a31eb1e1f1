//! What the API server takes and refuses, by its own rules.

use kube_cel::Validator;
use serde_json::{Value, json};

use super::*;
use crate::identity::cluster::tenancy::Operator;

fn schema() -> Value {
    let definition = serde_json::to_value(definition_object()).unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

fn object(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "landlord.dev/v1alpha1",
        "kind": "Tenant",
        "metadata": {"name": name},
        "spec": spec,
    })
}

/// What the rules in the definition say about an object, one message a line.
fn verdict(new: &Value, old: Option<&Value>) -> String {
    let schema = schema();
    match Validator::new().validate_with_defaults(&schema, new, old) {
        Ok(()) => String::new(),
        Err(errors) => {
            let messages: Vec<_> =
                errors.as_slice().iter().map(|error| error.message.clone()).collect();
            messages.join("\n")
        }
    }
}

#[test]
fn rules_refuse_what_is_wrong() {
    let check = |name: &str, spec: Value, expected: &str| {
        assert_eq!(verdict(&object(name, &spec), None), expected, "{name} {spec}");
    };
    let nothing = "at least one of namespaces, namespaceSelector and podSelector must say what the tenant has";
    let values = "In and NotIn need values, Exists and DoesNotExist have none";
    let (bad_key, bad_value) = ("a key is not one of a label", "a value is not one of a label");
    check("acme", json!({"namespaces": ["acme"]}), "");
    check("acme", json!({"namespaceSelector": {}}), "");
    check("acme", json!({"podSelector": {"matchLabels": {"a.b/c": "d"}}}), "");
    check("acme", json!({}), nothing);
    check("acme", json!({"namespaces": []}), nothing);
    check("acme", json!({"class": "Shared"}), nothing);
    for name in crate::identity::RESERVED {
        check(
            name,
            json!({"namespaces": ["a"]}),
            "this name is Landlord's own; choose another one",
        );
    }
    let labelled = |labels: Value| json!({"namespaces": ["a"], "labels": labels});
    check("acme", labelled(json!({"team": "oil", "acme.com/cost-center": "7"})), "");
    check("acme", labelled(json!({"team": ""})), "");
    check("acme", labelled(json!({"te am": "oil"})), bad_key);
    check("acme", labelled(json!({"Acme.com/team": "oil"})), bad_key);
    check("acme", labelled(json!({"team": "the oil people"})), bad_value);
    check("acme", labelled(json!({"team": "x".repeat(64)})), bad_value);
    let selects = |selector: Value| json!({"namespaceSelector": selector});
    check("acme", selects(json!({"matchLabels": {"-a": "b"}})), bad_key);
    let asks = |operator: &str, values: Value| {
        let expression = json!({"key": "team", "operator": operator, "values": values});
        selects(json!({"matchExpressions": [expression]}))
    };
    check("acme", asks("In", json!(["a"])), "");
    check("acme", asks("In", json!([])), values);
    check("acme", asks("NotIn", json!([])), values);
    check("acme", asks("Exists", json!([])), "");
    check("acme", asks("Exists", json!(["a"])), values);
    check("acme", asks("DoesNotExist", json!(["a"])), values);
}

#[test]
fn the_class_never_changes() {
    let of = |class: &str| object("acme", &json!({"namespaces": ["a"], "class": class}));
    let message = "the class of a tenant never changes; make another Tenant";
    assert_eq!(verdict(&of("Tenant"), Some(&of("Tenant"))), "");
    assert_eq!(verdict(&of("Shared"), Some(&of("Tenant"))), message);
    let unsaid = object("acme", &json!({"namespaces": ["a"]}));
    assert_eq!(verdict(&of("Shared"), Some(&unsaid)), message);
}

/// Structural schemas: every node has a type, and none of what those may not have.
#[test]
fn the_schema_is_structural() {
    fn look(at: &str, schema: &Value) {
        assert!(schema["type"].is_string(), "{at} has no type: {schema}");
        for word in ["$ref", "oneOf", "anyOf", "allOf", "not", "definitions", "patternProperties"] {
            assert!(schema.get(word).is_none(), "{at} has {word}");
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if at.is_empty() && name == "metadata" {
                continue;
            }
            look(&format!("{at}.{name}"), property);
            let is_own = !matches!(&**name, "apiVersion" | "kind");
            assert!(!is_own || property["description"].is_string(), "{at}.{name} is not described");
        }
        if schema["items"].is_object() {
            assert!(schema["maxItems"].is_number(), "{at} is not bounded");
            look(&format!("{at}[]"), &schema["items"]);
        }
        if schema["additionalProperties"].is_object() {
            assert!(schema["maxProperties"].is_number(), "{at} is not bounded");
            look(&format!("{at}{{}}"), &schema["additionalProperties"]);
        }
    }
    let mut schema = schema();
    schema["properties"]["spec"]["description"] = json!("");
    schema["properties"]["status"]["description"] = json!("");
    look("", &schema);
    let spec = &schema["properties"]["spec"]["properties"];
    assert_eq!(spec["class"]["enum"], json!(["Tenant", "Shared"]));
    assert_eq!(
        (&spec["class"]["default"], &spec["priority"]["default"]),
        (&json!("Tenant"), &json!(0))
    );
    let bounds = ["minimum", "maximum"].map(|bound| spec["priority"][bound].as_f64());
    assert_eq!(bounds, [Some(-1000.0), Some(1000.0)]);
}

#[test]
fn the_definition_is_of_the_cluster() {
    let definition = serde_json::to_value(definition_object()).unwrap();
    let spec = &definition["spec"];
    assert_eq!(definition["metadata"]["name"], "tenants.landlord.dev");
    assert_eq!((&spec["scope"], &spec["names"]["shortNames"]), (&json!("Cluster"), &json!(["lt"])));
    assert_eq!(spec["versions"][0]["subresources"], json!({"status": {}}));
}

#[test]
fn patterns_of_names() {
    let schema = schema();
    let pattern = &schema["properties"]["spec"]["properties"]["namespaces"]["items"]["pattern"];
    let pattern = regex::Regex::new(pattern.as_str().unwrap()).unwrap();
    for good in ["a", "acme-1", "*", "acme-*", "*-prod", "a*b"] {
        assert!(pattern.is_match(good), "{good}");
    }
    for bad in ["", "-a", "a-", "A", "a.b", "a b"] {
        assert!(!pattern.is_match(bad), "{bad}");
    }
}

#[test]
fn what_an_object_becomes() {
    let of = |spec: Value| {
        let mut object = object("acme", &spec);
        object["metadata"]["generation"] = json!(4);
        TenantObject::from(serde_json::from_value::<TenantResource>(object).unwrap())
    };
    let small = of(json!({"namespaces": ["acme-*"]}));
    let expected = TenantObject {
        name: "acme".into(),
        generation: 4,
        priority: 0,
        shared: false,
        namespaces: vec!["acme-*".into()],
        namespace_selector: None,
        pod_selector: None,
        labels: BTreeMap::new(),
    };
    assert_eq!(small, expected);
    let large = of(json!({
        "class": "Shared",
        "priority": 7,
        "labels": {"team": "oil"},
        "namespaceSelector": {},
        "podSelector": {
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}],
        },
    }));
    let expression = tenancy::Expression {
        key: "x".into(),
        operator: Operator::NotIn,
        values: vec!["y".into()],
    };
    let pods = tenancy::Selector {
        labels: [("app".into(), "web".into())].into(),
        expressions: vec![expression],
    };
    let expected = TenantObject {
        priority: 7,
        shared: true,
        namespaces: Vec::new(),
        namespace_selector: Some(tenancy::Selector::default()),
        pod_selector: Some(pods),
        labels: [("team".to_owned(), "oil".to_owned())].into(),
        ..expected
    };
    assert_eq!(large, expected);
}
