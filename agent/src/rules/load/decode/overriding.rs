//! Lists and macros, and what items say about appending and overriding.

use super::{Mapping, Read, listed, shown};
use crate::rules::diagnostic::Code;
use crate::rules::load::findings::Named;
use crate::rules::load::item::Item;
use crate::rules::load::keys::did_you_mean;
use crate::rules::load::source::Spot;
use crate::rules::load::yaml::{Node, Value};

impl Mapping<'_, '_> {
    pub(super) fn list(&mut self, named: Named) -> Read<Item> {
        let fits =
            |name: &str| !name.contains(|c: char| c.is_ascii_whitespace() || "()\"'=,".contains(c));
        if !fits(&named.name) {
            let message = format!("no condition can name the list `{}`", shown(&named.name));
            let help = "its name must have no blanks, quotes, commas, parentheses and `=`";
            self.warn(Code::InvalidListName, named.spot, message, Some(help.to_owned()));
        }
        let items = match self.words("items") {
            Ok(None) => {
                let help = Some("add `items: []`, with its items in the brackets");
                Err(self.error(self.spot, "the key `items` is missing".to_owned(), help))
            }
            Ok(Some(items)) => Ok(items),
            Err(told) => Err(told),
        };
        let append = self.appended("items");
        Ok(Item::List { named, items: items?, append: append? })
    }

    pub(super) fn a_macro(&mut self, named: Named) -> Read<Item> {
        let mut bytes = named.name.bytes();
        let fits = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !fits {
            let message = format!("no condition can name the macro `{}`", shown(&named.name));
            let help = "its name must begin with a letter and have only letters, digits and `_`";
            self.warn(Code::InvalidMacroName, named.spot, message, Some(help.to_owned()));
        }
        let condition = self.required("condition");
        let append = self.appended("condition");
        Ok(Item::Macro { named, condition: condition?, append: append? })
    }

    /// Whether a list or a macro, which have a single key, is appended to.
    fn appended(&mut self, key: &'static str) -> Read<bool> {
        let flag = self.append_flag();
        let overrides = self.overrides(&[key], &[key]);
        let (flag, overrides) = (flag?, overrides?);
        self.not_both(flag, &overrides)?;
        Ok(flag || !overrides.append.is_empty())
    }

    /// The old form of appending.
    pub(super) fn append_flag(&mut self) -> Read<bool> {
        let flag = self.truth("append")?.unwrap_or(false);
        if flag {
            let spot = self.key_spot("append", self.spot);
            let message = "`append: true` is deprecated".to_owned();
            let help = "write `override:` and below it `KEY: append` for each key that is here";
            self.warn(Code::DeprecatedItem, spot, message, Some(help.to_owned()));
        }
        Ok(flag)
    }

    pub(super) fn not_both(&mut self, flag: bool, overrides: &Overrides) -> Read<()> {
        if !flag || overrides.is_empty() {
            return Ok(());
        }
        let spot = self.key_spot("append", self.spot);
        let message = "`append` and `override` exclude each other".to_owned();
        Err(self.error(
            spot,
            message,
            Some("remove `append`, and write `KEY: append` below `override`"),
        ))
    }

    pub(super) fn overrides(
        &mut self,
        appendable: &[&'static str],
        replaceable: &[&'static str],
    ) -> Read<Overrides> {
        let mut overrides = Overrides::default();
        let Some(node) = self.get("override") else { return Ok(overrides) };
        let entries = match &node.value {
            Value::Null => return Ok(overrides),
            Value::Mapping(entries) => entries,
            other => {
                let message =
                    format!("`override` takes a mapping of keys, but this is {}", other.name());
                let spot = self.spot_of(node);
                return Err(self.error(spot, message, Some("write `condition: append` below it")));
            }
        };
        let mut result = Ok(());
        for (key, operation) in entries {
            if let Err(told) =
                self.override_of(key, operation, appendable, replaceable, &mut overrides)
            {
                result = Err(told);
            }
        }
        result.map(|()| overrides)
    }

    fn override_of(
        &mut self,
        key: &Node,
        operation: &Node,
        appendable: &[&'static str],
        replaceable: &[&'static str],
        overrides: &mut Overrides,
    ) -> Read<()> {
        let key = self.text_at("a key of `override`", key)?;
        let find = |keys: &[&'static str]| keys.iter().copied().find(|known| **known == *key.value);
        let (append, replace) = (find(appendable), find(replaceable));
        let Some(known) = append.or(replace) else {
            let message = format!("`{}` cannot be overridden", shown(&key.value));
            let help = did_you_mean(replaceable.iter().copied(), &key.value)
                .unwrap_or_else(|| format!("these can: {}", listed(replaceable)));
            return Err(self.error(key.spot, message, Some(&help)));
        };
        let operation = self.text_at(known, operation)?;
        match &*operation.value {
            "append" if append.is_some() => overrides.append.push((known, key.spot)),
            "append" => {
                let message = format!("`{known}` cannot be appended to");
                let help = format!("write `{known}: replace`");
                return Err(self.error(operation.spot, message, Some(&help)));
            }
            "replace" => overrides.replace.push((known, key.spot)),
            other => {
                let message = format!("`{}` is nothing that `override` does", shown(other));
                let help = match append {
                    Some(_) => format!("write `{known}: append` or `{known}: replace`"),
                    None => format!("write `{known}: replace`"),
                };
                return Err(self.error(operation.spot, message, Some(&help)));
            }
        }
        Ok(())
    }
}

/// What an item says under `override`, with the place of each key.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) append: Vec<(&'static str, Spot)>,
    pub(super) replace: Vec<(&'static str, Spot)>,
}

impl Overrides {
    pub(super) fn is_empty(&self) -> bool {
        self.append.is_empty() && self.replace.is_empty()
    }

    pub(super) fn names(&self, key: &str) -> bool {
        self.append.iter().chain(&self.replace).any(|(name, _)| *name == key)
    }
}
