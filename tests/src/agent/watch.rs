//! A running agent that watches, and what it has found.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Agent, PAUSE};

/// Name of the rule that [`Watch::settle`] goes by.
const MARKER: &str = "Lab marker";
/// What the names of its files begin with.
const MARKER_FILE: &str = "marker-";
/// How long the agent may take to tell of an event.
const PATIENCE: Duration = Duration::from_secs(20);
/// After this time there is another marker.
const AGAIN: Duration = Duration::from_secs(3);

/// The rule of the markers that are made in a folder.
pub(super) fn marker_rule(folder: &Path) -> String {
    format!(
        "- rule: {MARKER}\n  desc: Everything before it has been handled\n  condition: >\n    \
         evt.type in (open, openat, openat2, creat) and fd.name startswith {}/{MARKER_FILE}\n  \
         output: marker %fd.name\n  priority: DEBUG\n",
        folder.display()
    )
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert(pub Value);

impl Alert {
    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.0["rule"].as_str().unwrap_or_default()
    }

    /// One of the fields in its text; `Null` when it has none.
    #[must_use]
    pub fn field(&self, name: &str) -> &Value {
        &self.0["output_fields"][name]
    }

    /// What it says, without time and priority.
    #[must_use]
    pub fn output(&self) -> &str {
        self.0["output"].as_str().unwrap_or_default()
    }
}

/// A running agent and its alerts; dropping it kills it.
#[derive(Debug)]
pub struct Watch<'home> {
    agent: Agent<'home>,
    file: PathBuf,
    folder: PathBuf,
    markers: u32,
}

impl<'home> Watch<'home> {
    pub(super) fn new(agent: Agent<'home>, file: PathBuf, folder: PathBuf) -> Self {
        Self { agent, file, folder, markers: 0 }
    }

    /// The agent.
    #[must_use]
    pub const fn agent(&self) -> &Agent<'home> {
        &self.agent
    }

    /// Ends the agent as SIGTERM does, after which all its alerts are written.
    ///
    /// # Errors
    ///
    /// It does not end in time, or not with success.
    pub fn stop(self) -> Result<Vec<Alert>> {
        let status = self.agent.terminate()?;
        if !status.success() {
            bail!("the agent ended: {status}");
        }
        read(&self.file)
    }

    /// Kills the agent; what it had shown until then.
    ///
    /// # Errors
    ///
    /// It cannot be killed.
    pub fn kill(self) -> Result<Vec<Alert>> {
        self.agent.kill()?;
        read(&self.file)
    }

    /// All alerts so far, but for those of markers.
    ///
    /// # Errors
    ///
    /// One is not JSON.
    pub fn alerts(&self) -> Result<Vec<Alert>> {
        read(&self.file)
    }

    /// Waits until everything that happened before has been handled.
    ///
    /// # Errors
    ///
    /// The agent does not see the marker; the message has the end of its log.
    pub fn settle(&mut self) -> Result<()> {
        let first = self.markers + 1;
        let deadline = Instant::now() + PATIENCE;
        let mut again = Instant::now();
        loop {
            if Instant::now() >= again {
                // An agent that has more to read than it may keep misses one.
                again = Instant::now() + AGAIN;
                self.markers += 1;
                fs::write(self.marker(self.markers), "").context("cannot make a marker")?;
            }
            let text = fs::read_to_string(&self.file).context("the alerts cannot be read")?;
            if (first..=self.markers).any(|number| text.contains(&self.marker(number))) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let name = self.marker(first);
                bail!("the agent does not see {name}:\n{}", self.agent.home.log());
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn marker(&self, number: u32) -> String {
        // Its end tells the first from the tenth.
        self.folder.join(format!("{MARKER_FILE}{number}.")).display().to_string()
    }

    /// Settles, then gives the alerts of a rule that came after the first `seen`.
    ///
    /// # Errors
    ///
    /// As for [`settle`](Self::settle).
    pub fn of_rule(&mut self, rule: &str, seen: usize) -> Result<Vec<Alert>> {
        self.settle()?;
        Ok(self.alerts()?.into_iter().skip(seen).filter(|alert| alert.rule() == rule).collect())
    }
}

fn read(file: &Path) -> Result<Vec<Alert>> {
    let text = fs::read_to_string(file).context("the alerts cannot be read")?;
    // The last line may still be written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let alerts = whole.lines().map(|line| {
        serde_json::from_str(line).map(Alert).with_context(|| format!("not an alert: {line}"))
    });
    let alerts: Vec<Alert> = alerts.collect::<Result<_>>()?;
    Ok(alerts.into_iter().filter(|alert| alert.rule() != MARKER).collect())
}
