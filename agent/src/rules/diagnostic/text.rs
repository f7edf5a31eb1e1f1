//! Findings for people: what is wrong, the place, the line with what it is about
//! underlined, and what to do.

use unicode_width::UnicodeWidthChar as _;

use super::{Diagnostic, FileReport, Place, Severity};

/// Columns that a tab takes.
const TAB: &str = "    ";

/// All findings of a file, in its order, with a blank line after each. Nothing if
/// there are none.
#[must_use]
pub fn text(report: &FileReport, coloured: bool) -> String {
    let mut text = String::new();
    for diagnostic in &report.diagnostics {
        write(&mut text, diagnostic, coloured);
        text.push('\n');
    }
    text
}

/// What came of a file, in Falco's words: `f: Ok`, `f: Ok, with warnings` or `f:
/// Invalid`.
#[must_use]
pub fn summary(report: &FileReport) -> String {
    let outcome = if report.failed() {
        "Invalid"
    } else if report.diagnostics.is_empty() {
        "Ok"
    } else {
        "Ok, with warnings"
    };
    format!("{}: {outcome}", printable(&report.file))
}

/// Colours, or none.
struct Palette {
    strong: &'static str,
    severity: &'static str,
    faint: &'static str,
    off: &'static str,
}

impl Palette {
    const fn of(severity: Severity, coloured: bool) -> Self {
        if !coloured {
            return Self { strong: "", severity: "", faint: "", off: "" };
        }
        let severity = match severity {
            Severity::Error => "\x1b[1;31m",
            Severity::Warning => "\x1b[1;33m",
        };
        Self { strong: "\x1b[1m", severity, faint: "\x1b[2m", off: "\x1b[0m" }
    }
}

fn write(text: &mut String, diagnostic: &Diagnostic, coloured: bool) {
    let severity = diagnostic.code.severity();
    let Palette { strong, severity: colour, faint, off } = Palette::of(severity, coloured);
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let message = printable(&diagnostic.message);
    *text += &format!("{colour}{word}{off}{strong}: {message}{off}\n");
    let place = &diagnostic.place;
    let number = if place.line == 0 { String::new() } else { place.line.to_string() };
    let margin = number.len();
    let around = around(diagnostic);
    *text += &format!("{:margin$}{faint}-->{off} {}{around}\n", "", position(place));
    if place.line > 0 {
        let (line, before, length) = drawn(place);
        *text += &format!("{:margin$} {faint}|{off}\n", "");
        *text += &format!("{faint}{number} |{off} {line}\n");
        let underline = "^".repeat(length);
        *text += &format!("{:margin$} {faint}|{off} {:before$}{colour}{underline}{off}\n", "", "");
    }
    if let Some(help) = &diagnostic.help {
        *text += &format!("{:margin$} {faint}={off} help: {}\n", "", printable(help));
    }
}

fn position(place: &Place) -> String {
    let file = printable(&place.file);
    match (place.line, place.column) {
        (0, _) => file,
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    }
}

/// The rule, macro or list that it is in.
fn around(diagnostic: &Diagnostic) -> String {
    let named = diagnostic.items.iter().find(|item| !item.name.is_empty());
    named.map_or_else(String::new, |item| format!(" ({} `{}`)", item.kind, printable(&item.name)))
}

/// The line as it is shown, the columns before the underlined part, and those of it.
fn drawn(place: &Place) -> (String, usize, usize) {
    let begin = place.column.saturating_sub(place.excerpt_column);
    let mut line = String::new();
    let (mut before, mut length) = (0, 0);
    if place.excerpt_column > 1 {
        line.push('…');
        before = 1;
    }
    for (nth, character) in place.excerpt.chars().enumerate() {
        let from = line.len();
        match character {
            '\t' => line.push_str(TAB),
            control if control.width().is_none() => line.push('\u{fffd}'),
            other => line.push(other),
        }
        let width: usize = line[from..].chars().filter_map(|shown| shown.width()).sum();
        if nth < begin {
            before += width;
        } else if nth < begin + place.length {
            length += width;
        }
    }
    (line.trim_end().to_owned(), before, length.max(1))
}

/// Without characters that would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect()
}
