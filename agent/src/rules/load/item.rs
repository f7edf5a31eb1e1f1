//! The items of rule files, as they are written.

use std::rc::Rc;
use std::sync::Arc;

use super::composed::Text;
use super::findings::Named;
use super::source::Spot;
use super::version::Version;
use crate::rules::rule::Priority;

/// An item.
#[derive(Debug)]
pub(super) enum Item {
    /// `required_engine_version`
    Engine {
        /// The least version that will do.
        version: Version,
        /// Where it is demanded.
        named: Named,
    },
    /// One of `required_plugin_versions`.
    Plugin {
        /// One of these has to be there, with its name as written.
        alternatives: Vec<(Rc<str>, Version)>,
        /// Where it is demanded.
        named: Named,
    },
    /// `list`
    List {
        /// The list.
        named: Named,
        /// Its items, as written.
        items: Vec<Rc<str>>,
        /// Whether they are appended to those that are there.
        append: bool,
    },
    /// `macro`
    Macro {
        /// The macro.
        named: Named,
        /// What it stands for.
        condition: Text,
        /// Whether that is appended to what is there.
        append: bool,
    },
    /// A `rule` that is defined.
    Rule(Box<Definition>),
    /// A `rule` that is changed: appended to first, then replaced.
    Change {
        /// The rule.
        named: Named,
        /// What is appended.
        append: Option<Box<Keys>>,
        /// What is replaced.
        replace: Option<Box<Keys>>,
    },
    /// A `rule` that is only switched on or off.
    Toggle {
        /// The rule.
        named: Named,
        /// Whether it is in force.
        enabled: bool,
    },
    /// A `rule` with errors that have been told, whose texts are still to be checked.
    Draft {
        /// The rule.
        named: Named,
        /// What could be read of `condition`.
        condition: Option<Text>,
        /// What could be read of `output`.
        output: Option<Text>,
    },
    /// An item with errors that have been told. Nothing that only follows from its
    /// absence is to be told.
    Broken(Kind, Arc<str>),
}

/// Kinds of items that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// `list`
    List,
    /// `macro`
    Macro,
    /// `rule`
    Rule,
}

/// A rule's definition: what has to be there, and what may.
#[derive(Debug)]
pub(super) struct Definition {
    /// The rule.
    pub(super) named: Named,
    /// `condition`
    pub(super) condition: Text,
    /// `output`
    pub(super) output: Text,
    /// `desc`
    pub(super) description: Rc<str>,
    /// `priority`
    pub(super) priority: Priority,
    /// `source`, where it is written.
    pub(super) source: Option<Text>,
    /// The other keys.
    pub(super) keys: Keys,
}

/// Keys of a rule that are there.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// `condition`
    pub(super) condition: Option<Text>,
    /// `output`
    pub(super) output: Option<Text>,
    /// `desc`
    pub(super) description: Option<Rc<str>>,
    /// `priority`
    pub(super) priority: Option<Priority>,
    /// `enabled`
    pub(super) enabled: Option<bool>,
    /// `capture`
    pub(super) capture: Option<bool>,
    /// `capture_duration`, in milliseconds.
    pub(super) capture_duration: Option<u32>,
    /// `warn_evttypes`
    pub(super) warn_evttypes: Option<bool>,
    /// `skip-if-unknown-filter`
    pub(super) skip_if_unknown_filter: Option<bool>,
    /// `tags`
    pub(super) tags: Option<Vec<Rc<str>>>,
    /// `exceptions`
    pub(super) exceptions: Option<Vec<Exception>>,
}

/// One of a rule's exceptions, as written.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    /// The rule and the exception.
    pub(super) around: Vec<Named>,
    /// Its name.
    pub(super) name: Arc<str>,
    /// Where its name stands.
    pub(super) spot: Spot,
    /// `fields`
    pub(super) fields: Option<Entry>,
    /// `comps`
    pub(super) comps: Option<Entry>,
    /// `values`
    pub(super) values: Vec<Entry>,
}

/// A value or several.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// One.
    One(Text),
    /// A list of them, at this spot.
    Many(Vec<Entry>, Spot),
}

impl Entry {
    /// Where it stands.
    pub(super) fn spot(&self) -> Spot {
        match self {
            Self::One(text) => text.spot,
            Self::Many(_, spot) => *spot,
        }
    }

    /// Those of a list; of a single value none.
    pub(super) fn elements(&self) -> &[Self] {
        match self {
            Self::One(_) => &[],
            Self::Many(elements, _) => elements,
        }
    }
}
