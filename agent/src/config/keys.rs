//! What a configuration key is; all of them are in [`KEYS`], each declared once.
//!
//! From that table come the default configuration, the documentation, the names
//! of environment variables and flags, the ranges that are checked and the
//! expectations that errors state.

mod table;

use std::time::Duration;

use figment::value::Value;

use crate::config::{duration, kubelet};
use crate::identity::tenant::runtime_names;

pub(super) use table::KEYS;

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Dotted name; `[]` stands for the elements of a list.
    pub(super) name: &'static str,
    /// What its value may be.
    pub(super) kind: Kind,
    /// The default as YAML; empty for keys inside a list.
    pub(super) default: &'static str,
    /// What it does, in full sentences.
    pub(super) about: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Kind {
    /// IP address and port.
    Address,
    /// Time with its unit, inclusive bounds.
    Duration(Duration, Duration),
    /// Whole number, inclusive bounds.
    Count(u64, u64),
    /// A number from 0 to 1.
    Ratio,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A container runtime's name or `any`.
    Runtime,
    /// A path from the root.
    AbsolutePath,
    /// The same, or nothing.
    OptionalPath,
    /// IP address with or without a port, or nothing.
    OptionalHost,
    /// Any text.
    Text,
    /// A regular expression.
    Regex,
    /// A name with `{fields}`.
    Template,
    /// A list of tenant rules.
    Rules,
    /// A list of files or folders.
    Paths,
    /// A label that is asked for: its key, or key and value.
    Label,
    /// An annotation that is asked for: its key, or key and value.
    Annotation,
    /// A list of keys of labels.
    LabelKeys,
    /// A list of sinks.
    Sinks,
    /// A list of texts.
    Texts,
    /// Names and values of headers.
    Headers,
}

impl Key {
    /// The key at this path, list indices and all.
    pub(super) fn at(path: &[String]) -> Option<&'static Self> {
        let name = dotted(path);
        KEYS.iter().find(|key| key.name == name)
    }

    /// Whether one text can state it, in an environment variable or a flag.
    pub(super) fn is_scalar(&self) -> bool {
        let is_of_list = ["tenants", "sinks"].iter().any(|list| self.name.starts_with(list));
        !is_of_list && !matches!(self.kind, Kind::Paths | Kind::LabelKeys)
    }

    /// Whether it concerns tenants.
    pub(super) fn is_of_tenants(&self) -> bool {
        self.name.starts_with("tenant")
    }

    /// Whether a change of the file counts while the agent runs.
    pub(super) fn changes_while_running(&self) -> bool {
        // What tells of connections is attached at the start.
        let is_of_sinks = ["sinks", "otlp."].iter().any(|start| self.name.starts_with(start))
            && self.name != "otlp.connections";
        self.is_of_tenants() || is_of_sinks
    }

    /// The key's parts.
    pub(super) fn path(&self) -> Vec<String> {
        self.name.split('.').map(str::to_owned).collect()
    }

    /// Name of its environment variable.
    pub(super) fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Name of its flag, without dashes.
    pub(super) fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }
}

/// What the agent's environment variables begin with.
pub(super) const VARIABLE_PREFIX: &str = "LANDLORD_";

/// Whether what is below a part of a path may be a secret.
pub(super) fn is_secret(part: &str) -> bool {
    part == "headers"
}

/// A path as the table writes it.
pub(super) fn dotted(path: &[String]) -> String {
    let mut name = String::new();
    for part in path {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            name.push_str("[]");
        } else {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(part);
        }
    }
    name
}

/// Keys directly below a section, by their last parts; empty when it is none.
pub(super) fn keys_below(section: &[String]) -> Vec<&'static str> {
    let section = dotted(section);
    let mut below: Vec<&str> = KEYS
        .iter()
        .filter_map(|key| {
            let rest = key.name.strip_prefix(section.as_str())?;
            let rest = if section.is_empty() { rest } else { rest.strip_prefix('.')? };
            rest.split(['.', '[']).next()
        })
        .collect();
    below.dedup();
    below
}

impl Kind {
    /// What is expected, to follow "expected".
    pub(super) fn expectation(&self) -> String {
        match self {
            Self::Address => {
                "an IP address and port, such as `127.0.0.1:9464` or `[::]:9464`".to_owned()
            }
            Self::Duration(least, most) => format!(
                "a time from {} to {} with its unit, such as `5s` or `1500ms`",
                duration::text(*least),
                duration::text(*most)
            ),
            Self::Count(least, most) => format!("a whole number from {least} to {most}"),
            Self::Ratio => "a number from 0 to 1, such as `0.1`".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Choice(words) => one_of(words),
            Self::Runtime => one_of(&runtime_names()),
            Self::AbsolutePath => "a path that begins with `/`".to_owned(),
            Self::OptionalPath => "a path that begins with `/`, or nothing".to_owned(),
            Self::OptionalHost => {
                "an IP address, such as `10.0.0.7`, `10.0.0.7:10250` or `[::1]:10250`, or nothing"
                    .to_owned()
            }
            Self::Text => "a text".to_owned(),
            Self::Regex => "a regular expression, in quotes".to_owned(),
            Self::Template => "a name, such as `acme` or `'pod-{pod_uid}'`".to_owned(),
            Self::Rules => "a list of rules, each with `match` and `tenant`".to_owned(),
            Self::Paths => "a list of files or folders".to_owned(),
            Self::Label => "a label's key, or `key=value`, in quotes".to_owned(),
            Self::Annotation => "an annotation's key, or `key=value`, in quotes".to_owned(),
            Self::LabelKeys => {
                "a list of keys of labels, such as `[team, acme.com/owner]`".to_owned()
            }
            Self::Sinks => "a list of sinks, each with `name`, `kind` and `to`".to_owned(),
            Self::Texts => "a list of texts, such as `[a, b]`".to_owned(),
            Self::Headers => "names and values, such as `{ X-Scope-OrgID: acme }`".to_owned(),
        }
    }

    /// The words that are valid, where that is a list.
    pub(super) fn words(&self) -> Vec<&'static str> {
        match self {
            Self::Choice(words) => words.to_vec(),
            Self::Runtime => runtime_names(),
            Self::Flag => vec!["true", "false"],
            _ => Vec::new(),
        }
    }

    /// A text from the environment or a flag as the value it would be in a file.
    pub(super) fn read(&self, text: &str) -> Value {
        match self {
            Self::Count(..) => text.parse::<u64>().map_or_else(|_| text.into(), Into::into),
            Self::Ratio => text.parse::<f64>().map_or_else(|_| text.into(), Into::into),
            Self::Flag => text.parse::<bool>().map_or_else(|_| text.into(), Into::into),
            _ => text.into(),
        }
    }

    /// Whether a value of the right type is within the bounds.
    pub(super) fn admits(&self, value: &Value) -> bool {
        match self {
            Self::Count(least, most) => {
                let wanted = u128::from(*least)..=u128::from(*most);
                value.to_u128().is_some_and(|number| wanted.contains(&number))
            }
            Self::Ratio => value.to_num().is_some_and(|number| {
                let whole = number.to_u128().map(|whole| whole as f64);
                whole.or(number.to_f64()).is_some_and(|part| (0.0..=1.0).contains(&part))
            }),
            Self::Duration(least, most) => value
                .as_str()
                .and_then(duration::parse)
                .is_some_and(|time| (*least..=*most).contains(&time)),
            Self::AbsolutePath => value.as_str().is_some_and(is_absolute),
            Self::OptionalPath => {
                value.as_str().is_some_and(|path| path.is_empty() || is_absolute(path))
            }
            Self::OptionalHost => {
                value.as_str().is_some_and(|host| kubelet::address(host).is_some())
            }
            _ => true,
        }
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && !path.contains('\0')
}

fn one_of(words: &[&str]) -> String {
    let (last, others) = words.split_last().unwrap_or((&"", &[]));
    let others: Vec<String> = others.iter().map(|word| format!("`{word}`")).collect();
    format!("{} or `{last}`", others.join(", "))
}
