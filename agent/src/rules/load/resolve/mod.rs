//! Texts of conditions and outputs → rules, with lists and macros put in.
//!
//! Lists are put into the text of a condition before it is read. Macros are put
//! into the condition when it is bound, as conditions that are bound themselves.
//! The size of what comes out is bounded, since both can double what they repeat.

mod condition;
mod lists;
mod macros;
mod rules;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::lists::Lists;
use self::macros::Macros;
use super::analysis;
use super::collect::Collection;
use super::findings::Findings;
use super::{List, Loaded, Macro, Options};
use crate::rules::diagnostic::Code;

/// Bytes of condition that are read in a load, lists put in.
const MAX_READ: usize = 128 << 20;
/// What the conditions of a load may take, in bytes.
const MAX_WEIGHT: usize = 96 << 20;

/// What is known while conditions are read.
struct Resolver<'a> {
    collection: &'a Collection,
    findings: Findings,
    lists: Lists,
    /// Bytes of condition read so far.
    read: usize,
    /// What the conditions so far take, in bytes.
    weight: usize,
    /// Macros that something names.
    used: BTreeSet<usize>,
    /// True if a condition could not be read, so that it is not known what it uses.
    unread: bool,
}

/// Makes rules of what was collected.
pub(super) fn resolve(
    collection: &Collection,
    mut findings: Findings,
    options: &Options,
) -> Loaded {
    let lists = Lists::flatten(&collection.lists, &mut findings);
    let mut resolver = Resolver {
        collection,
        findings,
        lists,
        read: 0,
        weight: 0,
        used: BTreeSet::new(),
        unread: false,
    };
    let mut macros = Macros::resolve(&mut resolver);
    let rules = resolver.rules(&mut macros, options);
    macros.tell_unused(&mut resolver);
    resolver.unused();
    let Resolver { mut findings, lists, .. } = resolver;
    let rules = analysis::judge(rules, options, &mut findings);
    let macros = collection.macros.entries().iter().map(|entry| Macro {
        name: Arc::clone(&entry.named.name),
        condition_text: entry.value.text(),
        place: findings.place(entry.named.spot),
    });
    let macros = macros.collect();
    let lists = collection.lists.entries().iter().map(|entry| List {
        name: Arc::clone(&entry.named.name),
        items: lists.items(&entry.named.name).unwrap_or_default().to_vec(),
        place: findings.place(entry.named.spot),
    });
    let lists = lists.collect();
    Loaded { rules, macros, lists, reports: findings.reports() }
}

impl Resolver<'_> {
    /// Warns of macros and lists that nothing names.
    fn unused(&mut self) {
        // What cannot be read may name anything.
        if self.unread || !self.collection.complete || self.collection.any_broken() {
            return;
        }
        let help = Some("remove it, or use it");
        for (at, entry) in self.collection.macros.entries().iter().enumerate() {
            if !self.used.contains(&at) {
                let message = format!("nothing uses the macro `{}`", entry.named.name);
                let around = std::slice::from_ref(&entry.named);
                self.findings.add(Code::UnusedMacro, entry.named.spot, around, message, help);
            }
        }
        for entry in self.collection.lists.entries() {
            if !self.lists.is_used(&entry.named.name) {
                let message = format!("nothing uses the list `{}`", entry.named.name);
                let around = std::slice::from_ref(&entry.named);
                self.findings.add(Code::UnusedList, entry.named.spot, around, message, help);
            }
        }
    }
}
