//! The keys that items of a rule file have, and names like a misspelt one.

use crate::rules::similar::similar;

/// Keys that tell the kind of an item, in the order in which they decide.
pub(super) const KINDS: &[&str] =
    &["required_engine_version", "required_plugin_versions", "list", "macro", "rule"];

/// Keys of a list.
pub(super) const LIST: &[&str] = &["list", "items", "append", "override"];
/// Keys of a macro.
pub(super) const MACRO: &[&str] = &["macro", "condition", "append", "override"];
/// Keys of a rule.
pub(super) const RULE: &[&str] = &[
    "rule",
    "condition",
    "output",
    "desc",
    "priority",
    "source",
    "enabled",
    "capture",
    "capture_duration",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "tags",
    "exceptions",
    "append",
    "override",
];
/// Keys of an exception.
pub(super) const EXCEPTION: &[&str] = &["name", "fields", "comps", "values"];
/// Keys of a required plugin.
pub(super) const PLUGIN: &[&str] = &["name", "version", "alternatives"];
/// Keys of an alternative to a required plugin.
pub(super) const ALTERNATIVE: &[&str] = &["name", "version"];

/// Keys of a rule that an override may append to.
pub(super) const APPENDABLE: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
/// Keys of a rule that an override may replace.
pub(super) const REPLACEABLE: &[&str] = &[
    "condition",
    "output",
    "desc",
    "priority",
    "tags",
    "exceptions",
    "enabled",
    "warn_evttypes",
    "skip-if-unknown-filter",
    "capture",
    "capture_duration",
];

/// The known name that a misspelt one most likely means, as a question.
pub(super) fn did_you_mean<'a>(
    known: impl IntoIterator<Item = &'a str>,
    misspelt: &str,
) -> Option<String> {
    similar(misspelt, known).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::{KINDS, RULE, did_you_mean};

    #[test]
    fn misspelt() {
        let check = |known: &'static [&'static str], word: &str, expected: Option<&str>| {
            let expected = expected.map(|name| format!("did you mean `{name}`?"));
            assert_eq!(did_you_mean(known.iter().copied(), word), expected, "{word}");
        };
        check(RULE, "conditon", Some("condition"));
        check(RULE, "Priority", Some("priority"));
        check(RULE, "skip_if_unknown_filter", Some("skip-if-unknown-filter"));
        check(RULE, "color", None);
        check(KINDS, "rul", Some("rule"));
        check(KINDS, "x", None);
    }
}
