//! `Tenant` objects: rules of tenants that are kept in the cluster.
//!
//! An object selects whole namespaces, by name or by label. With a selector of pods it
//! takes, of those namespaces or of all, only the pods that the selector holds for.

use std::collections::BTreeMap;

use super::object::{Labels, Namespace, Pod};

/// What a `Tenant` object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantObject {
    /// `metadata.name`: the tenant's name.
    pub name: Box<str>,
    /// `metadata.generation`, for its status.
    pub generation: i64,
    /// Order among objects that want the same: higher first. Equally high ones: those
    /// with a selector of pods first, then by name.
    pub priority: i32,
    /// Whether its namespaces are everybody's: `spec.class: Shared`.
    pub shared: bool,
    /// Names of namespaces, `*` stands for any characters.
    pub namespaces: Vec<Box<str>>,
    /// Namespaces by their labels, beside those named; `None`: none.
    pub namespace_selector: Option<Selector>,
    /// Labels that a pod must have, in these namespaces, or in any when none is named or
    /// selected; `None`: all pods of the namespaces.
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

impl TenantObject {
    /// Whether it takes the namespace as a whole.
    #[must_use]
    pub fn takes(&self, namespace: &Namespace) -> bool {
        self.pod_selector.is_none() && self.names_or_selects(namespace)
    }

    /// Whether it takes a pod of the namespace.
    #[must_use]
    pub fn takes_pod(&self, pod: &Pod, namespace: &Namespace) -> bool {
        let selector = self.pod_selector.as_ref();
        self.may_take_pods_of(namespace)
            && selector.is_none_or(|selector| selector.holds_for(&pod.labels))
    }

    /// Whether it takes pods of the namespace, if they have the labels it asks for.
    #[must_use]
    pub fn may_take_pods_of(&self, namespace: &Namespace) -> bool {
        let of_any = self.namespaces.is_empty() && self.namespace_selector.is_none();
        self.pod_selector.is_some() && of_any || self.names_or_selects(namespace)
    }

    fn names_or_selects(&self, namespace: &Namespace) -> bool {
        self.namespaces.iter().any(|pattern| is_like(&namespace.name, pattern))
            || self
                .namespace_selector
                .as_ref()
                .is_some_and(|selector| selector.holds_for(&namespace.labels))
    }
}

impl Selector {
    /// Whether all of it holds. An empty selector holds for everything.
    #[must_use]
    pub fn holds_for(&self, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|expression| expression.holds_for(labels))
    }
}

impl Expression {
    fn holds_for(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let is_one = value.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => is_one,
            Operator::NotIn => !is_one,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Whether a name is like a pattern in which `*` stands for any characters.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        // The first place is as good as any later one.
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(end)
}

#[cfg(test)]
#[path = "tenancy_tests.rs"]
mod tests;
