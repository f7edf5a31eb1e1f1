//! A real Alertmanager: what it has of alerts, and how it groups them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::agent::http;
use crate::daemon::{Daemon, free_address, wait_for};

/// Environment variable with the path of an Alertmanager, which is started in the folder
/// that it is in; `cargo xtask test` sets it.
pub const BINARY: &str = "LANDLORD_ALERTMANAGER";

/// An alert as Alertmanager has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What it is known by.
    pub labels: BTreeMap<String, String>,
    /// What it says.
    pub annotations: BTreeMap<String, String>,
    /// When it began, RFC 3339.
    pub starts_at: String,
    /// When it ends.
    pub ends_at: String,
    /// A number of its labels.
    pub fingerprint: String,
}

/// Alerts that are told of together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// The labels that they have in common and are grouped by.
    pub labels: BTreeMap<String, String>,
    /// They.
    pub alerts: Vec<Alert>,
}

/// A running Alertmanager; dropped, it is killed.
#[derive(Debug)]
pub struct Alertmanager {
    binary: OsString,
    folder: TempDir,
    address: SocketAddr,
    daemon: Option<Daemon>,
}

impl Alertmanager {
    /// Starts one on a free port of loopback, which groups by rule and tenant, and tells
    /// `webhook` within a second of what begins and ends; `None`: [`BINARY`] names
    /// none, which is said in the way that the test command counts as a skipped test.
    ///
    /// # Errors
    ///
    /// It ends, or does not serve in time; the message has its log.
    #[expect(clippy::print_stdout, reason = "the test command reads a test's standard output")]
    pub fn start(webhook: &str) -> Result<Option<Self>> {
        let Some(binary) = std::env::var_os(BINARY) else {
            println!("SKIPPED: no Alertmanager; `cargo xtask setup` fetches it");
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("landlord-alertmanager-").tempdir()?;
        let text = format!(
            "route: {{ receiver: test, group_by: [alertname, tenant], group_wait: 500ms, \
             group_interval: 1s, repeat_interval: 1h }}\n\
             receivers: [ {{ name: test, webhook_configs: [ {{ url: '{webhook}', send_resolved: \
             true }} ] }} ]\n"
        );
        fs::write(folder.path().join("alertmanager.yml"), text)
            .context("cannot write a configuration")?;
        let mut alertmanager = Self { binary, folder, address: free_address()?, daemon: None };
        alertmanager.come_back()?;
        Ok(Some(alertmanager))
    }

    /// Its address, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Kills it.
    pub fn go_away(&mut self) {
        self.daemon = None;
    }

    /// Starts it again at the same address. What it has not written down it has forgotten.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn come_back(&mut self) -> Result<()> {
        self.go_away();
        let place = self.folder.path();
        let mut command = Command::new(&self.binary);
        command
            .arg(format!("--config.file={}", place.join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", place.join("data").display()))
            .arg(format!("--web.listen-address={}", self.address))
            .args(["--cluster.listen-address=", "--log.level=warn"])
            .current_dir(Path::new(&self.binary).parent().unwrap_or(place));
        let log = place.join("log");
        self.daemon = Some(Daemon::start(&mut command, &log, &[self.address])?);
        Ok(())
    }

    /// The alerts that go on.
    ///
    /// # Errors
    ///
    /// It does not answer, or not as its API says.
    pub fn alerts(&self) -> Result<Vec<Alert>> {
        self.get("/api/v2/alerts")
    }

    /// The same, as they are told of.
    ///
    /// # Errors
    ///
    /// As for [`alerts`](Self::alerts).
    pub fn groups(&self) -> Result<Vec<Group>> {
        self.get("/api/v2/alerts/groups")
    }

    fn get<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T> {
        let body = http::get(self.address, path)?;
        serde_json::from_str(&body).with_context(|| format!("{path}: {body}"))
    }

    /// Waits until what `choose` looks for is among the groups.
    ///
    /// # Errors
    ///
    /// It is not in time; the message says what is.
    pub fn wait_for<T>(
        &self,
        patience: Duration,
        mut choose: impl FnMut(&[Group]) -> Option<T>,
    ) -> Result<T> {
        if let Some(found) = wait_for(patience, || Ok(choose(&self.groups()?)))? {
            return Ok(found);
        }
        bail!("Alertmanager has not what is expected: {:#?}", self.groups()?)
    }
}
