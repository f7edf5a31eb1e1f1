//! With which rules the agent watches while it is measured.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::workspace;

/// Variable with the folder of Falco's rule files.
const FOLDER: &str = "LANDLORD_FALCO_RULES";
/// Where they are, else, beside the workspace.
const BESIDE: &str = "../shared/falco-rules";
/// Names of Falco's files, in the order in which Falco would load them.
const FILES: [&str; 4] = [
    "falco_rules.yaml",
    "falco-incubating_rules.yaml",
    "falco-sandbox_rules.yaml",
    "falco-deprecated_rules.yaml",
];

/// Name of the file that enables all.
const ALL: &str = "all.yaml";

/// Falco's rules, all of them enabled.
#[derive(Debug)]
pub(crate) struct Official {
    files: Vec<PathBuf>,
    /// Has one file, which enables what they leave disabled. The agent looks after the
    /// folders of its files, so it is none that others use.
    own: TempDir,
}

impl Official {
    /// Those that are at hand, if any are.
    pub(crate) fn find() -> Result<Option<Self>> {
        let folder =
            std::env::var_os(FOLDER).map_or_else(|| workspace::root().join(BESIDE), PathBuf::from);
        let files = FILES.iter().map(|name| folder.join(name));
        let files: Vec<PathBuf> = files.filter(|file| file.is_file()).collect();
        if files.is_empty() {
            return Ok(None);
        }
        let mut enabled = String::new();
        for file in &files {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {file:?}"))?;
            enabled.push_str(&enable_all(&text));
        }
        let own = TempDir::new().context("cannot make a folder")?;
        fs::write(own.path().join(ALL), enabled).context("cannot write a rule file")?;
        Ok(Some(Self { files, own }))
    }

    /// The files, in order.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        self.files.iter().cloned().chain([self.own.path().join(ALL)]).collect()
    }
}

/// A rule file that enables each rule of another one.
fn enable_all(rules: &str) -> String {
    let names = rules.lines().filter_map(|line| line.strip_prefix("- rule:"));
    let enabled = |name: &str| {
        let name = name.trim();
        format!("- rule: {name}\n  enabled: true\n  override:\n    enabled: replace\n")
    };
    names.map(enabled).collect()
}

#[cfg(test)]
mod tests {
    use super::enable_all;

    #[test]
    fn every_rule_is_enabled() {
        let check = |rules: &str, expected: &str| assert_eq!(enable_all(rules), expected);
        check("- macro: a\n  condition: b\n", "");
        check(
            "- rule: A b\n  enabled: false\n",
            "- rule: A b\n  enabled: true\n  override:\n    enabled: replace\n",
        );
    }
}
