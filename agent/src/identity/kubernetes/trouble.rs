//! What an error of a watch means, and how long to leave the API server alone.

use std::time::Duration;

use kube::core::Status;
use kube::runtime::watcher;

use super::client::AccessError;
use super::watch::Patience;
use crate::identity::cluster::change::Trouble;

/// The longest that the API server may wish to be left alone.
const WISHED_MAX: Duration = Duration::from_secs(300);

/// What the library of TLS calls it.
const BAD_CERTIFICATE: &str = "invalid peer certificate";
/// Where that library, for some errors, goes on with what its programmers are to read.
const MANUAL: &str = ": https://docs.rs/";

/// What is wrong; `None` if the next request mends it, as all was forgotten that the
/// watch would have continued from.
pub(super) fn of(error: &watcher::Error) -> Option<Trouble> {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => of_request(error),
        watcher::Error::WatchError(status) => of_status(status),
        watcher::Error::NoResourceVersion => Some(Trouble::Other(error.to_string())),
    }
}

/// Whether the watch cannot go on from where it was, so that all must be listed.
pub(super) fn is_gone(error: &watcher::Error) -> bool {
    status(error).is_some_and(|status| status.code == 410)
}

/// Whether the server does not know how to list by a watch.
pub(super) fn refuses_streams(error: &watcher::Error) -> bool {
    status(error).is_some_and(|status| matches!(status.code, 400 | 422))
}

/// How long to wait at least before the next request, if the server `wished` so much.
pub(super) fn pause(trouble: &Trouble, wished: Duration, patience: &Patience) -> Duration {
    let least = match trouble {
        Trouble::Missing(_) => patience.missing,
        Trouble::Forbidden(_) => patience.forbidden,
        _ => Duration::ZERO,
    };
    least.max(wished.min(WISHED_MAX))
}

fn status(error: &watcher::Error) -> Option<&Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status),
        _ => None,
    }
}

/// What is wrong with a request.
pub(super) fn of_request(error: &kube::Error) -> Option<Trouble> {
    Some(match error {
        kube::Error::Api(status) => return of_status(status),
        kube::Error::Service(cause) => match cause.downcast_ref::<AccessError>() {
            Some(AccessError::Silent(_)) => Trouble::Unreachable(cause.to_string()),
            Some(_) => Trouble::Unauthenticated(chain(cause.as_ref())),
            None => of_connection(chain(cause.as_ref())),
        },
        kube::Error::Auth(_) => Trouble::Unauthenticated(chain(error)),
        kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => of_connection(chain(error)),
        other => Trouble::Other(chain(other)),
    })
}

fn of_connection(text: String) -> Trouble {
    match text.contains(BAD_CERTIFICATE) {
        true => Trouble::Untrusted(text),
        false => Trouble::Unreachable(text),
    }
}

fn of_status(status: &Status) -> Option<Trouble> {
    let text = || {
        let told = if status.message.is_empty() { &status.reason } else { &status.message };
        format!("{} ({})", told.trim_end(), status.code)
    };
    (status.code != 410).then(|| of_text(status.code, text()))
}

/// What an answer means that is not as wanted.
pub(super) fn of_code(code: u16, reason: &str) -> Trouble {
    of_text(code, format!("{reason} ({code})"))
}

fn of_text(code: u16, text: String) -> Trouble {
    match code {
        401 => Trouble::Unauthenticated(text),
        403 => Trouble::Forbidden(text),
        404 => Trouble::Missing(text),
        429 | 500..=599 => Trouble::Overloaded(text),
        _ => Trouble::Other(text),
    }
}

/// An error with its causes, each once.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        next = cause.source();
    }
    text.truncate(text.find(MANUAL).unwrap_or(text.len()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_fail() {
        let check = |cause: &str, expected: Trouble| {
            let error = kube::Error::Service(cause.to_owned().into());
            assert_eq!(of_request(&error), Some(expected));
        };
        check("refused", Trouble::Unreachable("refused".to_owned()));
        check(
            "peer closed connection: https://docs.rs/rustls/latest/#eof",
            Trouble::Unreachable("peer closed connection".to_owned()),
        );
        let untrusted = "client error (Connect): invalid peer certificate: UnknownIssuer";
        check(untrusted, Trouble::Untrusted(untrusted.to_owned()));
    }
}
