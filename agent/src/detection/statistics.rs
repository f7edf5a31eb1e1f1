//! What rules cost and found.

use serde::{Deserialize, Serialize};

/// Of one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleStatistics {
    /// Its name.
    pub rule: String,
    /// Events of its types that the kernel let through.
    pub kernel_passes: u64,
    /// Events that it was held against.
    pub evaluations: u64,
    /// Events that it matched.
    pub matches: u64,
    /// Seconds that takes, estimated: one in some thousand events
    /// is held against each rule alone, under a clock.
    pub seconds: f64,
}

/// Of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Records that came in.
    pub records: u64,
    /// Records that could not be read.
    pub undecodable: u64,
    /// Records whose path could not be read whole for renames.
    pub paths_torn: u64,
    /// Events held against the rules.
    pub events: u64,
    /// Alerts written.
    pub alerts: u64,
    /// Alerts that said the same as one before and were only counted.
    pub repeats: u64,
    /// Events that did not wait for their container for want of room.
    pub not_held: u64,
    /// Events whose container nobody told about in time.
    pub unanswered: u64,
    /// Processes in the table.
    pub processes: u64,
    /// Bytes of the table of processes.
    pub process_bytes: u64,
    /// Processes forgotten for want of room.
    pub processes_evicted: u64,
    /// What processes did and was forgotten, as they did so much since.
    pub deeds_forgotten: u64,
    /// The same, for want of room.
    pub deeds_evicted: u64,
    /// Of each rule in force.
    pub rules: Vec<RuleStatistics>,
}
