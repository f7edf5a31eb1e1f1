//! A real Prometheus: what it scrapes, what its rules make of it, and whom it tells.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::agent::http;
use crate::daemon::{Daemon, free_address, wait_for};

/// Environment variable with the path of a Prometheus; `cargo xtask test` sets it.
pub const BINARY: &str = "LANDLORD_PROMETHEUS";

/// What one is started with. It scrapes and evaluates once a second.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Whom it scrapes, as the job `landlord`.
    pub target: SocketAddr,
    /// What its configuration says beside that of how it does so; ends with a line.
    pub how: &'a str,
    /// What the chart's monitors take from the pod: the label `node`; empty: none.
    pub node: &'a str,
    /// A file of rules.
    pub rules: &'a str,
    /// The address of an Alertmanager, with its scheme; empty: nobody is told.
    pub alertmanager: &'a str,
}

impl Setup<'_> {
    /// One that only scrapes.
    #[must_use]
    pub const fn of(target: SocketAddr) -> Self {
        Self { target, how: "", node: "", rules: "", alertmanager: "" }
    }

    /// Its configuration.
    fn text(&self) -> String {
        let Self { target, how, node, alertmanager, .. } = self;
        let alertmanager = match alertmanager.trim_start_matches("http://") {
            "" => String::new(),
            address => format!("{{ static_configs: [ {{ targets: [ '{address}' ] }} ] }}"),
        };
        let labels = if node.is_empty() { String::new() } else { format!("node: {node}") };
        format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
             rule_files: [ rules.yml ]\n\
             alerting: {{ alertmanagers: [ {alertmanager} ] }}\n\
             scrape_configs:\n  - job_name: landlord\n    honor_labels: true\n    {how}\
             static_configs: [ {{ targets: [ '{target}' ], labels: {{ {labels} }} }} ]\n"
        )
    }
}

/// A running Prometheus; dropped, it is killed.
#[derive(Debug)]
pub struct Prometheus {
    address: SocketAddr,
    _folder: TempDir,
    _daemon: Daemon,
}

impl Prometheus {
    /// Starts one on a free port of loopback; `None`: [`BINARY`] names none, which is said
    /// in the way that the test command counts as a skipped test.
    ///
    /// # Errors
    ///
    /// It ends, or does not serve in time; the message has its log.
    #[expect(clippy::print_stdout, reason = "the test command reads a test's standard output")]
    pub fn start(setup: &Setup<'_>) -> Result<Option<Self>> {
        let Some(binary) = std::env::var_os(BINARY) else {
            println!("SKIPPED: no Prometheus; `cargo xtask setup` fetches it");
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("landlord-prometheus-").tempdir()?;
        let place = folder.path();
        let text = setup.text();
        fs::write(place.join("prometheus.yml"), text).context("cannot write a configuration")?;
        fs::write(place.join("rules.yml"), setup.rules).context("cannot write rules")?;
        let address = free_address()?;
        let mut command = Command::new(&binary);
        command
            .arg(format!("--config.file={}", place.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", place.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--log.level=warn", "--rules.alert.resend-delay=1s"])
            .arg("--enable-feature=exemplar-storage");
        let daemon = Daemon::start(&mut command, &place.join("log"), &[address])?;
        Ok(Some(Self { address, _folder: folder, _daemon: daemon }))
    }

    /// The samples of an expression now, as the API tells them.
    ///
    /// # Errors
    ///
    /// It cannot be parsed or evaluated; the message has Prometheus' words.
    pub fn query(&self, expr: &str) -> Result<Vec<Value>> {
        self.samples(&format!("/api/v1/query?query={}", encoded(expr)))
    }

    /// The samples of an expression from one time to another, Unix seconds, so many seconds apart.
    ///
    /// # Errors
    ///
    /// As for [`query`](Self::query).
    pub fn query_range(&self, expr: &str, (from, to): (u64, u64), step: u64) -> Result<Vec<Value>> {
        let expr = encoded(expr);
        self.samples(&format!("/api/v1/query_range?query={expr}&start={from}&end={to}&step={step}"))
    }

    /// Waits until an expression has a sample whose value is as it should be.
    ///
    /// # Errors
    ///
    /// It has none in time; the message has what it has.
    pub fn wait_for(
        &self,
        patience: Duration,
        expr: &str,
        is_it: impl Fn(f64) -> bool,
    ) -> Result<()> {
        let value = |sample: &Value| sample["value"][1].as_str()?.parse().ok();
        // It listens before it answers; what is wrong with an expression is told at the end.
        let has_it = |samples: Vec<Value>| samples.iter().filter_map(value).any(&is_it);
        let is_there = || Ok(self.query(expr).is_ok_and(has_it).then_some(()));
        let found = wait_for(patience, is_there)?;
        found.with_context(|| format!("{expr}: {:?}", self.query(expr)))
    }

    /// The exemplars of an expression of all times, each with `labels`.
    ///
    /// # Errors
    ///
    /// As for [`query`](Self::query).
    pub fn exemplars(&self, expr: &str) -> Result<Vec<Value>> {
        let expr = encoded(expr);
        let path = format!("/api/v1/query_exemplars?query={expr}&start=0&end=9999999999");
        let series = list(&self.data(&path)?)?;
        let lists = series.iter().map(|it| list(&it["exemplars"]));
        lists.collect::<Result<Vec<_>>>().map(|it| it.concat())
    }

    /// The values that a label of a metric has.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn values_of(&self, label: &str, metric: &str) -> Result<Vec<Value>> {
        let metric = encoded(metric);
        let data = self.data(&format!("/api/v1/label/{label}/values?match[]={metric}"))?;
        list(&data)
    }

    /// All its rules, each with `name`, `health`, `lastError` and, of alerts, `state`.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn rules(&self) -> Result<Vec<Value>> {
        let groups = list(&self.data("/api/v1/rules")?["groups"])?;
        groups
            .iter()
            .map(|group| list(&group["rules"]))
            .collect::<Result<Vec<_>>>()
            .map(|it| it.concat())
    }

    fn samples(&self, path: &str) -> Result<Vec<Value>> {
        list(&self.data(path)?["result"])
    }

    fn data(&self, path: &str) -> Result<Value> {
        let body = http::get(self.address, path)?;
        let mut answer: Value =
            serde_json::from_str(&body).with_context(|| format!("{path}: {body}"))?;
        if answer["status"] != "success" {
            bail!("{path}: {answer}");
        }
        Ok(answer["data"].take())
    }
}

fn list(value: &Value) -> Result<Vec<Value>> {
    value.as_array().cloned().with_context(|| format!("no list: {value}"))
}

/// As it may stand in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn what_means_something_in_addresses_is_encoded() {
        assert_eq!(encoded("a{b=\"c\"}+1"), "a%7Bb%3D%22c%22%7D%2B1");
    }
}
