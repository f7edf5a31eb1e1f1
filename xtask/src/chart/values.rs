//! Reads `values.yaml` as a table: each key with its place, meaning and default.
//!
//! A key's meaning is the comment above it. Lines that begin with `@schema` hold, as
//! JSON, what else its schema says. A key whose children have comments is a group of
//! keys; any other is one value, however deep.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

/// One key, or a group of them.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Names from the top down.
    pub(super) path: Vec<String>,
    /// In full sentences; empty for groups that need none.
    pub(super) about: String,
    /// What its schema says beside type and default.
    pub(super) schema: Map<String, Value>,
    /// `None` for groups.
    pub(super) default: Option<Value>,
}

impl Entry {
    /// The name with dots.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Parses the file; all keys in their order, groups before what is in them.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>> {
    let defaults: Value = serde_saphyr::from_str(text).context("not YAML")?;
    let lines: Vec<&str> = text.lines().collect();
    let mut entries: Vec<Entry> = Vec::new();
    let (mut about, mut schema) = (Vec::new(), String::new());
    // Indentation and name of the groups above, and of a value whose inner lines
    // are passed over.
    let mut groups: Vec<(usize, String)> = Vec::new();
    let mut value: Option<usize> = None;
    for (number, line) in lines.iter().enumerate() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if value.is_some_and(|outer| indent > outer && !content.is_empty()) {
            continue;
        }
        if content.is_empty() {
            about.clear();
            schema.clear();
        } else if let Some(comment) = content.strip_prefix('#') {
            match comment.trim().strip_prefix("@schema ") {
                Some(json) => schema.push_str(json),
                None => about.push(comment.trim()),
            }
        } else {
            let (name, _) = content
                .split_once(':')
                .with_context(|| format!("line {}: not a key", number + 1))?;
            groups.retain(|(outer, _)| *outer < indent);
            let is_group = is_group(&lines[number + 1..], indent);
            value = (!is_group).then_some(indent);
            let mut path: Vec<String> = groups.iter().map(|(_, name)| name.clone()).collect();
            path.push(name.to_owned());
            if is_group {
                groups.push((indent, name.to_owned()));
            }
            let entry = Entry {
                about: about.join(" "),
                schema: extra(&schema).with_context(|| format!("line {}", number + 1))?,
                default: if is_group { None } else { Some(at(&defaults, &path)?.clone()) },
                path,
            };
            ensure!(is_group || !entry.about.is_empty(), "{}: no comment", entry.name());
            entries.push(entry);
            about.clear();
            schema.clear();
        }
    }
    Ok(entries)
}

/// True when the first line within has a comment.
fn is_group(after: &[&str], indent: usize) -> bool {
    after.iter().find(|line| !line.trim().is_empty()).is_some_and(|line| {
        let content = line.trim_start();
        content.starts_with('#') && line.len() - content.len() > indent
    })
}

fn extra(json: &str) -> Result<Map<String, Value>> {
    if json.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(json).context("@schema")? {
        Value::Object(map) => Ok(map),
        _ => bail!("@schema: not an object"),
    }
}

fn at<'a>(defaults: &'a Value, path: &[String]) -> Result<&'a Value> {
    path.iter()
        .try_fold(defaults, |value, name| value.get(name))
        .with_context(|| format!("{}: not where its comment is", path.join(".")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::parse;

    #[test]
    fn keys_with_place_meaning_and_default() {
        let check = |text: &str, expected: &[(&str, &str, Option<Value>)]| {
            let entries = parse(text).unwrap();
            let found: Vec<_> =
                entries.iter().map(|e| (e.name(), e.about.clone(), e.default.clone())).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, about, default)| {
                    ((*name).to_owned(), (*about).to_owned(), default.clone())
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check("# A.\na: 1\n", &[("a", "A.", Some(json!(1)))]);
        check("# Two\n# lines.\na: x\n", &[("a", "Two lines.", Some(json!("x")))]);
        check("# Of the file.\n\n# A.\na: []\n", &[("a", "A.", Some(json!([])))]);
        check(
            "g:\n  # A.\n  a: 1\n  # B.\n  b: true\n# C.\nc: {}\n",
            &[
                ("g", "", None),
                ("g.a", "A.", Some(json!(1))),
                ("g.b", "B.", Some(json!(true))),
                ("c", "C.", Some(json!({}))),
            ],
        );
        check(
            "# A.\na:\n  deep:\n    # inner\n    x: 1\n  list:\n    - y: 2\n# B.\nb: 1\n",
            &[
                ("a", "A.", Some(json!({"deep": {"x": 1}, "list": [{"y": 2}]}))),
                ("b", "B.", Some(json!(1))),
            ],
        );
    }

    #[test]
    fn what_the_schema_says_besides() {
        let entries = parse("# A.\n# @schema {\"enum\":\n# @schema [1, 2]}\na: 1\n").unwrap();
        assert_eq!(Value::from(entries[0].schema.clone()), json!({"enum": [1, 2]}));
        assert_eq!(entries[0].about, "A.");
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expected: &str| {
            assert_eq!(format!("{:#}", parse(text).unwrap_err()), expected, "{text}");
        };
        check("a: 1\n", "a: no comment");
        check("g:\n  # A.\n  a: 1\n  b: 2\n", "g.b: no comment");
        check("# A.\n# @schema [1]\na: 1\n", "line 3: @schema: not an object");
    }
}
