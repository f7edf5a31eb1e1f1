//! A place in the text of a condition, and the words that can begin there.
//!
//! Every function either takes a whole word and moves past it, or leaves the place
//! as it was. None knows what the word is for.

use std::ops::Range;

use super::MAX_PROBLEMS;
use crate::rules::ast::{Name, Text};
use crate::rules::diagnostic::{Problem, ProblemKind};

/// A text and a place in it, which is always between two characters.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn slice(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    /// The byte at an offset.
    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Moves past `length` bytes, which end between two characters.
    pub(super) fn advance(&mut self, length: usize) {
        self.at = self.text.len().min(self.at + length);
    }

    /// Moves to a place that was passed.
    pub(super) fn go_back(&mut self, at: usize) {
        self.at = self.at.min(at);
    }

    /// Moves to the end.
    pub(super) const fn finish(&mut self) {
        self.at = self.text.len();
    }

    /// Moves past blanks; true if there were any.
    pub(super) fn blanks(&mut self) -> bool {
        self.take(is_blank).is_some()
    }

    /// Moves past `token` if it is next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.advance(token.len());
        }
        found
    }

    /// The longest run of bytes that pass, at least one. `accept` has to pass all
    /// bytes that are not ASCII or none, so that no character is split.
    pub(super) fn run(&self, accept: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !accept(byte)).unwrap_or(rest.len());
        rest.get(..length).unwrap_or_default()
    }

    fn take(&mut self, accept: impl Fn(u8) -> bool) -> Option<&'a str> {
        let run = self.run(accept);
        self.advance(run.len());
        (!run.is_empty()).then_some(run)
    }

    fn name(&self, text: &str) -> Name {
        Name { text: text.to_owned(), span: self.at - text.len()..self.at }
    }

    /// A word of letters, digits and `_` that begins with a letter.
    pub(super) fn identifier(&mut self) -> Option<Name> {
        let word = self.take_identifier()?;
        Some(self.name(word))
    }

    fn take_identifier(&mut self) -> Option<&'a str> {
        self.peek().filter(u8::is_ascii_alphabetic)?;
        self.take(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// Two or more identifiers with dots between them.
    pub(super) fn field_name(&mut self) -> Option<Name> {
        let start = self.at;
        self.take_identifier()?;
        let mut end = self.at;
        let mut dots = 0;
        while self.eat(".") && self.take_identifier().is_some() {
            end = self.at;
            dots += 1;
        }
        self.at = if dots > 0 { end } else { start };
        (dots > 0).then(|| self.name(self.slice(start..end)))
    }

    /// A number, hexadecimal after `0x`; as it is written.
    pub(super) fn number(&mut self) -> Option<Name> {
        let start = self.at;
        if self.eat("0x") || self.eat("0X") {
            if self.take(|byte| byte.is_ascii_hexdigit()).is_some() {
                return Some(self.name(self.slice(start..self.at)));
            }
            self.at = start;
        }
        if !self.eat("+") {
            self.eat("-");
        }
        if self.take(|byte| byte.is_ascii_digit()).is_none() {
            self.at = start;
            return None;
        }
        if self.eat(".") {
            self.take(|byte| byte.is_ascii_digit());
        }
        let mantissa = self.at;
        let signed = (self.eat("e") || self.eat("E")) && (self.eat("+") || self.eat("-"));
        if !signed || self.take(|byte| byte.is_ascii_digit()).is_none() {
            self.at = mantissa;
        }
        Some(self.name(self.slice(start..self.at)))
    }

    /// A word without quotes, where a literal may stand.
    pub(super) fn bare(&mut self) -> Option<Text> {
        let word = self.take(is_bare)?;
        Some(Text { bytes: word.as_bytes().to_vec(), span: self.at - word.len()..self.at })
    }

    /// A word without quotes, in the brackets after a field.
    pub(super) fn bare_argument(&mut self) -> Option<Name> {
        let word =
            self.take(|byte| !is_space(byte) && !matches!(byte, b'[' | b']' | b'"' | b'\''))?;
        Some(self.name(word))
    }

    /// Where the quoted text that begins at `start` ends, its closing quote included.
    ///
    /// A quote after a backslash never closes, even if that backslash is itself
    /// escaped: so it is in Falco, and so `"C:\\"` is not closed there either.
    pub(super) fn quoted_end(&self, start: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let quote = bytes.get(start)?;
        let mut from = start + 1;
        loop {
            let found = from + bytes.get(from..)?.iter().position(|byte| byte == quote)?;
            if bytes.get(found - 1) != Some(&b'\\') {
                return Some(found + 1);
            }
            from = found + 1;
        }
    }

    /// A text in quotes, unescaped, if there is one. Escapes that do not exist are
    /// told to `problems` and read as nothing; a text without an end is an error.
    pub(super) fn quoted(&mut self, problems: &mut Vec<Problem>) -> Result<Option<Text>, Problem> {
        let Some(quote @ (b'"' | b'\'')) = self.peek() else { return Ok(None) };
        let start = self.at;
        let quote = char::from(quote);
        let Some(end) = self.quoted_end(start) else {
            let message = format!("the text that begins with this {quote} has no end");
            let help = if self.rest().ends_with(&format!("\\{quote}")) {
                format!(
                    "a {quote} after a backslash does not close; for a backslash at the end \
                         write a backslash and a blank before the {quote}"
                )
            } else {
                format!("close it with another {quote}")
            };
            return Err(syntax(start..start + 1, message, help));
        };
        self.at = end;
        let bytes = unescape(self.slice(start + 1..end - 1), start + 1, quote, problems);
        Ok(Some(Text { bytes, span: start..end }))
    }
}

fn unescape(inner: &str, offset: usize, quote: char, problems: &mut Vec<Problem>) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let begin = offset + (inner.len() - escape.len());
        let mut after = escape.chars();
        after.next();
        let letter = after.next();
        rest = after.as_str();
        match letter {
            Some('b') => out.push(8),
            Some('f') => out.push(12),
            Some('n') => out.push(b'\n'),
            Some('r') => out.push(b'\r'),
            Some('t') => out.push(b'\t'),
            // A backslash before a blank is a backslash alone, because rules were
            // written so before there were escapes.
            Some('\\' | ' ') => out.push(b'\\'),
            Some('/') => out.push(b'/'),
            Some('x') if hex(rest).is_some() => {
                out.extend(hex(rest));
                rest = rest.get(2..).unwrap_or_default();
            }
            Some(letter) if letter == quote => out.extend(letter.to_string().bytes()),
            Some(letter) if problems.len() < MAX_PROBLEMS => {
                problems.push(bad_escape(begin, letter, quote));
            }
            Some(_) | None => {}
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn hex(text: &str) -> Option<u8> {
    let digits = text.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

fn bad_escape(begin: usize, letter: char, quote: char) -> Problem {
    let help = match letter {
        '"' | '\'' => format!("inside {quote} quotes a {letter} needs no backslash"),
        'x' => "two hexadecimal digits have to follow, such as \\x1b".to_owned(),
        _ => format!(
            "write \\\\ for a backslash; there are \\b \\f \\n \\r \\t \\\\ \\/ \\xHH and \\{quote}"
        ),
    };
    let message = format!("\\{letter} is not an escape");
    syntax(begin..begin + 1 + letter.len_utf8(), message, help)
}

/// A problem with the form of the text.
pub(super) fn syntax(
    span: Range<usize>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Problem {
    let help = Some(help.into()).filter(|help| !help.is_empty());
    Problem { span, message: message.into(), help, kind: ProblemKind::Syntax }
}

/// What may stand between words.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 8 | b'\r' | b'\n')
}

/// What ends a word, and may follow `not`: the blanks of the C locale.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// What a word without quotes consists of.
pub(in crate::rules) const fn is_bare(byte: u8) -> bool {
    !is_space(byte) && !matches!(byte, b'(' | b')' | b'"' | b'\'' | b'=' | b',')
}
