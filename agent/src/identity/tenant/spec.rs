//! Rules as they are configured, and what is wrong with one.

use serde::{Deserialize, Serialize};

use crate::identity::cgroup_path::Runtime;
use crate::identity::template::TemplateError;
use crate::identity::tenant::LabelProblem;

/// What a rule asks of a cgroup, of its pod and of the pod's namespace; all that is
/// given must hold. What is asked of a namespace or of labels holds for nothing that
/// the API server has not told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchSpec {
    /// Regular expression found anywhere in the path; its named groups may be
    /// used in the tenant's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether it is in a Kubernetes pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<bool>,
    /// A runtime's name, or `any`: it is in such a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Whether it is in a slice of the host's systemd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<bool>,
    /// Whether it is in a unit (service, scope …) of the host's systemd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<bool>,
    /// Regular expression for the whole name of the namespace; its named groups may
    /// be used in the tenant's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `key` or `key=value`: the namespace has such a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_label: Option<String>,
    /// `key` or `key=value`: the namespace has such an annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_annotation: Option<String>,
    /// `key` or `key=value`: the pod has such a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_label: Option<String>,
    /// Whether the namespace belongs to a tree of the Hierarchical Namespace
    /// Controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hnc: Option<bool>,
}

impl MatchSpec {
    /// Whether it holds only for what belongs to a namespace.
    #[must_use]
    pub fn asks_for_a_namespace(&self) -> bool {
        self.namespace.is_some()
            || self.namespace_label.is_some()
            || self.namespace_annotation.is_some()
            || self.pod_label.is_some()
            || self.hnc.is_some()
    }
}

/// Whose a tenant is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleClass {
    /// Its own.
    #[default]
    Tenant,
    /// Everybody's: what the cluster itself needs.
    Shared,
}

impl RuleClass {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_tenant(&self) -> bool {
        *self == Self::Tenant
    }
}

/// One rule as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Which cgroups.
    #[serde(rename = "match")]
    pub matches: MatchSpec,
    /// The tenant's name, with `{field}`s.
    pub tenant: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "RuleClass::is_tenant")]
    pub class: RuleClass,
}

/// Which part of a rule an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulePart {
    /// `match` as a whole.
    Match,
    /// `match.path`.
    Path,
    /// `match.container`.
    Container,
    /// `match.namespace`.
    Namespace,
    /// `match.namespace_label`.
    NamespaceLabel,
    /// `match.namespace_annotation`.
    NamespaceAnnotation,
    /// `match.pod_label`.
    PodLabel,
    /// `tenant`.
    Tenant,
}

impl RulePart {
    /// Keys that lead to the part within the rule.
    #[must_use]
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Match => &["match"],
            Self::Path => &["match", "path"],
            Self::Container => &["match", "container"],
            Self::Namespace => &["match", "namespace"],
            Self::NamespaceLabel => &["match", "namespace_label"],
            Self::NamespaceAnnotation => &["match", "namespace_annotation"],
            Self::PodLabel => &["match", "pod_label"],
            Self::Tenant => &["tenant"],
        }
    }
}

/// Why a rule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// Nothing is asked, which would match by accident.
    #[error("empty, so it would match every cgroup; to mean that, write `path: '^/'`")]
    EmptyMatch,
    /// `path` or `namespace` is not a regular expression.
    #[error("not a regular expression: {0}")]
    Regex(String),
    /// No runtime has this name.
    #[error("unknown container runtime `{0}`")]
    UnknownRuntime(String),
    /// No such label can be.
    #[error(transparent)]
    Label(#[from] LabelProblem),
    /// A pod has an owner or none, or is still waited for; no rule says that.
    #[error("`{0}` is the agent's own name, which no rule gives to pods; expected another")]
    Reserved(String),
    /// The tenant's name cannot be made.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl RuleProblem {
    /// For a wrong name: that name and the names that would have been right.
    #[must_use]
    pub fn choices(&self) -> Option<(&str, Vec<&str>)> {
        match self {
            Self::UnknownRuntime(name) => Some((name, runtime_names())),
            Self::Template(TemplateError::UnknownField { name, known }) => {
                Some((name, known.iter().map(String::as_str).collect()))
            }
            _ => None,
        }
    }
}

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tenant rule {}, `{}`: {problem}", .index + 1, .part.keys().join("."))]
pub struct TenantRuleError {
    /// Which rule, from 0.
    pub index: usize,
    /// Which part of it.
    pub part: RulePart,
    /// What is wrong.
    pub problem: RuleProblem,
}

pub(super) const ANY_RUNTIME: &str = "any";

/// Values that `match.container` may have.
#[must_use]
pub fn runtime_names() -> Vec<&'static str> {
    std::iter::once(ANY_RUNTIME).chain(Runtime::ALL.map(Runtime::name)).collect()
}
