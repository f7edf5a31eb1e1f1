//! The ordered rules, ready for use.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::identity::assignment::{Assignment, Class, Decider, Subject, TenantLabels};
use crate::identity::cgroup_path::{Runtime, Workload};
use crate::identity::cluster::Labels;
use crate::identity::template::{Found, Groups, Template};
use crate::identity::tenant::spec::ANY_RUNTIME;
use crate::identity::tenant::{
    LabelAsk, MatchSpec, RuleClass, RulePart, RuleProblem, RuleSpec, Tenant, TenantRuleError,
};
use crate::identity::{HOST, PENDING, RESERVED, UNASSIGNED, UNKNOWN};

/// Ordered rules, ready for use.
#[derive(Clone, Debug)]
pub struct TenantRules {
    rules: Vec<Rule>,
    /// The same as configured.
    specs: Vec<RuleSpec>,
    /// Keys of the labels of a namespace that go along with its tenant.
    carried: Vec<Box<str>>,
}

#[derive(Clone, Debug)]
struct Rule {
    path: Option<Regex>,
    pod: Option<bool>,
    container: Option<WantedRuntime>,
    slice: Option<bool>,
    unit: Option<bool>,
    namespace: Option<Regex>,
    namespace_label: Option<LabelAsk>,
    namespace_annotation: Option<LabelAsk>,
    pod_label: Option<LabelAsk>,
    hnc: Option<bool>,
    asks_for_a_namespace: bool,
    tenant: Template,
    class: RuleClass,
}

#[derive(Clone, Copy, Debug)]
enum WantedRuntime {
    Any,
    One(Runtime),
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
        Ok(Self { rules, specs, carried: Vec::new() })
    }

    /// Lets labels of these keys go along with the tenants of namespaces.
    #[must_use]
    pub fn carrying(self, keys: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self { carried: keys.into_iter().map(Into::into).collect(), ..self }
    }

    /// Whether other rules were configured as these.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.specs == other.specs && self.carried == other.carried
    }

    /// The rules as they were configured.
    #[must_use]
    pub fn specs(&self) -> &[RuleSpec] {
        &self.specs
    }

    /// Keys of the labels of a namespace that go along with its tenant.
    pub fn carried(&self) -> impl Iterator<Item = &str> {
        self.carried.iter().map(|key| &**key)
    }

    /// Keys of the annotations of namespaces that rules ask for.
    pub fn annotations(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|rule| Some(&*rule.namespace_annotation.as_ref()?.key))
    }

    /// Whether whose a cgroup is may depend on labels of its pod: a rule that asks for
    /// one comes before the first that holds without.
    pub(in crate::identity) fn depend_on_pod_labels(&self, subject: &Subject<'_>) -> bool {
        let first = self.rules.iter().find(|rule| match rule.pod_label {
            Some(_) => rule.found(subject).is_some(),
            None => rule.owner(subject).is_some(),
        });
        first.is_some_and(|rule| rule.pod_label.is_some())
    }

    /// Whether a rule asks for the path and the cluster at the same time, so that whose
    /// a pod is may depend on more than the API server tells of it.
    pub(in crate::identity) fn mix_paths_and_cluster(&self) -> bool {
        self.rules.iter().any(|rule| {
            let asks_for_path = rule.path.is_some()
                || rule.container.is_some()
                || rule.slice.is_some()
                || rule.unit.is_some();
            asks_for_path && rule.asks_for_a_namespace
        })
    }

    /// The tenant of the cgroup at this path below the v2 mount, by its path alone;
    /// `None` when nothing could tell the path.
    #[must_use]
    pub fn tenant(&self, path: Option<&str>) -> Tenant {
        let workload = path.map(Workload::parse).unwrap_or_default();
        self.assign(&Subject { path, workload: &workload, pod: None, namespace: None }).tenant
    }

    /// Whose a cgroup, a pod or a namespace is.
    #[must_use]
    pub fn assign(&self, subject: &Subject<'_>) -> Assignment {
        if subject.path.is_some() && subject.workload.top.is_none() {
            return Assignment::host();
        }
        if subject.path.is_none() && subject.namespace.is_none() {
            return Assignment::unknown(Decider::NoPath);
        }
        let first = self.rules.iter().enumerate().find_map(|(index, rule)| {
            let (tenant, class) = rule.owner(subject)?;
            Some(Assignment::bare(tenant, class, Decider::Rule(index)))
        });
        let assignment = first.unwrap_or_else(|| match subject.namespace {
            Some(_) => Assignment::bare(Tenant::unassigned(), Class::Unassigned, Decider::NoRule),
            None => Assignment::unknown(Decider::NoRule),
        });
        match self.labels(subject) {
            Some(labels) => Assignment { labels, ..assignment },
            None => assignment,
        }
    }

    /// Labels of the namespace that go along; `None` when it has none of them.
    pub(in crate::identity) fn labels(&self, subject: &Subject<'_>) -> Option<TenantLabels> {
        let labels = &subject.namespace?.labels;
        let carried = self.carried.iter().filter_map(|key| {
            let (key, value) = labels.get_key_value(key)?;
            Some((key.to_string(), value.to_string()))
        });
        let carried: BTreeMap<_, _> = carried.collect();
        (!carried.is_empty()).then(|| carried.into())
    }
}

impl Rule {
    fn compile(spec: RuleSpec) -> Result<Self, (RulePart, RuleProblem)> {
        let RuleSpec { matches, tenant, class } = spec;
        if matches == MatchSpec::default() {
            return Err((RulePart::Match, RuleProblem::EmptyMatch));
        }
        let asks_for_a_namespace = matches.asks_for_a_namespace();
        let rule = Self {
            path: part(RulePart::Path, matches.path.as_deref(), compile_regex)?,
            pod: matches.pod,
            container: part(RulePart::Container, matches.container.as_deref(), wanted_runtime)?,
            slice: matches.slice,
            unit: matches.unit,
            namespace: part(RulePart::Namespace, matches.namespace.as_deref(), whole)?,
            namespace_label: part(
                RulePart::NamespaceLabel,
                matches.namespace_label.as_deref(),
                |text| Ok(LabelAsk::label(text)?),
            )?,
            namespace_annotation: part(
                RulePart::NamespaceAnnotation,
                matches.namespace_annotation.as_deref(),
                |text| Ok(LabelAsk::annotation(text)?),
            )?,
            pod_label: part(RulePart::PodLabel, matches.pod_label.as_deref(), |text| {
                Ok(LabelAsk::label(text)?)
            })?,
            hnc: matches.hnc,
            asks_for_a_namespace,
            tenant: Template::default(),
            class,
        };
        let groups = Groups { path: rule.path.as_ref(), namespace: rule.namespace.as_ref() };
        let template = Template::compile(&tenant, groups, &matches)
            .map_err(|problem| (RulePart::Tenant, problem.into()))?;
        // Each namespace is a tenant, shared or unassigned, and nothing else.
        let is_other = RESERVED.contains(&&*tenant) && tenant != UNASSIGNED;
        let is_for_pods = asks_for_a_namespace || matches.pod == Some(true);
        if tenant == PENDING || is_for_pods && is_other {
            return Err((RulePart::Tenant, RuleProblem::Reserved(tenant)));
        }
        Ok(Self { tenant: template, ..rule })
    }

    /// The owner, when everything the rule asks holds and a name can be made.
    fn owner(&self, subject: &Subject<'_>) -> Option<(Tenant, Class)> {
        let mut found = self.found(subject)?;
        if let Some(ask) = &self.pod_label {
            found.pod_label = Some(ask.find(&subject.pod?.labels)?);
        }
        self.name(&self.tenant.render(&found)?)
    }

    /// What fields stand for, when everything but labels of the pod is as asked.
    fn found<'a>(&self, subject: &Subject<'a>) -> Option<Found<'a>> {
        if !self.holds_for_workload(subject) {
            return None;
        }
        let mut found = Found {
            subject: *subject,
            path: None,
            namespace: None,
            namespace_label: None,
            namespace_annotation: None,
            pod_label: None,
            hnc_root: None,
        };
        if let Some(regex) = &self.path {
            found.path = Some(regex.captures(subject.path?)?);
        }
        if self.asks_for_a_namespace {
            let namespace = subject.namespace?;
            if let Some(regex) = &self.namespace {
                found.namespace = Some(regex.captures(&namespace.name)?);
            }
            if let Some(ask) = &self.namespace_label {
                found.namespace_label = Some(ask.find(&namespace.labels)?);
            }
            if let Some(ask) = &self.namespace_annotation {
                found.namespace_annotation = Some(ask.find(&namespace.annotations)?);
            }
            if let Some(wanted) = self.hnc {
                found.hnc_root = hnc_root(&namespace.labels);
                if found.hnc_root.is_some() != wanted {
                    return None;
                }
            }
        }
        Some(found)
    }

    /// Whether what is asked of the path's parts holds. A namespace as such has no
    /// path; all that is known of its members is that they are pods.
    fn holds_for_workload(&self, subject: &Subject<'_>) -> bool {
        let workload = subject.workload;
        let same = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        if subject.path.is_none() {
            return same(self.pod, true)
                && self.container.is_none()
                && self.slice.is_none()
                && self.unit.is_none();
        }
        let runtime = workload.container.as_ref().map(|container| container.runtime);
        same(self.pod, workload.pod.is_some())
            && same(self.slice, workload.slice.is_some())
            && same(self.unit, workload.unit.is_some())
            && match self.container {
                None => true,
                Some(WantedRuntime::Any) => runtime.is_some(),
                Some(WantedRuntime::One(wanted)) => runtime == Some(wanted),
            }
    }

    /// A name made of fields must not pass for one of the agent's own tenants: a
    /// cgroup may be called `/host`. A fixed name may, since its author chose it.
    fn name(&self, name: &str) -> Option<(Tenant, Class)> {
        let class = match self.class {
            RuleClass::Tenant => Class::Tenant,
            RuleClass::Shared => Class::Shared,
        };
        if self.tenant.has_fields() {
            return Some((Tenant::chosen(name)?, class));
        }
        let class = match name {
            HOST => Class::Host,
            UNKNOWN => Class::Unknown,
            UNASSIGNED => Class::Unassigned,
            _ => class,
        };
        Some((Tenant::new(name), class))
    }
}

/// Prepares one part of a `match`, when it is given.
fn part<T>(
    part: RulePart,
    text: Option<&str>,
    prepare: impl FnOnce(&str) -> Result<T, RuleProblem>,
) -> Result<Option<T>, (RulePart, RuleProblem)> {
    text.map(prepare).transpose().map_err(|problem| (part, problem))
}

const HNC_DEPTH: &str = ".tree.hnc.x-k8s.io/depth";

/// The ancestor of the greatest depth that the labels `<ancestor>.tree.hnc.x-k8s.io/depth`
/// name; `None` without such labels, and when two ancestors are equally far away.
fn hnc_root(labels: &Labels) -> Option<&str> {
    let ancestors = labels.iter().filter_map(|(key, depth)| {
        let ancestor = key.strip_suffix(HNC_DEPTH).filter(|name| !name.is_empty())?;
        Some((depth.parse::<u32>().ok()?, ancestor))
    });
    let ancestors: Vec<_> = ancestors.collect();
    let (depth, root) = *ancestors.iter().max()?;
    let is_one = ancestors.iter().filter(|(other, _)| *other == depth).count() == 1;
    is_one.then_some(root)
}

fn wanted_runtime(name: &str) -> Result<WantedRuntime, RuleProblem> {
    if name == ANY_RUNTIME {
        return Ok(WantedRuntime::Any);
    }
    Runtime::from_name(name)
        .map(WantedRuntime::One)
        .ok_or_else(|| RuleProblem::UnknownRuntime(name.to_owned()))
}

/// An expression for the whole text: what holds for `kube-system` must not hold for
/// `not-kube-system`, whose name a tenant may have chosen.
fn whole(pattern: &str) -> Result<Regex, RuleProblem> {
    compile_regex(pattern)?;
    compile_regex(&format!(r"\A(?:{pattern})\z"))
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
#[path = "cluster_tests.rs"]
mod cluster_tests;
#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
