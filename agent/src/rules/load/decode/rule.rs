//! Rules: definitions, changes and toggles.

use super::overriding::Overrides;
use super::{Mapping, Read, Told};
use crate::rules::diagnostic::Code;
use crate::rules::load::findings::Named;
use crate::rules::load::item::{Definition, Item, Keys};
use crate::rules::load::keys;
use crate::rules::load::source::Spot;

impl Mapping<'_, '_> {
    pub(super) fn rule(&mut self, named: Named) -> Read<Item> {
        let flag = self.append_flag();
        let overrides = self.overrides(keys::APPENDABLE, keys::REPLACEABLE);
        let (flag, overrides) = (flag?, overrides?);
        self.not_both(flag, &overrides)?;
        if !overrides.is_empty() {
            return self.changed(named, &overrides);
        }
        if flag {
            return self.appended_rule(named);
        }
        let required = ["condition", "output", "desc", "priority"];
        if required.iter().all(|key| self.get(key).is_none()) {
            return self.toggled(named);
        }
        let condition = self.required("condition");
        let output = self.required("output");
        let description = self.required("desc");
        let priority = self.required("priority").and_then(|text| self.priority(&text));
        let source = self.text("source");
        let rest = ["enabled", "capture", "capture_duration", "warn_evttypes"];
        let rest = rest.into_iter().chain(["skip-if-unknown-filter", "tags", "exceptions"]);
        let keys = self.keys(rest, false);
        match (condition, output, description, priority, source, keys) {
            (Ok(condition), Ok(output), Ok(description), Ok(priority), Ok(source), Ok(keys)) => {
                let description = description.value;
                let definition =
                    Definition { named, condition, output, description, priority, source, keys };
                Ok(Item::Rule(Box::new(definition)))
            }
            (condition, output, _, _, Ok(None), _) => {
                Ok(Item::Draft { named, condition: condition.ok(), output: output.ok() })
            }
            _ => Err(Told),
        }
    }

    /// A rule with nothing but a name and `enabled`.
    fn toggled(&mut self, named: Named) -> Read<Item> {
        let Some(enabled) = self.truth("enabled")? else {
            let message = "the rule has no `condition`, `output`, `desc` and `priority`".to_owned();
            let help = Some("add these keys; to change a rule that is there, add `override`");
            return Err(self.error(self.spot, message, help));
        };
        let spot = self.key_spot("enabled", self.spot);
        let message = "switching a rule with nothing but `enabled` is deprecated".to_owned();
        let help = "add `override:` and below it `enabled: replace`".to_owned();
        self.warn(Code::DeprecatedItem, spot, message, Some(help));
        Ok(Item::Toggle { named, enabled })
    }

    /// A rule with `append: true`, which has an effect on two keys only.
    fn appended_rule(&mut self, named: Named) -> Read<Item> {
        for &key in keys::RULE {
            let counts = matches!(key, "rule" | "condition" | "exceptions" | "append" | "override");
            if !counts && self.get(key).is_some() {
                let spot = self.key_spot(key, self.spot);
                let message = format!("`{key}` has no effect beside `append: true`");
                let help = "use `override` instead of `append`".to_owned();
                self.warn(Code::UnknownKey, spot, message, Some(help));
            }
        }
        let keys = self.keys(["condition", "exceptions"].into_iter(), true)?;
        Ok(Item::Change { named, append: Some(Box::new(keys)), replace: None })
    }

    /// A rule with `override`.
    fn changed(&mut self, named: Named, overrides: &Overrides) -> Read<Item> {
        let mut result = Ok(());
        for &(key, spot) in overrides.append.iter().chain(&overrides.replace) {
            if self.get(key).is_none() {
                let message = format!("the override of `{key}` has nothing to go by");
                let help = format!("add `{key}: …` to the rule, or remove the override");
                result = Err(self.error(spot, message, Some(&help)));
            }
        }
        for &key in keys::REPLACEABLE {
            if self.get(key).is_some() && !overrides.names(key) {
                let spot = self.key_spot(key, self.spot);
                let message = format!("`override` does not say what to do with `{key}`");
                let operations =
                    if keys::APPENDABLE.contains(&key) { "append` or `replace" } else { "replace" };
                let help =
                    format!("add `{key}` to `override` with `{operations}`, or remove it here");
                result = Err(self.error(spot, message, Some(&help)));
            }
        }
        let append = self.keys(overrides.append.iter().map(|&(key, _)| key), true);
        let replace = self.keys(overrides.replace.iter().map(|&(key, _)| key), true);
        let present =
            |keys: Keys, names: &[(&str, Spot)]| (!names.is_empty()).then(|| Box::new(keys));
        result?;
        let append = present(append?, &overrides.append);
        Ok(Item::Change { named, append, replace: present(replace?, &overrides.replace) })
    }

    /// Reads some of a rule's keys. `change` tells that the rule is there already.
    fn keys(&mut self, names: impl Iterator<Item = &'static str>, change: bool) -> Read<Keys> {
        let mut keys = Keys::default();
        let mut result = Ok(());
        for name in names {
            let read = match name {
                "condition" => self.text(name).map(|text| keys.condition = text),
                "output" => self.text(name).map(|text| keys.output = text),
                "desc" => self.text(name).map(|text| keys.description = text.map(|it| it.value)),
                "enabled" => self.truth(name).map(|truth| keys.enabled = truth),
                "capture" => self.truth(name).map(|truth| keys.capture = truth),
                "capture_duration" => self.number(name).map(|it| keys.capture_duration = it),
                "warn_evttypes" => self.truth(name).map(|truth| keys.warn_evttypes = truth),
                "skip-if-unknown-filter" => {
                    self.truth(name).map(|truth| keys.skip_if_unknown_filter = truth)
                }
                "tags" => self.words(name).map(|words| keys.tags = words),
                "exceptions" => self.exceptions(change).map(|all| keys.exceptions = all),
                _ => self.text(name).and_then(|text| {
                    keys.priority = text.map(|text| self.priority(&text)).transpose()?;
                    Ok(())
                }),
            };
            if let Err(told) = read {
                result = Err(told);
            }
        }
        result.map(|()| keys)
    }
}
