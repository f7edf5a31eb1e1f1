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

/// A container that a remembered cgroup is of.
#[derive(Debug, Default)]
struct Known {
    facts: Option<Arc<ContainerFacts>>,
    /// That is all there is to know.
    is_final: bool,
    /// Cgroups of it that are remembered.
    cgroups: usize,
}

/// The places of all cgroups that were met.
#[derive(Debug)]
pub(super) struct Places {
    places: HashMap<u64, Place>,
    order: std::collections::VecDeque<u64>,
    containers: HashMap<Box<str>, Known>,
    /// Containers of which no cgroup is remembered any more.
    left: Vec<Box<str>>,
    nowhere: Place,
}

impl Places {
    pub(super) fn new() -> Self {
        let nowhere = Place { tenant: UNKNOWN.into(), ..Place::default() };
        Self {
            places: HashMap::new(),
            order: std::collections::VecDeque::new(),
            containers: HashMap::new(),
            left: Vec::new(),
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

    /// What an event of a cgroup waits for: the runtime's answer about its container, if
    /// rules ask for that, or the cluster's about its pod.
    pub(super) fn awaited(&self, cgroup: u64, asks_runtime: bool) -> Option<&str> {
        let place = self.get(cgroup);
        let container = place.container_id.as_deref();
        let by_runtime = container.filter(|it| asks_runtime && self.is_pending(it));
        let by_cluster = || container.or(place.pod_uid.as_deref()).filter(|_| place.is_pending);
        by_runtime.or_else(by_cluster)
    }

    /// Whether a cgroup of the container waits for the cluster to tell of its pod.
    pub(super) fn is_of_pending_pod(&self, container: &str) -> bool {
        let mut places = self.places.values();
        places.any(|it| it.is_pending && it.container_id.as_deref() == Some(container))
    }

    /// Whether an answer about the container is still to come.
    pub(super) fn is_pending(&self, container: &str) -> bool {
        self.containers.get(container).is_none_or(|known| !known.is_final)
    }

    /// Whether a cgroup of the container is remembered.
    pub(super) fn has_container(&self, container: &str) -> bool {
        self.containers.contains_key(container)
    }

    /// Containers that were forgotten with their last cgroup since the last call.
    pub(super) fn take_left(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.left)
    }

    pub(super) fn learn(&mut self, cgroup: &Cgroup) {
        let path = cgroup.path.as_deref().unwrap_or_default();
        let workload = Workload::parse(path);
        let container_id: Option<Box<str>> =
            workload.container.as_ref().map(|container| container.id.as_str().into());
        let facts = container_id.as_ref().and_then(|id| {
            let known = self.containers.entry(id.clone()).or_default();
            known.cgroups += 1;
            known.facts.clone()
        });
        let place = Place {
            cgroup_path: path.into(),
            container_id,
            runtime: workload.container.map(|container| container.runtime),
            pod_uid: workload.pod.map(|pod| pod.uid.as_str().into()),
            pod: cgroup.pod.as_deref().cloned().map(Arc::new),
            is_pending: cgroup.is_pending,
            provenance: cgroup.provenance,
            facts,
            tenant: cgroup.tenant.as_str().into(),
            tenant_labels: Arc::new(cgroup.tenant_labels.clone()),
        };
        match self.places.insert(cgroup.id, place) {
            Some(before) => self.leave(before),
            None => self.order.push_back(cgroup.id),
        }
        if self.places.len() > PLACES_MAX
            && let Some(oldest) = self.order.pop_front()
            && let Some(place) = self.places.remove(&oldest)
        {
            self.leave(place);
        }
    }

    /// Forgets the container of a place that was the last of it.
    fn leave(&mut self, place: Place) {
        let Some(id) = place.container_id else { return };
        let Some(known) = self.containers.get_mut(&id) else { return };
        known.cgroups -= 1;
        if known.cgroups == 0 {
            self.containers.remove(&id);
            self.left.push(id);
        }
    }

    /// Takes what a runtime says. Of a container that was forgotten meanwhile nothing is
    /// kept: it is asked for anew when it acts again.
    pub(super) fn answer(&mut self, answer: &Container) {
        let Some(known) = self.containers.get_mut(answer.id.as_str()) else { return };
        known.is_final = answer.is_final;
        if let Some(facts) = &answer.facts {
            known.facts = Some(Arc::new(facts.clone()));
        }
        let facts = &known.facts;
        for place in self.places.values_mut() {
            if place.container_id.as_deref() == Some(answer.id.as_str()) {
                place.facts.clone_from(facts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES_MAX, Places};
    use crate::container::ContainerFacts;
    use crate::detection::{Cgroup, Container};

    /// A cgroup of a Docker container whose id begins with that number.
    fn cgroup(id: u64, container: u64) -> Cgroup {
        let path = format!("/system.slice/docker-{container:064}.scope/{id}");
        Cgroup { id, path: Some(path), tenant: "t".to_owned(), ..Cgroup::default() }
    }

    fn answer(container: u64, is_final: bool) -> Container {
        let facts = ContainerFacts { name: Some("web".to_owned()), ..ContainerFacts::default() };
        Container { id: format!("{container:064}"), facts: Some(facts), is_final }
    }

    fn name(places: &Places, cgroup: u64) -> Option<&str> {
        places.get(cgroup).facts.as_ref()?.name.as_deref()
    }

    #[test]
    fn containers_are_known_for_as_long_as_their_cgroups() {
        let mut places = Places::new();
        let of = |container: u64| format!("{container:064}");
        places.learn(&cgroup(1, 1));
        places.learn(&cgroup(2, 1));
        assert!(places.is_pending(&of(1)));
        places.answer(&answer(1, false));
        assert!(places.is_pending(&of(1)));
        places.answer(&answer(1, true));
        assert!(!places.is_pending(&of(1)));
        places.learn(&cgroup(3, 1));
        assert_eq!([1, 2, 3].map(|id| name(&places, id)), [Some("web"); 3]);
        // The cgroup of an id that is given again.
        places.learn(&cgroup(3, 2));
        assert_eq!(name(&places, 3), None);
        places.learn(&cgroup(2, 2));
        assert_eq!(places.take_left(), [] as [Box<str>; 0]);
        places.learn(&cgroup(1, 2));
        assert_eq!(places.take_left(), [of(1).into_boxed_str()]);
        // Too late: nobody is there whom it is of.
        assert!(!places.has_container(&of(1)) && places.has_container(&of(2)));
        places.answer(&answer(1, true));
        assert!(places.is_pending(&of(1)));
        assert_eq!(places.containers.len(), 1);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut places = Places::new();
        let all = PLACES_MAX as u64 + 10;
        for id in 0..all {
            places.learn(&cgroup(id, id));
        }
        let sizes = [places.places.len(), places.containers.len(), places.order.len()];
        assert_eq!(sizes, [PLACES_MAX; 3]);
        assert_eq!(places.take_left().len(), 10);
        assert!(!places.knows(9) && places.knows(10));
    }
}
