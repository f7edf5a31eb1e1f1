//! Names that say nothing, and files that say too much.

use super::source::Source;
use crate::shell;

/// Names under which anything could be filed, so that nothing is found there.
const EMPTY_NAMES: [&str; 9] =
    ["common", "helper", "helpers", "manager", "misc", "opts", "types", "util", "utils"];

/// Lines from which on a file is worth splitting, and those it may not exceed.
const LONG: usize = 400;
const TOO_LONG: usize = 800;

/// Where files are one long table each, and so are read by searching.
const TABLES: [&str; 2] = ["agent/src/syscalls", "agent/src/rules/event_type/table.rs"];

/// Modules with a name that says nothing.
pub(super) fn names(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let path = source.path.with_extension("");
        let file_names =
            path.iter().filter_map(|part| part.to_str()).map(|name| (1, name.to_owned()));
        let words = source.words();
        let modules = words.windows(2).filter_map(|pair| match pair {
            [(_, keyword), (line, name)] if keyword == "mod" => Some((*line, name.clone())),
            _ => None,
        });
        let hits =
            file_names.chain(modules).filter(|(_, name)| EMPTY_NAMES.contains(&name.as_str()));
        findings.extend(hits.map(|(line, name)| {
            format!("{}:{line}: a module named `{name}` says nothing", source.path.display())
        }));
    }
    findings
}

/// Files that are too long; a long one is a warning.
pub(super) fn lengths(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        let lines = source.text.lines().count();
        if lines <= LONG || TABLES.iter().any(|table| source.path.starts_with(table)) {
            continue;
        }
        let length = format!("{}: {lines} lines", source.path.display());
        if lines > TOO_LONG {
            findings.push(format!("{length}, more than {TOO_LONG}"));
        } else {
            shell::warn(format_args!("{length}; two smaller rooms may read better"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Source, lengths, names};

    fn source(path: &str, text: String) -> [Source; 1] {
        [Source { path: path.into(), text }]
    }

    #[test]
    fn empty_names_are_found_in_paths_and_declarations() {
        let check = |path: &str, text: &str, expected: &[&str]| {
            assert_eq!(names(&source(path, text.to_owned())), expected);
        };
        check(
            "agent/src/util.rs",
            "",
            &["agent/src/util.rs:1: a module named `util` says nothing"],
        );
        check(
            "agent/src/common/mod.rs",
            "",
            &["agent/src/common/mod.rs:1: a module named `common` says nothing"],
        );
        check(
            "agent/src/lib.rs",
            "\nmod types {}",
            &["agent/src/lib.rs:2: a module named `types` says nothing"],
        );
        check("agent/src/lib.rs", "mod meters; // util\nlet types = 1;", &[]);
    }

    #[test]
    fn too_long_is_an_error() {
        let check = |path: &str, lines: usize, expected: &[&str]| {
            assert_eq!(lengths(&source(path, "x\n".repeat(lines))), expected);
        };
        check("agent/src/a.rs", 800, &[]);
        check("agent/src/a.rs", 801, &["agent/src/a.rs: 801 lines, more than 800"]);
        check("agent/src/syscalls/x86_64.rs", 801, &[]);
    }
}
