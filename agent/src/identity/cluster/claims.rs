//! Who owns a namespace and its pods: `Tenant` objects first, then the configured
//! rules.
//!
//! Of several objects that take the same, the one with the highest priority has it; of
//! equal ones, those that select pods come before those that take whole namespaces, and
//! the first by name before the others. That several with equal priority take the same
//! namespace is a [`Conflict`], which is told and changes nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Update;
use super::object::{Namespace, Pod};
use super::tenancy::TenantObject;
use crate::identity::assignment::{Assignment, Class, Decider, Subject};
use crate::identity::cgroup_path::Workload;
use crate::identity::tenant::{Tenant, TenantRules};

/// Objects and rules together.
#[derive(Clone, Debug)]
pub struct Tenancy {
    rules: TenantRules,
    /// In the order in which they are asked.
    objects: Vec<Arc<TenantObject>>,
}

/// Several objects with the same priority take a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The namespace.
    pub namespace: Box<str>,
    /// The object that has it.
    pub holder: Box<str>,
    /// The objects that would have it, too, in order.
    pub others: Vec<Box<str>>,
}

impl Tenancy {
    /// How many objects count; what exceeds it takes nothing.
    pub const MAX_OBJECTS: usize = 10_000;

    /// The rules alone.
    #[must_use]
    pub fn new(rules: TenantRules) -> Self {
        Self { rules, objects: Vec::new() }
    }

    /// The configured rules.
    #[must_use]
    pub fn rules(&self) -> &TenantRules {
        &self.rules
    }

    /// Replaces the configured rules.
    pub fn set_rules(&mut self, rules: TenantRules) {
        self.rules = rules;
    }

    /// The objects in the order in which they are asked.
    pub fn objects(&self) -> impl Iterator<Item = &TenantObject> {
        self.objects.iter().map(|object| &**object)
    }

    /// Takes news of objects. Returns how many found no room.
    pub fn apply(&mut self, update: Update<TenantObject>) -> usize {
        match update {
            Update::Put(object) => {
                self.objects.retain(|other| other.name != object.name);
                self.objects.push(object.into());
            }
            Update::Gone(object) => self.objects.retain(|other| other.name != object.name),
            Update::All(objects) => {
                let named = objects.into_iter().map(|object| (object.name.clone(), object.into()));
                self.objects = named.collect::<BTreeMap<_, _>>().into_values().collect();
            }
        }
        self.objects.sort_by(|a, b| order(a).cmp(&order(b)));
        let refused = self.objects.len().saturating_sub(Self::MAX_OBJECTS);
        self.objects.truncate(Self::MAX_OBJECTS);
        refused
    }

    /// Whether whose a pod's cgroup is may depend on the pod's own labels.
    #[must_use]
    pub fn depends_on_pod_labels(&self, subject: &Subject<'_>) -> bool {
        let Some(namespace) = subject.namespace else { return false };
        let first = self.objects().find(|object| object.may_take_pods_of(namespace));
        match first {
            Some(object) => object.pod_selector.is_some(),
            None => self.rules.depend_on_pod_labels(subject),
        }
    }

    /// Whose a cgroup, a pod or a namespace is.
    #[must_use]
    pub fn assign(&self, subject: &Subject<'_>) -> Assignment {
        match subject.namespace.and_then(|namespace| self.holder(subject.pod, namespace)) {
            Some(object) => self.given_by(object, subject),
            None => self.rules.assign(subject),
        }
    }

    /// Whose a pod is, whatever its cgroups are called.
    #[must_use]
    pub fn of_pod(&self, pod: &Pod, namespace: &Namespace) -> Assignment {
        self.assign(&Subject {
            path: None,
            workload: &Workload::default(),
            pod: Some(pod),
            namespace: Some(namespace),
        })
    }

    /// Whose a namespace is as a whole: a tenant's, shared, or unassigned. Some of its
    /// pods may be another's.
    #[must_use]
    pub fn of_namespace(&self, namespace: &Namespace) -> Assignment {
        self.assign(&Subject {
            path: None,
            workload: &Workload::default(),
            pod: None,
            namespace: Some(namespace),
        })
    }

    /// The conflict about a namespace, if there is one.
    #[must_use]
    pub fn conflict(&self, namespace: &Namespace) -> Option<Conflict> {
        let mut takers = self.takers(namespace);
        let holder = takers.next()?;
        let others: Vec<_> = takers
            .take_while(|other| other.priority == holder.priority)
            .map(|other| other.name.clone())
            .collect();
        (!others.is_empty()).then(|| Conflict {
            namespace: namespace.name.clone(),
            holder: holder.name.clone(),
            others,
        })
    }

    /// The objects that take a namespace as a whole, the one that has it first.
    pub fn takers(&self, namespace: &Namespace) -> impl Iterator<Item = &TenantObject> {
        self.objects().filter(move |object| object.takes(namespace))
    }

    fn holder(&self, pod: Option<&Pod>, namespace: &Namespace) -> Option<&TenantObject> {
        self.objects().find(|object| match pod {
            Some(pod) => object.takes_pod(pod, namespace),
            None => object.takes(namespace),
        })
    }

    fn given_by(&self, object: &TenantObject, subject: &Subject<'_>) -> Assignment {
        let tenant = Tenant::chosen(&object.name).unwrap_or_else(Tenant::unassigned);
        let class = if object.shared { Class::Shared } else { Class::Tenant };
        let decider = Decider::Object((&*object.name).into());
        let mut assignment = Assignment::bare(tenant, class, decider);
        let of_namespace = self.rules.labels(subject);
        if of_namespace.is_some() || !object.labels.is_empty() {
            let mut labels = of_namespace.unwrap_or_default();
            Arc::make_mut(&mut labels).extend(object.labels.clone());
            assignment.labels = labels;
        }
        assignment
    }
}

fn order(object: &TenantObject) -> impl Ord + '_ {
    (Reverse(object.priority), object.pod_selector.is_none(), &object.name)
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
