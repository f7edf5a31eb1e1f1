//! Cgroup → where it is: its container and its tenant.

use std::collections::HashMap;
use std::sync::Arc;

use crate::container::ContainerFacts;
use crate::event::Place;
use crate::identity::UNKNOWN;
use crate::identity::cgroup_path::Workload;

use super::input::{Cgroup, Container};

/// Cgroups that are remembered at most; of more the oldest are forgotten, and asked
/// for anew when they act again.
const PLACES_MAX: usize = 16_384;

#[derive(Debug)]
enum Known {
    /// Asked for.
    Pending,
    /// All there is to know.
    Final,
}

/// The places of all cgroups that were met.
#[derive(Debug)]
pub(super) struct Places {
    places: HashMap<u64, Place>,
    order: std::collections::VecDeque<u64>,
    containers: HashMap<Box<str>, (Known, Option<Arc<ContainerFacts>>)>,
    nowhere: Place,
}

impl Places {
    pub(super) fn new() -> Self {
        let nowhere = Place {
            cgroup_path: "".into(),
            container_id: None,
            runtime: None,
            pod_uid: None,
            facts: None,
            tenant: UNKNOWN.into(),
            tenant_labels: Arc::default(),
        };
        Self {
            places: HashMap::new(),
            order: std::collections::VecDeque::new(),
            containers: HashMap::new(),
            nowhere,
        }
    }

    pub(super) fn knows(&self, cgroup: u64) -> bool {
        self.places.contains_key(&cgroup)
    }

    /// Where a cgroup is; a place of the tenant `unknown` when nobody said.
    pub(super) fn get(&self, cgroup: u64) -> &Place {
        self.places.get(&cgroup).unwrap_or(&self.nowhere)
    }

    /// Whether an answer about the container is still to come.
    pub(super) fn is_pending(&self, container: &str) -> bool {
        self.containers.get(container).is_none_or(|(known, _)| matches!(known, Known::Pending))
    }

    pub(super) fn learn(&mut self, cgroup: &Cgroup) {
        let path = cgroup.path.as_deref().unwrap_or_default();
        let workload = Workload::parse(path);
        let container_id: Option<Box<str>> =
            workload.container.as_ref().map(|container| container.id.as_str().into());
        let facts = container_id.as_ref().and_then(|id| {
            let entry = self.containers.entry(id.clone()).or_insert((Known::Pending, None));
            entry.1.clone()
        });
        let place = Place {
            cgroup_path: path.into(),
            container_id,
            runtime: workload.container.map(|container| container.runtime),
            pod_uid: workload.pod.map(|pod| pod.uid.as_str().into()),
            facts,
            tenant: cgroup.tenant.as_str().into(),
            tenant_labels: Arc::default(),
        };
        if self.places.insert(cgroup.id, place).is_none() {
            self.order.push_back(cgroup.id);
        }
        if self.places.len() > PLACES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }

    pub(super) fn answer(&mut self, answer: &Container) {
        let known = if answer.is_final { Known::Final } else { Known::Pending };
        let facts = answer.facts.clone().map(Arc::new);
        let entry =
            self.containers.entry(answer.id.as_str().into()).or_insert((Known::Pending, None));
        entry.0 = known;
        if facts.is_some() {
            entry.1 = facts;
        }
        let facts = entry.1.clone();
        for place in self.places.values_mut() {
            if place.container_id.as_deref() == Some(answer.id.as_str()) {
                place.facts.clone_from(&facts);
            }
        }
    }
}
