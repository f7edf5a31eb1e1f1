//! Items, in order → lists, macros and rules after every append, replacement and
//! toggle.
//!
//! Each has two numbers. The **index** counts definitions: who defines a name again
//! keeps its index, and so a rule its turn. The **visibility** counts changes: a
//! macro or a list sees what has a smaller index than its own visibility, so that
//! appending to it lets it see more.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::SOURCES;
use super::composed::{Composed, Text};
use super::decode::shown;
use super::exception::Exceptions;
use super::findings::{Findings, Named};
use super::item::{Definition, Item, Keys, Kind};
use super::keys::did_you_mean;
use super::source::Spot;
use super::version::{ENGINE_VERSION, PLUGINS, Version};
use crate::rules::diagnostic::Code;
use crate::rules::rule::Priority;

/// What the items so far come to.
#[derive(Debug, Default)]
pub(super) struct Collection {
    /// False if something could not be read, so that what is not there may be there.
    pub(super) complete: bool,
    /// The lists.
    pub(super) lists: Table<ListInfo>,
    /// The macros.
    pub(super) macros: Table<MacroInfo>,
    /// The rules.
    pub(super) rules: Table<RuleInfo>,
    /// Rules that have errors otherwise, but texts that can be checked.
    pub(super) drafts: Vec<Entry<RuleInfo>>,
    /// Names of lists that could not be read.
    pub(super) broken_lists: HashSet<Arc<str>>,
    /// Names of macros that could not be read.
    broken_macros: HashSet<Arc<str>>,
    /// Names of rules that could not be read.
    broken_rules: HashSet<Arc<str>>,
    /// How many definitions and changes there were.
    count: usize,
}

/// Things of a kind by name, in the order of their definition.
#[derive(Debug)]
pub(super) struct Table<T> {
    entries: Vec<Entry<T>>,
    names: HashMap<Arc<str>, usize>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// Its name and where it is defined.
    pub(super) named: Named,
    /// When it was first defined.
    pub(super) index: usize,
    /// When it was last changed.
    pub(super) visibility: usize,
    /// What it is.
    pub(super) value: T,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), names: HashMap::new() }
    }
}

impl<T> Table<T> {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry<T>> {
        self.entries.get(self.position(name)?)
    }

    pub(super) fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.named.name)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Entry<T>> {
        let at = self.position(name)?;
        self.entries.get_mut(at)
    }

    fn define(&mut self, named: Named, value: T, now: usize) {
        if let Some(entry) = self.get_mut(&named.name) {
            *entry = Entry { named, index: entry.index, visibility: now, value };
        } else {
            self.names.insert(Arc::clone(&named.name), self.entries.len());
            self.entries.push(Entry { named, index: now, visibility: now, value });
        }
    }
}

/// A list: its items as written.
pub(super) type ListInfo = Vec<Rc<str>>;
/// A macro: its condition.
pub(super) type MacroInfo = Composed;

/// A rule.
#[derive(Debug)]
pub(super) struct RuleInfo {
    pub(super) condition: Composed,
    pub(super) output: Composed,
    pub(super) description: String,
    pub(super) priority: Priority,
    pub(super) source: Arc<str>,
    pub(super) tags: BTreeSet<Rc<str>>,
    pub(super) enabled: bool,
    pub(super) warn_evttypes: bool,
    pub(super) skip_if_unknown_filter: bool,
    pub(super) capture: bool,
    pub(super) capture_duration_ms: Option<u32>,
    pub(super) exceptions: Exceptions,
}

impl Default for RuleInfo {
    /// What holds of a rule that says nothing.
    fn default() -> Self {
        Self {
            condition: Composed::default(),
            output: Composed::default(),
            description: String::new(),
            priority: Priority::Debug,
            source: SOURCES[0].into(),
            tags: BTreeSet::new(),
            enabled: true,
            warn_evttypes: true,
            skip_if_unknown_filter: false,
            capture: false,
            capture_duration_ms: None,
            exceptions: Exceptions::default(),
        }
    }
}

impl RuleInfo {
    /// True if its events are known; it is skipped otherwise.
    pub(super) fn known_source(&self) -> bool {
        SOURCES.contains(&&*self.source)
    }
}

impl Collection {
    /// Lets an item take effect.
    pub(super) fn take(&mut self, item: Item, findings: &mut Findings) {
        self.count += 1;
        match item {
            Item::Engine { version, named } => engine(version, &named, findings),
            Item::Plugin { alternatives, named } => plugin(&alternatives, &named, findings),
            Item::List { named, items, append: false } => {
                self.broken_lists.remove(&named.name);
                self.lists.define(named, items, self.count);
            }
            Item::List { named, items, append: true } => match self.lists.get_mut(&named.name) {
                Some(list) => {
                    list.value.extend(items);
                    list.visibility = self.count;
                }
                None => self.absent(Kind::List, &named, findings),
            },
            Item::Macro { named, condition, append: false } => {
                self.broken_macros.remove(&named.name);
                self.macros.define(named, Composed::of(condition), self.count);
            }
            Item::Macro { named, condition, append: true } => {
                match self.macros.get_mut(&named.name) {
                    Some(it) => {
                        it.value.append(condition);
                        it.visibility = self.count;
                    }
                    None => self.absent(Kind::Macro, &named, findings),
                }
            }
            Item::Rule(definition) => self.define(*definition, findings),
            Item::Change { named, append, replace } => {
                self.change(&named, append, replace, findings);
            }
            Item::Toggle { named, enabled } => match self.rules.get_mut(&named.name) {
                Some(rule) => rule.value.enabled = enabled,
                None => self.absent(Kind::Rule, &named, findings),
            },
            Item::Draft { named, condition, output } => {
                self.broken_rules.insert(Arc::clone(&named.name));
                let value = RuleInfo {
                    condition: condition.map(Composed::of).unwrap_or_default(),
                    output: output.map(Composed::trimmed).unwrap_or_default(),
                    ..RuleInfo::default()
                };
                let (index, visibility) = (self.count, self.count);
                self.drafts.push(Entry { named, index, visibility, value });
            }
            Item::Broken(kind, name) => {
                match kind {
                    Kind::List => self.broken_lists.insert(name),
                    Kind::Macro => self.broken_macros.insert(name),
                    Kind::Rule => self.broken_rules.insert(name),
                };
            }
        }
    }

    /// True if an item of that name has errors, which have been told.
    pub(super) fn is_broken(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::List => self.broken_lists.contains(name),
            Kind::Macro => self.broken_macros.contains(name),
            Kind::Rule => self.broken_rules.contains(name),
        }
    }

    /// True if any item has.
    pub(super) fn any_broken(&self) -> bool {
        let all = [&self.broken_lists, &self.broken_macros, &self.broken_rules];
        all.into_iter().any(|names| !names.is_empty())
    }

    /// Something is to be changed that is not there.
    fn absent(&mut self, kind: Kind, named: &Named, findings: &mut Findings) {
        if !self.complete || self.is_broken(kind, &named.name) {
            return;
        }
        let names: Vec<&str> = match kind {
            Kind::List => self.lists.names().collect(),
            Kind::Macro => self.macros.names().collect(),
            Kind::Rule => self.rules.names().collect(),
        };
        let message =
            format!("there is no {} `{}` to change before this", named.kind, shown(&named.name));
        let help = did_you_mean(names, &named.name).unwrap_or_else(|| {
            "define it first: an earlier file, or further up in this one".to_owned()
        });
        findings.add(Code::Validate, named.spot, std::slice::from_ref(named), message, Some(help));
    }

    fn define(&mut self, definition: Definition, findings: &mut Findings) {
        let Definition { named, condition, output, description, priority, source, keys } =
            definition;
        self.broken_rules.remove(&named.name);
        let earlier = self.rules.get(&named.name);
        if let (Some(earlier), Some(text)) = (earlier, &source)
            && *earlier.value.source != *text.value
        {
            let message = format!(
                "the rule is defined for the source `{}`, which cannot be changed",
                shown(&earlier.value.source)
            );
            let help = format!(
                "it is defined {}; take another name",
                findings.told(earlier.named.spot, named.spot)
            );
            findings.add(Code::Validate, text.spot, &[named], message, Some(help));
            return;
        }
        let source_spot = source.as_ref().map_or(named.spot, |text| text.spot);
        let source: Arc<str> = match (source, earlier) {
            (Some(text), _) => (*text.value).into(),
            (None, Some(earlier)) => Arc::clone(&earlier.value.source),
            (None, None) => SOURCES[0].into(),
        };
        let rule = RuleInfo {
            condition: Composed::of(condition),
            output: Composed::trimmed(output),
            description: description.to_string(),
            priority,
            source,
            tags: keys.tags.into_iter().flatten().collect(),
            enabled: keys.enabled.unwrap_or(true),
            warn_evttypes: keys.warn_evttypes.unwrap_or(true),
            skip_if_unknown_filter: keys.skip_if_unknown_filter.unwrap_or(false),
            capture: keys.capture.unwrap_or(false),
            capture_duration_ms: keys.capture_duration,
            exceptions: Exceptions::define(keys.exceptions.unwrap_or_default(), findings),
        };
        if !rule.known_source() {
            unknown_source(&rule, &named, source_spot, findings);
        }
        self.rules.define(named, rule, self.count);
    }

    fn change(
        &mut self,
        named: &Named,
        append: Option<Box<Keys>>,
        replace: Option<Box<Keys>>,
        findings: &mut Findings,
    ) {
        let Some(entry) = self.rules.get_mut(&named.name) else {
            return self.absent(Kind::Rule, named, findings);
        };
        entry.visibility = self.count;
        let rule = &mut entry.value;
        if let Some(keys) = append {
            if keys.is_empty() {
                let message = "there is neither a condition nor exceptions to append";
                let help = Some("add `condition: …` or `exceptions: …`");
                let around = std::slice::from_ref(named);
                findings.add(Code::Validate, named.spot, around, message, help);
            }
            rule.append(*keys, findings);
        }
        if let Some(keys) = replace {
            rule.replace(*keys, findings);
        }
    }
}

impl Keys {
    fn is_empty(&self) -> bool {
        self.condition.is_none()
            && self.output.is_none()
            && self.description.is_none()
            && self.tags.is_none()
            && self.exceptions.is_none()
    }
}

impl RuleInfo {
    fn append(&mut self, keys: Keys, findings: &mut Findings) {
        let append = |to: &mut Composed, text: Option<Text>| {
            if let Some(text) = text {
                to.append(text);
            }
        };
        append(&mut self.condition, keys.condition);
        append(&mut self.output, keys.output);
        if let Some(description) = keys.description {
            self.description.push(' ');
            self.description.push_str(&description);
        }
        self.tags.extend(keys.tags.into_iter().flatten());
        self.exceptions.append(keys.exceptions.unwrap_or_default(), findings);
    }

    fn replace(&mut self, keys: Keys, findings: &mut Findings) {
        fn set<T>(what: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *what = value;
            }
        }
        set(&mut self.condition, keys.condition.map(Composed::of));
        set(&mut self.output, keys.output.map(Composed::trimmed));
        set(&mut self.description, keys.description.map(|text| text.to_string()));
        set(&mut self.priority, keys.priority);
        set(&mut self.tags, keys.tags.map(|tags| tags.into_iter().collect()));
        set(&mut self.enabled, keys.enabled);
        set(&mut self.warn_evttypes, keys.warn_evttypes);
        set(&mut self.skip_if_unknown_filter, keys.skip_if_unknown_filter);
        set(&mut self.capture, keys.capture);
        self.capture_duration_ms = keys.capture_duration.or(self.capture_duration_ms);
        let exceptions = keys.exceptions.map(|all| Exceptions::define(all, findings));
        set(&mut self.exceptions, exceptions);
    }
}

fn unknown_source(rule: &RuleInfo, named: &Named, spot: Spot, findings: &mut Findings) {
    let message = format!("there is no source `{}`; the rule is skipped", shown(&rule.source));
    let help = did_you_mean(SOURCES.iter().copied(), &rule.source)
        .unwrap_or_else(|| format!("the sources are `{}`", SOURCES.join("`, `")));
    findings.add(Code::UnknownSource, spot, std::slice::from_ref(named), message, Some(help));
}

fn engine(version: Version, named: &Named, findings: &mut Findings) {
    if !ENGINE_VERSION.serves(version) {
        let message = format!(
            "the file needs version {version} of the rule engine, this one has {ENGINE_VERSION}"
        );
        let help = Some("use an older release of the rule file, or a newer Landlord");
        findings.add(Code::Validate, named.spot, std::slice::from_ref(named), message, help);
    }
}

fn plugin(alternatives: &[(Rc<str>, Version)], named: &Named, findings: &mut Findings) {
    let mut names = HashSet::new();
    let around = std::slice::from_ref(named);
    if let Some((name, _)) = alternatives.iter().find(|(name, _)| !names.insert(name)) {
        let message = format!("the plugin `{}` is named twice among the alternatives", shown(name));
        findings.add(Code::Validate, named.spot, around, message, None::<&str>);
        return;
    }
    let provided = |name: &str, asked: Version| {
        PLUGINS.iter().any(|&(known, version)| known == name && version.serves(asked))
    };
    if alternatives.iter().any(|(name, version)| provided(name, *version)) {
        return;
    }
    let asked: Vec<String> =
        alternatives.iter().map(|(name, version)| format!("`{}` {version}", shown(name))).collect();
    let message = format!("the file needs the plugin {}, which is not there", asked.join(" or "));
    let known: Vec<String> =
        PLUGINS.iter().map(|(name, version)| format!("`{name}` {version}")).collect();
    let help = format!("Landlord has itself what these plugins offer: {}", known.join(", "));
    findings.add(Code::Validate, named.spot, around, message, Some(help));
}
