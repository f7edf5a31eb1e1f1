//! The objects, and what has happened to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use hyper::body::Bytes;
use serde_json::{Value, json};

/// How many changes are remembered.
const HISTORY: usize = 100_000;

/// An object as it was at one resource version.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) node: Option<String>,
    labels: Value,
    /// All of it, JSON.
    pub(super) text: Bytes,
    /// Only its metadata, as `PartialObjectMetadata`.
    pub(super) metadata: Bytes,
}

impl Object {
    fn new(object: &Value) -> Self {
        let metadata = json!({
            "apiVersion": "meta.k8s.io/v1",
            "kind": "PartialObjectMetadata",
            "metadata": object["metadata"],
        });
        Self {
            node: object["spec"]["nodeName"].as_str().map(str::to_owned),
            labels: object["metadata"]["labels"].clone(),
            text: object.to_string().into(),
            metadata: metadata.to_string().into(),
        }
    }

    /// Whether it has none of these labels with these values.
    pub(super) fn lacks(&self, unwanted: &[(&str, &str)]) -> bool {
        unwanted.iter().all(|(key, value)| self.labels[key] != *value)
    }

    /// As it is asked for.
    pub(super) fn body(&self, metadata_only: bool) -> &Bytes {
        if metadata_only { &self.metadata } else { &self.text }
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) version: u64,
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub(super) what: &'static str,
    pub(super) resource: Arc<str>,
    pub(super) object: Arc<Object>,
}

/// Objects of one kind, by namespace and name.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) group_version: String,
    pub(super) kind: String,
    plural: Arc<str>,
    pub(super) objects: BTreeMap<(String, String), Arc<Object>>,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) version: u64,
    kinds: BTreeMap<String, Kind>,
    history: VecDeque<Event>,
    /// Changes up to this version are forgotten.
    forgotten: u64,
}

impl Store {
    pub(super) fn new() -> Self {
        let mut store = Self {
            version: 1000,
            kinds: BTreeMap::new(),
            history: VecDeque::new(),
            forgotten: 1000,
        };
        for (group_version, plural, kind) in [
            ("v1", "pods", "Pod"),
            ("v1", "namespaces", "Namespace"),
            ("v1", "nodes", "Node"),
            ("v1", "services", "Service"),
            ("v1", "resourcequotas", "ResourceQuota"),
            ("discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
            ("coordination.k8s.io/v1", "leases", "Lease"),
        ] {
            store.serve_kind(group_version, plural, kind);
        }
        store
    }

    pub(super) fn serve_kind(&mut self, group_version: &str, plural: &str, kind: &str) {
        let kind = Kind {
            group_version: group_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.into(),
            objects: BTreeMap::new(),
        };
        self.kinds.insert(plural.to_owned(), kind);
    }

    pub(super) fn kind(&self, group_version: &str, plural: &str) -> Option<&Kind> {
        self.kinds.get(plural).filter(|kind| kind.group_version == group_version)
    }

    pub(super) fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = (namespace.to_owned(), name.to_owned());
        let object = self.kinds.get(plural)?.objects.get(&key)?;
        serde_json::from_slice(&object.text).ok()
    }

    /// Adds or replaces, and fills in what a server fills in.
    pub(super) fn put(&mut self, mut object: Value) -> Result<u64> {
        self.version += 1;
        let version = self.version;
        let kind = object["kind"].as_str().context("an object without kind")?;
        let kind = self.kinds.values_mut().find(|known| known.kind == kind);
        let kind = kind.context("a kind that is not served")?;
        let name = object["metadata"]["name"].as_str().context("an object without name")?;
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or("");
        let key = (namespace.to_owned(), name.to_owned());
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("00000000-0000-4000-8000-{version:012x}"));
        }
        object["apiVersion"] = json!(kind.group_version);
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        let object = Arc::new(Object::new(&object));
        let before = kind.objects.insert(key, Arc::clone(&object));
        let what = if before.is_none() { "ADDED" } else { "MODIFIED" };
        let resource = Arc::clone(&kind.plural);
        self.remember(Event { version, what, resource, object });
        Ok(version)
    }

    pub(super) fn remove(&mut self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let mut last = self.get(plural, namespace, name)?;
        self.version += 1;
        let version = self.version;
        let kind = self.kinds.get_mut(plural)?;
        kind.objects.remove(&(namespace.to_owned(), name.to_owned()));
        last["metadata"]["resourceVersion"] = json!(version.to_string());
        let (resource, object) = (Arc::clone(&kind.plural), Arc::new(Object::new(&last)));
        self.remember(Event { version, what: "DELETED", resource, object });
        Some(last)
    }

    pub(super) fn forget_history(&mut self) {
        self.history.clear();
        self.forgotten = self.version;
    }

    /// Whether all that changed since this version is still known.
    pub(super) fn remembers(&self, version: u64) -> bool {
        version >= self.forgotten
    }

    /// What happened after this version to objects of one kind.
    pub(super) fn since(&self, version: u64, plural: &str) -> Vec<Event> {
        let start = self.history.partition_point(|event| event.version <= version);
        self.history.range(start..).filter(|event| *event.resource == *plural).cloned().collect()
    }

    fn remember(&mut self, event: Event) {
        self.history.push_back(event);
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.forgotten = oldest.version;
        }
    }
}
