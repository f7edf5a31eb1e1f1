//! Unit tests of rules: events in, expected alerts out.
//!
//! - [`read`]: test files → [`Suite`], all mistakes told at once, each at its place.
//! - [`run`](mod@run): a suite and rules → [`Outcome`]: what failed and why, and which
//!   rules have no test.
//!
//! The form of the files is described in docs/rule-tests.md. Nothing here opens
//! files or prints.

mod event;
mod read;
pub mod run;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value as Json;

pub use self::read::read;
pub use self::run::{Failure, Gap, Outcome, run};
use super::diagnostic::Place;
use super::json_event::JsonEvent;

/// The tests of some files.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// Addresses of the hosts that rules name; nothing is looked up.
    pub hosts: Vec<(String, Vec<IpAddr>)>,
    /// In the order of the files.
    pub cases: Vec<Case>,
}

/// One test.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is tried, in the words of the file; empty if it does not say.
    pub title: String,
    /// Where it stands.
    pub place: Place,
    /// What happens, in order.
    pub events: Vec<JsonEvent>,
    /// What shall follow.
    pub expected: Expected,
}

/// What a test expects.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The rule matches each event, and is the first that does.
    Fires {
        /// The rule and what it says.
        alert: ExpectedAlert,
        /// The rule that comes first instead, as far as that is meant.
        behind: Option<Arc<str>>,
    },
    /// The rule matches none of the events, whether another one does or not.
    Silent {
        /// The rule.
        rule: Arc<str>,
    },
    /// These alerts and no others, in this order.
    Alerts {
        /// The alerts.
        alerts: Vec<ExpectedAlert>,
        /// Whether every matching rule counts rather than the first.
        all: bool,
    },
}

/// An alert that a test expects.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedAlert {
    /// Its rule.
    pub rule: Arc<str>,
    /// Its message, without time and priority; any if it is left out.
    pub output: Option<String>,
    /// Values that its `output_fields` have to hold; there may be others.
    pub fields: BTreeMap<String, Json>,
}
