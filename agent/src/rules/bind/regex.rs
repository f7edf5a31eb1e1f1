//! Regular expressions: from the syntax that Falco reads to that of the `regex` crate.
//!
//! Falco reads them with RE2 in POSIX mode. Where the two engines read a text
//! differently it is rewritten, so that it means what it means there:
//!
//! - `[` , `&&`, `--` and `~~` in a bracket expression are characters, not sets;
//! - a `{` that begins no repetition is a character;
//! - `x+?` is an optional `x+`, not one that prefers fewer;
//! - `^` and `$` match at lines, which shows only where they stand inside.
//!
//! The crate reads more: `\d`, `\w`, `\b`, `(?i)` and `(?:…)` work here and are refused
//! by Falco. Neither has references back or looks around. A counted repetition is
//! limited by the size of what it compiles to, not to 1000 as in RE2.

use ::regex::bytes::RegexBuilder;

use super::literal::show;
use super::problem;
use crate::rules::ast::Text;
use crate::rules::diagnostic::{Problem, ProblemKind};
use crate::rules::typed::Literal;

/// How large an expression may become when it is compiled, in bytes.
const MAX_SIZE: usize = 1 << 20;

/// Reads a regular expression.
pub(super) fn read(text: &Text) -> Result<Literal, Problem> {
    let wrong = |message: String, help: &str| {
        Err(problem(ProblemKind::Type, text.span.clone(), message, help))
    };
    let Ok(pattern) = std::str::from_utf8(&text.bytes) else {
        return wrong("a regular expression has to be UTF-8".to_owned(), "");
    };
    let translated = translate(pattern);
    let whole = format!("\\A(?:{translated})\\z");
    match RegexBuilder::new(&whole).size_limit(MAX_SIZE).build() {
        Ok(_) => Ok(Literal::Text(translated.into_bytes().into())),
        Err(::regex::Error::CompiledTooBig(_)) => {
            let message = format!("{} takes too much memory", show(text));
            wrong(message, "repeat less often, or less inside what is repeated")
        }
        Err(error) => {
            // The last line of the message says why; those before show the expression.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let help = "there are no references back and no looking around";
            wrong(format!("{} is not a regular expression: {reason}", show(text)), help)
        }
    }
}

/// True if a plain operator could do the same at less cost.
pub(super) fn is_simple(pattern: &[u8]) -> bool {
    let pattern = pattern.strip_prefix(b"^").unwrap_or(pattern);
    let pattern = pattern.strip_suffix(b"$").unwrap_or(pattern);
    let pattern = pattern.strip_prefix(b".*").unwrap_or(pattern);
    let pattern = pattern.strip_suffix(b".*").unwrap_or(pattern);
    !pattern.iter().any(|byte| b".+*?^$()[]{}|\\".contains(byte))
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut lines = false;
    let mut repeated = false;
    while let Some(char) = rest.chars().next() {
        let at_start = rest.len() == pattern.len();
        let mut after = rest.get(char.len_utf8()..).unwrap_or_default();
        let was_repeated = std::mem::replace(&mut repeated, matches!(char, '*' | '+' | '?'));
        match char {
            '\\' => after = copy_escape(&mut out, after),
            '[' => after = copy_class(&mut out, after),
            '{' => match repetition(after) {
                Some(length) => {
                    out.push('{');
                    out.push_str(after.get(..length).unwrap_or_default());
                    after = after.get(length..).unwrap_or_default();
                    repeated = true;
                }
                None => out.push_str("\\{"),
            },
            '?' if was_repeated => out.push_str("{0,1}"),
            other => {
                lines |= other == '^' && !at_start || other == '$' && !after.is_empty();
                out.push(other);
            }
        }
        rest = after;
    }
    if lines { format!("(?m){out}") } else { out }
}

fn copy_escape<'a>(out: &mut String, after: &'a str) -> &'a str {
    out.push('\\');
    let mut chars = after.chars();
    out.extend(chars.next());
    chars.as_str()
}

/// Copies a bracket expression, whose `[` has been read.
fn copy_class<'a>(out: &mut String, after: &'a str) -> &'a str {
    out.push('[');
    let mut rest = after;
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    if let Some(literal) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = literal;
    }
    let mut before = None;
    while let Some(char) = rest.chars().next() {
        let after = rest.get(char.len_utf8()..).unwrap_or_default();
        rest = match char {
            ']' => {
                out.push(']');
                return after;
            }
            '\\' => copy_escape(out, after),
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = after.find(":]").map_or(0, |at| at + 2);
                out.push('[');
                out.push_str(after.get(..end).unwrap_or_default());
                after.get(end..).unwrap_or_default()
            }
            '[' | '&' | '~' => {
                out.extend(['\\', char]);
                after
            }
            '-' if before == Some('-') => {
                out.push_str("\\-");
                after
            }
            _ => {
                out.push(char);
                after
            }
        };
        before = Some(char);
    }
    rest
}

/// Length of a repetition up to its `}`, whose `{` has been read.
fn repetition(after: &str) -> Option<usize> {
    let end = after.find(|char: char| !char.is_ascii_digit() && char != ',')?;
    let counts = after.get(..end)?;
    let (least, most) = counts.split_once(',').unwrap_or((counts, ""));
    let valid = !least.is_empty() && !most.contains(',');
    (valid && after.get(end..)?.starts_with('}')).then_some(end + 1)
}
