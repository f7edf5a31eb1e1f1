//! What became of the alerts of each sink, as it is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A sink's figures, since the agent started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkUsage {
    /// Its name in the configuration; `otlp` for log records, and `otlp_metrics` for
    /// exports of metrics, which are counted as alerts are.
    pub sink: String,
    /// Alerts that arrived; again when it was not known that they had.
    pub delivered_total: u64,
    /// Alerts that the back-end refused for good, or that could not be read again.
    pub refused_total: u64,
    /// Alerts that could not be put on the disk.
    pub unwritten_total: u64,
    /// Alerts that were not chosen, where only a part of them goes there.
    #[serde(default)]
    pub unsampled_total: u64,
    /// Alerts dropped for want of room, by priority; all priorities.
    pub dropped_total: BTreeMap<String, u64>,
    /// Attempts that failed, by cause; all causes.
    pub failures_total: BTreeMap<String, u64>,
    /// Attempts.
    pub deliveries_total: u64,
    /// The time that they took, seconds.
    pub delivery_seconds_total: f64,
    /// Alerts that wait.
    pub waiting: u64,
    /// Bytes of the files in which they do.
    pub disk_bytes: u64,
    /// Files that were put aside, as they could not be read.
    pub damaged_files_total: u64,
    /// When something arrived last, seconds since 1970; absent when nothing has.
    pub last_delivery_time_seconds: Option<f64>,
}
