//! Names with fields: `pod-{pod_uid}`.
//!
//! A template is checked against the match it belongs to when it is compiled, so
//! that a field can be missing later only where a regular expression left a
//! group out.

use regex::{Captures, Regex};

use crate::identity::cgroup_path::Workload;
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
    /// A brace without its other half.
    #[error("a `{0}` without its other half; a brace itself is written `{0}{0}`")]
    Brace(char),
}

/// A compiled template.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Field(&'static Field),
    Group(String),
}

/// One field: its name, what a match must ask so that it exists, its meaning,
/// and its value.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) needs: Option<Need>,
    pub(crate) about: &'static str,
    value: fn(&Workload) -> Option<&str>,
}

/// What a match must ask so that a field exists.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    Pod,
    Container,
    Slice,
    Unit,
}

impl Need {
    /// As it is written in `match`.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Pod => "pod: true",
            Self::Container => "container: any",
            Self::Slice => "slice: true",
            Self::Unit => "unit: true",
        }
    }

    fn is_met(self, matches: &MatchSpec) -> bool {
        match self {
            Self::Pod => matches.pod == Some(true),
            Self::Container => matches.container.is_some(),
            Self::Slice => matches.slice == Some(true),
            Self::Unit => matches.unit == Some(true),
        }
    }
}

/// All fields.
pub(crate) static FIELDS: [Field; 7] = [
    Field {
        name: "pod_uid",
        needs: Some(Need::Pod),
        about: "the pod's UID",
        value: |workload| workload.pod.as_ref().map(|pod| pod.uid.as_str()),
    },
    Field {
        name: "container_id",
        needs: Some(Need::Container),
        about: "the container's id; its name for LXC and nspawn",
        value: |workload| workload.container.as_ref().map(|container| container.id.as_str()),
    },
    Field {
        name: "container_id_short",
        needs: Some(Need::Container),
        about: "the first 12 digits of a 64-digit id, any other id whole",
        value: |workload| workload.container.as_ref().map(|container| container.id.short()),
    },
    Field {
        name: "runtime",
        needs: Some(Need::Container),
        about: "the container's runtime, as `match.container` names it",
        value: |workload| workload.container.as_ref().map(|container| container.runtime.name()),
    },
    Field {
        name: "slice",
        needs: Some(Need::Slice),
        about: "the innermost slice of the host's systemd, without `.slice`",
        value: |workload| workload.slice.as_deref(),
    },
    Field {
        name: "unit",
        needs: Some(Need::Unit),
        about: "the unit of the host's systemd, such as `nginx.service`",
        value: |workload| workload.unit.as_deref(),
    },
    Field {
        name: "top",
        needs: None,
        about: "the first component of the path",
        value: |workload| workload.top.as_deref(),
    },
];

impl Template {
    /// Reads `text`, whose fields have to be groups of `path` or be guaranteed by
    /// `matches`. A group hides a field of the same name.
    pub(super) fn compile(
        text: &str,
        path: Option<&Regex>,
        matches: &MatchSpec,
    ) -> Result<Self, TemplateError> {
        let groups: Vec<&str> =
            path.map(|regex| regex.capture_names().flatten().collect()).unwrap_or_default();
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
            pieces.push(Piece::field(name, &groups, matches)?);
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

    /// The name; `None` when a group took no part in the match.
    pub(super) fn render(
        &self,
        workload: &Workload,
        groups: Option<&Captures<'_>>,
    ) -> Option<String> {
        let mut name = String::new();
        for piece in &self.0 {
            let value = match piece {
                Piece::Text(text) => text,
                Piece::Field(field) => (field.value)(workload)?,
                Piece::Group(group) => groups?.name(group)?.as_str(),
            };
            name.push_str(value);
        }
        Some(name)
    }
}

impl Piece {
    fn field(name: &str, groups: &[&str], matches: &MatchSpec) -> Result<Self, TemplateError> {
        if groups.contains(&name) {
            return Ok(Self::Group(name.to_owned()));
        }
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            let known = groups.iter().copied().chain(FIELDS.iter().map(|field| field.name));
            return Err(TemplateError::UnknownField {
                name: name.to_owned(),
                known: known.map(str::to_owned).collect(),
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
