//! The Rust source of the workspace, with and without its words for humans.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{files, workspace};

/// The folders that hold the packages.
const PACKAGES: [&str; 4] = ["agent", "agent-ebpf", "tests", "xtask"];

/// A file of Rust source.
pub(super) struct Source {
    /// Relative to the workspace.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Source {
    /// Every file of every package.
    pub(super) fn all() -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for package in PACKAGES {
            collect(Path::new(package), &mut all)?;
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    /// The words of the code, each with the number of its line, the first being
    /// 1: no comments, no strings.
    pub(super) fn words(&self) -> Vec<(usize, String)> {
        let mut words = Vec::new();
        for (line, code) in code_only(&self.text).lines().enumerate() {
            let parts = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.extend(
                parts.filter(|word| !word.is_empty()).map(|word| (line + 1, word.to_owned())),
            );
        }
        words
    }
}

fn collect(folder: &Path, all: &mut Vec<Source>) -> Result<()> {
    for full in files::list(&workspace::root().join(folder))? {
        let name = full.file_name().unwrap_or_default();
        let path = folder.join(name);
        if full.is_dir() {
            let name = name.to_string_lossy();
            if name != "target" && !name.starts_with('.') {
                collect(&path, all)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = files::read_text(&full)?;
            all.push(Source { path, text });
        }
    }
    Ok(())
}

/// The text with comments, strings and characters blanked, line for line.
fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, is_code) = token(rest, code.chars().next_back());
        let (token, after) = rest.split_at(length.max(first.len_utf8()));
        if is_code {
            code.push_str(token);
        } else {
            // The quote keeps words apart; lines stay where they are.
            code.push(' ');
            code.extend(token.chars().filter(|c| *c == '\n'));
        }
        rest = after;
    }
    code
}

/// The length of what the text starts with, and whether it is code.
fn token(text: &str, before: Option<char>) -> (usize, bool) {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), false);
    }
    if text.starts_with("/*") {
        return (block_comment(text), false);
    }
    if !in_word && let Some(length) = raw_string(text) {
        return (length, false);
    }
    if text.starts_with('"') {
        return (quoted(text, '"'), false);
    }
    // A lifetime has no second quote after its first character.
    if let Some(inner) = text.strip_prefix('\'') {
        let mut chars = inner.chars();
        let (first, second) = (chars.next(), chars.next());
        if first == Some('\\') || second == Some('\'') {
            return (quoted(text, '\''), false);
        }
    }
    (1, true)
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r#"…"#` with its prefix, if the text starts with one.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '#']))
    })?;
    let rest = text.get(prefix.len()..)?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(prefix.len() + hashes + 1 + length)
}

/// The length of a literal between two of the same quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn check(text: &str, expected: &[(usize, &str)]) {
        let source = Source { path: "x.rs".into(), text: text.to_owned() };
        let words = source.words();
        let words: Vec<_> = words.iter().map(|(line, word)| (*line, word.as_str())).collect();
        assert_eq!(words, expected, "{text}");
    }

    #[test]
    fn words_of_code_only() {
        check(
            "use aya::maps; // tokio\n/// kube\nx",
            &[(1, "use"), (1, "aya"), (1, "maps"), (3, "x")],
        );
        check("a /* aya /* kube */ tokio */ b", &[(1, "a"), (1, "b")]);
        check("f(\"aya \\\" kube\", b\"tokio\\\\\", x)", &[(1, "f"), (1, "b"), (1, "x")]);
        check("r#\"aya \" kube\"# br\"x\" y", &[(1, "y")]);
        check("\"two\nlines\" z", &[(2, "z")]);
        check(
            "fn f<'a>(x: &'a str) { '\\'' ; 'x' }",
            &[(1, "fn"), (1, "f"), (1, "a"), (1, "x"), (1, "a"), (1, "str")],
        );
        check("unsafe_code r#type für", &[(1, "unsafe_code"), (1, "r"), (1, "type"), (1, "für")]);
    }
}
