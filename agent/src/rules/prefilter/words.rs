//! A prefilter in words, for people.

use std::collections::BTreeSet;
use std::fmt;

use super::allowed::{Allowed, Values};
use super::fact::Fact;

/// What a fact has to be, in words: `the user is 0 or unknown`.
pub(super) struct InWords<'allowed>(pub(super) Fact, pub(super) &'allowed Allowed);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(fact, allowed) = self;
        let list = |texts: &BTreeSet<Box<[u8]>>| {
            let shown: Vec<String> =
                texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
            shown.join(", ")
        };
        match &allowed.values {
            values if values.is_empty() => return write!(out, "{fact} is unknown"),
            values if values.is_all() => return write!(out, "{fact} is known"),
            Values::Truths { yes: true, .. } => write!(out, "{fact}")?,
            Values::Truths { .. } => write!(out, "not {fact}")?,
            Values::Numbers(ranges) => {
                write!(out, "{fact} is ")?;
                for (number, (from, to)) in ranges.iter().enumerate() {
                    let or = if number > 0 { " or " } else { "" };
                    match (*from, *to) {
                        (from, to) if from == to => write!(out, "{or}{from}")?,
                        (i128::MIN, to) => write!(out, "{or}at most {to}")?,
                        (from, i128::MAX) => write!(out, "{or}at least {from}")?,
                        (from, to) => write!(out, "{or}{from} to {to}")?,
                    }
                }
            }
            Values::Texts { listed, others: false } => {
                write!(out, "{fact} is one of {}", list(listed))?;
            }
            Values::Texts { listed, others: true } => {
                write!(out, "{fact} is none of {}", list(listed))?;
            }
            Values::Paths(prefixes) => write!(out, "{fact} begins with one of {}", list(prefixes))?,
        }
        if allowed.missing { out.write_str(" (or is unknown)") } else { Ok(()) }
    }
}
