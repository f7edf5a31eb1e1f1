//! A rule as it is in force: every override applied, every name looked up.

use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;

use super::diagnostic::Place;
use super::output::Template;
use super::typed::Condition;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique in its rule set.
    pub name: Arc<str>,
    /// What it looks for.
    pub description: String,
    /// What has to hold, exceptions included.
    pub condition: Condition,
    /// The condition as it was written, overrides and exceptions included, macros
    /// and lists by their names.
    pub condition_text: String,
    /// What is said when it holds.
    pub output: Template,
    /// The output as it was written.
    pub output_text: String,
    /// How bad that is.
    pub priority: Priority,
    /// Where its events come from, such as `syscall`.
    pub source: Arc<str>,
    /// Sorted, each once.
    pub tags: Vec<String>,
    /// Whether it is in force.
    pub enabled: bool,
    /// Whether to warn when the condition names no type of event.
    pub warn_evttypes: bool,
    /// Whether to record what follows.
    pub capture: bool,
    /// How long to record, in milliseconds.
    pub capture_duration_ms: Option<u32>,
    /// Where it is defined. A definition that replaces an earlier one counts, but
    /// leaves the rule at its turn.
    pub place: Place,
}

/// Which rules an event fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// The first that matches, in the order of the rule set.
    #[default]
    First,
    /// Every one that matches.
    All,
}

/// Priorities, the most urgent first; they compare so that the more urgent is the
/// smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// The node is unusable.
    Emergency,
    /// Somebody has to act at once.
    Alert,
    /// A critical condition.
    Critical,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Normal, but worth a look.
    Notice,
    /// For information.
    Informational,
    /// For those who write rules.
    Debug,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 8] = [
        Self::Emergency,
        Self::Alert,
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Notice,
        Self::Informational,
        Self::Debug,
    ];

    /// As alerts write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "Emergency",
            Self::Alert => "Alert",
            Self::Critical => "Critical",
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Informational => "Informational",
            Self::Debug => "Debug",
        }
    }
}

/// Not the name of a priority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a priority; there are emergency, alert, critical, error, warning, notice, \
     informational (or info) and debug"
)]
pub struct UnknownPriority(pub String);

impl FromStr for Priority {
    type Err = UnknownPriority;

    /// Reads a name in any case; `info` is short for `informational`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let full = if text.eq_ignore_ascii_case("info") { "informational" } else { text };
        let found = Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(full));
        found.ok_or_else(|| UnknownPriority(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Priority;

    #[test]
    fn priorities_are_read_in_any_case() {
        let check = |text: &str, expected| assert_eq!(text.parse().ok(), expected, "{text}");
        check("CRITICAL", Some(Priority::Critical));
        check("info", Some(Priority::Informational));
        check("Informational", Some(Priority::Informational));
        check("warn", None);
        check("", None);
        assert!(Priority::Emergency < Priority::Debug);
    }
}
