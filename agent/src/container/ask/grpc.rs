//! Unary gRPC calls on a unix socket: one message there, one back, no stream.
//!
//! All of the protocol that the container runtime interface needs: HTTP/2 by hyper,
//! messages behind five bytes of head, the outcome in `grpc-status`.

use std::os::fd::OwnedFd;

use http_body_util::Full;
use hyper::{
    HeaderMap, Request,
    body::{Buf as _, Bytes},
    client::conn::http2::{self, SendRequest},
    header::{CONTENT_TYPE, HeaderName, HeaderValue, TE},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::task::JoinHandle;

use super::http::{Failure, collect, connect};

/// A flag and the length.
const HEAD: usize = 5;
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// A connection to a gRPC server; closed when dropped.
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Connection {
    pub(super) async fn open(socket: &OwnedFd) -> Result<Self, Failure> {
        let stream = TokioIo::new(connect(socket).await?);
        let (requests, connection) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .map_err(|_| Failure::Unreachable)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a runtime broke");
            }
        });
        Ok(Self { requests, driver })
    }

    /// Calls a method by its path, `/package.Service/Method`.
    pub(super) async fn call<Q: Message, A: Message + Default>(
        &mut self,
        path: &str,
        question: &Q,
    ) -> Result<A, Failure> {
        let mut message = vec![0; HEAD];
        question.encode(&mut message).map_err(|_| Failure::Malformed)?;
        let length = u32::try_from(message.len() - HEAD).map_err(|_| Failure::Oversized)?;
        message[1..HEAD].copy_from_slice(&length.to_be_bytes());
        let request = Request::post(format!("http://localhost{path}"))
            .header(CONTENT_TYPE, "application/grpc")
            .header(TE, "trailers")
            .body(Full::new(Bytes::from(message)))
            .map_err(|_| Failure::Malformed)?;
        let response =
            self.requests.send_request(request).await.map_err(|_| Failure::Unreachable)?;
        if !response.status().is_success() {
            return Err(Failure::Unreachable);
        }
        // A call that fails at once has no body, and its outcome among the headers.
        let early = response.headers().get(STATUS).is_some().then(|| response.headers().clone());
        let body = collect(response.into_body()).await?;
        let trailers = early.as_ref().or_else(|| body.trailers());
        outcome(trailers.ok_or(Failure::Unreachable)?)?;
        let mut bytes = body.to_bytes();
        if bytes.len() < HEAD || bytes.get_u8() != 0 {
            return Err(Failure::Malformed);
        }
        let length = usize::try_from(bytes.get_u32()).map_err(|_| Failure::Malformed)?;
        if length != bytes.len() {
            return Err(Failure::Malformed);
        }
        A::decode(bytes).map_err(|error| {
            tracing::debug!(%error, path, "an answer of a runtime is not understood");
            Failure::Malformed
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Reads the status: 0 is success.
fn outcome(trailers: &HeaderMap<HeaderValue>) -> Result<(), Failure> {
    let status = trailers.get(STATUS).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    let failure = match status {
        Some(0) => return Ok(()),
        // UNKNOWN is how some versions say what NOT_FOUND says, INVALID_ARGUMENT how
        // they say it of an id that is none.
        Some(2 | 3 | 5) => Failure::NotFound,
        Some(12) => Failure::Unimplemented,
        _ => Failure::Unreachable,
    };
    let said = trailers.get(MESSAGE).and_then(|value| value.to_str().ok());
    tracing::trace!(status, said, "a runtime does not answer");
    Err(failure)
}
