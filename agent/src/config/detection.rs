//! What the configuration says of rules, alerts and events.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::config::file::Settings;
use crate::rules::rule::{Matching, Priority};

/// Form of the alerts on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertFormat {
    /// A line of text each.
    Text,
    /// A JSON object each, one a line.
    Json,
    /// They are not written there.
    None,
}

/// Rules in force and what becomes of their alerts.
#[derive(Clone, Debug)]
pub struct Detection {
    /// Rule files or folders of them, in order; of none, the rules that come with
    /// Landlord.
    pub paths: Vec<PathBuf>,
    /// Which of the rules that match an event raise an alert.
    pub matching: Matching,
    /// Rules that are less urgent are not in force.
    pub minimum_priority: Priority,
    /// Form of the alerts on standard output.
    pub format: AlertFormat,
    /// For how long the same alert is counted instead of written.
    pub repeats: Duration,
    /// Events a second that one cgroup may send; 0: no limit.
    pub rate: u64,
    /// Bytes of each ring, a power of two.
    pub buffer_bytes: u32,
    /// Bytes kept of processes and of events that wait.
    pub memory_bytes: usize,
}

impl Detection {
    /// Of the settings; `None` when rules are not wanted.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let rules = &settings.rules;
        let events = &settings.events;
        rules.enabled.then(|| Self {
            paths: rules.paths.clone(),
            matching: rules.r#match,
            minimum_priority: rules.priority,
            format: settings.alerts.format,
            repeats: settings.alerts.repeats.0,
            rate: events.rate,
            // The range of the key keeps it below 2^30.
            buffer_bytes: (events.buffer << 20).next_power_of_two(),
            memory_bytes: usize::try_from(events.memory).unwrap_or(usize::MAX >> 20) << 20,
        })
    }
}
