//! What clients of the local API asked, as it is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Figures of the local API since the agent started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiUsage {
    /// Connections now.
    pub connections: u64,
    /// Connections that the agent ended for a fault of the client's, by cause; all causes.
    pub faults_total: BTreeMap<String, u64>,
    /// Requests that were answered.
    pub requests: Vec<ApiRequests>,
}

/// Requests for one page with one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiRequests {
    /// Its path; `other` for all that there are none of.
    pub page: String,
    /// The status of the answer.
    pub status: u16,
    /// How many.
    pub count: u64,
}
