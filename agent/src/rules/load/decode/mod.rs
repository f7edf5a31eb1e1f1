//! Nodes of a rule file → items. Here the form of each item is checked: which keys
//! it has and what their values look like. What they mean is not looked at.

mod exception;
mod overriding;
mod requirement;
mod rule;
mod value;

use std::rc::Rc;
use std::sync::Arc;

use super::findings::{Findings, Named};
use super::item::{Item, Kind};
use super::keys::{self, did_you_mean};
use super::source::Spot;
use super::yaml::{Node, Value};
use crate::rules::diagnostic::Code;

/// An error that has been told.
#[derive(Debug)]
struct Told;

type Read<T> = Result<T, Told>;

/// Reads the items of a document and hands them on, in order.
pub(super) fn document(
    file: usize,
    node: &Node,
    findings: &mut Findings,
    take: &mut dyn FnMut(Item, &mut Findings),
) {
    match &node.value {
        Value::Null => {}
        Value::Sequence(elements) => {
            for element in elements.iter().filter(|element| element.value != Value::Null) {
                item(file, element, findings, take);
            }
        }
        other => {
            let message = format!("a rule file is a list of items, but this is {}", other.name());
            let help = match other {
                Value::Mapping(entries) if entries.iter().any(|(key, _)| names_a_kind(key)) => {
                    "put `- ` before each item, such as `- rule: …`"
                }
                Value::Mapping(_) => {
                    "items look like `- rule: …`, `- macro: …` and `- list: …`; is this another \
                     kind of file?"
                }
                _ => "items look like `- rule: …`, `- macro: …` and `- list: …`",
            };
            findings.add(
                Code::YamlValidate,
                Spot::new(file, &node.range),
                &[],
                message,
                Some(help),
            );
        }
    }
}

fn names_a_kind(key: &Node) -> bool {
    matches!(&key.value, Value::Scalar(key, _) if keys::KINDS.contains(&&**key))
}

fn item(
    file: usize,
    node: &Node,
    findings: &mut Findings,
    take: &mut dyn FnMut(Item, &mut Findings),
) {
    let spot = Spot::new(file, &node.range);
    let Value::Mapping(entries) = &node.value else {
        let message = format!("an item is a mapping of keys, but this is {}", node.value.name());
        let help = Some("write `- rule: NAME` with its other keys below");
        findings.add(Code::YamlValidate, spot, &[], message, help);
        return;
    };
    let kind = keys::KINDS.iter().copied().find(|&kind| {
        entries.iter().any(|(key, _)| matches!(&key.value, Value::Scalar(key, _) if **key == *kind))
    });
    let mut mapping = Mapping { file, entries, spot, around: Vec::new(), findings };
    match kind {
        Some("required_engine_version") => {
            if let Ok(item) = mapping.engine() {
                take(item, findings);
            }
        }
        Some("required_plugin_versions") => {
            for item in mapping.plugins() {
                take(item, findings);
            }
        }
        Some("list") => {
            let item = mapping.named("list", Kind::List, keys::LIST, Mapping::list);
            item.into_iter().for_each(|item| take(item, findings));
        }
        Some("macro") => {
            let item = mapping.named("macro", Kind::Macro, keys::MACRO, Mapping::a_macro);
            item.into_iter().for_each(|item| take(item, findings));
        }
        Some(_) => {
            let item = mapping.named("rule", Kind::Rule, keys::RULE, Mapping::rule);
            item.into_iter().for_each(|item| take(item, findings));
        }
        None => mapping.unknown_item(),
    }
}

/// A mapping that is being read.
struct Mapping<'n, 'f> {
    file: usize,
    entries: &'n [(Rc<Node>, Rc<Node>)],
    /// What to point at if something is missing.
    spot: Spot,
    /// This item and those around it, the outermost first.
    around: Vec<Named>,
    findings: &'f mut Findings,
}

impl<'n> Mapping<'n, '_> {
    fn get(&self, key: &str) -> Option<&'n Rc<Node>> {
        let has = |node: &Node| matches!(&node.value, Value::Scalar(text, _) if **text == *key);
        self.entries.iter().find(|(node, _)| has(node)).map(|(_, value)| value)
    }

    fn spot_of(&self, node: &Node) -> Spot {
        Spot::new(self.file, &node.range)
    }

    fn error(&mut self, spot: Spot, message: String, help: Option<&str>) -> Told {
        self.findings.add(Code::YamlValidate, spot, &self.around, message, help);
        Told
    }

    fn warn(&mut self, code: Code, spot: Spot, message: String, help: Option<String>) {
        self.findings.add(code, spot, &self.around, message, help);
    }

    /// Warns of keys that mean nothing.
    fn check_keys(&mut self, known: &[&'static str]) {
        let mut seen = [false; 16];
        for (key, _) in self.entries {
            let spot = self.spot_of(key);
            let Value::Scalar(name, _) = &key.value else {
                self.warn(Code::UnknownKey, spot, "a key has to be a word".to_owned(), None);
                continue;
            };
            let at = known.iter().position(|known| **known == **name);
            let Some(seen) = at.and_then(|at| seen.get_mut(at)) else {
                let help = did_you_mean(known.iter().copied(), name)
                    .or_else(|| Some(format!("the keys here are {}", listed(known))));
                let message = format!("the key `{}` is not known and ignored", shown(name));
                self.warn(Code::UnknownKey, spot, message, help);
                continue;
            };
            if std::mem::replace(seen, true) {
                let message = format!("the key `{name}` is here a second time and ignored");
                self.warn(Code::UnknownKey, spot, message, None);
            }
        }
    }

    fn unknown_item(&mut self) {
        let first = self.entries.first().map(|(key, _)| key);
        let name = match first.map(|key| &key.value) {
            Some(Value::Scalar(name, _)) => Rc::clone(name),
            _ => "".into(),
        };
        let spot = first.map_or(self.spot, |key| self.spot_of(key));
        let help = self
            .entries
            .iter()
            .find_map(|(key, _)| match &key.value {
                Value::Scalar(key, _) => did_you_mean(keys::KINDS.iter().copied(), key),
                _ => None,
            })
            .unwrap_or_else(|| format!("an item has one of the keys {}", listed(keys::KINDS)));
        let message = format!("there is no kind of item `{}`; it is ignored", shown(&name));
        self.warn(Code::UnknownItem, spot, message, Some(help));
    }

    /// A mapping inside of this one.
    fn below<'m>(&'m mut self, node: &'n Node, what: &str) -> Read<Mapping<'n, 'm>> {
        let spot = self.spot_of(node);
        let Value::Mapping(entries) = &node.value else {
            let message = format!("{what} is a mapping of keys, but this is {}", node.value.name());
            return Err(self.error(spot, message, None));
        };
        // A mapping's own range is empty; its first key is something to point at.
        let spot = entries.first().map_or(spot, |(key, _)| self.spot_of(key));
        let around = self.around.clone();
        Ok(Mapping { file: self.file, entries, spot, around, findings: &mut *self.findings })
    }

    /// Reads an item that has a name. Nothing is left of one without.
    fn named(
        &mut self,
        key: &'static str,
        kind: Kind,
        known: &[&'static str],
        read: fn(&mut Self, Named) -> Read<Item>,
    ) -> Option<Item> {
        let key_spot = self.key_spot(key, self.spot);
        self.spot = key_spot;
        let Ok(name) = self.required(key) else {
            self.check_keys(known);
            return None;
        };
        self.spot = Spot { end: name.spot.end.max(key_spot.end), ..key_spot };
        let named = Named { kind: key, name: (*name.value).into(), spot: self.spot };
        self.around.push(named.clone());
        self.check_keys(known);
        let broken = Arc::clone(&named.name);
        Some(read(self, named).unwrap_or(Item::Broken(kind, broken)))
    }
}

/// A word of the file for a message, not longer than a line.
pub(super) fn shown(word: &str) -> String {
    const LONGEST: usize = 60;
    match word.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
