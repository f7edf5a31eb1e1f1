//! Everything that decides about alerts, in the order in which it came. A recording
//! is a list of these, and gives the same alerts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::container::ContainerFacts;
use crate::event::PodFacts;
use crate::identity::Provenance;
use crate::process::{NamesOf, ProcessFacts};

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input<'a> {
    /// A record of the kernel.
    Record(#[serde(borrow)] &'a [u8]),
    /// A process that runs already, or that no record told of.
    Process(Box<ProcessFacts>),
    /// All processes as they are, after records of some were lost: since when, as
    /// `CLOCK_BOOTTIME` nanoseconds, and they.
    Processes(u64, Vec<ProcessFacts>),
    /// Where a cgroup is, and whose; again when that has changed.
    Cgroup(Cgroup),
    /// What a runtime says of a container.
    Container(Box<Container>),
    /// Names of the users and groups of a container, or of the host.
    Names(Box<NamesOf>),
    /// Addresses of a host that rules name.
    Host {
        /// Its name.
        name: String,
        /// Its addresses now.
        addresses: Vec<IpAddr>,
    },
    /// Time passed without an event, `CLOCK_BOOTTIME` nanoseconds.
    Time(u64),
}

/// A cgroup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cgroup {
    /// Its id.
    pub id: u64,
    /// Path below the cgroup v2 mount; `None` when it is gone and nobody knows.
    pub path: Option<String>,
    /// Tenant.
    pub tenant: String,
    /// Labels of the tenant.
    pub tenant_labels: BTreeMap<String, String>,
    /// How the tenant was found.
    pub provenance: Provenance,
    /// Whether the cluster is still to tell of its pod: another such input will follow.
    pub is_pending: bool,
    /// What the cluster tells of its pod.
    pub pod: Option<Box<PodFacts>>,
}

/// An answer of a container runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The container's id in full.
    pub id: String,
    /// What is known; `None`: nothing.
    pub facts: Option<ContainerFacts>,
    /// No further answer is to be waited for.
    pub is_final: bool,
}
