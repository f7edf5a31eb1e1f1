//! Who owns a cgroup: cgroup path → container and pod → namespace → tenant.
//!
//! It never reads a counter and never guesses: what no rule matches is the tenant
//! [`UNKNOWN`], or [`UNASSIGNED`] when its namespace is known; what is still to be told
//! is [`PENDING`].

use serde::{Deserialize, Serialize};

pub mod assignment;
pub mod attribution;
pub mod book;
pub mod cgroup_path;
pub mod cluster;
pub mod known;
pub mod kubernetes;
pub mod peer;
pub mod registry;
pub mod template;
pub mod tenant;

pub use assignment::{Assignment, Class, Subject, TenantLabels};
pub use attribution::{Attribution, Provenance, Resolution, Waiting, resolve, resolve_ended};
pub use book::Book;
pub use known::{Known, Moment};
pub use registry::Registry;
pub use tenant::{Tenant, TenantRules};

/// Tenant of everything whose owner cannot be told.
pub const UNKNOWN: &str = "unknown";
/// Tenant of the root cgroup: kernel threads and whatever runs outside any group.
pub const HOST: &str = "host";
/// Tenant that takes what exceeds `max_tenants`.
pub const OTHER: &str = "other";
/// Tenant of pods whose namespace no rule gives to anybody.
pub const UNASSIGNED: &str = "unassigned";
/// Tenant of pods whose namespace is still to be told.
pub const PENDING: &str = "pending";
/// The agent's own names, which no other tenant gets.
pub const RESERVED: [&str; 5] = [UNKNOWN, HOST, OTHER, UNASSIGNED, PENDING];

/// A cgroup v2 id: the inode number of its directory; 1 is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CgroupId(pub u64);
