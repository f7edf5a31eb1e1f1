//! Whose a cgroup is, in which pod it is, and how that was found.
//!
//! A path tells a pod's UID and neither its namespace nor its name. Until the API server
//! or the container's runtime has told those, the cgroup is *pending*: it has no owner
//! yet, and none is guessed. What never is told becomes `unknown`, with the reason.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::container::ContainerFacts;
use crate::identity::Tenant;
use crate::identity::assignment::{Assignment, Decider, GaveUp, Subject};
use crate::identity::cgroup_path::{PodUid, Workload};
use crate::identity::cluster::object::{Labels, Namespace, Pod};
use crate::identity::cluster::{Directory, Source};

/// How long after the end of a cgroup its pod is waited for, nanoseconds, while the API
/// server tells what happens: longer than it takes to tell.
pub const GRACE_NS: u64 = 10 * 1_000_000_000;

/// How an identity was found.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// By the cgroup's path alone.
    Cgroup,
    /// By the pod's UID in the path, which the API server had told of.
    Informer,
    /// By what the container's runtime says of its pod.
    Runtime,
    /// By an address.
    Address,
    /// As by [`Self::Informer`], after it had been pending.
    Late,
    /// It was not found.
    #[default]
    Unknown,
}

impl Provenance {
    /// The word for it in output and in labels of metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Informer => "informer",
            Self::Runtime => "runtime",
            Self::Address => "address",
            Self::Late => "late",
            Self::Unknown => "unknown",
        }
    }
}

/// Whose a cgroup is, and what of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// Whose.
    pub assignment: Assignment,
    /// The pod's namespace.
    pub namespace: Option<Arc<str>>,
    /// The pod's name.
    pub pod: Option<Arc<str>>,
    /// The container's name; `None` for the pod's sandbox and for cgroups above
    /// containers.
    pub container: Option<Arc<str>>,
    /// How it was found.
    pub provenance: Provenance,
}

impl Attribution {
    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.assignment.tenant
    }

    /// What stands for a cgroup whose pod is waited for.
    #[must_use]
    pub fn pending() -> Self {
        Self::bare(Assignment::pending(), Provenance::Unknown)
    }

    fn bare(assignment: Assignment, provenance: Provenance) -> Self {
        Self { assignment, namespace: None, pod: None, container: None, provenance }
    }
}

/// What is to be done with a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// This is whose it is. It may be another's later, when labels or rules change.
    Settled(Attribution),
    /// Its pod is still to be told; ask again when
    /// [`Directory::generation`] has changed, when the runtime has answered, and after
    /// [`GRACE_NS`].
    Pending {
        /// The pod's UID as the path has it.
        uid: PodUid,
    },
}

impl Resolution {
    /// The attribution, also of what is pending.
    #[must_use]
    pub fn attribution(self) -> Attribution {
        match self {
            Self::Settled(attribution) => attribution,
            Self::Pending { .. } => Attribution::pending(),
        }
    }
}

/// How long there is to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The time, nanoseconds of the clock that the directory was told.
    pub now_ns: u64,
    /// When the cgroup ended; `None` while it lives.
    pub ended_ns: Option<u64>,
    /// Whether it was pending before.
    pub was_pending: bool,
    /// Whether the caller has room for one more that is pending.
    pub has_room: bool,
}

/// Finds out whose the cgroup at a path below the v2 mount is. `facts` are what its
/// runtime says of its container, when that is known.
#[must_use]
pub fn resolve(
    path: Option<&str>,
    directory: &Directory,
    facts: Option<&ContainerFacts>,
    waiting: &Waiting,
) -> Resolution {
    let workload = path.map(Workload::parse).unwrap_or_default();
    Cgroup { path, workload: &workload, facts, facts_of_pod: None }.resolve(directory, waiting)
}

/// Whose a pod is that had cgroups once and has none any more, by its UID as their paths
/// had it; `None` while it may still be told.
#[must_use]
pub fn resolve_ended(uid: &str, directory: &Directory, now_ns: u64) -> Option<Assignment> {
    if let Some(pod) = directory.pod(uid)
        && let Some(assignment) = directory.owner_of_pod(pod)
    {
        return Some(assignment);
    }
    let waiting = Waiting { now_ns, ended_ns: Some(0), was_pending: true, has_room: true };
    let gave_up = if directory.has_cluster() {
        gives_up(directory, &waiting)
    } else {
        // Nobody will tell.
        Some(GaveUp::NeverTold)
    };
    gave_up.map(|reason| Assignment::unknown(Decider::GaveUp(reason)))
}

/// Why a pod that was not told is not waited for any longer. While the API server cannot
/// be heard, nobody who has room gives up: it may still know.
fn gives_up(directory: &Directory, waiting: &Waiting) -> Option<GaveUp> {
    if !waiting.has_room {
        return Some(GaveUp::TooMany);
    }
    let heard_ns = [Source::Pods, Source::Namespaces].map(|it| directory.synced_since_ns(it));
    let [pods_ns, namespaces_ns] = heard_ns;
    let since_ns = waiting.ended_ns?.max(pods_ns?).max(namespaces_ns?);
    let has_waited = waiting.now_ns.saturating_sub(since_ns) >= GRACE_NS;
    has_waited.then_some(GaveUp::NeverTold)
}

/// What is known of a cgroup by itself.
#[derive(Clone, Copy, Debug)]
pub struct Cgroup<'a> {
    /// Its path below the v2 mount.
    pub path: Option<&'a str>,
    /// What the path tells; empty without one.
    pub workload: &'a Workload,
    /// What its runtime says of its container, when that is known.
    pub facts: Option<&'a ContainerFacts>,
    /// What a runtime says of any container of its pod.
    pub facts_of_pod: Option<&'a ContainerFacts>,
}

impl Cgroup<'_> {
    /// Finds out whose it is, as [`resolve`] does.
    #[must_use]
    pub fn resolve(&self, directory: &Directory, waiting: &Waiting) -> Resolution {
        let uid = self.workload.pod.as_ref().map(|pod| &pod.uid);
        let Some(uid) = uid.filter(|_| directory.has_cluster()) else {
            return Resolution::Settled(self.by_path(directory));
        };
        if let Some(pod) = directory.pod(uid.as_str())
            && let Some(namespace) = directory.namespace(&pod.namespace)
        {
            let provenance =
                if waiting.was_pending { Provenance::Late } else { Provenance::Informer };
            return Resolution::Settled(self.in_pod(directory, pod, namespace, provenance));
        }
        let told = [self.facts_of_container(), self.facts_of_pod];
        let told = told.into_iter().flatten();
        if let Some(it) = told.filter_map(|facts| self.by_runtime(directory, uid, facts)).next() {
            return Resolution::Settled(it);
        }
        match gives_up(directory, waiting) {
            Some(reason) => {
                let assignment = Assignment::unknown(Decider::GaveUp(reason));
                Resolution::Settled(Attribution::bare(assignment, Provenance::Unknown))
            }
            None => Resolution::Pending { uid: uid.clone() },
        }
    }

    fn by_path(&self, directory: &Directory) -> Attribution {
        let assignment = directory.tenancy().assign(&self.subject(None, None));
        let provenance = if self.path.is_some() { Provenance::Cgroup } else { Provenance::Unknown };
        let container = self.facts_of_container().and_then(|facts| facts.name.as_deref());
        let container = container.map(Arc::from);
        Attribution { container, ..Attribution::bare(assignment, provenance) }
    }

    fn in_pod(
        &self,
        directory: &Directory,
        pod: &Pod,
        namespace: &Namespace,
        provenance: Provenance,
    ) -> Attribution {
        let id = self.workload.container.as_ref().map(|container| container.id.as_str());
        let told = id.and_then(|id| pod.container_name(id));
        let container = told.or_else(|| {
            let facts = self.facts_of_container().filter(|facts| !facts.is_sandbox())?;
            facts.name.as_deref()
        });
        Attribution {
            assignment: directory.tenancy().assign(&self.subject(Some(pod), Some(namespace))),
            namespace: Some((&*pod.namespace).into()),
            pod: Some((&*pod.name).into()),
            container: container.map(Arc::from),
            provenance,
        }
    }

    /// What the runtime says, when it says it of this pod, when the namespace is known,
    /// and when that is all that the rules ask for.
    fn by_runtime(
        &self,
        directory: &Directory,
        uid: &PodUid,
        facts: &ContainerFacts,
    ) -> Option<Attribution> {
        if facts.pod_uid.as_deref() != Some(uid.as_str()) {
            return None;
        }
        let namespace = directory.namespace(facts.pod_namespace.as_deref()?)?;
        let pod = pod_of(facts, &namespace.name)?;
        // Many runtimes tell a pod's labels of its sandbox only.
        let subject = self.subject(Some(&pod), Some(namespace));
        if facts.pod_labels.is_empty() && directory.tenancy().depends_on_pod_labels(&subject) {
            return None;
        }
        Some(self.in_pod(directory, &pod, namespace, Provenance::Runtime))
    }

    /// The runtime's facts, when they are of the path's container.
    fn facts_of_container(&self) -> Option<&ContainerFacts> {
        let container = self.workload.container.as_ref()?;
        self.facts.filter(|facts| facts.id == container.id.as_str())
    }

    fn subject<'b>(
        &'b self,
        pod: Option<&'b Pod>,
        namespace: Option<&'b Namespace>,
    ) -> Subject<'b> {
        Subject { path: self.path, workload: self.workload, pod, namespace }
    }
}

/// The pod as far as the runtime tells of it: who it is, and nothing of its state.
fn pod_of(facts: &ContainerFacts, namespace: &str) -> Option<Pod> {
    let label = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    let labels = facts.pod_labels.iter().map(label).collect::<Labels>();
    Some(Pod::named(facts.pod_uid.as_deref()?, namespace, facts.pod_name.as_deref()?, labels))
}

#[cfg(test)]
#[path = "attribution_tests.rs"]
mod tests;
