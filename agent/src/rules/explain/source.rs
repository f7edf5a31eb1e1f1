//! Where items are defined and changed, read from the files once more: a rule in
//! force no longer knows what it was made of.

use std::rc::Rc;

use serde::Serialize;

use super::told;
use crate::rules::load::SourceFile;
use crate::rules::load::source::Source as Text;
use crate::rules::load::yaml::{Node, Value, documents};

/// One place where an item is defined or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The file as the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is done there: `defined`, `redefined`, or such as `condition: append`.
    pub what: String,
}

/// An exception of a rule, or an addition to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExceptionUse {
    /// Its name.
    pub name: String,
    /// The fields it compares; empty where values are added to an earlier one.
    pub fields: Vec<String>,
    /// How many values it has at that place. Without any it has no effect.
    pub values: usize,
    /// The file as the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
}

/// The items of all files.
pub(super) struct Source {
    items: Vec<Item>,
}

struct Item {
    kind: &'static str,
    name: String,
    file: String,
    line: usize,
    changes: Vec<String>,
    exceptions: Vec<ExceptionUse>,
}

impl Source {
    pub(super) fn new(files: &[SourceFile]) -> Self {
        let mut items = Vec::new();
        for SourceFile { name, text } in files {
            let Ok(text) = text else { continue };
            let text = Text::new(name.clone(), text.clone());
            for document in documents(text.text()).0 {
                if let Value::Sequence(elements) = &document.value {
                    items.extend(elements.iter().filter_map(|element| item(element, &text)));
                }
            }
        }
        Self { items }
    }

    /// Where an item is defined and changed, in order.
    pub(super) fn definitions(&self, kind: &str, name: &str) -> Vec<Definition> {
        let found = self.items.iter().filter(|item| item.kind == kind && item.name == name);
        let definition = |(nth, item): (usize, &Item)| {
            let what = match (item.changes.as_slice(), nth) {
                ([], 0) => "defined".to_owned(),
                ([], _) => "redefined".to_owned(),
                (changes, _) => changes.join(", "),
            };
            Definition { file: item.file.clone(), line: item.line, what }
        };
        found.enumerate().map(definition).collect()
    }

    /// The exceptions of a rule. A later definition of the whole rule does away with
    /// those before it.
    pub(super) fn exceptions(&self, rule: &str) -> Vec<ExceptionUse> {
        let mut exceptions = Vec::new();
        for item in self.items.iter().filter(|item| item.kind == "rule" && item.name == rule) {
            let replaced = item.changes.iter().any(|change| change == "exceptions: replace");
            if item.changes.is_empty() || replaced {
                exceptions.clear();
            }
            exceptions.extend(item.exceptions.iter().cloned());
        }
        exceptions
    }
}

fn item(node: &Node, text: &Text) -> Option<Item> {
    let Value::Mapping(entries) = &node.value else { return None };
    let kind = ["list", "macro", "rule"].into_iter().find(|kind| get(entries, kind).is_some())?;
    let name = scalar(get(entries, kind)?)?.to_owned();
    let (file, line) = told(&text.place(&node.range));
    let mut changes = Vec::new();
    if let Some(Value::Mapping(overrides)) = get(entries, "override").map(|node| &node.value) {
        let change = |(key, value): &(Rc<Node>, Rc<Node>)| {
            Some(format!("{}: {}", scalar(key)?, scalar(value)?))
        };
        changes.extend(overrides.iter().filter_map(change));
    }
    if get(entries, "append").and_then(scalar) == Some("true") {
        changes.push("append".to_owned());
    }
    let defines = ["condition", "items", "output"].iter().any(|key| get(entries, key).is_some());
    if changes.is_empty() && !defines {
        // The old way to switch a rule.
        let enabled = get(entries, "enabled").and_then(scalar);
        changes.extend(enabled.map(|enabled| format!("enabled: {enabled}")));
    }
    let exceptions = match get(entries, "exceptions").map(|node| &node.value) {
        Some(Value::Sequence(all)) => all.iter().filter_map(|one| exception(one, text)).collect(),
        _ => Vec::new(),
    };
    Some(Item { kind, name, file, line, changes, exceptions })
}

fn exception(node: &Node, text: &Text) -> Option<ExceptionUse> {
    let Value::Mapping(entries) = &node.value else { return None };
    let name = scalar(get(entries, "name")?)?.to_owned();
    let fields = match get(entries, "fields").map(|node| &node.value) {
        Some(Value::Scalar(field, _)) => vec![field.to_string()],
        Some(Value::Sequence(fields)) => {
            fields.iter().filter_map(|field| scalar(field)).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let values = match get(entries, "values").map(|node| &node.value) {
        Some(Value::Sequence(values)) => values.len(),
        _ => 0,
    };
    let (file, line) = told(&text.place(&node.range));
    Some(ExceptionUse { name, fields, values, file, line })
}

fn get<'n>(entries: &'n [(Rc<Node>, Rc<Node>)], name: &str) -> Option<&'n Node> {
    entries.iter().find(|(key, _)| scalar(key) == Some(name)).map(|(_, value)| &**value)
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(text, _) => Some(text),
        _ => None,
    }
}
