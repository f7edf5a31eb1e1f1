//! What a file requires: versions of the engine and of plugins.

use std::rc::Rc;

use super::{Mapping, Read, Told, shown};
use crate::rules::diagnostic::Code;
use crate::rules::load::findings::Named;
use crate::rules::load::item::Item;
use crate::rules::load::keys;
use crate::rules::load::version::{NotAVersion, Version};
use crate::rules::load::yaml::{Node, Value};

impl<'n> Mapping<'n, '_> {
    pub(super) fn engine(&mut self) -> Read<Item> {
        self.check_keys(&["required_engine_version"]);
        let text = self.required("required_engine_version")?;
        let version = match text.value.parse::<u32>() {
            Ok(number) => Ok(Version::of_engine(number)),
            Err(_) => text.value.parse(),
        };
        let version = version.map_err(|error: NotAVersion| {
            let message =
                format!("`{}` is not a version: {error}, or is one number", shown(&text.value));
            self.error(text.spot, message, None)
        })?;
        let kind = "required_engine_version";
        Ok(Item::Engine { version, named: Named { kind, name: "".into(), spot: text.spot } })
    }

    pub(super) fn plugins(&mut self) -> Vec<Item> {
        self.check_keys(&["required_plugin_versions"]);
        let key = "required_plugin_versions";
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::Sequence(elements) = &node.value else {
            let message = format!("`{key}` takes a list, but this is {}", node.value.name());
            let spot = self.spot_of(node);
            self.error(spot, message, Some("write `- name: …` and `version: …` below it"));
            return Vec::new();
        };
        elements.iter().filter_map(|element| self.plugin(element).ok()).collect()
    }

    fn plugin(&mut self, node: &'n Node) -> Read<Item> {
        let mut required = self.below(node, "a required plugin")?;
        required.check_keys(keys::PLUGIN);
        let (first, named) = required.named_version("required plugin versions entry")?;
        required.around.push(named.clone());
        let mut alternatives = vec![first];
        if let Some(node) = required.get("alternatives") {
            let Value::Sequence(elements) = &node.value else {
                let message =
                    format!("`alternatives` takes a list, but this is {}", node.value.name());
                return Err(required.error(required.spot_of(node), message, None));
            };
            for element in elements {
                let mut alternative = required.below(element, "an alternative")?;
                alternative.check_keys(keys::ALTERNATIVE);
                let kind = "required plugin versions alternative";
                alternatives.push(alternative.named_version(kind)?.0);
            }
        }
        Ok(Item::Plugin { alternatives, named })
    }

    fn named_version(&mut self, kind: &'static str) -> Read<((Rc<str>, Version), Named)> {
        let name = self.required("name");
        let version = self.required("version");
        let (name, version) = (name?, version?);
        let named = Named { kind, name: (*name.value).into(), spot: name.spot };
        match version.value.parse() {
            Ok(version) => Ok(((name.value, version), named)),
            Err(error) => {
                let error: NotAVersion = error;
                let message = format!("`{}` is not a version: {error}", shown(&version.value));
                // Falco, too, tells this one from an item without a version.
                self.findings.add(
                    Code::Validate,
                    version.spot,
                    &self.around,
                    message,
                    None::<&str>,
                );
                Err(Told)
            }
        }
    }
}
