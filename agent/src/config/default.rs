//! The default configuration, which is also the example to start from.

/// What a configuration without any file is: every key with its default and what
/// it does. Written from the table of keys; a test keeps it so.
pub const DEFAULT_YAML: &str = include_str!("default.yaml");

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::DEFAULT_YAML;
    use crate::config::keys::KEYS;
    use crate::config::markdown::{stale, wrapped};

    /// Every key under its section, with its description as a comment.
    fn generated() -> String {
        let mut yaml = String::from(
            "# Configuration of landlord: every key with its default. All are optional.\n",
        );
        let mut section = "";
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let (above, name) = key.name.split_once('.').unwrap_or(("", key.name));
            if above.is_empty() || above != section {
                yaml.push('\n');
            }
            if !above.is_empty() && above != section {
                writeln!(yaml, "{above}:").unwrap();
            }
            section = above;
            let indent = if above.is_empty() { "" } else { "  " };
            for line in wrapped(key.about, 76 - indent.len()) {
                writeln!(yaml, "{indent}# {line}").unwrap();
            }
            let space = if key.default.starts_with('\n') { "" } else { " " };
            writeln!(yaml, "{indent}{name}:{space}{}", key.default).unwrap();
        }
        yaml
    }

    #[test]
    fn the_file_is_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/default.yaml");
        assert!(!stale(&path, DEFAULT_YAML, &generated()), "default.yaml was stale; now rewritten");
    }
}
