//! What an alert of a rule consists of: the rule's own output, and what the
//! configuration adds to it.

use super::Template;
use crate::rules::event::FieldRef;
use crate::rules::rule::Rule;

/// An addition to the output of the rules that it matches: one entry of Falco's
/// `append_output`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendOutput {
    /// Rules of that source only.
    pub source: Option<String>,
    /// The rule of that name only.
    pub rule: Option<String>,
    /// Rules that have all of these tags only.
    pub tags: Vec<String>,
    /// Appended to the text.
    pub extra_output: Option<Template>,
    /// Added to `output_fields`.
    pub extra_fields: Vec<(String, ExtraField)>,
}

/// A further entry of `output_fields`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtraField {
    /// The value of a field, in its own type.
    Raw(FieldRef),
    /// A text.
    Text(Template),
}

impl AppendOutput {
    /// Whether it is for that rule.
    #[must_use]
    pub fn matches(&self, rule: &Rule) -> bool {
        self.source.as_ref().is_none_or(|source| **source == *rule.source)
            && self.rule.as_ref().is_none_or(|name| **name == *rule.name)
            && self.tags.iter().all(|tag| rule.tags.contains(tag))
    }
}

/// How the alerts of one rule are written, with every addition in place.
#[derive(Clone, Debug)]
pub struct Output {
    pub(super) message: Template,
    /// The entries of `output_fields` but the time, sorted by key.
    pub(super) fields: Vec<(String, ExtraField)>,
}

impl Output {
    /// The output of a rule with the additions that match it, in their order. Of two
    /// entries with the same key the later one counts.
    #[must_use]
    pub fn new(rule: &Rule, additions: &[AppendOutput]) -> Self {
        let matching = || additions.iter().filter(|addition| addition.matches(rule));
        let message = matching()
            .filter_map(|addition| addition.extra_output.as_ref())
            .fold(rule.output.clone(), |message, extra| message.followed_by(extra));
        let own =
            message.fields().map(|(key, field)| (key.to_owned(), ExtraField::Raw(field.clone())));
        let extra = matching().flat_map(|addition| addition.extra_fields.iter().cloned());
        let mut fields = std::collections::BTreeMap::new();
        fields.extend(own.chain(extra));
        Self { message, fields: fields.into_iter().collect() }
    }

    /// The text without time and priority.
    #[must_use]
    pub const fn message(&self) -> &Template {
        &self.message
    }
}
