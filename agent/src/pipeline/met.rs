//! Cgroups that the detector was told of, so that it is told again when they become
//! another's or their pod is known at last.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::detection::Cgroup;
use crate::event::PodFacts;
use crate::identity::cgroup_path::Workload;
use crate::identity::cluster::Pod;
use crate::identity::registry::Knowledge;
use crate::identity::{Resolution, Waiting, attribution};

/// Time between two looks at all cgroups while the cluster changes, nanoseconds. Those
/// whose pod is still to be told are looked at with every change.
const LOOK_EVERY_NS: u64 = 1_000_000_000;
/// The same of those that are pending, while nothing changes but what runtimes say.
const LOOK_AT_PENDING_EVERY_NS: u64 = 100_000_000;
/// Cgroups that may be kept before any is looked at for being forgotten.
const CROWD_MIN: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Met {
    cgroups: HashMap<u64, Told>,
    pending: usize,
    /// The directory's generation at the last look at those that are pending, and at
    /// all.
    pending_seen: u64,
    pending_seen_ns: u64,
    all_seen: u64,
    all_seen_ns: u64,
    /// So many are looked through for those that are forgotten.
    crowd: usize,
}

/// What was told of a cgroup.
#[derive(Debug)]
struct Told {
    path: Option<Box<str>>,
    was_pending: bool,
    is_pending: bool,
    /// Hash of what was told.
    said: u64,
}

impl Met {
    /// What there is to tell of a cgroup that acts for the first time.
    pub(super) fn meet(&mut self, id: u64, path: Option<String>, known: &Knowledge<'_>) -> Cgroup {
        let cgroup = whose(id, path.as_deref(), false, known);
        let told = Told {
            path: path.map(Into::into),
            was_pending: cgroup.is_pending,
            is_pending: cgroup.is_pending,
            said: hash(&cgroup),
        };
        self.pending += usize::from(told.is_pending);
        if let Some(before) = self.cgroups.insert(id, told) {
            self.pending -= usize::from(before.is_pending);
        }
        cgroup
    }

    /// What there is to tell anew. Cgroups that are not `remembered` are forgotten.
    pub(super) fn look_again(
        &mut self,
        known: &Knowledge<'_>,
        remembered: impl Fn(u64) -> bool,
    ) -> Vec<Cgroup> {
        if self.cgroups.len() > self.crowd.max(CROWD_MIN) {
            self.forget(&remembered);
        }
        let generation = known.directory.generation();
        let all = generation != self.all_seen
            && known.now_ns.saturating_sub(self.all_seen_ns) >= LOOK_EVERY_NS;
        // A runtime that answers changes no generation.
        let is_due = generation != self.pending_seen
            || known.now_ns.saturating_sub(self.pending_seen_ns) >= LOOK_AT_PENDING_EVERY_NS;
        if !all && (self.pending == 0 || !is_due) {
            return Vec::new();
        }
        (self.pending_seen, self.pending_seen_ns) = (generation, known.now_ns);
        if all {
            (self.all_seen, self.all_seen_ns) = (generation, known.now_ns);
            self.forget(&remembered);
        }
        let mut changed = Vec::new();
        for (id, told) in self.cgroups.iter_mut().filter(|(_, told)| all || told.is_pending) {
            let cgroup = whose(*id, told.path.as_deref(), told.was_pending, known);
            told.is_pending = cgroup.is_pending;
            told.was_pending |= cgroup.is_pending;
            let says = hash(&cgroup);
            if std::mem::replace(&mut told.said, says) != says {
                changed.push(cgroup);
            }
        }
        self.pending = self.cgroups.values().filter(|told| told.is_pending).count();
        changed.sort_unstable_by_key(|cgroup| cgroup.id);
        changed
    }

    /// Forgets those that are not `remembered`. Done when there are twice as many as the
    /// last time, so that it costs each cgroup little, also where nothing changes.
    fn forget(&mut self, remembered: impl Fn(u64) -> bool) {
        self.cgroups.retain(|id, _| remembered(*id));
        self.pending = self.cgroups.values().filter(|told| told.is_pending).count();
        self.crowd = self.cgroups.len().saturating_mul(2);
    }
}

/// Whose a cgroup is now.
pub(super) fn whose(
    id: u64,
    path: Option<&str>,
    was_pending: bool,
    known: &Knowledge<'_>,
) -> Cgroup {
    let workload = path.map(Workload::parse).unwrap_or_default();
    let resolution = resolve(path, &workload, was_pending, known);
    let is_pending = matches!(resolution, Resolution::Pending { .. });
    let attribution = resolution.attribution();
    let uid = workload.pod.as_ref().map(|pod| pod.uid.as_str());
    let pod = uid.and_then(|uid| known.directory.pod(uid));
    let pod = pod.filter(|_| attribution.pod.is_some()).map(|pod| Box::new(facts_of(pod)));
    Cgroup {
        id,
        path: path.map(str::to_owned),
        tenant: attribution.tenant().to_string(),
        tenant_labels: attribution.assignment.labels.as_ref().clone(),
        provenance: attribution.provenance,
        is_pending,
        pod,
    }
}

/// Who owns a cgroup that acts.
pub(super) fn resolve(
    path: Option<&str>,
    workload: &Workload,
    was_pending: bool,
    known: &Knowledge<'_>,
) -> Resolution {
    let container = workload.container.as_ref().map(|container| container.id.as_str());
    let facts = container.and_then(|container| known.containers.get(container));
    // It acts, so it has not ended; what is remembered of those that act is bounded.
    let waiting = Waiting { now_ns: known.now_ns, ended_ns: None, was_pending, has_room: true };
    let cgroup = attribution::Cgroup {
        path,
        workload,
        facts: facts.map(|facts| &**facts),
        facts_of_pod: None,
    };
    cgroup.resolve(known.directory, &waiting)
}

fn facts_of(pod: &Pod) -> PodFacts {
    let labels = pod.labels.iter();
    PodFacts {
        uid: Some(pod.uid.to_string()),
        namespace: pod.namespace.to_string(),
        name: pod.name.to_string(),
        labels: labels.map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        // That of the node is not its own, but the one it has.
        ip: pod.ips.first().map(ToString::to_string),
    }
}

fn hash(cgroup: &Cgroup) -> u64 {
    let mut hasher = DefaultHasher::new();
    cgroup.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{CROWD_MIN, Met};
    use crate::identity::cluster::change::{Change, Update};
    use crate::identity::cluster::directory::Limits;
    use crate::identity::cluster::{Directory, samples};
    use crate::identity::registry::Knowledge;
    use crate::identity::tenant::{MatchSpec, RuleClass, RuleSpec, TenantRules};

    #[test]
    fn what_is_forgotten_elsewhere_is_forgotten_though_nothing_changes() {
        let directory =
            Directory::new(TenantRules::compile(Vec::new()).unwrap(), Limits::default());
        let containers = HashMap::new();
        let mut met = Met::default();
        let living = 10;
        for id in 0..5 * CROWD_MIN as u64 {
            let known = Knowledge { directory: &directory, containers: &containers, now_ns: id };
            met.meet(id, Some("/user.slice".to_owned()), &known);
            let told = met.look_again(&known, |other| other + living > id);
            assert!(told.is_empty());
            assert!(met.cgroups.len() <= CROWD_MIN + 1, "{id}");
        }
        let known = Knowledge { directory: &directory, containers: &containers, now_ns: 0 };
        met.look_again(&known, |_| true);
        assert!(met.cgroups.contains_key(&(5 * CROWD_MIN as u64 - 1)));
    }

    const UID: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn what_is_told_and_when() {
        let matches =
            MatchSpec { namespace_label: Some("tenant".to_owned()), ..MatchSpec::default() };
        let rule =
            RuleSpec { matches, tenant: "{namespace_label}".to_owned(), class: RuleClass::Tenant };
        let rules = TenantRules::compile(vec![rule]).unwrap();
        let mut directory = Directory::new(rules, Limits::default());
        let mut met = Met::default();
        let containers = HashMap::new();
        let path = format!("/kubepods/pod{UID}/{}", "a".repeat(64));
        let at = |directory: &Directory, now_s: u64, met: &mut Met, first: bool| {
            let now_ns = now_s * 1_000_000_000;
            let known = Knowledge { directory, containers: &containers, now_ns };
            let cgroups = match first {
                true => vec![met.meet(7, Some(path.clone()), &known)],
                false => met.look_again(&known, |_| true),
            };
            let show = cgroups.iter().map(|it| {
                let pod = it.pod.as_ref().map_or("-", |pod| &pod.name);
                format!("{} {} {pod}", it.tenant, it.provenance.label())
            });
            show.collect::<Vec<_>>().join(",")
        };
        assert_eq!(at(&directory, 10, &mut met, true), "pending unknown -");
        assert_eq!(at(&directory, 11, &mut met, false), "");
        let labelled = |tenant: &str| {
            let namespace = samples::namespace("ns", &format!("tenant={tenant}"));
            Change::Namespaces(Update::Put(namespace))
        };
        directory.apply(labelled("acme"), 0);
        assert_eq!(at(&directory, 11, &mut met, false), "");
        directory.apply(Change::Pods(Update::Put(samples::pod(UID, "ns/web", "a=b"))), 0);
        assert_eq!(at(&directory, 11, &mut met, false), "acme late web");
        assert_eq!(at(&directory, 12, &mut met, false), "");
        directory.apply(labelled("oil"), 0);
        assert_eq!(at(&directory, 14, &mut met, false), "oil late web");
        assert_eq!(at(&directory, 15, &mut met, false), "");
    }
}
