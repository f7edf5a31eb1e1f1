//! Labels and annotations as rules ask for them: `key`, or `key=value`.

use crate::identity::cluster::Labels;

/// A label or an annotation that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelAsk {
    /// Its key.
    pub key: Box<str>,
    /// The value it must have; `None`: any.
    pub value: Option<Box<str>>,
}

/// Why a text asks for no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelProblem {
    /// The key is none.
    #[error(
        "not a key: expected up to 63 letters, digits, `-`, `_` and `.`, beginning and ending with \
         a letter or digit, after an optional domain and `/`"
    )]
    Key,
    /// No label can have the value.
    #[error(
        "no label has such a value: expected up to 63 letters, digits, `-`, `_` and `.`, beginning \
         and ending with a letter or digit"
    )]
    Value,
}

impl LabelAsk {
    /// Reads `key` or `key=value` of a label.
    ///
    /// # Errors
    ///
    /// What Kubernetes would take neither as key nor as value.
    pub fn label(text: &str) -> Result<Self, LabelProblem> {
        let ask = Self::annotation(text)?;
        let is_value = ask.value.as_deref().is_none_or(|it| it.is_empty() || is_label_name(it));
        if is_value { Ok(ask) } else { Err(LabelProblem::Value) }
    }

    /// Reads `key` or `key=value` of an annotation, whose value may be any text.
    ///
    /// # Errors
    ///
    /// A key that Kubernetes would not take.
    pub fn annotation(text: &str) -> Result<Self, LabelProblem> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.into())),
            None => (text, None),
        };
        if is_label_key(key) { Ok(Self { key: key.into(), value }) } else { Err(LabelProblem::Key) }
    }

    /// The value of the label that is asked for, when it is there and as asked.
    #[must_use]
    pub fn find<'a>(&self, labels: &'a Labels) -> Option<&'a str> {
        let value = labels.get(&self.key)?;
        self.value.as_ref().is_none_or(|wanted| wanted == value).then_some(value)
    }
}

/// Whether a text may be the key of a label or an annotation: a name of at most 63
/// bytes, after an optional DNS domain of at most 253 and `/`.
#[must_use]
pub fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_label_name(name),
        None => is_label_name(text),
    }
}

fn is_label_name(text: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            part.bytes().all(|byte| plain(byte) || byte == b'-')
                && part.bytes().next().is_some_and(plain)
                && part.bytes().next_back().is_some_and(plain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_a_label() {
        let long = "a".repeat(64);
        let check = |text: &str, expected: Result<(&str, Option<&str>), LabelProblem>| {
            let ask = LabelAsk::label(text);
            let is = ask.as_ref().map(|ask| (ask.key.as_ref(), ask.value.as_deref()));
            assert_eq!(is.map_err(|problem| *problem), expected, "{text:?}");
        };
        check("team", Ok(("team", None)));
        check("team=a", Ok(("team", Some("a"))));
        check("team=", Ok(("team", Some(""))));
        check("capsule.clastix.io/tenant", Ok(("capsule.clastix.io/tenant", None)));
        check("a.b/c_d.E=1-2", Ok(("a.b/c_d.E", Some("1-2"))));
        let keys = ["", "=a", "a b", "-a", "a-", "/a", "a/", "A.b/c", "a..b/c", "a/b/c", "é"];
        for key in keys.into_iter().chain([long.as_str()]) {
            check(key, Err(LabelProblem::Key));
        }
        for value in ["a b", "-a", "a=b", long.as_str()] {
            check(&format!("team={value}"), Err(LabelProblem::Value));
        }
    }

    #[test]
    fn annotations_have_any_value() {
        let check = |text, key: &str, value| {
            let expected = LabelAsk { key: key.into(), value: Some(Box::from(value)) };
            assert_eq!(LabelAsk::annotation(text), Ok(expected));
        };
        check("owner=a b = c", "owner", "a b = c");
        assert_eq!(LabelAsk::annotation("own er=a"), Err(LabelProblem::Key));
    }

    #[test]
    fn what_is_found() {
        let labels: Labels = [("team".into(), "a".into()), ("empty".into(), "".into())].into();
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(LabelAsk::label(text).unwrap().find(&labels), expected, "{text}");
        };
        check("team", Some("a"));
        check("team=a", Some("a"));
        check("team=b", None);
        check("empty", Some(""));
        check("empty=", Some(""));
        check("Team", None);
    }
}
