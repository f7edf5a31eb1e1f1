//! A tenant's name, and the ordered rules that find it.
//!
//! The first rule whose whole `match` holds names the tenant. The root cgroup is
//! always `host`; a cgroup without a path, or that no rule matches, is `unknown`.
//! Rules are checked when they are compiled, never when a cgroup appears.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::identity::cgroup_path::{Runtime, Workload};
use crate::identity::template::{Template, TemplateError};
use crate::identity::{HOST, OTHER, UNKNOWN};

/// A tenant's name: 1 to [`Tenant::MAX_BYTES`] bytes without control or
/// direction-changing characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// Longest name, bytes.
    pub const MAX_BYTES: usize = 128;

    /// Makes a name fit to be a label and to be printed. Unprintable characters
    /// become `U+FFFD` and what is too long is cut; either adds `~` and eight hex
    /// digits that depend on the whole name, so that two tenants stay two. Empty
    /// is `unknown`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        if name.is_empty() {
            return Self::unknown();
        }
        if name.len() <= Self::MAX_BYTES && !name.contains(is_unprintable) {
            return Self(name.into());
        }
        Self::marked(name)
    }

    /// The tenant of everything whose owner cannot be told.
    #[must_use]
    pub fn unknown() -> Self {
        Self(UNKNOWN.into())
    }

    /// The tenant of the root cgroup.
    #[must_use]
    pub fn host() -> Self {
        Self(HOST.into())
    }

    /// The tenant that takes what exceeds `max_tenants`.
    #[must_use]
    pub fn other() -> Self {
        Self(OTHER.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with a mark of its own.
    fn marked(name: &str) -> Self {
        let mark = format!("~{:08x}", fnv1a(name.as_bytes()));
        let clean = name.replace(is_unprintable, "\u{FFFD}");
        let end = clean.floor_char_boundary(Self::MAX_BYTES - mark.len());
        Self(format!("{}{mark}", &clean[..end]).into())
    }
}

/// Control characters, and those that move or hide text around them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// FNV-1a, 32 bits: small, and the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for Tenant {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Tenant {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<String> for Tenant {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0.as_ref().to_owned()
    }
}

/// What a rule asks of a cgroup; all that is given must hold.
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
    /// `path` is not a regular expression.
    #[error("not a regular expression: {0}")]
    Regex(String),
    /// No runtime has this name.
    #[error("unknown container runtime `{0}`")]
    UnknownRuntime(String),
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
            Self::EmptyMatch | Self::Regex(_) | Self::Template(_) => None,
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

/// Ordered rules, ready for use.
#[derive(Clone, Debug)]
pub struct TenantRules {
    rules: Vec<Rule>,
    /// The same as configured.
    specs: Vec<RuleSpec>,
}

#[derive(Clone, Debug)]
struct Rule {
    path: Option<Regex>,
    pod: Option<bool>,
    container: Option<WantedRuntime>,
    slice: Option<bool>,
    unit: Option<bool>,
    tenant: Template,
}

#[derive(Clone, Copy, Debug)]
enum WantedRuntime {
    Any,
    One(Runtime),
}

const ANY_RUNTIME: &str = "any";

/// Values that `match.container` may have.
#[must_use]
pub fn runtime_names() -> Vec<&'static str> {
    std::iter::once(ANY_RUNTIME).chain(Runtime::ALL.map(Runtime::name)).collect()
}

impl TenantRules {
    /// Checks and prepares the rules.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be used. A name that uses a field which its
    /// `match` does not guarantee is such a rule: `{pod_uid}` without `pod: true`.
    pub fn compile(specs: Vec<RuleSpec>) -> Result<Self, TenantRuleError> {
        let compile = |(index, spec)| {
            Rule::compile(spec).map_err(|(part, problem)| TenantRuleError { index, part, problem })
        };
        let rules = specs.iter().cloned().enumerate().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { rules, specs })
    }

    /// The rules as they were configured.
    #[must_use]
    pub fn specs(&self) -> &[RuleSpec] {
        &self.specs
    }

    /// The tenant of the cgroup at this path below the v2 mount; `None` when
    /// nothing could tell the path.
    #[must_use]
    pub fn tenant(&self, path: Option<&str>) -> Tenant {
        let Some(path) = path else { return Tenant::unknown() };
        let workload = Workload::parse(path);
        if workload.top.is_none() {
            return Tenant::host();
        }
        self.rules
            .iter()
            .find_map(|rule| rule.tenant(path, &workload))
            .unwrap_or_else(Tenant::unknown)
    }
}

impl Rule {
    fn compile(spec: RuleSpec) -> Result<Self, (RulePart, RuleProblem)> {
        let RuleSpec { matches, tenant } = spec;
        if matches == MatchSpec::default() {
            return Err((RulePart::Match, RuleProblem::EmptyMatch));
        }
        let path = matches.path.as_deref().map(compile_regex).transpose();
        let path = path.map_err(|problem| (RulePart::Path, problem))?;
        let container = matches.container.as_deref().map(wanted_runtime).transpose();
        let container = container.map_err(|problem| (RulePart::Container, problem))?;
        let template = Template::compile(&tenant, path.as_ref(), &matches)
            .map_err(|problem| (RulePart::Tenant, problem.into()))?;
        let MatchSpec { pod, slice, unit, .. } = matches;
        Ok(Self { path, pod, container, slice, unit, tenant: template })
    }

    /// The tenant, when everything the rule asks holds and its name can be made.
    fn tenant(&self, path: &str, workload: &Workload) -> Option<Tenant> {
        let same = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        let runtime = workload.container.as_ref().map(|container| container.runtime);
        let holds = same(self.pod, workload.pod.is_some())
            && same(self.slice, workload.slice.is_some())
            && same(self.unit, workload.unit.is_some())
            && match self.container {
                None => true,
                Some(WantedRuntime::Any) => runtime.is_some(),
                Some(WantedRuntime::One(wanted)) => runtime == Some(wanted),
            };
        if !holds {
            return None;
        }
        let groups: Option<Captures<'_>> = match &self.path {
            Some(regex) => Some(regex.captures(path)?),
            None => None,
        };
        self.name(&self.tenant.render(workload, groups.as_ref())?)
    }

    /// A name made of fields must not pass for one of the agent's own tenants: a
    /// cgroup may be called `/host`. A fixed name may, since its author chose it.
    fn name(&self, name: &str) -> Option<Tenant> {
        if name.is_empty() {
            None
        } else if self.tenant.has_fields() && [UNKNOWN, HOST, OTHER].contains(&name) {
            Some(Tenant::marked(name))
        } else {
            Some(Tenant::new(name))
        }
    }
}

fn wanted_runtime(name: &str) -> Result<WantedRuntime, RuleProblem> {
    if name == ANY_RUNTIME {
        return Ok(WantedRuntime::Any);
    }
    Runtime::from_name(name)
        .map(WantedRuntime::One)
        .ok_or_else(|| RuleProblem::UnknownRuntime(name.to_owned()))
}

/// Bytes a compiled expression may take.
const REGEX_BYTES: usize = 1 << 20;

fn compile_regex(pattern: &str) -> Result<Regex, RuleProblem> {
    RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build().map_err(|error| {
        // The library draws the pattern and a caret first; its last line says why.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        RuleProblem::Regex(reason.trim_start_matches("error: ").to_owned())
    })
}

#[cfg(test)]
#[path = "tenant_tests.rs"]
mod tests;
