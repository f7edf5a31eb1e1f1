//! Values of keys: texts, truths, numbers and lists of them.

use std::rc::Rc;

use super::{Mapping, Read, shown};
use crate::rules::load::composed::Text;
use crate::rules::load::keys::did_you_mean;
use crate::rules::load::source::Spot;
use crate::rules::load::yaml::{Node, Value};
use crate::rules::rule::{Priority, UnknownPriority};

impl Mapping<'_, '_> {
    /// A single value that is not empty.
    pub(super) fn text_at(&mut self, key: &str, node: &Node) -> Read<Text> {
        let spot = self.spot_of(node);
        match &node.value {
            Value::Scalar(value, style) if !value.is_empty() => {
                Ok(Text { value: Rc::clone(value), spot, style: *style })
            }
            Value::Scalar(..) | Value::Null => {
                let spot = if spot.start == spot.end { self.key_spot(key, spot) } else { spot };
                Err(self.error(
                    spot,
                    format!("`{key}` is empty"),
                    Some("give it a value, or remove it"),
                ))
            }
            other => {
                let message = format!("`{key}` takes a single value, but this is {}", other.name());
                Err(self.error(spot, message, None))
            }
        }
    }

    /// Where a key stands.
    pub(super) fn key_spot(&self, key: &str, otherwise: Spot) -> Spot {
        let found = self
            .entries
            .iter()
            .find(|(node, _)| matches!(&node.value, Value::Scalar(text, _) if **text == *key));
        found.map_or(otherwise, |(node, _)| self.spot_of(node))
    }

    pub(super) fn text(&mut self, key: &str) -> Read<Option<Text>> {
        self.get(key).map(|node| self.text_at(key, node)).transpose()
    }

    pub(super) fn required(&mut self, key: &str) -> Read<Text> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => {
                let help = format!("add `{key}: …`");
                Err(self.error(self.spot, format!("the key `{key}` is missing"), Some(&help)))
            }
        }
    }

    /// A truth, in any of the spellings that YAML 1.1 has.
    pub(super) fn truth(&mut self, key: &str) -> Read<Option<bool>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let value = &*text.value;
        let lower = value.to_ascii_lowercase();
        // `True` and `TRUE` are words, `tRUE` is not.
        let rest = value.get(1..).unwrap_or_default();
        let cased = value == lower
            || value == value.to_ascii_uppercase()
            || rest == rest.to_ascii_lowercase();
        match lower.as_str() {
            "true" | "yes" | "on" | "y" if cased => Ok(Some(true)),
            "false" | "no" | "off" | "n" if cased => Ok(Some(false)),
            _ => {
                let message = format!("`{key}` takes true or false, not `{}`", shown(value));
                Err(self.error(text.spot, message, None))
            }
        }
    }

    pub(super) fn number(&mut self, key: &str) -> Read<Option<u32>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        text.value.parse().map(Some).map_err(|_| {
            let message = format!(
                "`{key}` takes a number of milliseconds up to {}, not `{}`",
                u32::MAX,
                shown(&text.value)
            );
            self.error(text.spot, message, None)
        })
    }

    pub(super) fn priority(&mut self, text: &Text) -> Read<Priority> {
        text.value.parse().map_err(|error: UnknownPriority| {
            let names = Priority::ALL.map(Priority::name);
            let asked = error.0.to_ascii_lowercase();
            // `WARN` and `crit` are what others call them.
            let short = names.iter().find(|name| name.to_ascii_lowercase().starts_with(&asked));
            let help = match short {
                Some(name) => Some(format!("did you mean `{name}`?")),
                None => did_you_mean(names, &asked),
            };
            let message = match error.0.len() {
                0..=40 => error.to_string(),
                _ => "this is not a priority".to_owned(),
            };
            self.error(text.spot, message, help.as_deref())
        })
    }

    /// The single values of a list.
    pub(super) fn words(&mut self, key: &str) -> Read<Option<Vec<Rc<str>>>> {
        let Some(node) = self.get(key) else { return Ok(None) };
        let Value::Sequence(elements) = &node.value else {
            let message = format!("`{key}` takes a list, but this is {}", node.value.name());
            let spot = self.spot_of(node);
            let spot = if node.value == Value::Null { self.key_spot(key, spot) } else { spot };
            return Err(self.error(spot, message, Some("write `[a, b]`, or `[]` for none")));
        };
        let mut words = Vec::with_capacity(elements.len());
        let mut result = Ok(());
        for element in elements {
            match &element.value {
                Value::Scalar(word, _) => words.push(Rc::clone(word)),
                other => {
                    let help = match other {
                        Value::Null => "put it in quotes if it is a word",
                        _ => "lists are named, not nested",
                    };
                    let message =
                        format!("`{key}` takes single values, but this is {}", other.name());
                    let spot = self.spot_of(element);
                    result = Err(self.error(spot, message, Some(help)));
                }
            }
        }
        result.map(|()| Some(words))
    }
}
