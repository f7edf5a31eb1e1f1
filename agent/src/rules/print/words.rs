//! Words of a condition with the quotes they need where they stand.

use std::fmt::Write as _;

use crate::rules::ast::Modifier;
use crate::rules::parse::is_bare;

/// Where a literal stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind an operator.
    Value,
    /// In the list behind an operator.
    List,
    /// Among the arguments of a transformer, where every text is quoted.
    Call,
}

/// Writes a literal, in quotes if it cannot stand there without.
pub(super) fn quote_literal(out: &mut String, bytes: &[u8], place: Place) {
    let is_modifier = |text: &str| Modifier::ALL.iter().any(|one| one.text() == text);
    let plain = |text: &&str| {
        !text.is_empty()
            && text.bytes().all(|byte| is_bare(byte) && !byte.is_ascii_control())
            && !(place == Place::Value && (is_modifier(text) || matches!(*text, "and" | "or")))
    };
    match std::str::from_utf8(bytes).ok().filter(plain) {
        Some(text) if place != Place::Call => out.push_str(text),
        _ => quote(out, bytes),
    }
}

/// Writes `[argument]`.
pub(super) fn quote_argument(out: &mut String, argument: &str) {
    let special = |char: char| {
        char.is_ascii_whitespace() || char.is_ascii_control() || "[]\"'".contains(char)
    };
    out.push('[');
    if argument.is_empty() || argument.contains(special) {
        quote(out, argument.as_bytes());
    } else {
        out.push_str(argument);
    }
    out.push(']');
}

/// Writes `(…, …)`.
pub(super) fn write_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push('(');
    for (nth, item) in items.into_iter().enumerate() {
        if nth > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
    out.push(')');
}

/// Writes a text in quotes.
fn quote(out: &mut String, bytes: &[u8]) {
    // A quote behind a backslash does not close the text, even behind two of them; but
    // a backslash and a blank stand for a backslash.
    let (bytes, end) = match bytes.strip_suffix(b"\\") {
        Some(rest) => (rest, "\\ \""),
        None => (bytes, "\""),
    };
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                control if control.is_ascii_control() => {
                    write_hex(out, control.encode_utf8(&mut [0; 4]).as_bytes());
                }
                plain => out.push(plain),
            }
        }
        write_hex(out, chunk.invalid());
    }
    out.push_str(end);
}

fn write_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        if write!(out, "\\x{byte:02x}").is_err() {
            // Writing to a String does not fail.
            return;
        }
    }
}
