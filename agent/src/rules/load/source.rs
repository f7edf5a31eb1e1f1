//! The text of a rule file and where in it things stand. Nothing here knows what
//! the text means.

use std::ops::Range;
use std::sync::Arc;

use crate::rules::diagnostic::Place;

/// Bytes between two checkpoints of the count of characters.
const STEP: usize = 1024;
/// Characters of a long line that an excerpt shows before and after the place.
const AROUND: usize = 120;

/// A rule file's name and text, with what it takes to tell lines and columns of an
/// offset without walking through the file.
#[derive(Debug)]
pub(in crate::rules) struct Source {
    name: Arc<str>,
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// Characters that begin before each multiple of [`STEP`] bytes.
    checkpoints: Vec<usize>,
}

/// Bytes of one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) struct Spot {
    /// The file's place among all.
    pub(in crate::rules) file: usize,
    /// The first byte.
    pub(in crate::rules) start: usize,
    /// The byte behind the last one.
    pub(in crate::rules) end: usize,
}

impl Spot {
    pub(in crate::rules) const fn new(file: usize, range: &Range<usize>) -> Self {
        Self { file, start: range.start, end: range.end }
    }
}

impl Source {
    pub(in crate::rules) fn new(name: Arc<str>, text: String) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = [0].into_iter().chain(after_breaks.map(|(at, _)| at + 1)).collect();
        let mut checkpoints = Vec::with_capacity(text.len() / STEP + 1);
        let mut count = 0;
        for chunk in text.as_bytes().chunks(STEP) {
            checkpoints.push(count);
            count += chunk.iter().filter(|&&byte| begins_character(byte)).count();
        }
        checkpoints.push(count);
        Self { name, text, lines, checkpoints }
    }

    pub(in crate::rules) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(in crate::rules) fn text(&self) -> &str {
        &self.text
    }

    /// The file as a whole.
    pub(in crate::rules) fn whole(&self) -> Place {
        Place::of_file(&self.name)
    }

    /// The place of these bytes. What goes beyond the first line is not underlined.
    pub(in crate::rules) fn place(&self, range: &Range<usize>) -> Place {
        let start = floor(&self.text, range.start);
        let line = self.lines.partition_point(|&begin| begin <= start).saturating_sub(1);
        let begin = self.lines.get(line).copied().unwrap_or(0);
        let next = self.lines.get(line + 1).copied().unwrap_or(self.text.len() + 1);
        let mut end_of_line = next.saturating_sub(1).max(begin);
        if self.text.as_bytes().get(begin..end_of_line).is_some_and(|line| line.ends_with(b"\r")) {
            end_of_line -= 1;
        }
        let start = start.min(end_of_line);
        let end = floor(&self.text, range.end).clamp(start, end_of_line);
        let column = self.characters(start) - self.characters(begin);
        let length = self.characters(end) - self.characters(start);
        let (first, excerpt) = window(&self.text[begin..end_of_line], start - begin);
        Place {
            file: Arc::clone(&self.name),
            line: line + 1,
            column: column + 1,
            offset: start,
            length: length.max(1),
            excerpt: excerpt.to_owned(),
            excerpt_column: self.characters(begin + first) - self.characters(begin) + 1,
        }
    }

    /// Characters that begin before this byte.
    fn characters(&self, offset: usize) -> usize {
        let step = offset / STEP;
        let rest = self.text.as_bytes().get(step * STEP..offset).unwrap_or_default();
        let before = self.checkpoints.get(step).copied().unwrap_or(0);
        before + rest.iter().filter(|&&byte| begins_character(byte)).count()
    }
}

const fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// The nearest boundary of a character at or before this byte.
fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// What to show of a line around a byte of it, and where that begins.
fn window(line: &str, at: usize) -> (usize, &str) {
    let from = line[..at].char_indices().rev().nth(AROUND).map_or(0, |(byte, _)| byte);
    let to = line[at..].char_indices().nth(AROUND).map_or(line.len(), |(byte, _)| at + byte);
    (from, &line[from..to])
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::Source;

    fn check(text: &str, range: Range<usize>, expected: (usize, usize, usize, &str)) {
        let place = Source::new("f".into(), text.to_owned()).place(&range);
        let found = (place.line, place.column, place.length, place.excerpt.as_str());
        assert_eq!(found, expected, "{text:?} {range:?}");
    }

    #[test]
    fn lines_and_columns() {
        check("ab\ncd\n", 0..1, (1, 1, 1, "ab"));
        check("ab\ncd\n", 4..5, (2, 2, 1, "cd"));
        check("ab\r\ncd", 1..9, (1, 2, 1, "ab"));
        // What is at the end of a line or of the file.
        check("ab\ncd\n", 2..2, (1, 3, 1, "ab"));
        check("ab\ncd\n", 6..6, (3, 1, 1, ""));
        check("ab", 99..100, (1, 3, 1, "ab"));
        check("", 0..0, (1, 1, 1, ""));
        // Characters count, not bytes, also when an offset cuts one.
        check("äöü\nß", 2..4, (1, 2, 1, "äöü"));
        check("äöü\nß", 3..4, (1, 2, 1, "äöü"));
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!("{}X{}", "ä".repeat(100_000), "b".repeat(100_000));
        let place = Source::new("f".into(), text).place(&(200_000..200_001));
        assert_eq!((place.line, place.column), (1, 100_001));
        assert!(place.excerpt.len() < 1000, "{}", place.excerpt.len());
        let at = place.column - place.excerpt_column;
        assert_eq!(place.excerpt.chars().nth(at), Some('X'));
    }
}
