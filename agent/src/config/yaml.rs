//! YAML text → a tree that knows where every key and value stands.
//!
//! The only place that knows which YAML library is used. It gives values no
//! meaning; the shape of the configuration is [`file`](super::file)'s.

use std::fmt;

use figment::value::{Dict, Empty, Num, Tag, Value};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{
    Error, Location, MessageFormatter as _, Options, Spanned, UserMessageFormatter,
};

/// Where something stands: lines and columns from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    /// Characters; 0 when not known.
    pub(super) width: usize,
}

impl Place {
    fn of(location: Location) -> Self {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            line: number(location.line()),
            column: number(location.column()),
            width: number(location.span().len()),
        }
    }
}

/// Text that is not YAML, or more than a configuration needs.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) place: Option<Place>,
    pub(super) message: String,
}

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Num),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and its place.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

/// Reads one document. `None` when there is nothing but comments.
pub(super) fn parse(text: &str) -> Result<Option<Node>, SyntaxError> {
    let node = serde_saphyr::from_str_with_options::<Option<Node>>(text, options());
    node.map_err(|error| syntax_error(&error))
}

/// A configuration is small and flat. Input that is not must be refused in
/// milliseconds, so every budget is a few times what a large file would need.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000,
            max_nodes: 20_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_aliases: 100,
            max_anchors: 100,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
            max_alias_expansions_per_anchor: 100,
        },
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        emit_comments: false,
    }
}

fn syntax_error(error: &Error) -> SyntaxError {
    let message = match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("key `{key}` is given twice"),
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "a second YAML document begins; expected only one".to_owned()
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "too large or too deeply nested for a configuration".to_owned()
        }
        error => format!("not YAML: {}", UserMessageFormatter.format_message(error)),
    };
    let known = |location: &Location| *location != Location::UNKNOWN;
    SyntaxError { place: error.location().filter(known).map(Place::of), message }
}

impl Node {
    /// The node below these keys; a list's elements are numbered from 0.
    pub(super) fn find(&self, keys: &[String]) -> Option<&Self> {
        let Some((first, rest)) = keys.split_first() else { return Some(self) };
        let child = match &self.content {
            Content::Map(entries) => {
                entries.iter().find(|(key, _)| key.name == *first).map(|(_, node)| node)
            }
            Content::List(items) => items.get(first.parse::<usize>().ok()?),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => None,
        };
        child?.find(rest)
    }

    /// Where the last of these keys is written.
    pub(super) fn find_key(&self, keys: &[String]) -> Option<Place> {
        let (last, above) = keys.split_last()?;
        let Content::Map(entries) = &self.find(above)?.content else { return None };
        entries.iter().find(|(key, _)| key.name == *last).map(|(key, _)| key.place)
    }

    /// The same without places.
    pub(super) fn to_value(&self) -> Value {
        let tag = Tag::Default;
        match &self.content {
            Content::Null => Value::Empty(tag, Empty::Unit),
            Content::Bool(value) => Value::Bool(tag, *value),
            Content::Number(value) => Value::Num(tag, *value),
            Content::Text(value) => Value::String(tag, value.clone()),
            Content::List(items) => Value::Array(tag, items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => Value::Dict(tag, to_dict(entries)),
        }
    }
}

/// The entries without places.
pub(super) fn to_dict(entries: &[(Key, Node)]) -> Dict {
    entries.iter().map(|(key, node)| (key.name.clone(), node.to_value())).collect()
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { place: Place::of(spanned.referenced), content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = items.next_element()? {
            list.push(node);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = Vec::new();
        while let Some((key, node)) = entries.next_entry::<Spanned<String>, Node>()? {
            map.push((Key { place: Place::of(key.referenced), name: key.value }, node));
        }
        Ok(Content::Map(map))
    }
}
