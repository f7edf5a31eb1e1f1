//! The chart's dashboards, asked as Grafana would ask.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use landlord_tests::prometheus::Prometheus;
use serde_json::{Map, Value, json};

use super::scene::chart;

/// Folder for what Prometheus answered, from which pictures are made.
const ANSWERS: &str = "LANDLORD_ANSWERS";

/// Asks every query of every dashboard; those that fail or have nothing to show.
pub(super) fn empty(prometheus: &Prometheus) -> Vec<String> {
    let mut found = Vec::new();
    let mut asked = 0;
    for dashboard in dashboards() {
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                asked += 1;
                let expr = filled(target["expr"].as_str().unwrap());
                let place = format!("{}: {}: {expr}", dashboard["uid"], panel["title"]);
                match prometheus.query(&expr) {
                    Ok(samples) if samples.is_empty() => found.push(format!("{place}: nothing")),
                    Ok(_) => {}
                    Err(error) => found.push(format!("{place}: {error:#}")),
                }
            }
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let query = filled(query);
            let (metric, label) = query
                .trim_start_matches("label_values(")
                .trim_end_matches(')')
                .split_once(", ")
                .unwrap();
            if prometheus.values_of(label, metric).unwrap().is_empty() {
                found.push(format!("{}: no values: {query}", dashboard["uid"]));
            }
        }
    }
    assert!(asked > 80, "{asked} queries: the dashboards are not where they were");
    found
}

/// Writes what a reader of the dashboards would see of the time since then, if it is asked for.
pub(super) fn write(prometheus: &Prometheus, since: SystemTime) {
    let Some(folder) = std::env::var_os(ANSWERS) else { return };
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let time = (seconds(since), seconds(SystemTime::now()));
    for dashboard in dashboards() {
        let mut answers = Map::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let mut of_panel = Map::new();
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expr = filled(target["expr"].as_str().unwrap());
                let samples = if target["instant"] == true {
                    prometheus.query(&expr).unwrap()
                } else {
                    prometheus.query_range(&expr, time, 1).unwrap()
                };
                of_panel.insert(target["refId"].as_str().unwrap().to_owned(), json!(samples));
            }
            answers.insert(panel["id"].to_string(), Value::Object(of_panel));
        }
        let file = Path::new(&folder).join(format!("{}.json", dashboard["uid"].as_str().unwrap()));
        let all =
            json!({ "dashboard": dashboard, "from": time.0, "to": time.1, "answers": answers });
        std::fs::write(file, all.to_string()).unwrap();
    }
}

fn dashboards() -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(chart("dashboards"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 5, "{files:?}");
    let read = |file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    files.iter().map(read).collect()
}

/// As Grafana fills in variables: all tenants and nodes, or the one tenant.
fn filled(expr: &str) -> String {
    let expr = expr.replace("=~\"$tenant\"", "=~\".*\"").replace("$tenant", "acme");
    let expr = expr.replace("$namespace", ".*").replace("$node", ".*");
    expr.replace("$__rate_interval", "10s").replace("$__range", "1m")
}
