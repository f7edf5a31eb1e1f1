//! The custom resource `Tenant` of the group `landlord.dev`: rules of tenants that are
//! kept in the cluster.
//!
//! Its definition is written from these types, with all that the API server is to
//! refuse, so that a wrong object is told to whoever applies it and never gets here.

#![expect(unreachable_pub, reason = "the derive repeats the types where nobody reaches them")]

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt as _, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identity::cluster::tenancy::{self, TenantObject};

/// What a `Tenant` wants.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "landlord.dev",
    version = "v1alpha1",
    kind = "Tenant",
    root = "TenantResource",
    plural = "tenants",
    shortname = "lt",
    status = "TenantStatus",
    derive = "PartialEq",
    doc = "Who owns namespaces and pods, as Landlord bills them. Of several that take the same, the one with the highest priority has it; of equal ones those that select pods come first, then the first by name. What no Tenant takes, the tenant rules of Landlord's configuration decide.",
    printcolumn(name = "Class", type_ = "string", json_path = ".spec.class"),
    printcolumn(name = "Priority", type_ = "integer", json_path = ".spec.priority", priority = 1),
    printcolumn(name = "Namespaces", type_ = "integer", json_path = ".status.namespaces"),
    printcolumn(name = "Pods", type_ = "integer", json_path = ".status.pods"),
    printcolumn(name = "Conflicts", type_ = "integer", json_path = ".status.conflictCount"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("!(self.metadata.name in ['unknown', 'host', 'other', 'unassigned', 'pending'])")
        .message("this name is Landlord's own; choose another one")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.namespaces) && size(self.namespaces) > 0 || has(self.namespaceSelector) || has(self.podSelector)"
).message("at least one of namespaces, namespaceSelector and podSelector must say what the tenant has"))]
pub struct TenantSpec {
    /// Whether what it takes is a tenant's own (`Tenant`) or everybody's (`Shared`), as
    /// what the cluster itself needs. It never changes, since bills were written by it.
    #[serde(default)]
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("the class of a tenant never changes; make another Tenant"))]
    pub class: TenantClass,

    /// Order among Tenants that take the same: the highest has it. -1000 to 1000.
    #[serde(default)]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: i32,

    /// Names of namespaces; `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 256),
        inner(length(min = 1, max = 63), regex(pattern = "^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$"))
    )]
    pub namespaces: Vec<String>,

    /// Namespaces by their labels, beside those named. An empty selector takes all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,

    /// Takes only the pods that have such labels: of these namespaces, or of any when none
    /// is named or selected. Whoever may create a pod may label it, so name the namespaces
    /// wherever that is not you.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,

    /// Labels that go along with the tenant, such as `team` and `cost-center`. They come
    /// before those of its namespaces.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new(LABEL_KEYS).message("a key is not one of a label"))]
    #[x_kube(validation = Rule::new(LABEL_VALUES).message("a value is not one of a label"))]
    pub labels: BTreeMap<String, String>,
}

const LABEL_KEYS: &str = "self.all(key, key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))";
const LABEL_VALUES: &str =
    "self.all(key, self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'))";

/// Whose what a Tenant takes is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum TenantClass {
    /// A tenant's own.
    #[default]
    Tenant,
    /// Everybody's.
    Shared,
}

/// What labels must be like; all of it must hold, and an empty one holds for everything.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels and their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    #[x_kube(validation = Rule::new(LABEL_KEYS).message("a key is not one of a label"))]
    #[x_kube(validation = Rule::new(LABEL_VALUES).message("a value is not one of a label"))]
    pub match_labels: BTreeMap<String, String>,

    /// What else is asked of labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub match_expressions: Vec<LabelExpression>,
}

/// What is asked of one label.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "self.operator in ['In', 'NotIn'] == (has(self.values) && size(self.values) > 0)"
).message("In and NotIn need values, Exists and DoesNotExist have none"))]
pub struct LabelExpression {
    /// Key of the label.
    #[schemars(
        length(min = 1, max = 317),
        regex(
            pattern = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
        )
    )]
    pub key: String,

    /// How it is compared.
    pub operator: LabelOperator,

    /// Values, for `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum LabelOperator {
    /// It has one of the values.
    In,
    /// It has none of the values, or is missing.
    NotIn,
    /// It is there.
    Exists,
    /// It is missing.
    DoesNotExist,
}

/// What a `Tenant` has, as the agents see it.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// The generation of the object that this is of.
    #[serde(default)]
    pub observed_generation: i64,

    /// Namespaces that are the tenant's as a whole.
    #[serde(default)]
    pub namespaces: i64,

    /// Pods in those namespaces; missing when the agents do not watch pods of all nodes.
    #[serde(default)]
    pub pods: Option<i64>,

    /// Namespaces that it would have, but another Tenant of the same priority has.
    #[serde(default)]
    pub conflict_count: i64,

    /// The first of these namespaces.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub conflicts: Vec<TenantConflict>,

    /// `Applied`: the agents go by it. `Conflicted`: another one has what it would have.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub conditions: Vec<TenantCondition>,
}

/// A namespace that another Tenant has.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantConflict {
    /// The namespace.
    pub namespace: String,
    /// The Tenant that has it.
    pub holder: String,
}

/// A condition as Kubernetes writes them.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantCondition {
    /// Which.
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason in one word.
    pub reason: String,
    /// The reason in a sentence.
    #[serde(default)]
    pub message: String,
    /// Since when it is so.
    pub last_transition_time: String,
    /// The generation of the object that it is of.
    #[serde(default)]
    pub observed_generation: i64,
}

/// The definition of the resource, as YAML for the chart.
///
/// # Errors
///
/// None that a test would not have found: what is written are own types.
pub fn definition() -> Result<String, serde_saphyr::ser::Error> {
    let yaml = serde_saphyr::to_string(&definition_object())?;
    Ok(format!("# Made by `landlord docs crd`.\n{}\n", yaml.trim_end()))
}

fn definition_object() -> CustomResourceDefinition {
    TenantResource::crd()
}

impl From<TenantResource> for TenantObject {
    fn from(resource: TenantResource) -> Self {
        let TenantSpec { class, priority, namespaces, namespace_selector, pod_selector, labels } =
            resource.spec;
        Self {
            name: resource.metadata.name.unwrap_or_default().into(),
            generation: resource.metadata.generation.unwrap_or_default(),
            priority,
            shared: class == TenantClass::Shared,
            namespaces: namespaces.into_iter().map(Into::into).collect(),
            namespace_selector: namespace_selector.map(Into::into),
            pod_selector: pod_selector.map(Into::into),
            labels,
        }
    }
}

impl From<LabelSelector> for tenancy::Selector {
    fn from(selector: LabelSelector) -> Self {
        let labels = selector.match_labels.into_iter();
        Self {
            labels: labels.map(|(key, value)| (key.into(), value.into())).collect(),
            expressions: selector.match_expressions.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<LabelExpression> for tenancy::Expression {
    fn from(expression: LabelExpression) -> Self {
        Self {
            key: expression.key.into(),
            operator: match expression.operator {
                LabelOperator::In => tenancy::Operator::In,
                LabelOperator::NotIn => tenancy::Operator::NotIn,
                LabelOperator::Exists => tenancy::Operator::Exists,
                LabelOperator::DoesNotExist => tenancy::Operator::DoesNotExist,
            },
            values: expression.values.into_iter().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
#[path = "tenant_crd_tests.rs"]
mod tests;
