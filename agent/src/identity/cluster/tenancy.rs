//! `Tenant` objects: rules of tenants that are kept in the cluster.

use std::collections::BTreeMap;

/// What a `Tenant` object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantObject {
    /// `metadata.name`: the tenant's name.
    pub name: Box<str>,
    /// `metadata.generation`, for its status.
    pub generation: i64,
    /// Order among objects that want the same namespace: higher first, then by name.
    pub priority: i32,
    /// Whether its namespaces are everybody's: `spec.class: Shared`.
    pub shared: bool,
    /// Names of namespaces, `*` stands for any characters.
    pub namespaces: Vec<Box<str>>,
    /// Labels that a namespace must have; `None`: not asked.
    pub namespace_selector: Option<Selector>,
    /// Labels that a pod must have, of any namespace; `None`: not asked.
    pub pod_selector: Option<Selector>,
    /// Labels of the tenant, such as `team` and `cost-center`.
    pub labels: BTreeMap<String, String>,
}

/// A `LabelSelector`: all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// `matchLabels`.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// `matchExpressions`.
    pub expressions: Vec<Expression>,
}

/// One of `matchExpressions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The label.
    pub key: Box<str>,
    /// What is asked of it.
    pub operator: Operator,
    /// Values, for [`Operator::In`] and [`Operator::NotIn`].
    pub values: Vec<Box<str>>,
}

/// Operator of a [`Expression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// It has none of them, or is missing.
    NotIn,
    /// It is there.
    Exists,
    /// It is missing.
    DoesNotExist,
}
