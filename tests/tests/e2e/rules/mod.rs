//! Rules on what really happens.

#![expect(clippy::print_stdout, reason = "a test tells the figures that it found")]

mod attacks;
mod case;
mod official;
mod paths;
mod processes;
mod replay;
mod scene;
mod smoke;
mod storm;

pub(crate) use self::scene::busybox;

use std::path::{Path, PathBuf};

use landlord_tests::agent::Usage;
use serde_json::Value;

/// Writes a file of rules.
fn rules(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("rules.yaml");
    std::fs::write(&file, text).unwrap();
    file
}

/// What the agent tells of events.
fn detection(usage: &Usage) -> &Value {
    &usage.0["agent"]["detection"]
}

/// How many events a rule has matched.
fn matches(usage: &Usage, rule: &str) -> u64 {
    let rules = detection(usage)["by_rule"].as_array().unwrap();
    let rule = rules.iter().find(|it| it["rule"] == rule).unwrap();
    rule["matches"].as_u64().unwrap()
}

/// Records of a tenant that were not sent, by event and cause.
fn drops(usage: &Usage, tenant: &str) -> Vec<(String, String, u64)> {
    let drops = detection(usage)["drops"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    drops
        .iter()
        .filter(|it| it["tenant"] == tenant)
        .map(|it| (text(&it["event"]), text(&it["cause"]), it["count"].as_u64().unwrap()))
        .collect()
}
