//! What runc and crun note of a container they started: when, and from which bundle.

use super::{ContainerFacts, document::Doc};

/// A state of runc or crun.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Directory of the OCI configuration on the host.
    pub(super) bundle: Option<String>,
    created: Option<u64>,
    root: Option<String>,
}

impl State {
    /// Reads runc's `state.json` or crun's `status`.
    pub(super) fn read(state: Doc<'_>) -> Self {
        let config = state.get("config");
        let label = config
            .get("labels")
            .list()
            .find_map(|label| Some(label.str()?.strip_prefix("bundle=")?.to_owned()));
        let root = config.get("rootfs").text().or_else(|| state.get("rootfs").text());
        let absolute = |path: &String| path.starts_with('/');
        Self {
            bundle: label.or_else(|| state.get("bundle").text()).filter(absolute),
            created: state.get("created").time(),
            root: root.filter(absolute),
        }
    }

    /// The facts of it. Whoever runs runc by hand names containers by their id, and
    /// nobody knows an image.
    pub(super) fn facts(self, id: &str, runtime: &str) -> ContainerFacts {
        ContainerFacts {
            id: id.to_owned(),
            runtime: runtime.to_owned(),
            name: None,
            started_unix_ns: self.created,
            root: self.root,
            ..ContainerFacts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn bundle_and_time() {
        let check = |value: Value, bundle: Option<&str>, created: Option<u64>| {
            let state = State::read(Doc::new(&value));
            assert_eq!((state.bundle.as_deref(), state.created), (bundle, created), "{value}");
        };
        let created = "1970-01-01T00:00:02Z";
        check(
            json!({"created": created, "config": {"labels": ["a=b", "bundle=/run/b"]}}),
            Some("/run/b"),
            Some(2_000_000_000),
        );
        check(json!({"created": created, "bundle": "/b"}), Some("/b"), Some(2_000_000_000));
        check(json!({"config": {"labels": ["bundle=relative"]}}), None, None);
        check(json!({"config": {"labels": "bundle=/x"}, "created": 3}), None, None);
        check(json!([]), None, None);
    }
}
