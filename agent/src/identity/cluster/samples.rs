//! Objects for tests.

use super::object::{Labels, Namespace, Phase, Pod, PodContainer, Resources};
use super::tenancy::{Selector, TenantObject};

/// Labels as `key=value`, with commas between them.
pub(crate) fn labels(text: &str) -> Labels {
    let one = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (key.into(), value.into())
    };
    text.split(',').filter(|part| !part.is_empty()).map(one).collect()
}

pub(crate) fn namespace(name: &str, labelled: &str) -> Namespace {
    Namespace { name: name.into(), labels: labels(labelled), annotations: Labels::new() }
}

/// A pod that runs, named `namespace/name`.
pub(crate) fn pod(uid: &str, full_name: &str, labelled: &str) -> Pod {
    let (namespace, name) = full_name.split_once('/').unwrap();
    Pod {
        uid: uid.into(),
        config_hash: None,
        namespace: namespace.into(),
        name: name.into(),
        labels: labels(labelled),
        owner: None,
        ips: Vec::new(),
        host_network: false,
        phase: Phase::Running,
        qos: None,
        created_unix_s: 1_700_000_000,
        deleting: false,
        containers: Vec::new(),
        claims: Vec::new(),
    }
}

pub(crate) fn container(name: &str, id: &str) -> PodContainer {
    PodContainer {
        name: name.into(),
        id: Some(id.into()),
        restarts: 0,
        requests: Resources::default(),
        limits: Resources::default(),
    }
}

/// An object that takes nothing yet.
pub(crate) fn object(name: &str, priority: i32) -> TenantObject {
    TenantObject {
        name: name.into(),
        generation: 1,
        priority,
        shared: false,
        namespaces: Vec::new(),
        namespace_selector: None,
        pod_selector: None,
        labels: Default::default(),
    }
}

/// A selector of labels, written as by [`labels`].
pub(crate) fn selector(text: &str) -> Selector {
    Selector { labels: labels(text), expressions: Vec::new() }
}
