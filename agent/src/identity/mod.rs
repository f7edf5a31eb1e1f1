//! Who owns a cgroup: cgroup path → container and pod → tenant.
//!
//! It never reads a counter and never guesses: what no rule matches is the
//! tenant [`UNKNOWN`].

use serde::{Deserialize, Serialize};

pub mod cgroup_path;
pub mod cluster;
pub mod registry;
pub mod template;
pub mod tenant;

pub use registry::Registry;
pub use tenant::{Tenant, TenantRules};

/// Tenant of everything whose owner cannot be told.
pub const UNKNOWN: &str = "unknown";
/// Tenant of the root cgroup: kernel threads and whatever runs outside any group.
pub const HOST: &str = "host";
/// Tenant that takes what exceeds `max_tenants`.
pub const OTHER: &str = "other";

/// A cgroup v2 id: the inode number of its directory; 1 is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CgroupId(pub u64);
