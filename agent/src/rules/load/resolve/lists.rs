//! Lists, with the items of those lists that they name put in.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::rules::diagnostic::Code;
use crate::rules::load::collect::{ListInfo, Table};
use crate::rules::load::findings::Findings;

/// Bytes and items that all lists may have, each item counted as [`ITEM`] bytes
/// more than it has.
const MAX_SIZE: usize = 64 << 20;
/// What an item counts beside its text.
const ITEM: usize = 32;

/// Lists by name.
#[derive(Debug, Default)]
pub(super) struct Lists {
    items: HashMap<Arc<str>, Vec<String>>,
    used: RefCell<HashSet<Arc<str>>>,
}

impl Lists {
    /// Puts lists into lists: one level, the items of a list that was first defined
    /// before the other was last changed. Other names stay what they are.
    pub(super) fn flatten(table: &Table<ListInfo>, findings: &mut Findings) -> Self {
        let mut lists = Self::default();
        let mut size = 0_usize;
        for entry in table.entries() {
            let mut items = Vec::with_capacity(entry.value.len());
            for item in &entry.value {
                let inner = table.get(item).filter(|inner| inner.index < entry.visibility);
                let these = match inner {
                    Some(inner) => {
                        lists.used.get_mut().insert(Arc::clone(&inner.named.name));
                        inner.value.as_slice()
                    }
                    None => std::slice::from_ref(item),
                };
                size += these.iter().map(|item| item.len() + ITEM).sum::<usize>();
                if size > MAX_SIZE {
                    let message = "the lists have too many items once lists are put in";
                    let around = std::slice::from_ref(&entry.named);
                    let help = Some("name large lists in conditions instead of in lists");
                    findings.add(Code::Validate, entry.named.spot, around, message, help);
                    return lists;
                }
                items.extend(these.iter().map(|item| item.to_string()));
            }
            lists.items.insert(Arc::clone(&entry.named.name), items);
        }
        lists
    }

    /// The items of a list.
    pub(super) fn items(&self, name: &str) -> Option<&[String]> {
        self.items.get(name).map(Vec::as_slice)
    }

    /// The same, and notes that the list is used.
    pub(super) fn using(&self, name: &str) -> Option<&[String]> {
        let (name, items) = self.items.get_key_value(name)?;
        if !self.is_used(name) {
            self.used.borrow_mut().insert(Arc::clone(name));
        }
        Some(items)
    }

    /// True if a condition or a list names it.
    pub(super) fn is_used(&self, name: &str) -> bool {
        self.used.borrow().contains(name)
    }
}
