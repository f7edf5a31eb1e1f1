//! Requests of OTLP on their way, by gRPC or HTTP.

use std::fmt;
use std::sync::Arc;

use hyper::Uri;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use prost::Message as _;
use serde::Deserialize;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::sinks::client::{Access, Client, ClientError, Verdict, judge};
use crate::sinks::delivery::Outcome;
use crate::telemetry::SinkFailure;

/// How requests are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Protocol {
    /// By gRPC, as a rule at port 4317.
    #[serde(rename = "grpc")]
    Grpc,
    /// Protobuf over HTTP, as a rule at port 4318.
    #[serde(rename = "http/protobuf")]
    Http,
}

/// Why nothing can be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The address.
    #[error("`{0}` is no address of OTLP; expected one such as `http://collector:4318`")]
    Address(String),
}

/// A way to a back-end.
#[derive(Clone)]
pub struct Export {
    client: Arc<Client>,
    base: Uri,
    channel: Option<Channel>,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Export {
    /// To the back-end at `endpoint`, without the path of a signal. To be called where
    /// tokio runs; nothing is connected yet.
    ///
    /// # Errors
    ///
    /// An address that is none; files that cannot be used.
    pub fn new(endpoint: &str, protocol: Protocol, access: &Access) -> Result<Self, ExportError> {
        let wrong = || ExportError::Address(endpoint.to_owned());
        let base: Uri = endpoint.trim_end_matches('/').parse().map_err(|_| wrong())?;
        if base.host().is_none() || !matches!(base.scheme_str(), Some("http" | "https")) {
            return Err(wrong());
        }
        let client = Arc::new(Client::new(access)?);
        let channel = (protocol == Protocol::Grpc).then(|| {
            Endpoint::from(base.clone()).connect_with_connector_lazy(client.grpc_connector())
        });
        Ok(Self { client, base, channel })
    }

    /// The address of a signal, such as `/v1/logs`.
    pub(super) fn uri(&self, path: &str) -> Uri {
        let text = format!("{}{path}", self.base.to_string().trim_end_matches('/'));
        text.parse().unwrap_or_else(|_| self.base.clone())
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(super) fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }

    /// Sends log records; of those that are taken tells how many are refused.
    pub(super) async fn logs(&self, request: ExportLogsServiceRequest) -> Result<usize, Verdict> {
        let response = match &self.channel {
            Some(channel) => {
                let mut client = LogsServiceClient::new(channel.clone());
                let mut request = Request::new(request);
                self.client.sign(request.metadata_mut());
                client.export(request).await.map_err(|status| of_status(&status))?.into_inner()
            }
            None => {
                let body = request.encode_to_vec();
                let uri = self.uri("/v1/logs");
                let answer = self.client.post(&uri, "application/x-protobuf", &[], body.into());
                let answer = answer.await.map_err(|it| Verdict::Later(it.outcome()))?;
                match judge(&answer) {
                    Verdict::Taken => {}
                    verdict => return Err(verdict),
                }
                ExportLogsServiceResponse::decode(answer.body).unwrap_or_default()
            }
        };
        let Some(partial) = response.partial_success else { return Ok(0) };
        if !partial.error_message.is_empty() {
            tracing::warn!(reason = partial.error_message, "the back-end says of log records");
        }
        Ok(usize::try_from(partial.rejected_log_records).unwrap_or(0))
    }
}

/// What a status of gRPC says, as OTLP wants it to be taken.
fn of_status(status: &Status) -> Verdict {
    let cause = match status.code() {
        Code::InvalidArgument | Code::OutOfRange | Code::DataLoss | Code::FailedPrecondition => {
            return Verdict::Never(status.message().to_owned());
        }
        Code::Unauthenticated | Code::PermissionDenied => SinkFailure::Unauthorized,
        Code::ResourceExhausted => SinkFailure::Throttled,
        Code::DeadlineExceeded => SinkFailure::Timeout,
        Code::Unavailable => SinkFailure::Connect,
        _ => SinkFailure::Refused,
    };
    let reason = format!("{:?}: {}", status.code(), status.message());
    Verdict::Later(Outcome::Later { cause, reason, after: None })
}
