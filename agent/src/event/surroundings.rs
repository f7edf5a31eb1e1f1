//! What an event needs of the rest of the agent to be seen as rules see it: the
//! boundary between a record and who knows its process, its container and its node.
//!
//! Data and traits only. It reads nothing itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::container::ContainerFacts;
use crate::identity::Provenance;
use crate::identity::cgroup_path::Runtime;
use crate::process::{Process, Table};

/// The databases of users and groups: those of a container by its id in full, those
/// of the host without one.
pub trait Names {
    /// Name of a user.
    fn user_name(&self, container: Option<&str>, uid: u32) -> Option<&str>;

    /// Home directory of a user.
    fn home(&self, container: Option<&str>, uid: u32) -> Option<&str>;

    /// Login shell of a user.
    fn shell(&self, container: Option<&str>, uid: u32) -> Option<&str>;

    /// Name of a group.
    fn group_name(&self, container: Option<&str>, gid: u32) -> Option<&str>;
}

/// Knows no name.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn user_name(&self, _: Option<&str>, _: u32) -> Option<&str> {
        None
    }

    fn home(&self, _: Option<&str>, _: u32) -> Option<&str> {
        None
    }

    fn shell(&self, _: Option<&str>, _: u32) -> Option<&str> {
        None
    }

    fn group_name(&self, _: Option<&str>, _: u32) -> Option<&str> {
        None
    }
}

/// A pod as the cluster tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PodFacts {
    /// Its UID as the API server has it; that of a static pod is not in its path.
    pub uid: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its first address.
    pub ip: Option<String>,
}

/// Where a process runs: the same for all of a cgroup.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Path of the cgroup below the mount of the v2 hierarchy, `/` for the root;
    /// empty when not known.
    pub cgroup_path: Box<str>,
    /// Id of the container in full; `None` on the host.
    pub container_id: Option<Box<str>>,
    /// Who made the container, as far as the path tells.
    pub runtime: Option<Runtime>,
    /// UID of the pod, from the path.
    pub pod_uid: Option<Box<str>>,
    /// What the cluster tells of the pod, once it did.
    pub pod: Option<Arc<PodFacts>>,
    /// Whether the cluster is still to tell of the pod.
    pub is_pending: bool,
    /// How the tenant was found.
    pub provenance: Provenance,
    /// What the runtime tells of the container, once it did.
    pub facts: Option<Arc<ContainerFacts>>,
    /// The tenant, or one of the names for none, such as `host`.
    pub tenant: Arc<str>,
    /// Labels of the tenant.
    pub tenant_labels: Arc<BTreeMap<String, String>>,
}

/// The machine and the agent on it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name of the host.
    pub hostname: Box<str>,
    /// Nanoseconds since 1970 at which `CLOCK_BOOTTIME` was 0: added to a time of a
    /// record it gives the time of the wall clock.
    pub boot_unix_ns: u64,
    /// When the agent began, `CLOCK_BOOTTIME` nanoseconds.
    pub agent_started_ns: u64,
    /// Time zone of the texts of times.
    pub zone: TimeZone,
}

/// All that stands around one record.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The process that acted, if it is in the table.
    pub process: Option<&'a Process>,
    /// All processes.
    pub processes: &'a Table,
    /// Where the process runs.
    pub place: &'a Place,
    /// Names of users and groups.
    pub names: &'a dyn Names,
    /// The machine.
    pub node: &'a Node,
    /// Number of the event since the agent began, from 1.
    pub number: u64,
    /// When the event before was, `CLOCK_BOOTTIME` nanoseconds; the event's own time
    /// when there was none.
    pub previous_ns: u64,
    /// The tenant at the other end of the connection, or that the target of the act
    /// belongs to.
    pub peer: Option<&'a str>,
}

impl Names for crate::process::Names {
    fn user_name(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        self.user_name(container, uid)
    }

    fn home(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        self.home(container, uid)
    }

    fn shell(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        self.shell(container, uid)
    }

    fn group_name(&self, container: Option<&str>, gid: u32) -> Option<&str> {
        self.group_name(container, gid)
    }
}
