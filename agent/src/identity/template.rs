//! Names with fields: `pod-{pod_uid}`.
//!
//! A template is checked against the match it belongs to when it is compiled, so
//! that a field can be missing later only where a regular expression left a group
//! out, or where a namespace is asked about instead of a pod.

use regex::{Captures, Regex};

use crate::identity::assignment::Subject;
use crate::identity::tenant::MatchSpec;

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no text.
    #[error("empty; a tenant needs a name")]
    Empty,
    /// No such field, and no group of that name.
    #[error("unknown field `{{{name}}}`")]
    UnknownField {
        /// As written.
        name: String,
        /// What could be written here.
        known: Vec<String>,
    },
    /// The field exists, but a cgroup that matches need not have it.
    #[error("`{{{name}}}` is known only with `{needs}` in the rule's `match`")]
    NotGuaranteed {
        /// The field.
        name: &'static str,
        /// What `match` has to ask.
        needs: &'static str,
    },
    /// Two expressions have a group of this name.
    #[error("`{{{0}}}` is a group of both `path` and `namespace`")]
    TwoGroups(String),
    /// A brace without its other half.
    #[error("a `{0}` without its other half; a brace itself is written `{0}{0}`")]
    Brace(char),
}

/// A compiled template.
#[derive(Clone, Debug, Default)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Field(&'static Field),
    /// A group of `path`.
    OfPath(String),
    /// A group of `namespace`.
    OfNamespace(String),
}

/// What fields stand for when a match holds.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) path: Option<Captures<'a>>,
    pub(super) namespace: Option<Captures<'a>>,
    pub(super) namespace_label: Option<&'a str>,
    pub(super) namespace_annotation: Option<&'a str>,
    pub(super) pod_label: Option<&'a str>,
    pub(super) hnc_root: Option<&'a str>,
}

/// The expressions of a match whose groups are fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Groups<'a> {
    pub(super) path: Option<&'a Regex>,
    pub(super) namespace: Option<&'a Regex>,
}

fn groups(regex: Option<&Regex>) -> Vec<&str> {
    regex.map(|regex| regex.capture_names().flatten().collect()).unwrap_or_default()
}

/// One field: its name, what a match must ask so that it exists, its meaning,
/// and its value.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) needs: Option<Need>,
    pub(crate) about: &'static str,
    value: for<'a> fn(&Found<'a>) -> Option<&'a str>,
}

/// What a match must ask so that a field exists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    Pod,
    Container,
    Slice,
    Unit,
    Namespace,
    PodOfNamespace,
    NamespaceLabel,
    NamespaceAnnotation,
    PodLabel,
    Hnc,
}

impl Need {
    /// As it is written in `match`.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Pod => "pod: true",
            Self::Container => "container: any",
            Self::Slice => "slice: true",
            Self::Unit => "unit: true",
            Self::Namespace => "namespace: '.+'",
            Self::PodOfNamespace => "pod: true, namespace: '.+'",
            Self::NamespaceLabel => "namespace_label: …",
            Self::NamespaceAnnotation => "namespace_annotation: …",
            Self::PodLabel => "pod_label: …",
            Self::Hnc => "hnc: true",
        }
    }

    fn is_met(self, matches: &MatchSpec) -> bool {
        match self {
            Self::Pod => matches.pod == Some(true),
            Self::Container => matches.container.is_some(),
            Self::Slice => matches.slice == Some(true),
            Self::Unit => matches.unit == Some(true),
            Self::Namespace => matches.asks_for_a_namespace(),
            Self::PodOfNamespace => {
                matches.pod_label.is_some()
                    || matches.pod == Some(true) && matches.asks_for_a_namespace()
            }
            Self::NamespaceLabel => matches.namespace_label.is_some(),
            Self::NamespaceAnnotation => matches.namespace_annotation.is_some(),
            Self::PodLabel => matches.pod_label.is_some(),
            Self::Hnc => matches.hnc == Some(true),
        }
    }
}

/// All fields.
pub(crate) static FIELDS: [Field; 13] = [
    Field {
        name: "pod_uid",
        needs: Some(Need::Pod),
        about: "the pod's UID",
        value: |found| found.subject.workload.pod.as_ref().map(|pod| pod.uid.as_str()),
    },
    Field {
        name: "container_id",
        needs: Some(Need::Container),
        about: "the container's id; its name for LXC and nspawn",
        value: |found| {
            found.subject.workload.container.as_ref().map(|container| container.id.as_str())
        },
    },
    Field {
        name: "container_id_short",
        needs: Some(Need::Container),
        about: "the first 12 digits of a 64-digit id, any other id whole",
        value: |found| {
            found.subject.workload.container.as_ref().map(|container| container.id.short())
        },
    },
    Field {
        name: "runtime",
        needs: Some(Need::Container),
        about: "the container's runtime, as `match.container` names it",
        value: |found| {
            found.subject.workload.container.as_ref().map(|container| container.runtime.name())
        },
    },
    Field {
        name: "slice",
        needs: Some(Need::Slice),
        about: "the innermost slice of the host's systemd, without `.slice`",
        value: |found| found.subject.workload.slice.as_deref(),
    },
    Field {
        name: "unit",
        needs: Some(Need::Unit),
        about: "the unit of the host's systemd, such as `nginx.service`",
        value: |found| found.subject.workload.unit.as_deref(),
    },
    Field {
        name: "top",
        needs: None,
        about: "the first component of the path",
        value: |found| found.subject.workload.top.as_deref(),
    },
    Field {
        name: "namespace",
        needs: Some(Need::Namespace),
        about: "the namespace's name",
        value: |found| found.subject.namespace.map(|namespace| &*namespace.name),
    },
    Field {
        name: "pod",
        needs: Some(Need::PodOfNamespace),
        about: "the pod's name",
        value: |found| found.subject.pod.map(|pod| &*pod.name),
    },
    Field {
        name: "namespace_label",
        needs: Some(Need::NamespaceLabel),
        about: "the value of the label that `match.namespace_label` asks for",
        value: |found| found.namespace_label,
    },
    Field {
        name: "namespace_annotation",
        needs: Some(Need::NamespaceAnnotation),
        about: "the value of the annotation that `match.namespace_annotation` asks for",
        value: |found| found.namespace_annotation,
    },
    Field {
        name: "pod_label",
        needs: Some(Need::PodLabel),
        about: "the value of the label that `match.pod_label` asks for",
        value: |found| found.pod_label,
    },
    Field {
        name: "hnc_root",
        needs: Some(Need::Hnc),
        about: "the root of the namespace's tree: its ancestor of the greatest depth",
        value: |found| found.hnc_root,
    },
];

impl Template {
    /// Reads `text`, whose fields have to be groups of the expressions or be
    /// guaranteed by `matches`. A group hides a field of the same name.
    pub(super) fn compile(
        text: &str,
        groups: Groups<'_>,
        matches: &MatchSpec,
    ) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(at);
            plain.push_str(before);
            let brace = if after.starts_with('{') { '{' } else { '}' };
            if after[1..].starts_with(brace) {
                plain.push(brace);
                rest = &after[2..];
                continue;
            }
            let end = if brace == '{' { after[1..].find(['{', '}']) } else { None };
            let Some(name) = end.and_then(|end| after[1..].get(..end)) else {
                return Err(TemplateError::Brace(brace));
            };
            rest = after[1 + name.len()..].strip_prefix('}').ok_or(TemplateError::Brace('{'))?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::field(name, groups, matches)?);
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        if pieces.is_empty() { Err(TemplateError::Empty) } else { Ok(Self(pieces)) }
    }

    /// Whether the name depends on the cgroup.
    pub(super) fn has_fields(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// The name; `None` when a group took no part in the match, or nothing was told
    /// of the pod.
    pub(super) fn render(&self, found: &Found<'_>) -> Option<String> {
        let mut name = String::new();
        for piece in &self.0 {
            let value = match piece {
                Piece::Text(text) => text,
                Piece::Field(field) => (field.value)(found)?,
                Piece::OfPath(group) => found.path.as_ref()?.name(group)?.as_str(),
                Piece::OfNamespace(group) => found.namespace.as_ref()?.name(group)?.as_str(),
            };
            name.push_str(value);
        }
        Some(name)
    }
}

impl Piece {
    fn field(name: &str, of: Groups<'_>, matches: &MatchSpec) -> Result<Self, TemplateError> {
        let (path, namespace) = (groups(of.path), groups(of.namespace));
        match (path.contains(&name), namespace.contains(&name)) {
            (true, true) => return Err(TemplateError::TwoGroups(name.to_owned())),
            (true, false) => return Ok(Self::OfPath(name.to_owned())),
            (false, true) => return Ok(Self::OfNamespace(name.to_owned())),
            (false, false) => {}
        }
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            let groups = path.into_iter().chain(namespace);
            return Err(TemplateError::UnknownField {
                name: name.to_owned(),
                known: groups
                    .chain(FIELDS.iter().map(|field| field.name))
                    .map(str::to_owned)
                    .collect(),
            });
        };
        match field.needs {
            Some(need) if !need.is_met(matches) => {
                Err(TemplateError::NotGuaranteed { name: field.name, needs: need.text() })
            }
            _ => Ok(Self::Field(field)),
        }
    }
}
