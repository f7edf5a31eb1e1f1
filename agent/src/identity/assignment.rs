//! Whose something is, and who says so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::identity::cgroup_path::Workload;
use crate::identity::cluster::{Namespace, Pod};
use crate::identity::tenant::Tenant;

/// Labels that go along with a tenant, such as `team` and `cost-center`. Cheap to
/// clone.
pub type TenantLabels = Arc<BTreeMap<String, String>>;

static NO_LABELS: LazyLock<TenantLabels> = LazyLock::new(TenantLabels::default);

/// What rules are asked about: a cgroup, a pod or a namespace.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The cgroup's path below the v2 mount; `None` for a pod or a namespace as such.
    pub path: Option<&'a str>,
    /// What the path tells; empty without one.
    pub workload: &'a Workload,
    /// The pod, when it was told of.
    pub pod: Option<&'a Pod>,
    /// The namespace, when it was told of.
    pub namespace: Option<&'a Namespace>,
}

/// Which kind of owner something has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A tenant.
    Tenant,
    /// Everybody: what the cluster itself needs.
    Shared,
    /// Nobody: the namespace is known, and no rule gives it to anybody.
    Unassigned,
    /// The machine: the root cgroup.
    Host,
    /// It cannot be told.
    Unknown,
    /// It is still to be told.
    Pending,
}

impl Class {
    /// The word for it in output and in labels of metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Shared => "shared",
            Self::Unassigned => "unassigned",
            Self::Host => "host",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
        }
    }
}

/// Who decided whose something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The rule at this place of the configured list, from 0.
    Rule(usize),
    /// The `Tenant` object of this name.
    Object(Arc<str>),
    /// Nobody had to: it is the root cgroup.
    Root,
    /// Nobody could: its path is not known.
    NoPath,
    /// No rule holds.
    NoRule,
    /// Its pod or namespace is still to be told.
    Waiting,
    /// Its pod or namespace was not told in time.
    GaveUp(GaveUp),
}

/// Why a pod's identity is not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GaveUp {
    /// The cgroup is gone, and the API server, which was heard since, does not know
    /// the pod.
    NeverTold,
    /// Too many wait already.
    TooMany,
}

impl GaveUp {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::NeverTold, Self::TooMany];

    /// The value of the label `reason` of metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NeverTold => "never_told",
            Self::TooMany => "too_many",
        }
    }
}

impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(index) => write!(f, "rule {}", index + 1),
            Self::Object(name) => write!(f, "Tenant {name}"),
            Self::Root => f.write_str("the root cgroup"),
            Self::NoPath => f.write_str("no path"),
            Self::NoRule => f.write_str("no rule"),
            Self::Waiting => f.write_str("not told yet"),
            Self::GaveUp(GaveUp::NeverTold) => f.write_str("never told"),
            Self::GaveUp(GaveUp::TooMany) => f.write_str("too many wait"),
        }
    }
}

/// Whose something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The owner's name.
    pub tenant: Tenant,
    /// Which kind of owner.
    pub class: Class,
    /// Labels that go along.
    pub labels: TenantLabels,
    /// Who says so.
    pub decider: Decider,
}

impl Assignment {
    /// One without labels.
    pub(in crate::identity) fn bare(tenant: Tenant, class: Class, decider: Decider) -> Self {
        Self { tenant, class, labels: TenantLabels::clone(&NO_LABELS), decider }
    }

    /// What cannot be told.
    #[must_use]
    pub fn unknown(decider: Decider) -> Self {
        Self::bare(Tenant::unknown(), Class::Unknown, decider)
    }

    /// The root cgroup.
    #[must_use]
    pub fn host() -> Self {
        Self::bare(Tenant::host(), Class::Host, Decider::Root)
    }

    /// What is still to be told.
    #[must_use]
    pub fn pending() -> Self {
        Self::bare(Tenant::pending(), Class::Pending, Decider::Waiting)
    }

    /// Whether both give the use to the same: tenant, class and labels.
    #[must_use]
    pub fn bills_as(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.class == other.class && self.labels == other.labels
    }
}
