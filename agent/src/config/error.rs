//! What a wrong configuration says to people: the place, the source line, what
//! was expected. Never more than a few short lines, whatever the input is.

use std::fmt;

use figment::value::Value;

use crate::config::file::Source;
use crate::config::keys::is_secret;
use crate::config::yaml::Place;

/// A configuration that cannot be used. Its display is for people and has up to
/// seven lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// `file:line:column`, a file, an environment variable or a flag.
    place: String,
    problem: String,
    excerpt: Option<Excerpt>,
    help: Vec<String>,
}

/// One line of the file and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: usize,
    text: String,
    /// Characters before the part, and of it.
    before: usize,
    width: usize,
}

/// What the place of a wrong flag begins with.
pub(super) const FLAG: &str = "flag --";
/// Characters of a source line that are shown.
const LINE_WIDTH: usize = 100;
/// Characters of a wrong value or name that are shown.
const VALUE_WIDTH: usize = 40;
/// Characters of a message that are shown.
const MESSAGE_WIDTH: usize = 300;

impl ConfigError {
    /// A problem of something that has no lines: a file as a whole, an
    /// environment variable, a flag.
    pub(super) fn of(place: &str, problem: &str) -> Self {
        let problem = printable(problem, MESSAGE_WIDTH);
        Self { place: place.to_owned(), problem, excerpt: None, help: Vec::new() }
    }

    /// True when a flag is wrong, which is a matter of the command line.
    #[must_use]
    pub fn is_of_flag(&self) -> bool {
        self.place.starts_with(FLAG)
    }

    /// A problem at a place of a file.
    pub(super) fn at(source: &Source, place: Place, problem: &str) -> Self {
        let Place { line, column, .. } = place;
        let excerpt = Excerpt::new(&source.text, place);
        Self { excerpt, ..Self::of(&format!("{}:{line}:{column}", source.name), problem) }
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub(super) fn help(mut self, help: Option<String>) -> Self {
        self.help.extend(help.map(|help| printable(&help, MESSAGE_WIDTH)));
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)?;
        let mut margin = 1;
        if let Some(Excerpt { line, text, before, width }) = &self.excerpt {
            let number = line.to_string();
            margin = number.len();
            write!(f, "\n{:margin$} |\n{number} | {text}", "")?;
            write!(f, "\n{:margin$} | {:before$}{}", "", "", "^".repeat(*width))?;
        }
        for help in &self.help {
            write!(f, "\n{:margin$} = {help}", "")?;
        }
        Ok(())
    }
}

impl Excerpt {
    /// The line at a place, cut around it. `None` beyond the end of the text, and of lines
    /// that may have a secret beside what is meant.
    fn new(text: &str, place: Place) -> Option<Self> {
        let line = text.lines().nth(place.line.checked_sub(1)?)?;
        if line.split(|it: char| !it.is_alphanumeric()).any(is_secret) {
            return None;
        }
        let column = place.column.saturating_sub(1);
        let first = if column < LINE_WIDTH { 0 } else { column - LINE_WIDTH / 2 };
        let shown: String = line.chars().skip(first).take(LINE_WIDTH).collect();
        let before = column - first;
        let rest = shown.chars().count().saturating_sub(before);
        let text = shown.replace('\t', " ").replace(char::is_control, "\u{FFFD}");
        let width = place.width.clamp(1, rest.max(1));
        Some(Self { line: place.line, text: text.trim_end().to_owned(), before, width })
    }
}

/// A value as a message shows it.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("`{}`", printable(text, VALUE_WIDTH)),
        Value::Char(_, char) => format!("`{}`", printable(&char.to_string(), VALUE_WIDTH)),
        Value::Bool(_, value) => format!("`{value}`"),
        Value::Num(_, number) => {
            let integer = number.to_i128().map(|n| n.to_string());
            let natural = number.to_u128().map(|n| n.to_string());
            let float = || number.to_f64().map(|n| n.to_string());
            format!("`{}`", natural.or(integer).or_else(float).unwrap_or_default())
        }
        Value::Empty(..) => "nothing".to_owned(),
        Value::Dict(..) => "a mapping".to_owned(),
        Value::Array(..) => "a list".to_owned(),
    }
}

/// A key as a message shows it.
pub(super) fn named(key: &str) -> String {
    printable(key, VALUE_WIDTH)
}

/// Text without control characters, cut to so many characters.
fn printable(text: &str, width: usize) -> String {
    let mut shown: String = text.chars().take(width).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.replace(char::is_control, "\u{FFFD}")
}

/// The known word that somebody who wrote `word` probably meant.
pub(super) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > VALUE_WIDTH {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, &known.to_lowercase());
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn the_closest_word_is_near() {
        let known = ["interval", "listen", "log", "max_cgroups", "max_tenants"];
        let check =
            |word, expected: Option<&str>| assert_eq!(closest(word, known), expected, "{word}");
        check("intervall", Some("interval"));
        check("itnerval", Some("interval"));
        check("LISTEN", Some("listen"));
        check("lgo", Some("log"));
        check("max-cgroups", Some("max_cgroups"));
        check("max_tenant", Some("max_tenants"));
        check("listener_address", None);
        check("x", None);
        check("", None);
        check(&"interval".repeat(1000), None);
    }
}
