//! Lists in the text of a condition: their names are replaced by their items before
//! anything is read, wherever they stand, even inside quotes.
//!
//! So it is in Falco, and rules rely on it. What is replaced is only ever a whole
//! word between blanks, parentheses, commas and equals signs. Nothing here knows what
//! a condition is; what the items of a list of lists are is for the caller to say.

use std::collections::BTreeSet;
use std::ops::Range;

use super::cursor::syntax;
use crate::rules::diagnostic::Problem;

/// How many bytes lists may add to a condition.
pub const MAX_GROWTH: usize = 16 << 20;

/// A condition with the items of its lists in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substituted {
    /// The text to parse.
    pub text: String,
    /// The lists that were named, sorted.
    pub used: BTreeSet<String>,
    /// Where the pieces of `text` come from, in its order.
    pieces: Vec<Piece>,
    /// Length of the original.
    original: usize,
}

/// A part of the text up to the next piece.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// Where it begins in the text.
    start: usize,
    /// Where it stands in the original: all of it, or the name that it replaces.
    origin: Range<usize>,
    /// True if it stands there byte by byte.
    copied: bool,
}

/// Replaces the names of lists in `text` by their items.
///
/// Items are separated by `, `; one with a blank in it gets quotes around it, unless
/// it begins with one. Blanks around a name become one. A list without items takes
/// one comma beside it with it. Takes time and memory in proportion to the text and
/// what is put in.
///
/// # Errors
///
/// When the lists would add more than [`MAX_GROWTH`] bytes; the problem names the
/// list that went too far.
pub fn substitute<'a>(
    text: &str,
    items_of: &dyn Fn(&str) -> Option<&'a [String]>,
) -> Result<Substituted, Problem> {
    let mut out = Writer { text: String::with_capacity(text.len()), pieces: Vec::new() };
    let mut used = BTreeSet::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let word = rest.split(is_border).next().unwrap_or_default();
        let span = at..at + word.len();
        at = span.end + 1;
        let Some(items) = Some(word).filter(|word| !word.is_empty()).and_then(items_of) else {
            continue;
        };
        if !used.contains(word) {
            used.insert(word.to_owned());
        }
        out.copy(text, copied..span.start);
        out.trim();
        let after = text.get(span.end..).unwrap_or_default();
        copied = text.len() - after.trim_start_matches(is_blank).len();
        let none = items.iter().all(String::is_empty);
        if none && !out.drop_comma() && text.get(copied..).is_some_and(begins_with_comma) {
            copied += 1;
        }
        let limit = text.len() + MAX_GROWTH;
        out.put_items(items, span.clone(), limit);
        at = copied;
        if out.text.len() > limit {
            let message = format!("with `{word}` the lists of the condition get too long");
            let help = format!("lists may add {} MiB", MAX_GROWTH >> 20);
            return Err(syntax(span, message, help));
        }
    }
    out.copy(text, copied..text.len());
    Ok(Substituted { text: out.text, used, pieces: out.pieces, original: text.len() })
}

impl Substituted {
    /// Where a byte of the text stood in the original; for one that was put in, where
    /// the name of its list begins.
    #[must_use]
    pub fn origin(&self, offset: usize) -> usize {
        self.piece(offset).map_or(self.original, |piece| {
            let inside = if piece.copied { offset - piece.start } else { 0 };
            piece.origin.end.min(piece.origin.start + inside)
        })
    }

    /// Where a span of the text stood in the original, names of lists as a whole.
    #[must_use]
    pub fn origin_span(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.origin(span.start);
        let Some(last) = span.end.checked_sub(1).filter(|last| *last >= span.start) else {
            return start..start;
        };
        let end = match self.piece(last) {
            Some(piece) if !piece.copied => piece.origin.end,
            _ => self.origin(last) + 1,
        };
        start..end.clamp(start, self.original)
    }

    fn piece(&self, offset: usize) -> Option<&Piece> {
        if offset >= self.text.len() {
            return None;
        }
        let after = self.pieces.partition_point(|piece| piece.start <= offset);
        self.pieces.get(after.checked_sub(1)?)
    }
}

/// The text so far and where it comes from.
struct Writer {
    text: String,
    pieces: Vec<Piece>,
}

impl Writer {
    fn copy(&mut self, from: &str, origin: Range<usize>) {
        let part = from.get(origin.clone()).unwrap_or_default();
        if !part.is_empty() {
            self.pieces.push(Piece { start: self.text.len(), origin, copied: true });
            self.text.push_str(part);
        }
    }

    /// Writes items instead of the name; stops where the text is longer than `limit`.
    fn put_items(&mut self, items: &[String], name: Range<usize>, limit: usize) {
        self.pieces.push(Piece { start: self.text.len(), origin: name, copied: false });
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let begin = self.text.len();
        for item in items {
            if self.text.len() > begin {
                self.text.push_str(", ");
            }
            let quote = item.contains(' ') && !item.starts_with(['"', '\'']);
            let quote = if quote { "\"" } else { "" };
            self.text.extend([quote, item, quote]);
            if self.text.len() > limit {
                return;
            }
        }
        self.text.push(' ');
    }

    /// Removes the blanks at the end.
    fn trim(&mut self) {
        self.truncate(self.text.trim_end_matches(is_blank).len());
    }

    /// Removes a comma at the end; true if there was one.
    fn drop_comma(&mut self) -> bool {
        let found = self.text.ends_with(',');
        if found {
            self.truncate(self.text.len() - 1);
        }
        found
    }

    fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        while self.pieces.pop_if(|piece| piece.start >= length).is_some() {}
    }
}

const fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

const fn is_border(char: char) -> bool {
    is_blank(char) || matches!(char, '(' | ')' | ',' | '=')
}

fn begins_with_comma(text: &str) -> bool {
    text.starts_with(',')
}
