//! Who it is that tells.

use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::attributes::{Attributes, text};

/// What a back-end calls whoever tells.
const NAME: &str = "service.name";
const VERSION: &str = "service.version";

/// The agent and its node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// The machine's name.
    pub host: String,
    /// The node's name in its cluster.
    pub kubernetes: Option<String>,
    /// Further attributes, such as `k8s.cluster.name`; they win.
    pub further: Vec<(String, String)>,
}

impl Node {
    /// Attributes that are the same for all that the agent tells.
    fn facts(&self) -> Vec<(String, String)> {
        let instance = self.kubernetes.as_ref().unwrap_or(&self.host);
        let mut facts = vec![
            (NAME.to_owned(), "landlord".to_owned()),
            (VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("service.instance.id".to_owned(), instance.clone()),
            ("host.name".to_owned(), self.host.clone()),
        ];
        let node = self.kubernetes.clone();
        facts.extend(node.map(|node| ("k8s.node.name".to_owned(), node)));
        for (name, value) in &self.further {
            facts.retain(|(known, _)| known != name);
            facts.push((name.clone(), value.clone()));
        }
        facts
    }

    /// For metrics.
    pub(super) fn of_metrics(&self) -> opentelemetry_sdk::Resource {
        let facts = self.facts().into_iter().map(|(name, value)| KeyValue::new(name, value));
        opentelemetry_sdk::Resource::builder_empty().with_attributes(facts).build()
    }

    /// For what the agent itself does.
    pub(super) fn of_itself(&self) -> Resource {
        self.with(&[])
    }

    /// For what happened in a namespace, so that a back-end which takes its labels from
    /// resources alone can tell namespaces and tenants apart.
    pub(super) fn of_namespace(&self, tenant: &str, namespace: Option<&str>) -> Resource {
        let mut further = vec![("tenant", tenant)];
        further.extend(namespace.map(|namespace| ("k8s.namespace.name", namespace)));
        self.with(&further)
    }

    /// For what a tenant did itself: it is the service that is shown, not the agent.
    pub(super) fn of_tenant(&self, tenant: &str, namespace: Option<&str>) -> Resource {
        let mut node = self.clone();
        node.further.retain(|(name, _)| name != NAME);
        node.further.push((NAME.to_owned(), tenant.to_owned()));
        let mut resource = node.of_namespace(tenant, namespace);
        resource.attributes.retain(|it| it.key != VERSION);
        resource
    }

    fn with(&self, further: &[(&str, &str)]) -> Resource {
        let mut attributes = Attributes::default();
        for (name, value) in self.facts() {
            attributes.add(name, text(&value));
        }
        for (name, value) in further {
            attributes.add(*name, text(value));
        }
        let (attributes, dropped_attributes_count) = attributes.done();
        Resource { attributes, dropped_attributes_count, entity_refs: Vec::new() }
    }
}

/// What in the agent tells.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "landlord".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
