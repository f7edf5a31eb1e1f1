//! From an offset in the value of a YAML text back to the file.
//!
//! Folding, indentation, quotes and escapes only take away or exchange blanks and
//! replace single characters. So the value and what the file says are walked side
//! by side: a character that is no blank stands for its like, a run of blanks for
//! a run of blanks.

use std::ops::Range;

use super::yaml::Style;

/// Where the bytes of a text come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Offsets in the value and in the file from which on both go on in step.
    steps: Vec<(usize, usize)>,
    /// Where the text ends in the file.
    end: usize,
}

impl Origin {
    /// `range` are the text's bytes in the file, and `file` is the whole file.
    pub(super) fn of(file: &str, range: &Range<usize>, style: Style, value: &str) -> Self {
        let raw = file.get(range.clone()).unwrap_or_default();
        let mut steps = vec![(0, range.start)];
        let mut written = Written { raw, at: 0, style };
        if matches!(style, Style::Single | Style::Double) {
            written.at = 1;
        }
        let mut from = value.char_indices().peekable();
        while let Some(&(_, character)) = from.peek() {
            let blank = is_blank(character);
            if blank {
                // Blanks of a run answer one another in order; those of the longer
                // side that are left over belong to the last one.
                while let Some((offset, _)) = from.next_if(|&(_, next)| is_blank(next)) {
                    step(&mut steps, offset, range.start + written.at);
                    if let Some((_, after)) = written.peek().filter(|&(blank, _)| blank) {
                        written.at = after;
                    }
                }
            }
            while let Some((_, after)) = written.peek().filter(|&(blank, _)| blank) {
                written.at = after;
            }
            if !blank {
                let Some((_, after)) = written.peek() else { break };
                let Some((offset, _)) = from.next() else { break };
                step(&mut steps, offset, range.start + written.at);
                written.at = after;
            }
        }
        Self { steps, end: range.end }
    }

    /// The offset in the file of an offset in the value.
    pub(super) fn locate(&self, offset: usize) -> usize {
        let step = self.steps.partition_point(|&(value, _)| value <= offset).saturating_sub(1);
        let &(value, file) = self.steps.get(step).unwrap_or(&(0, self.end));
        (file + offset.saturating_sub(value)).min(self.end)
    }
}

/// Notes that an offset in the value is one in the file, if that does not follow.
fn step(steps: &mut Vec<(usize, usize)>, value: usize, file: usize) {
    let follows = steps.last().is_some_and(|last| value + last.1 == file + last.0);
    if !follows {
        steps.push((value, file));
    }
}

const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// A text as the file has it.
struct Written<'a> {
    raw: &'a str,
    at: usize,
    style: Style,
}

impl Written<'_> {
    /// Whether the next character of the value is a blank (or none at all, as an
    /// escaped break), and where the one after it begins.
    fn peek(&self) -> Option<(bool, usize)> {
        let rest = self.raw.get(self.at..)?;
        let mut characters = rest.chars();
        let first = characters.next()?;
        let length = match (self.style, first, characters.next()) {
            (Style::Single, '\'', Some('\'')) => 2,
            (Style::Double, '\\', Some(escape)) => {
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    't' | 'n' | 'r' | ' ' | '\t' | '\n' | '\r' => return Some((true, self.at + 2)),
                    _ => 0,
                };
                let hex = rest.get(2..2 + digits).unwrap_or_default();
                let code = u32::from_str_radix(hex, 16).ok();
                // Two surrogates are one character.
                let surrogates = code.is_some_and(|code| (0xd800..0xdc00).contains(&code));
                let length = 1 + escape.len_utf8() + digits;
                let blank = code.and_then(char::from_u32).is_some_and(is_blank);
                return Some((blank, self.at + if surrogates { 2 * length } else { length }));
            }
            _ => first.len_utf8(),
        };
        Some((is_blank(first), self.at + length))
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::load::yaml::{Value, documents};

    use super::Origin;

    /// In `file`, the value's `word` comes from where `«` stands.
    fn check(marked: &str, word: &str) {
        let expected = marked.find('«').unwrap();
        let file = marked.replace('«', "");
        let (documents, failure) = documents(&file);
        assert_eq!(failure, None, "{file}");
        let Value::Mapping(entries) = &documents[0].value else { panic!("{file}") };
        let node = &entries[0].1;
        let Value::Scalar(value, style) = &node.value else { panic!("{file}") };
        let origin = Origin::of(&file, &node.range, *style, value);
        let offset = value.find(word).unwrap();
        assert_eq!(origin.locate(offset), expected, "{file:?} → {value:?}: {origin:?}");
    }

    #[test]
    fn every_style() {
        check("a: one «two", "two");
        check("a: one\n     «two\n", "two");
        check("a: one   \n\n\n     «two\n", "two");
        check("a: 'one «two'", "two");
        check("a: 'it''s «two'", "two");
        check("a: 'one\n\n  «two'", "two");
        check("a: \"one «two\"", "two");
        check("a: \"\\x41\\u00e4\\\"\\t «two\"", "two");
        check("a: \"\\uD83D\\uDE00«two\"", "two");
        check("a: \"one \\\n     «two\"", "two");
        check("a: \"\\u0020\\n«two\"", "two");
        check("a: >\n  one\n  «two\n", "two");
        check("a: >- # why\n    one\n\n    three\n    «two\n", "two");
        check("a: |\n  one\n    «two\n", "two");
        check("a: |2\n    one\n  «two\n", "two");
        check("a: >\r\n  one\r\n  «two\r\n", "two");
        check("ä: >\n  ä ö\n  «two\n", "two");
        check("a: >\n  one\n   more\n  «two\n", "two");
    }

    #[test]
    fn the_end() {
        let origin = Origin::of("a: 'b'", &(3..6), crate::rules::load::yaml::Style::Single, "b");
        assert_eq!((origin.locate(0), origin.locate(1), origin.locate(9)), (4, 5, 6));
    }
}
