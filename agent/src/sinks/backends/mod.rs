//! What each kind of back-end wants to hear. Whether and when is decided by
//! [`super::delivery`].

pub mod alertmanager;
pub mod falco_http;
pub mod file;
pub mod syslog;
#[cfg(test)]
mod tests;

use std::io;

use super::delivery::Outcome;
use crate::telemetry::SinkFailure;

/// A local file or socket failed; it is tried again.
fn local(error: &io::Error) -> Outcome {
    Outcome::Later { cause: SinkFailure::LocalIo, reason: error.to_string(), after: None }
}
