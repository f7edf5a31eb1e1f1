//! Rows of the report and the verdict over them.

use serde::Serialize;

/// How a row came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Worth knowing, decides nothing.
    Info,
    /// Works.
    Ok,
    /// The agent runs, without what the row is needed for.
    Degraded,
    /// The agent cannot run.
    Missing,
}

impl Status {
    /// The word in tables and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Missing => "missing",
        }
    }
}

/// One thing the machine has or lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A short name, unique in the report.
    pub name: &'static str,
    /// What does not work without it.
    pub needed_for: &'static str,
    /// The outcome.
    pub status: Status,
    /// What was found on this machine.
    pub found: String,
    /// Why that is not enough; absent when it is.
    pub reason: Option<String>,
    /// The one thing to do about it; absent when nothing needs doing.
    pub remedy: Option<String>,
}

impl Check {
    pub(super) fn new(name: &'static str, needed_for: &'static str) -> Self {
        Self {
            name,
            needed_for,
            status: Status::Ok,
            found: String::new(),
            reason: None,
            remedy: None,
        }
    }

    pub(super) fn ok(self, found: impl Into<String>) -> Self {
        Self { status: Status::Ok, found: found.into(), ..self }
    }

    pub(super) fn info(self, found: impl Into<String>) -> Self {
        Self { status: Status::Info, found: found.into(), ..self }
    }

    pub(super) fn degraded(self, found: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status: Status::Degraded, found: found.into(), reason: Some(reason.into()), ..self }
    }

    pub(super) fn missing(self, found: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status: Status::Missing, found: found.into(), reason: Some(reason.into()), ..self }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// The row as one sentence for an error or the log: what, why, what to do.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = format!("{}: {}", self.name, self.found);
        if let Some(reason) = &self.reason {
            text += &format!(" ({reason})");
        }
        if let Some(remedy) = &self.remedy {
            text += &format!(". Remedy: {remedy}");
        }
        text
    }
}

/// All rows, in reading order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The rows.
    pub checks: Vec<Check>,
}

impl Report {
    /// Appends a row.
    pub fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Appends rows.
    pub fn extend(&mut self, checks: impl IntoIterator<Item = Check>) {
        self.checks.extend(checks);
    }

    /// The worst outcome; [`Status::Ok`] when nothing is wrong.
    #[must_use]
    pub fn verdict(&self) -> Status {
        self.checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok).max(Status::Ok)
    }

    /// Rows with this outcome.
    pub fn with(&self, status: Status) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.status == status)
    }

    /// Why the agent cannot run here, or `None` when it can. One line for one
    /// cause; several causes have a line each.
    #[must_use]
    pub fn fatal(&self) -> Option<String> {
        let refusals: Vec<String> = self.with(Status::Missing).map(Check::sentence).collect();
        match refusals.as_slice() {
            [] => None,
            [one] => Some(format!("Landlord cannot run here: {one}")),
            several => Some(format!(
                "Landlord cannot run here, for these reasons:\n  {}",
                several.join("\n  ")
            )),
        }
    }
}
