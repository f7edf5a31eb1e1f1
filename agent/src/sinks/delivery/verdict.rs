//! What an answer of a back-end, or none, means for what was to be delivered.

use hyper::StatusCode;

use super::Outcome;
use crate::sinks::client::{Answer, Failure};
use crate::telemetry::SinkFailure;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has been taken.
    Taken,
    /// It will never be taken as it is.
    Never(String),
    /// It may be taken later.
    Later(Outcome),
}

/// What a status means where the protocol says nothing else: of the errors only those
/// that are about the body itself are for good; all others may be mended at the other
/// side, or are of a proxy in between.
#[must_use]
pub fn judge(answer: &Answer) -> Verdict {
    let status = answer.status;
    if status.is_success() {
        return Verdict::Taken;
    }
    let reason = match answer.text() {
        text if text.is_empty() => status.to_string(),
        text => format!("{status}: {text}"),
    };
    let cause = match status {
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => return Verdict::Never(reason),
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => SinkFailure::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => SinkFailure::Throttled,
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => SinkFailure::Timeout,
        _ => SinkFailure::Refused,
    };
    Verdict::Later(Outcome::Later { cause, reason, after: answer.retry_after })
}

/// It is to be tried again.
impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Later { cause: failure.cause, reason: failure.reason, after: None }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::StatusCode;
    use hyper::body::Bytes;

    use super::{Answer, Outcome, SinkFailure, Verdict, judge};

    fn answer(status: u16) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: Some(Duration::from_secs(7)),
            body: Bytes::from_static(b"why \x1b[31m\nmore"),
        }
    }

    #[test]
    fn what_an_answer_means() {
        #[track_caller]
        fn check(status: u16, expected: Option<SinkFailure>) {
            let found = match judge(&answer(status)) {
                Verdict::Later(Outcome::Later { cause, after, reason }) => {
                    assert_eq!(after, Some(Duration::from_secs(7)));
                    assert!(reason.ends_with("why [31m"), "{reason}");
                    Some(cause)
                }
                verdict => {
                    assert_eq!(matches!(verdict, Verdict::Taken), status < 300, "{status}");
                    None
                }
            };
            assert_eq!(found, expected, "{status}");
        }
        for taken in [200, 202, 204] {
            check(taken, None);
        }
        for never in [400, 413, 415, 422] {
            check(never, None);
        }
        check(301, Some(SinkFailure::Refused));
        check(401, Some(SinkFailure::Unauthorized));
        check(403, Some(SinkFailure::Unauthorized));
        check(404, Some(SinkFailure::Refused));
        check(408, Some(SinkFailure::Timeout));
        check(429, Some(SinkFailure::Throttled));
        check(503, Some(SinkFailure::Refused));
    }
}
