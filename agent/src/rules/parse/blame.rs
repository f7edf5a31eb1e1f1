//! What to tell people about a condition that cannot be read: what was found, what
//! was expected there, and what was probably meant.
//!
//! Nothing here moves the cursor.

use std::ops::Range;

use super::check::TRANSFORMERS;
use super::cursor::{Cursor, is_blank, is_space, syntax};
use super::{Joint, Last, MAX_DEPTH, is_bare};
use crate::rules::ast::{Modifier, Name, Operand, Operator};
use crate::rules::diagnostic::Problem;
use crate::rules::field::FieldId;
use crate::rules::similar::similar;

/// Spellings of operators in other languages, and what they are called here.
const FOREIGN: [(&str, &str); 21] = [
    ("=>", ">="),
    ("=<", "<="),
    ("<>", "!="),
    (">==", ">="),
    ("<==", "<="),
    ("~=", "regex"),
    ("=~", "regex"),
    ("~", "regex"),
    ("!~", "regex` after `not"),
    (":", "="),
    ("is", "="),
    ("eq", "="),
    ("equals", "="),
    ("ne", "!="),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
    ("like", "glob"),
    ("match", "regex"),
    ("matches", "regex"),
];

/// What stands at the cursor, as a person would name it, and where.
fn found(cursor: &Cursor<'_>) -> (String, Range<usize>) {
    const LONGEST: usize = 40;
    let start = cursor.at();
    let whole = match cursor.peek() {
        None => return ("the end of the condition".to_owned(), start..start),
        Some(b'"' | b'\'') => cursor.quoted_end(start).map_or(1, |end| end - start),
        Some(byte) if is_bare(byte) => cursor.run(is_bare).len(),
        Some(_) => 1,
    };
    let text = cursor.slice(start..start + whole);
    let span = start..start + whole;
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => (format!("`{}…`", visible(&text[..cut])), span),
        None => (format!("`{}`", visible(text)), span),
    }
}

/// A text with its control characters as escapes.
fn visible(text: &str) -> String {
    let show = |char: char| match char.is_control() {
        true => char.escape_debug().to_string(),
        false => char.to_string(),
    };
    text.chars().map(show).collect()
}

fn expected(cursor: &Cursor<'_>, what: &str, help: impl Into<String>) -> Problem {
    let (found, span) = found(cursor);
    syntax(span, format!("expected {what}, found {found}"), help)
}

/// The word at the cursor as far as it is made of letters, digits, `_` and `.`.
fn word<'a>(cursor: &Cursor<'a>) -> &'a str {
    cursor.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

pub(super) fn too_deep(span: Range<usize>) -> Problem {
    let message = format!("the condition is nested deeper than {MAX_DEPTH} levels");
    syntax(span, message, "name its parts as macros, or join levels that need no parentheses")
}

pub(super) fn too_many(at: usize, most: usize, what: &str) -> Problem {
    syntax(at..at, format!("the condition has more than {most} {what}"), "split it")
}

pub(super) fn unclosed(open: Range<usize>, how_many: usize) -> Problem {
    let message = match how_many {
        1 => "this `(` is never closed".to_owned(),
        _ => format!("this `(` and {} before it are never closed", how_many - 1),
    };
    syntax(open, message, "add the missing `)`")
}

pub(super) fn sealed(span: Range<usize>) -> Problem {
    syntax(
        span,
        "`and` cannot follow `or(…)`",
        "write a blank between `or` and `(`: then `and` binds more tightly than `or`",
    )
}

/// `!` or `NOT` where `not` is meant.
pub(super) fn wrong_not(cursor: &Cursor<'_>) -> Option<Problem> {
    let start = cursor.at();
    let wrong = if cursor.peek() == Some(b'!') {
        "!"
    } else {
        let word = word(cursor);
        let blank =
            cursor.byte(start + word.len()).is_some_and(|byte| is_space(byte) || byte == b'(');
        if !(blank && word.eq_ignore_ascii_case("not") && word != "not") {
            return None;
        }
        word
    };
    let message = format!("`{wrong}` does not negate");
    Some(syntax(start..start + wrong.len(), message, "write `not`"))
}

/// What stands where an operand should.
pub(super) fn no_operand(cursor: &Cursor<'_>) -> Problem {
    let help = match cursor.peek() {
        Some(b'"' | b'\'') | Some(b'0'..=b'9') => {
            "the field stands on the left, what it is compared with on the right"
        }
        Some(b'%' | b'$') => "a field is named without a sign before it",
        Some(b'#') => "a condition has no comments",
        _ => "",
    };
    expected(cursor, "a field, a macro, `not` or `(`", help)
}

/// A word that is no macro, because it is a keyword or for what follows it.
pub(super) fn no_macro(cursor: &Cursor<'_>, name: &Name) -> Option<Problem> {
    let text = name.text.as_str();
    let span = name.span.clone();
    if matches!(text, "and" | "or" | "not") {
        let help = format!("something is missing around `{text}`");
        let message = format!("expected a field, a macro, `not` or `(`, found `{text}`");
        return Some(syntax(span, message, help));
    }
    if cursor.peek() == Some(b'(') {
        let help = match similar(text, TRANSFORMERS) {
            _ if text == "val" => "`val(…)` stands on the right of an operator".to_owned(),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", TRANSFORMERS.join(", ")),
        };
        return Some(syntax(span, format!("`{text}` is not a transformer"), help));
    }
    let rest = cursor.rest();
    let after = rest.trim_start_matches(|char| u8::try_from(char).is_ok_and(is_blank));
    let blank = after.len() < rest.len();
    let compared = after.starts_with(['=', '<', '>'])
        || after.starts_with("!=")
        || blank && operator_word(after);
    if !compared {
        return None;
    }
    let fields = FieldId::ALL.iter().map(|id| id.spec().name);
    let help = match similar(text, fields) {
        Some(meant) => format!("did you mean the field `{meant}`?"),
        None => "the name of a field has a dot in it, and a macro cannot be compared".to_owned(),
    };
    Some(syntax(span, format!("`{text}` is not a field"), help))
}

/// True if a text begins with an operator that is a word of its own.
fn operator_word(text: &str) -> bool {
    let word = text.split(|char: char| !char.is_ascii_alphabetic()).next().unwrap_or_default();
    word == "exists" || !word.is_empty() && Operator::ALL.iter().any(|(_, text)| *text == word)
}

pub(super) fn no_field(cursor: &Cursor<'_>) -> Problem {
    expected(cursor, "a field in `val(`", "")
}

pub(super) fn no_argument(cursor: &Cursor<'_>, open: usize) -> Problem {
    let mut problem =
        expected(cursor, "an argument after `[`", "no blanks may stand in the brackets");
    problem.span.start = open;
    problem
}

pub(super) fn no_bracket(cursor: &Cursor<'_>, open: usize) -> Problem {
    let mut problem =
        expected(cursor, "`]`", "an argument with blanks or quotes in it has to be quoted");
    problem.span.start = open;
    problem
}

pub(super) fn no_call_argument(cursor: &Cursor<'_>) -> Problem {
    let help = if cursor.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        "a field has a dot in its name, a text has to be quoted"
    } else {
        ""
    };
    expected(cursor, "a field, a transformer, a quoted text or a number", help)
}

/// What stands where an operator should.
pub(super) fn no_operator(cursor: &Cursor<'_>, left: &Operand) -> Problem {
    let left = match left {
        Operand::Field { name, .. } => name,
        Operand::Call { transformer, .. } => transformer,
    };
    let start = cursor.at();
    let symbols =
        cursor.run(|byte| matches!(byte, b'=' | b'<' | b'>' | b'!' | b'~' | b':' | b'&' | b'|'));
    let word = if symbols.is_empty() { word(cursor) } else { symbols };
    if word.is_empty() || matches!(word, "and" | "or") || is_joint_symbol(word) {
        let help = if cursor.peek() == Some(b'[') {
            "no blank may stand before `[`".to_owned()
        } else {
            format!("compare `{}` with something, or write `{0} exists`", left.text)
        };
        return expected(cursor, "an operator", help);
    }
    let span = start..start + word.len();
    let meant = foreign(word)
        .or_else(|| similar(word, Operator::ALL.iter().map(|(_, text)| *text).chain(["exists"])));
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let all: Vec<_> = Operator::ALL.iter().map(|(_, text)| *text).collect();
            format!("there are {} and exists", all.join(", "))
        }
    };
    syntax(span, format!("`{word}` is not an operator"), help)
}

fn foreign(word: &str) -> Option<&'static str> {
    let lower = word.to_ascii_lowercase();
    FOREIGN.iter().find(|(one, _)| *one == lower).map(|(_, meant)| *meant)
}

fn is_joint_symbol(word: &str) -> bool {
    matches!(word, "&&" | "||" | "&" | "|")
}

pub(super) fn no_blank(cursor: &Cursor<'_>, operator: Range<usize>) -> Problem {
    let word = cursor.slice(operator.clone());
    let all = cursor.run(is_bare);
    let span = operator.start..operator.end + all.len();
    let whole = cursor.slice(span.clone());
    let names = Operator::ALL.iter().map(|(_, text)| *text);
    if cursor.is_at_end() {
        return expected(cursor, &format!("a value after `{word}`"), "");
    }
    match foreign(whole).or_else(|| similar(whole, names)) {
        Some(meant) if meant != word || !all.is_empty() => {
            let message = format!("`{whole}` is not an operator");
            syntax(span, message, format!("did you mean `{meant}`?"))
        }
        _ => {
            let message = format!("a blank has to follow `{word}`");
            syntax(operator, message, "")
        }
    }
}

pub(super) fn no_number(cursor: &Cursor<'_>, operator: &Range<usize>) -> Problem {
    let word = cursor.slice(operator.clone());
    let after = cursor.run(|byte| matches!(byte, b'=' | b'<' | b'>' | b'~'));
    if !after.is_empty() && cursor.at() == operator.end {
        let whole = format!("{word}{after}");
        let help =
            foreign(&whole).map_or(String::new(), |meant| format!("did you mean `{meant}`?"));
        let span = operator.start..operator.end + after.len();
        return syntax(span, format!("`{whole}` is not an operator"), help);
    }
    let what = format!("a number, `val(…)` or a transformer after `{word}`");
    expected(cursor, &what, format!("`{word}` takes a number without quotes"))
}

/// What stands where a literal should.
pub(super) fn no_value(cursor: &Cursor<'_>, operator: &Range<usize>) -> Problem {
    let word = cursor.slice(operator.clone());
    let help = match cursor.peek() {
        Some(b'(') => {
            format!("for one of several write `in (…)`, or `{word} anyof (…)`")
        }
        Some(b'=') if cursor.at() == operator.end => "an operator is `=` or `==`".to_owned(),
        _ => String::new(),
    };
    expected(cursor, &format!("a value after `{word}`"), help)
}

pub(super) fn no_list(cursor: &Cursor<'_>, operator: &Range<usize>) -> Problem {
    let word = cursor.slice(operator.clone());
    let help = match cursor.peek() {
        None | Some(b')') => String::new(),
        Some(_) => {
            let (found, _) = found(cursor);
            format!("write {word} ({})", found.trim_matches('`'))
        }
    };
    expected(cursor, &format!("a list after `{word}`"), help)
}

pub(super) fn no_item(cursor: &Cursor<'_>, start: usize) -> Problem {
    let mut problem = expected(cursor, "a value in the list", "");
    if cursor.is_at_end() {
        problem = unclosed(start..start + 1, 1);
    } else if cursor.peek() == Some(b')') {
        problem.help = Some("remove the comma before `)`".to_owned());
    }
    problem
}

pub(super) fn no_comma(cursor: &Cursor<'_>, start: usize, of: &str) -> Problem {
    if cursor.is_at_end() {
        let whole = cursor.slice(start..cursor.at());
        let end = start + whole.find('(').unwrap_or_default() + 1;
        let message = format!("this `{}` is never closed", cursor.slice(start..end));
        return syntax(start..end, message, "add the missing `)`");
    }
    let help = match of {
        "the list" => "separate the values with commas, and quote those with blanks in them",
        _ => "",
    };
    expected(cursor, &format!("`,` or `)` in {of}"), help)
}

/// What stands where `and`, `or` or the end should; and for what it was probably
/// meant, with its length.
pub(super) fn joint(cursor: &Cursor<'_>, last: &Last) -> (Problem, Option<(Joint, usize)>) {
    let word = cursor.run(|byte| byte.is_ascii_alphabetic());
    let symbols = cursor.run(|byte| matches!(byte, b'&' | b'|'));
    let after = cursor.byte(cursor.at() + word.len());
    let ends = after.is_none_or(|byte| is_blank(byte) || byte == b'(');
    let meant = match (symbols, word.len()) {
        ("&&" | "&", _) => Some(("and", Joint::And, symbols.len())),
        ("||" | "|", _) => Some(("or", Joint::Or, symbols.len())),
        (_, 2..=4) if ends => match similar(word, ["and", "or"]) {
            Some("and") => Some(("and", Joint::And, word.len())),
            Some(_) => Some(("or", Joint::Or, word.len())),
            None => None,
        },
        _ => None,
    };
    if let Some((name, joint, length)) = meant {
        let problem = expected(cursor, "`and`, `or` or the end", format!("did you mean `{name}`?"));
        let start = cursor.at();
        return (Problem { span: start..start + length, ..problem }, Some((joint, length)));
    }
    (misread(cursor, last), None)
}

/// A problem that shows only behind its cause: something before the cursor was not
/// read as it was meant.
fn misread(cursor: &Cursor<'_>, last: &Last) -> Problem {
    let plain = |help: String| expected(cursor, "`and`, `or` or the end", help);
    match last {
        Last::Clear => plain(String::new()),
        Last::Macro(span) => {
            let name = cursor.slice(span.clone());
            if cursor.peek() == Some(b'(') && TRANSFORMERS.contains(&name) {
                return plain(format!("no blank may stand between `{name}` and `(`"));
            }
            plain(format!("`{name}` is taken for a macro"))
        }
        Last::List { operator, name, glued: true } => {
            let span = operator.start..name.end;
            let whole = cursor.slice(span.clone());
            let operator = cursor.slice(operator.clone());
            let message = format!("`{whole}` is not an operator");
            syntax(span, message, format!("did you mean `{operator}`?"))
        }
        Last::List { operator, name, .. } => {
            let (operator, word) = (cursor.slice(operator.clone()), cursor.slice(name.clone()));
            if Modifier::ALL.iter().any(|modifier| modifier.text() == word) {
                let help = format!("leave `{word}` out: {operator} (…)");
                return syntax(name.clone(), format!("`{operator}` takes no `{word}`"), help);
            }
            plain(format!("a list stands in parentheses: {operator} (…, …)"))
        }
        Last::Bare { operator, value } => {
            let whole = operator.start..value.end;
            let (sign, text) = (cursor.slice(operator.clone()), cursor.slice(value.clone()));
            let joined = operator.end == value.start;
            if joined && let Some(meant) = foreign(cursor.slice(whole.clone())) {
                let message = format!("`{}` is not an operator", cursor.slice(whole.clone()));
                return syntax(whole, message, format!("did you mean `{meant}`?"));
            }
            if matches!(text, "and" | "or") {
                let message = format!("expected a value after `{sign}`, found `{text}`");
                return syntax(value.clone(), message, "a value is missing, or needs quotes");
            }
            match cursor.peek() {
                Some(b',') => plain("for one of several write `in (…, …)`".to_owned()),
                Some(b'=' | b'(' | b'"' | b'\'') => plain(
                    "a value with `=`, blanks, quotes or parentheses in it has to be quoted"
                        .to_owned(),
                ),
                _ => plain("a value with blanks in it has to be quoted".to_owned()),
            }
        }
    }
}
