//! Single objects: read, made, replaced, patched, removed.

use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::request::{Seen, Verb};
use super::response::{self, Answer};
use super::store::Store;

/// Answers a request for one object.
pub(super) fn answer(
    store: &mut Store,
    request: &Seen,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Answer> {
    let told = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
    let told: Value = match told {
        Ok(told) => told,
        Err(error) => return response::failure(400, &format!("not JSON: {error}"), None),
    };
    let name = match request.verb {
        Verb::Create => told["metadata"]["name"].as_str().unwrap_or("").to_owned(),
        _ => request.name.clone(),
    };
    let (resource, namespace) = (&request.resource, &request.namespace);
    let known = store.get(resource, namespace, &name);
    let missing = || response::failure(404, &format!("{resource} \"{name}\" not found"), None);
    match (request.verb, known) {
        (Verb::Get, Some(known)) => response::json(StatusCode::OK, known.to_string()),
        (Verb::Create, None) => store_as(store, request, told, StatusCode::CREATED),
        (Verb::Create, Some(_)) => {
            response::failure(409, &format!("{resource} \"{name}\" already exists"), None)
        }
        (Verb::Replace, Some(known)) => {
            let version = &told["metadata"]["resourceVersion"];
            if version.is_string() && *version != known["metadata"]["resourceVersion"] {
                let message = "the object has been modified; please apply your changes to the \
                               latest version and try again";
                return response::failure(409, message, None);
            }
            let object = part(request, known, told);
            store_as(store, request, object, StatusCode::OK)
        }
        (Verb::Patch, known) => patch(store, request, headers, known, &told),
        (Verb::Delete, Some(known)) => {
            store.remove(resource, namespace, &name);
            response::json(StatusCode::OK, known.to_string())
        }
        (_, _) => missing(),
    }
}

/// Merges, or applies: one's own fields are the only ones here, so that is the same.
fn patch(
    store: &mut Store,
    request: &Seen,
    headers: &HeaderMap,
    known: Option<Value>,
    told: &Value,
) -> Response<Answer> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let applies = kind.starts_with("application/apply-patch+yaml");
    if !applies && !kind.starts_with("application/merge-patch+json") {
        return response::failure(
            415,
            &format!("patches of type {kind:?} are not supported"),
            None,
        );
    }
    if applies && !request.query.contains_key("fieldManager") {
        return response::failure(400, "fieldManager is required for apply patch", None);
    }
    let (mut object, code) = match known {
        Some(known) => (known, StatusCode::OK),
        // Only applying makes what is not there, and never a part of it.
        None if applies && request.subresource.is_none() => (json!({}), StatusCode::CREATED),
        None => {
            let message = format!("{} \"{}\" not found", request.resource, request.name);
            return response::failure(404, &message, None);
        }
    };
    if let Some(subresource) = &request.subresource {
        merge(&mut object[subresource], &told[subresource]);
    } else {
        merge(&mut object, told);
    }
    store_as(store, request, object, code)
}

/// What a request for a subresource replaces.
fn part(request: &Seen, mut known: Value, mut told: Value) -> Value {
    match &request.subresource {
        None => told,
        Some(subresource) => {
            known[subresource] = told[subresource].take();
            known
        }
    }
}

fn store_as(
    store: &mut Store,
    request: &Seen,
    mut object: Value,
    code: StatusCode,
) -> Response<Answer> {
    if !request.namespace.is_empty() {
        object["metadata"]["namespace"] = json!(request.namespace);
    }
    let name = object["metadata"]["name"].as_str().unwrap_or(&request.name).to_owned();
    match store.put(object) {
        Ok(_) => {
            let stored = store.get(&request.resource, &request.namespace, &name);
            response::json(code, stored.unwrap_or_default().to_string())
        }
        Err(error) => response::failure(422, &format!("{error:#}"), None),
    }
}

/// RFC 7386.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            if let Some(object) = into.as_object_mut() {
                object.remove(key);
            }
        } else {
            merge(&mut into[key], value);
        }
    }
}
