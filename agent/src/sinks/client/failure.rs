//! Why a back-end gave no answer.

use std::error::Error;
use std::fmt;

use hyper_util::client::legacy;

use crate::telemetry::SinkFailure;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In one word.
    pub cause: SinkFailure,
    /// For people.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Failure {}

impl Failure {
    pub(super) fn of(error: &legacy::Error) -> Self {
        let is_tls = chain(error).any(<dyn Error>::is::<rustls::Error>);
        let is_late = chain(error).any(|it| {
            let io = it.downcast_ref::<std::io::Error>();
            io.is_some_and(|it| it.kind() == std::io::ErrorKind::TimedOut)
        });
        let cause = match (is_tls, is_late, error.is_connect()) {
            (true, ..) => SinkFailure::Tls,
            (_, true, _) => SinkFailure::Timeout,
            (.., true) => SinkFailure::Connect,
            _ => SinkFailure::Broken,
        };
        Self { cause, reason: told(error) }
    }

    pub(super) fn of_body(error: &(dyn Error + 'static)) -> Self {
        Self { cause: SinkFailure::Broken, reason: told(error) }
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| behind(error))
}

/// What is behind an error. One of I/O that holds another one names as its source only
/// what is behind that one, and there may be several of them around an error of TLS.
fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source())
}

/// An error with what is behind it.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in chain(error).map(ToString::to_string) {
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
    }
    parts.join(": ")
}
