//! Lists, whole or in pages.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::{Response, StatusCode};
use serde_json::json;

use super::request::Seen;
use super::response::{self, Answer};
use super::store::{Kind, Store};

/// The version of the first page, and the key after which to go on.
struct Continue {
    version: u64,
    after: (String, String),
}

impl Continue {
    fn parse(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let mut parts = text.splitn(3, '/');
        let version = parts.next()?.parse().ok()?;
        Some(Self { version, after: (parts.next()?.to_owned(), parts.next()?.to_owned()) })
    }

    fn token(version: u64, (namespace, name): &(String, String)) -> String {
        URL_SAFE_NO_PAD.encode(format!("{version}/{namespace}/{name}"))
    }
}

pub(super) fn list(store: &Store, kind: &Kind, request: &Seen) -> Response<Answer> {
    let (node, unwanted) = match (request.node(), request.unwanted_labels()) {
        (Ok(node), Ok(unwanted)) => (node, unwanted),
        (Err(message), _) | (_, Err(message)) => return response::failure(400, &message, None),
    };
    let from = match request.query.get("continue").filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => match Continue::parse(token) {
            Some(from) if store.remembers(from.version) => Some(from),
            Some(_) => {
                let message = "The provided continue parameter is too old to display a consistent \
                               list result.";
                return response::failure(410, message, None);
            }
            None => return response::failure(400, "continue key is not valid", None),
        },
    };
    // What comes from the cache comes whole, as with most versions.
    let cached = request.query.get("resourceVersion").is_some_and(|version| version == "0");
    let limit = request.number("limit").filter(|limit| *limit > 0 && !cached);
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));

    let version = from.as_ref().map_or(store.version, |from| from.version);
    let start = from.map_or(Bound::Unbounded, |from| Bound::Excluded(from.after));
    let meets = |namespace: &str, on: Option<&str>| {
        (request.namespace.is_empty() || request.namespace == namespace)
            && node.is_none_or(|node| on == Some(node))
    };
    let mut found = kind
        .objects
        .range((start, Bound::Unbounded))
        .filter(|((namespace, _), object)| meets(namespace, object.node.as_deref()))
        .filter(|(_, object)| object.lacks(&unwanted));
    let mut items = Vec::new();
    let mut last = None;
    for (key, object) in found.by_ref().take(limit) {
        if !items.is_empty() {
            items.push(b',');
        }
        items.extend_from_slice(object.body(request.metadata_only));
        last = Some(key);
    }
    let remaining = if last.is_some() { found.count() } else { 0 };
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if remaining > 0
        && let Some(last) = last
    {
        metadata["continue"] = json!(Continue::token(version, last));
        metadata["remainingItemCount"] = json!(remaining);
    }
    let (api, name) = if request.metadata_only {
        ("meta.k8s.io/v1", "PartialObjectMetadata")
    } else {
        (&*kind.group_version, &*kind.kind)
    };
    let head =
        format!(r#"{{"kind":"{name}List","apiVersion":"{api}","metadata":{metadata},"items":["#);
    let body = [head.as_bytes(), &items, b"]}\n"].concat();
    response::json(StatusCode::OK, body)
}
