//! Holds dashboards against Grafana's own models, and shows that it would find mistakes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{all, grafana};

/// Knows Grafana's models, as a Python package holds them.
const SCRIPT: &str = include_str!("schema.py");

/// Mistakes that have to be found: where in a dashboard, and what is put there.
const MISTAKES: [(&str, &str); 9] = [
    ("/panels/1/titel", "\"CPU\""),
    ("/panels/1/gridPos/width", "4"),
    ("/panels/1/targets/0/expression", "\"up\""),
    ("/panels/1/targets/0/format", "\"tabel\""),
    ("/panels/1/options/colourMode", "\"value\""),
    ("/panels/1/fieldConfig/defaults/units", "\"s\""),
    ("/panels/1/type", "\"stats\""),
    ("/links/0/keepTime", "\"yes\""),
    ("/templating/list/1/refresh", "7"),
];

/// The cases: each dashboard, then each mistake; with what was found wrong.
pub(crate) fn cases(python: &Path) -> Result<Vec<(String, Vec<String>)>> {
    let dashboards = all();
    let mut documents: Vec<Value> = dashboards.iter().map(grafana::json).collect();
    for (place, value) in MISTAKES {
        documents.push(with(documents[0].clone(), place, value)?);
    }
    let mut found = ask(python, &documents)?.into_iter();
    let mut cases = Vec::new();
    for dashboard in &dashboards {
        cases.push((
            format!("{}: Grafana reads it", dashboard.uid),
            found.next().unwrap_or_default(),
        ));
    }
    for (place, value) in MISTAKES {
        let is_missed = found.next().is_none_or(|found| found.is_empty());
        let missed = is_missed.then(|| format!("{place} = {value} was not found"));
        cases.push((format!("mistake at {place}"), missed.into_iter().collect()));
    }
    Ok(cases)
}

/// The document with this JSON at this place.
fn with(mut document: Value, place: &str, value: &str) -> Result<Value> {
    let (parent, key) = place.rsplit_once('/').context("a place is a path")?;
    let parent = document.pointer_mut(parent).with_context(|| format!("{place} is nowhere"))?;
    parent[key] = serde_json::from_str(value)?;
    Ok(document)
}

fn ask(python: &Path, documents: &[Value]) -> Result<Vec<Vec<String>>> {
    let mut script = Command::new(python)
        .args(["-I", "-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| python.display().to_string())?;
    let mut stdin = script.stdin.take().context("stdin is piped")?;
    stdin.write_all(json!(documents).to_string().as_bytes())?;
    drop(stdin);
    let output = script.wait_with_output()?;
    ensure!(output.status.success(), "Grafana's models: {}", output.status);
    serde_json::from_slice(&output.stdout).context("what Grafana's models find")
}
