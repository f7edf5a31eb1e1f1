//! Records → alerts: joins the process table, containers, identity and rules.
//!
//! [`Detector`] takes one [`Input`] after the other and hands out [`Alert`]s. It reads
//! no clock, no file and no kernel: whoever feeds it does, so that a recording of its
//! inputs gives the same alerts again.

mod alert;
mod deeds;
mod detector;
mod input;
mod own;
mod peer;
mod places;
mod repeats;
mod ruleset;
mod statistics;
mod waiting;

pub use alert::{Alert, PeerFacts};
pub use detector::{Detector, Options, Unknown};
pub use input::{Cgroup, Container, Input};
pub use own::own_rules;
pub use ruleset::{RuleSet, RuleSetError};
pub use statistics::{RuleStatistics, Statistics};
