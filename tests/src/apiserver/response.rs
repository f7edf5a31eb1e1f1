//! What is answered: whole or piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame};
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A piece of a body, or the wish to break the connection.
pub(super) type Piece = Result<Bytes, std::io::Error>;

/// A body.
pub(super) enum Answer {
    Whole(Option<Bytes>),
    Pieces(mpsc::Receiver<Piece>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }
}

/// An answer, or the wish to break the connection without one.
pub(super) type Reply = Result<Response<Answer>, std::io::Error>;

/// An answer with this body.
pub(super) fn json(code: StatusCode, body: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(body.into())));
    *response.status_mut() = code;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A `Status` that says what is wrong.
pub(super) fn failure(code: u16, message: &str, retry_after: Option<u32>) -> Response<Answer> {
    let body = status(code, message, retry_after).to_string();
    with_retry(json(known(code), body), retry_after)
}

/// The same as plain text.
pub(super) fn text(code: u16, message: &str, retry_after: Option<u32>) -> Response<Answer> {
    let mut response = json(known(code), message.to_owned());
    response.headers_mut().remove(CONTENT_TYPE);
    with_retry(response, retry_after)
}

/// An object of kind `Status`.
pub(super) fn status(code: u16, message: &str, retry_after: Option<u32>) -> Value {
    let reason = match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    if let Some(seconds) = retry_after {
        status["details"] = json!({ "retryAfterSeconds": seconds });
    }
    status
}

fn known(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn with_retry(mut response: Response<Answer>, retry_after: Option<u32>) -> Response<Answer> {
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
