//! What is asked: path and query → verb, resource and name.

use std::collections::BTreeMap;

use hyper::header::{ACCEPT, HeaderMap};
use hyper::{Method, Uri};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// All objects of a kind, or a page of them.
    List,
    /// Changes of objects of a kind.
    Watch,
    /// One object.
    Get,
    /// A new object.
    Create,
    /// An object in the place of another.
    Replace,
    /// Parts of an object.
    Patch,
    /// An object is to go.
    Delete,
}

/// A request as it was understood.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What is to be done.
    pub verb: Verb,
    /// `v1` or `group/version`.
    pub group_version: String,
    /// Plural, such as `pods`.
    pub resource: String,
    /// Namespace and name, empty where not said.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// `status`, if only that is meant.
    pub subresource: Option<String>,
    /// Only metadata is wanted.
    pub metadata_only: bool,
    /// All of the query.
    pub query: BTreeMap<String, String>,
}

impl Seen {
    pub(super) fn parse(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let query: BTreeMap<String, String> =
            uri.query().unwrap_or("").split('&').filter_map(pair).collect();
        let mut path = uri.path().trim_matches('/').split('/').collect::<Vec<_>>();
        let version_parts = match *path.first()? {
            "api" => 2,
            "apis" => 3,
            _ => return None,
        };
        if path.len() <= version_parts {
            return None;
        }
        let rest = path.split_off(version_parts);
        let (namespace, rest) = match rest[..] {
            ["namespaces", namespace, _, ..] if rest[2] != "status" => (namespace, &rest[2..]),
            _ => ("", &rest[..]),
        };
        let name = rest.get(1).copied().unwrap_or("");
        let is_watch = query.get("watch").is_some_and(|watch| watch == "true" || watch == "1");
        let verb = match *method {
            Method::GET if name.is_empty() && is_watch => Verb::Watch,
            Method::GET if name.is_empty() => Verb::List,
            Method::GET => Verb::Get,
            Method::POST => Verb::Create,
            Method::PUT => Verb::Replace,
            Method::PATCH => Verb::Patch,
            Method::DELETE => Verb::Delete,
            _ => return None,
        };
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
        Some(Self {
            verb,
            group_version: path[1..].join("/"),
            resource: (*rest.first()?).to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: rest.get(2).map(|part| (*part).to_owned()),
            metadata_only: accept.contains("as=PartialObjectMetadata"),
            query,
        })
    }

    /// Whether only pods of this node are meant.
    #[must_use]
    pub fn node_is(&self, node: &str) -> bool {
        self.node() == Ok(Some(node))
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.query.get(key)?.parse().ok()
    }

    pub(super) fn is_set(&self, key: &str) -> bool {
        self.query.get(key).is_some_and(|value| value == "true")
    }

    /// The node in `spec.nodeName=…`; an error for any other selector.
    pub(super) fn node(&self) -> Result<Option<&str>, String> {
        match self.query.get("fieldSelector").map(|selector| selector.split_once('=')) {
            None => Ok(None),
            Some(Some(("spec.nodeName", node))) => Ok(Some(node)),
            Some(_) => Err(format!("field label not supported: {:?}", self.query["fieldSelector"])),
        }
    }

    /// The pairs of label and value that objects are not to have.
    pub(super) fn unwanted_labels(&self) -> Result<Vec<(&str, &str)>, String> {
        let selector = self.query.get("labelSelector").map_or("", |selector| selector);
        let parts = selector.split(',').filter(|part| !part.is_empty());
        let parts = parts.map(|part| part.split_once("!="));
        let known: Option<Vec<_>> = parts.collect();
        known.ok_or_else(|| format!("this double knows no label selector as {selector:?}"))
    }

    /// As RBAC names it.
    pub(super) fn verb_name(&self) -> &'static str {
        match self.verb {
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Get => "get",
            Verb::Create => "create",
            Verb::Replace => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    Some((decode(key), decode(value)))
}

/// `%2F` and `+` of a query.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        let (byte, used) = match first {
            b'+' => (b' ', 1),
            b'%' => hex().map_or((b'%', 1), |byte| (byte, 3)),
            other => (*other, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use hyper::Method;
    use hyper::header::HeaderMap;

    use super::{Seen, Verb};

    #[test]
    fn paths_name_resources() {
        let check = |method: Method,
                     uri: &str,
                     expected: Option<(Verb, &str, &str, &str, &str)>| {
            let seen = Seen::parse(&method, &uri.parse().unwrap(), &HeaderMap::new());
            let told = seen.as_ref().map(|seen| {
                (seen.verb, &*seen.group_version, &*seen.resource, &*seen.namespace, &*seen.name)
            });
            assert_eq!(told, expected, "{uri}");
        };
        check(Method::GET, "/api/v1/pods?limit=5", Some((Verb::List, "v1", "pods", "", "")));
        check(Method::GET, "/api/v1/pods?watch=true", Some((Verb::Watch, "v1", "pods", "", "")));
        check(Method::GET, "/api/v1/namespaces", Some((Verb::List, "v1", "namespaces", "", "")));
        check(Method::GET, "/api/v1/namespaces/a", Some((Verb::Get, "v1", "namespaces", "", "a")));
        let pods = Some((Verb::List, "v1", "pods", "a", ""));
        check(Method::GET, "/api/v1/namespaces/a/pods", pods);
        let status = Some((Verb::Patch, "landlord.dev/v1alpha1", "tenants", "", "acme"));
        check(Method::PATCH, "/apis/landlord.dev/v1alpha1/tenants/acme/status", status);
        let lease = Some((Verb::Replace, "coordination.k8s.io/v1", "leases", "ns", "l"));
        check(Method::PUT, "/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", lease);
        check(Method::GET, "/healthz", None);
        check(Method::GET, "/api/v1", None);
    }

    #[test]
    fn labels_may_be_unwanted() {
        let check = |query: &str, expected: Result<&[(&str, &str)], ()>| {
            let uri = format!("/api/v1/pods?{query}").parse().unwrap();
            let seen = Seen::parse(&Method::GET, &uri, &HeaderMap::new()).unwrap();
            let told = seen.unwanted_labels();
            assert_eq!(told.as_deref().map_err(drop), expected, "{query}");
        };
        check("limit=5", Ok(&[]));
        check("labelSelector=a%2Fb%21%3Dc%2Cd%21%3De", Ok(&[("a/b", "c"), ("d", "e")]));
        check("labelSelector=a%3Db", Err(()));
    }

    #[test]
    fn queries_are_decoded() {
        let uri = "/api/v1/pods?fieldSelector=spec.nodeName%3Da+b&limit=5";
        let seen = Seen::parse(&Method::GET, &uri.parse().unwrap(), &HeaderMap::new()).unwrap();
        assert_eq!((seen.node(), seen.number("limit")), (Ok(Some("a b")), Some(5)));
    }
}
