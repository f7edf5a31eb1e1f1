//! Requests of OTLP on their way, by gRPC or HTTP.

use std::fmt;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde::Deserialize;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Extensions, Request, Status};

use crate::sinks::client::{Access, Client, ClientError};
use crate::sinks::delivery::{self, Outcome, Verdict, judge};
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
    tenant_header: Option<HeaderName>,
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
        Ok(Self { client, base, channel, tenant_header: None })
    }

    /// Has requests with alerts say in this header whose they are, each of one tenant.
    #[must_use]
    pub fn with_tenant_header(self, tenant_header: Option<HeaderName>) -> Self {
        Self { tenant_header, ..self }
    }

    /// Whether requests say whose they are, each of one tenant.
    pub(super) const fn tells_tenants(&self) -> bool {
        self.tenant_header.is_some()
    }

    /// Messages in as few requests as they may be in, in their order.
    pub(super) fn requests<'a>(
        &self,
        messages: &'a [delivery::Message],
    ) -> impl Iterator<Item = &'a [delivery::Message]> + use<'a> {
        let any = !self.tells_tenants();
        messages.chunk_by(move |one, next| any || one.tenant == next.tenant)
    }

    /// The header that says whose a request is.
    fn whose(&self, tenant: &str) -> Result<Option<(HeaderName, HeaderValue)>, Verdict> {
        let Some(name) = &self.tenant_header else { return Ok(None) };
        let value = HeaderValue::from_str(tenant)
            .map_err(|_| Verdict::Never(format!("`{tenant}` can be in no header")))?;
        Ok(Some((name.clone(), value)))
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

    /// Sends log records of a tenant; of those that are taken tells how many are refused.
    pub(super) async fn logs(
        &self,
        request: ExportLogsServiceRequest,
        tenant: &str,
    ) -> Result<usize, Verdict> {
        let response: ExportLogsServiceResponse = match &self.channel {
            Some(channel) => {
                let mut client = LogsServiceClient::new(channel.clone());
                let answer = client.export(self.signed(request, tenant)?).await;
                answer.map_err(|status| of_status(&status))?.into_inner()
            }
            None => self.post("/v1/logs", tenant, &request).await?,
        };
        let Some(partial) = response.partial_success else { return Ok(0) };
        said(&partial.error_message);
        Ok(usize::try_from(partial.rejected_log_records).unwrap_or(0))
    }

    /// Sends spans of a tenant; of those that are taken tells how many are refused.
    pub(super) async fn traces(
        &self,
        request: ExportTraceServiceRequest,
        tenant: &str,
    ) -> Result<usize, Verdict> {
        let response: ExportTraceServiceResponse = match &self.channel {
            Some(channel) => {
                let mut client = TraceServiceClient::new(channel.clone());
                let answer = client.export(self.signed(request, tenant)?).await;
                answer.map_err(|status| of_status(&status))?.into_inner()
            }
            None => self.post("/v1/traces", tenant, &request).await?,
        };
        let Some(partial) = response.partial_success else { return Ok(0) };
        said(&partial.error_message);
        Ok(usize::try_from(partial.rejected_spans).unwrap_or(0))
    }

    /// What a request of gRPC says beside what is sent.
    pub(super) fn metadata(&self, tenant: &str) -> Result<MetadataMap, Verdict> {
        let whose = self.whose(tenant)?.into_iter().collect::<HeaderMap>();
        let mut metadata = MetadataMap::from_headers(whose);
        self.client.sign(&mut metadata);
        Ok(metadata)
    }

    fn signed<T>(&self, request: T, tenant: &str) -> Result<Request<T>, Verdict> {
        Ok(Request::from_parts(self.metadata(tenant)?, Extensions::default(), request))
    }

    async fn post<A: Message + Default>(
        &self,
        path: &str,
        tenant: &str,
        request: &impl Message,
    ) -> Result<A, Verdict> {
        let (uri, body) = (self.uri(path), request.encode_to_vec());
        let whose = self.whose(tenant)?;
        let further = whose.as_slice();
        let answer = self.client.post(&uri, "application/x-protobuf", further, body.into()).await;
        let answer = answer.map_err(|failure| Verdict::Later(failure.into()))?;
        match judge(&answer) {
            // Who took it and says nothing that is understood took all of it.
            Verdict::Taken => Ok(A::decode(answer.body).unwrap_or_default()),
            verdict => Err(verdict),
        }
    }
}

/// Tells what a back-end says of what it took.
fn said(reason: &str) {
    if !reason.is_empty() {
        tracing::warn!(reason, "the back-end says of what it was sent");
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
