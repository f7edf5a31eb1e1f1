//! What a rule comes to, told so that a person can follow it: the condition with its
//! macros put in, where each part stands, what it looks at, and what a sensor lets
//! through for it.
//!
//! Nothing here prints: [`Explanation`] is plain data.

mod pretty;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::source::{Definition, ExceptionUse};
use super::compile::event_types;
use super::diagnostic::{Code, Place};
use super::event_type::EventType;
use super::field::{FieldId, Needs};
use super::load::{Loaded, SourceFile};
use super::prefilter::Prefilter;
use super::rule::Rule;

/// What there is to say of a rule.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Its name.
    pub rule: String,
    /// What it looks for.
    pub description: String,
    /// How urgent its alerts are.
    pub priority: &'static str,
    /// Whether it is in force.
    pub enabled: bool,
    /// Where its events come from.
    pub source: String,
    /// Sorted.
    pub tags: Vec<String>,
    /// The condition as written, with overrides and exceptions.
    pub condition: String,
    /// The condition with macros and lists put in, one part a line, indented.
    pub expanded: String,
    /// The output as written.
    pub output: String,
    /// Where the rule is defined and changed, in order.
    pub definitions: Vec<Definition>,
    /// The macros and lists in it, also those inside of others, by name.
    pub parts: Vec<Part>,
    /// Its exceptions.
    pub exceptions: Vec<ExceptionUse>,
    /// Types of events that it is asked about.
    pub events: Vec<&'static str>,
    /// Fields that it looks at.
    pub fields: Vec<FieldUse>,
    /// What a sensor lets through for it, in words, a line each.
    pub prefilter: Vec<String>,
    /// Why it never fires where the first match counts, if it is known.
    pub never_fires: Option<String>,
    /// Earlier rules that are asked about some of the same events: each may come first.
    pub tried_after: Vec<String>,
}

/// A macro or list that a rule is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `macro` or `list`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// A macro's condition or a list's items, as written.
    pub text: String,
    /// Where it is defined and changed, in order.
    pub definitions: Vec<Definition>,
}

/// A field that a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldUse {
    /// With its argument.
    pub field: String,
    /// Whether the condition asks for it, rather than the output alone.
    pub in_condition: bool,
    /// What the agent has to know to tell it.
    pub needs: Needs,
    /// Oldest kernel that tells it.
    pub min_kernel: &'static str,
}

/// Explains a rule of a load; `files` are what was loaded.
#[must_use]
pub fn explain(rule: &Rule, loaded: &Loaded, files: &[SourceFile]) -> Explanation {
    let source = source::Source::new(files);
    let types = event_types(&rule.condition);
    let prefilter = Prefilter::new(&[&rule.condition]).to_string();
    let definitions = source.definitions("rule", &rule.name);
    Explanation {
        rule: rule.name.to_string(),
        description: rule.description.trim().to_owned(),
        priority: rule.priority.name(),
        enabled: rule.enabled,
        source: rule.source.to_string(),
        tags: rule.tags.clone(),
        condition: rule.condition_text.clone(),
        expanded: pretty::pretty(&rule.condition),
        output: rule.output_text.clone(),
        parts: parts(&rule.condition_text, loaded, &source),
        exceptions: source.exceptions(&rule.name),
        definitions,
        events: types.iter().map(EventType::name).collect(),
        fields: fields(rule),
        prefilter: prefilter.lines().map(str::to_owned).collect(),
        never_fires: never_fires(rule, loaded),
        tried_after: tried_after(rule, loaded),
    }
}

/// The macros and lists that a text names, and those that they name in turn.
fn parts(text: &str, loaded: &Loaded, source: &source::Source) -> Vec<Part> {
    let macros: BTreeMap<&str, &str> =
        loaded.macros.iter().map(|it| (&*it.name, it.condition_text.as_str())).collect();
    let lists: BTreeMap<&str, String> =
        loaded.lists.iter().map(|it| (&*it.name, it.items.join(", "))).collect();
    let mut found = BTreeMap::new();
    let mut open = vec![text.to_owned()];
    while let Some(text) = open.pop() {
        for word in text.split(|c: char| c.is_whitespace() || "(),=".contains(c)) {
            let (kind, text) = match (macros.get(word), lists.get(word)) {
                (Some(text), _) => ("macro", (*text).to_owned()),
                (None, Some(items)) => ("list", items.clone()),
                (None, None) => continue,
            };
            found.entry((kind, word.to_owned())).or_insert_with(|| {
                open.push(text.clone());
                text
            });
        }
    }
    let part = |((kind, name), text): ((&'static str, String), String)| {
        let definitions = source.definitions(kind, &name);
        Part { kind, name, text, definitions }
    };
    found.into_iter().map(part).collect()
}

/// The fields of a rule, those of its condition first.
fn fields(rule: &Rule) -> Vec<FieldUse> {
    let mut asked = BTreeSet::new();
    rule.condition.visit_fields(&mut |field| {
        asked.insert((field.to_string(), field.id));
    });
    let said: BTreeSet<(String, FieldId)> =
        rule.output.fields().map(|(_, field)| (field.to_string(), field.id)).collect();
    let only_said: Vec<_> = said.difference(&asked).cloned().collect();
    let told = |(field, id): (String, FieldId), in_condition| {
        let spec = id.spec();
        FieldUse { field, in_condition, needs: spec.needs, min_kernel: spec.min_kernel }
    };
    let conditions = asked.into_iter().map(|field| told(field, true));
    conditions.chain(only_said.into_iter().map(|field| told(field, false))).collect()
}

/// What the load found out about it.
fn never_fires(rule: &Rule, loaded: &Loaded) -> Option<String> {
    let all = loaded.reports.iter().flat_map(|report| &report.diagnostics);
    let mut about = all.filter(|finding| {
        matches!(finding.code, Code::Shadowed | Code::NeverMatches)
            && finding.items.iter().any(|item| item.kind == "rule" && *item.name == *rule.name)
    });
    about.next().map(|finding| finding.message.clone())
}

fn tried_after(rule: &Rule, loaded: &Loaded) -> Vec<String> {
    let types = event_types(&rule.condition);
    let earlier = loaded.rules.iter().take_while(|other| other.name != rule.name);
    earlier
        .filter(|other| other.enabled && other.source == rule.source)
        .filter(|other| event_types(&other.condition).iter().any(|one| types.contains(one)))
        .map(|other| other.name.to_string())
        .collect()
}

/// A place as people write it.
fn told(place: &Place) -> (String, usize) {
    (place.file.to_string(), place.line)
}

#[cfg(test)]
mod tests;
