//! Speaks to `driver.py`, which calls Helm.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{ValueSet, folder};
use crate::{files, workspace};

const DRIVER: &str = include_str!("driver.py");

/// The oldest Kubernetes that the chart is for, as `Chart.yaml` says.
pub(super) const OLDEST: &str = "1.30";

/// What to render and to validate.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    chart: String,
    release: &'static str,
    namespace: &'static str,
    oldest: &'static str,
    /// JSON schemas of custom resources by `apiVersion/kind`.
    schemas: Value,
    /// The JSON schema of the agent's configuration.
    configuration: Value,
    /// Configurations as YAML.
    pub(super) configurations: Vec<&'a str>,
    /// Values as YAML.
    sets: Vec<&'a str>,
    /// Values as YAML that have to be refused.
    pub(super) refused: Vec<&'a str>,
    /// Manifests that have to be found invalid.
    pub(super) controls: Vec<Value>,
}

/// What came of it, in the order of the request.
#[derive(Deserialize)]
pub(super) struct Answer {
    /// Versions of Kubernetes that manifests were validated for.
    pub(super) versions: Vec<String>,
    pub(super) sets: Vec<Outcome>,
    /// Helm's words, or nothing if it took the values.
    pub(super) refused: Vec<Option<String>>,
    /// Findings for each control.
    pub(super) controls: Vec<Vec<String>>,
    /// What the schema refuses of each configuration.
    pub(super) configurations: Vec<Vec<String>>,
    /// The definitions that the chart brings.
    pub(super) crds: Vec<Value>,
}

/// What came of one set of values.
#[derive(Deserialize)]
pub(super) struct Outcome {
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Why nothing was rendered.
    pub(super) refused: Option<String>,
    /// Findings of `helm lint --strict`.
    pub(super) lint: Vec<String>,
    pub(super) manifests: Vec<Value>,
    /// What Kubernetes would refuse.
    pub(super) invalid: Vec<String>,
}

impl<'a> Request<'a> {
    pub(super) fn of_sets(sets: &'a [ValueSet]) -> Result<Self> {
        let schemas = files::read(&folder().join("tests/schemas.json"))?;
        let schema = workspace::root().join("docs/configuration.schema.json");
        let configuration = files::read(&schema)?;
        Ok(Self {
            chart: folder().join("landlord").display().to_string(),
            release: "landlord",
            namespace: "landlord-system",
            oldest: OLDEST,
            schemas: serde_json::from_slice(&schemas).context("charts/tests/schemas.json")?,
            configuration: serde_json::from_slice(&configuration)
                .context("docs/configuration.schema.json")?,
            configurations: Vec::new(),
            sets: sets.iter().map(|set| set.text.as_str()).collect(),
            refused: Vec::new(),
            controls: Vec::new(),
        })
    }
}

impl Outcome {
    /// All that was rendered, each file after its name; those without content are
    /// left out.
    pub(super) fn snapshot(&self) -> Result<String> {
        if let Some(refused) = &self.refused {
            bail!("the chart cannot be rendered: {refused}");
        }
        let mut text = String::new();
        for (name, content) in &self.files {
            let content = content.trim().trim_start_matches("---").trim_start();
            if content.is_empty() {
                continue;
            }
            text.push_str(&format!("---\n# {name}\n"));
            // The notes are for people; here they are a comment.
            let is_text = name.ends_with(".txt");
            for line in content.lines() {
                let line = format!("{}{line}", if is_text { "# " } else { "" });
                text.push_str(&shortened(line.trim_end()));
                text.push('\n');
            }
        }
        Ok(text)
    }
}

/// A line that is too long to be read, such as a dashboard, is told by its beginning and its hash.
fn shortened(line: &str) -> String {
    const LONGEST: usize = 1000;
    const SHOWN: usize = 60;
    if line.len() <= LONGEST {
        return line.to_owned();
    }
    let shown: String = line.chars().take(SHOWN).collect();
    format!("{shown}… # {} bytes, SHA-256 {:x}", line.len(), Sha256::digest(line))
}

/// Runs the driver with the Python that has Helm.
pub(super) fn ask(python: &Path, request: &Request<'_>) -> Result<Answer> {
    let mut driver = Command::new(python)
        .args(["-I", "-c", DRIVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| python.display().to_string())?;
    let mut stdin = driver.stdin.take().context("stdin is piped")?;
    stdin.write_all(&serde_json::to_vec(request)?)?;
    drop(stdin);
    let output = driver.wait_with_output()?;
    ensure!(output.status.success(), "the driver of Helm failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("the answer of the driver of Helm")
}
