//! The exceptions of a rule.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Mapping, Read, shown};
use crate::rules::diagnostic::Code;
use crate::rules::load::findings::Named;
use crate::rules::load::item::{Entry, Exception};
use crate::rules::load::keys;
use crate::rules::load::source::Spot;
use crate::rules::load::yaml::{Node, Value};

impl<'n> Mapping<'n, '_> {
    pub(super) fn exceptions(&mut self, change: bool) -> Read<Option<Vec<Exception>>> {
        let Some(node) = self.get("exceptions") else { return Ok(None) };
        let elements = match &node.value {
            Value::Null => return Ok(Some(Vec::new())),
            Value::Sequence(elements) => elements,
            other => {
                let message = format!("`exceptions` takes a list, but this is {}", other.name());
                let spot = self.spot_of(node);
                return Err(self.error(
                    spot,
                    message,
                    Some("put `- ` before each exception's `name`"),
                ));
            }
        };
        let mut exceptions: Vec<Exception> = Vec::with_capacity(elements.len());
        let mut names = HashSet::new();
        let mut result = Ok(());
        for element in elements {
            let read = self.below(element, "an exception").and_then(|mut it| it.exception(change));
            match read {
                Ok(exception) => {
                    if !names.insert(Arc::clone(&exception.name)) {
                        let message =
                            format!("the rule has two exceptions `{}`", shown(&exception.name));
                        let help =
                            Some("rename one of them, or put their values together".to_owned());
                        self.warn(Code::ExceptionNameNotUnique, exception.spot, message, help);
                    }
                    exceptions.push(exception);
                }
                Err(told) => result = Err(told),
            }
        }
        result.map(|()| Some(exceptions))
    }

    fn exception(&mut self, change: bool) -> Read<Exception> {
        self.check_keys(keys::EXCEPTION);
        let name = self.required("name")?;
        let named = Named { kind: "exception", name: (*name.value).into(), spot: name.spot };
        self.around.push(named.clone());
        self.spot = name.spot;
        let fields = self.entry("fields");
        let comps = self.entry("comps");
        let values = match self.get("values").map(|node| (node, &node.value)) {
            Some((_, Value::Sequence(elements))) => {
                let read = elements.iter().map(|element| self.entry_at("values", element));
                read.collect::<Read<Vec<Entry>>>()
            }
            Some((node, other)) => {
                let message = format!("`values` takes a list, but this is {}", other.name());
                let spot = self.key_spot("values", self.spot_of(node));
                Err(self.error(spot, message, Some("write `[]` for none")))
            }
            None => {
                if change {
                    let message = format!("the exception `{}` adds no values", shown(&name.value));
                    let help = Some("add `values: …`".to_owned());
                    self.warn(Code::AppendNoValues, name.spot, message, help);
                }
                Ok(Vec::new())
            }
        };
        Ok(Exception {
            around: self.around.clone(),
            name: named.name,
            spot: name.spot,
            fields: fields?,
            comps: comps?,
            values: values?,
        })
    }

    fn entry(&mut self, key: &str) -> Read<Option<Entry>> {
        self.get(key).map(|node| self.entry_at(key, node)).transpose()
    }

    fn entry_at(&mut self, key: &str, node: &Node) -> Read<Entry> {
        let Value::Sequence(elements) = &node.value else {
            return self.text_at(key, node).map(Entry::One);
        };
        let read = elements.iter().map(|element| self.entry_at(key, element));
        let entries = read.collect::<Read<Vec<Entry>>>()?;
        let last = entries.last().map_or(node.range.end, |last| last.spot().end);
        let spot = Spot { file: self.file, start: node.range.start, end: last };
        Ok(Entry::Many(entries, spot))
    }
}
