//! The tests of the chart, each a case of its own: rendering, lint, schemas of all
//! versions of Kubernetes, rights, refused values, alerting rules.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::helm::{Answer, OLDEST, Request, ask};
use super::laws::{CAPABILITIES, findings};
use super::refusals::REFUSALS;
use super::{ValueSet, value_sets};
use crate::report::{self, say};
use crate::test::Tally;
use crate::{dashboards, files, setup, workspace};

/// What a case found; nothing if it passed.
type Found = Vec<String>;

/// Runs all cases. Without Helm they are skipped as one.
pub(crate) fn run() -> Result<Tally> {
    let Some(python) = setup::helm() else {
        say("Skipped", "the chart: Helm is not here; `cargo xtask setup` says why");
        return Ok(Tally { skipped: 1, ..Tally::default() });
    };
    let sets = value_sets()?;
    let mut request = Request::of_sets(&sets)?;
    request.refused = REFUSALS.iter().map(|(values, _)| *values).collect();
    request.controls = controls();
    let default = files::read_text(&workspace::root().join("agent/src/config/default.yaml"))?;
    request.configurations = CONFIGURATIONS.iter().map(|(text, _)| *text).collect();
    request.configurations.push(&default);
    let answer = ask(&python, &request)?;
    say("Validated", format_args!("for Kubernetes {}", answer.versions.join(", ")));
    let mut tally = Tally::default();
    let mut cases = cases(&sets, &answer)?;
    cases.extend(dashboards::cases(&python)?);
    for (name, found) in cases {
        if found.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            say("Failed", name);
            report::raw(&found.join("\n"));
        }
    }
    Ok(tally)
}

fn cases(sets: &[ValueSet], answer: &Answer) -> Result<Vec<(String, Found)>> {
    let mut cases = vec![
        ("versions".to_owned(), versions(&answer.versions)),
        ("capabilities are explained".to_owned(), unexplained()?),
    ];
    for (set, outcome) in sets.iter().zip(&answer.sets) {
        let mut case = |what: &str, found| cases.push((format!("{}: {what}", set.name), found));
        case("renders", outcome.refused.iter().cloned().collect());
        case("lint", outcome.lint.clone());
        case("valid", outcome.invalid.clone());
        case("rights", outcome.manifests.iter().flat_map(findings).collect());
        case("own namespace", elsewhere(&outcome.manifests));
        case("dashboards", changed(&outcome.manifests)?);
        for rule in of_kind(&outcome.manifests, "PrometheusRule") {
            case("alerts", alerts(rule)?);
        }
    }
    for ((values, expected), refused) in REFUSALS.iter().zip(&answer.refused) {
        cases.push((format!("refused: {values}"), unclear(refused.as_deref(), expected)));
    }
    for (control, found) in controls().iter().zip(&answer.controls) {
        let missed = found.is_empty().then(|| format!("not found: {control}"));
        cases.push(("control".to_owned(), missed.into_iter().collect()));
    }
    let expected = CONFIGURATIONS.iter().map(|(_, place)| *place).chain([""]);
    for (place, found) in expected.zip(&answer.configurations) {
        cases.push((format!("configuration: {place:?}"), misplaced(place, found)));
    }
    for tenants in &answer.crds {
        cases.push(("tenants are of the group that may be read".to_owned(), wrong_group(tenants)));
    }
    Ok(cases)
}

/// A list that begins too late, or is short, would validate little.
fn versions(versions: &[String]) -> Found {
    let first = versions.first().map_or("none", String::as_str);
    let mut found = Vec::new();
    if first != OLDEST {
        found.push(format!("the oldest schema is of {first}, not {OLDEST}"));
    }
    if versions.len() < 5 {
        found.push(format!("only {} versions", versions.len()));
    }
    found
}

/// Each capability has its reason where operators look for it.
fn unexplained() -> Result<Found> {
    let docs = files::read_text(&workspace::root().join("docs/kubernetes.md"))?;
    let missing = CAPABILITIES.iter().filter(|name| !docs.contains(&format!("| `{name}` |")));
    Ok(missing.map(|name| format!("docs/kubernetes.md has no row for {name}")).collect())
}

/// What has a namespace is in that of the release, unless values say otherwise.
fn elsewhere(manifests: &[Value]) -> Found {
    const ELSEWHERE: [&str; 4] = ["ClusterRole", "ClusterRoleBinding", "PodMonitor", "ConfigMap"];
    let kind = |manifest: &Value| manifest["kind"].as_str().unwrap_or("").to_owned();
    manifests
        .iter()
        .filter(|manifest| !ELSEWHERE.contains(&kind(manifest).as_str()))
        .filter(|manifest| manifest["metadata"]["namespace"] != "landlord-system")
        .map(|manifest| format!("a {} is not in the namespace of the release", kind(manifest)))
        .collect()
}

fn of_kind<'a>(manifests: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    manifests.iter().filter(move |manifest| manifest["kind"] == kind)
}

/// Dashboards that are not in their ConfigMaps as they are in the chart.
fn changed(manifests: &[Value]) -> Result<Found> {
    let holds = |config: &Value, name: &str, expected: &Value| -> Result<bool> {
        let Some(text) = config["data"][name].as_str() else { return Ok(false) };
        Ok(serde_json::from_str::<Value>(text).context("a dashboard in the chart")? == *expected)
    };
    let sidecar = |config: &&Value| config["metadata"]["labels"]["grafana_dashboard"] == "1";
    let configs: Vec<&Value> = of_kind(manifests, "ConfigMap").filter(sidecar).collect();
    if configs.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for made in dashboards::made() {
        let name = Path::new(&made.file).file_name().unwrap_or_default().to_string_lossy();
        let expected: Value = serde_json::from_str(&made.text)?;
        let mut held = false;
        for config in &configs {
            held |= holds(config, &name, &expected)?;
        }
        if !held {
            found.push(format!("{name} is not there, or otherwise"));
        }
    }
    Ok(found)
}

/// What promtool says of the rules in a PrometheusRule.
fn alerts(rule: &Value) -> Result<Found> {
    let Some(promtool) = setup::promtool() else {
        say("Skipped", "promtool is not here: alerts in the chart are not checked");
        return Ok(Vec::new());
    };
    let file = tempfile::Builder::new().suffix(".json").tempfile()?;
    files::write(file.path(), rule["spec"].to_string())?;
    let check = |path: &Path| {
        let mut promtool = Command::new(&promtool);
        promtool.args(["check", "rules", "--lint=all", "--lint-fatal"]).arg(path).output()
    };
    let output = check(file.path()).context("promtool")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(if output.status.success() { Vec::new() } else { vec![text] })
}

/// A refusal has to come, and to hold these words.
fn unclear(refused: Option<&str>, expected: &[&str]) -> Found {
    let Some(refused) = refused else { return vec!["not refused".to_owned()] };
    let missing = expected.iter().filter(|words| !refused.contains(**words));
    missing.map(|words| format!("`{words}` is not in: {refused}")).collect()
}

/// Configurations, and where their schema has to find what is wrong with them, if anything.
const CONFIGURATIONS: [(&str, &str); 10] = [
    ("interval: 1500ms\nsinks: [{ name: a, kind: file, to: /a, keep: 3 }]", ""),
    ("listn: 127.0.0.1:1", "$"),
    ("interval: 5", "$.interval"),
    ("max_cgroups: 4096", "$.max_cgroups"),
    ("log: { level: loud }", "$.log.level"),
    ("pin: { path: relative }", "$.pin.path"),
    ("sinks: [{ name: a, kind: file }]", "$.sinks[0]"),
    ("sinks: [{ name: a, kind: pigeon, to: /a }]", "$.sinks[0].kind"),
    ("tenants: [{ match: { pods: true }, tenant: a }]", "$.tenants[0].match"),
    ("otlp: { headers: { a: b } }", "$.otlp.headers"),
];

/// The one finding is at the place, if there has to be one.
fn misplaced(place: &str, found: &[String]) -> Found {
    match found {
        [] if place.is_empty() => Vec::new(),
        [one] if one.split(": ").next() == Some(place) => Vec::new(),
        found => vec![format!("expected at {place:?}: {found:?}")],
    }
}

/// Manifests that the validation has to object to.
fn controls() -> Vec<Value> {
    let pod =
        json!({ "containers": [{ "name": "x", "securityContext": { "priviledged": false } }] });
    let daemon_set = json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": { "name": "x" },
        "spec": { "selector": {}, "template": { "metadata": {}, "spec": pod } },
    });
    let monitor = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": { "name": "x" },
        "spec": { "selector": {}, "endpoints": [{ "port": "metrics", "intervall": "15s" }] },
    });
    let unknown = json!({ "apiVersion": "example.com/v1", "kind": "Unknown", "metadata": {} });
    vec![daemon_set, monitor, unknown]
}

/// The rights are worth nothing if the definition is of another group.
fn wrong_group(definition: &Value) -> Found {
    let found = (&definition["spec"]["group"], &definition["spec"]["names"]["plural"]);
    let expected = (&json!("landlord.dev"), &json!("tenants"));
    if found == expected { Vec::new() } else { vec![format!("{found:?}, not {expected:?}")] }
}
