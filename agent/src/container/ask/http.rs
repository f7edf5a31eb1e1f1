//! One question to a runtime by HTTP on a unix socket.

use std::{
    os::fd::{AsRawFd as _, OwnedFd},
    path::PathBuf,
};

use http_body_util::{BodyExt as _, Collected, Empty, LengthLimitError, Limited};
use hyper::{
    Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::HOST,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

/// Longer answers are none.
const MAX_ANSWER: usize = 4 << 20;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The runtime does not know the container.
    #[error("not known")]
    NotFound,
    /// The runtime does not know the question.
    #[error("not offered")]
    Unimplemented,
    /// The socket is there and does not answer as it should.
    #[error("not reached")]
    Unreachable,
    /// The answer is too long.
    #[error("too long")]
    Oversized,
    /// The answer is not understood.
    #[error("not understood")]
    Malformed,
}

/// Connects to a socket that was found before, wherever its path leads now.
pub(super) async fn connect(socket: &OwnedFd) -> Result<UnixStream, Failure> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", socket.as_raw_fd()));
    UnixStream::connect(path).await.map_err(|error| {
        tracing::debug!(%error, "a runtime's socket does not accept");
        Failure::Unreachable
    })
}

/// Reads a body to its end, with its trailers.
pub(super) async fn collect(body: Incoming) -> Result<Collected<Bytes>, Failure> {
    Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { Failure::Oversized } else { Failure::Unreachable }
    })
}

/// `GET` of a JSON document.
pub(super) async fn get(socket: &OwnedFd, path: &str) -> Result<Value, Failure> {
    let stream = TokioIo::new(connect(socket).await?);
    let (mut sender, connection) =
        http1::handshake(stream).await.map_err(|_| Failure::Unreachable)?;
    let request = Request::get(path)
        .header(HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Failure::Malformed)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| Failure::Unreachable)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Failure::NotFound),
            status => {
                tracing::debug!(%status, path, "a runtime refuses to answer");
                return Err(Failure::Unreachable);
            }
        }
        let body = collect(response.into_body()).await?.to_bytes();
        serde_json::from_slice(&body).map_err(|_| Failure::Malformed)
    };
    // Both end together: the connection moves the bytes, and closes when it is dropped.
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}
