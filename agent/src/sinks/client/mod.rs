//! HTTP to back-ends: with TLS or without, credentials from files that may be replaced at
//! any time, and answers of bounded size.
//!
//! It never tries twice and never logs a credential; what an answer means is for whoever
//! asked.

mod certificates;
mod failure;
#[cfg(test)]
mod replaced_tests;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tonic::metadata::MetadataMap;
use tower::Service;

use certificates::Certificates;
pub use failure::Failure;
use token::Token;

use super::credentials::{CredentialError, FRESH};

/// Bytes of an answer that are read at most; more is an answer of no such back-end.
const ANSWER_BYTES: usize = 256 << 10;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection is kept that nobody uses; shorter than most servers do.
const IDLE: Duration = Duration::from_secs(20);

/// How a back-end is reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Headers of every request; their values may be secrets.
    pub headers: BTreeMap<String, String>,
    /// File with a token that is sent as `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// File with the certificates, in PEM, of those who sign the back-end's; without it
    /// those of this machine.
    pub ca_file: Option<PathBuf>,
    /// Files with the own certificate and its key, in PEM.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("headers", &self.headers.keys())
            .field("token_file", &self.token_file)
            .field("ca_file", &self.ca_file)
            .field("certificate", &self.certificate)
            .finish()
    }
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of TLS, or that of the token.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A header of the settings.
    #[error("`{0}` is no name of a header, or its value has what headers may not have")]
    Header(String),
}

/// What a back-end answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// When it wants to be asked again.
    pub retry_after: Option<Duration>,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The beginning of the body as text for people.
    #[must_use]
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line = text.split(['\r', '\n']).next().unwrap_or_default();
        line.chars().filter(|it| !it.is_control()).take(200).collect()
    }
}

type Http = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client of one back-end, which keeps its connections.
#[derive(Debug)]
pub struct Client {
    headers: HeaderMap,
    token: Option<Token>,
    certificates: Certificates,
    http: Mutex<(u64, Http)>,
}

impl Client {
    /// Reads the files, so that what is wrong with them is known at the start.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or has not what it should have; a header that is none.
    pub fn new(access: &Access) -> Result<Self, ClientError> {
        Self::reading_after(FRESH, access)
    }

    /// The same, with files that are read again when what was read of them is so old.
    fn reading_after(fresh: Duration, access: &Access) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &access.headers {
            let wrong = || ClientError::Header(name.clone());
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
        }
        let token = access.token_file.clone().map(|path| token::kept(path, fresh)).transpose()?;
        let certificates =
            certificates::kept(access.ca_file.clone(), access.certificate.clone(), fresh)?;
        let (generation, tls) = certificates.current();
        Ok(Self { headers, token, certificates, http: Mutex::new((generation, http(tls))) })
    }

    /// Posts a body.
    ///
    /// # Errors
    ///
    /// When no answer came, or none that is HTTP.
    pub async fn post(
        &self,
        uri: &Uri,
        content_type: &'static str,
        further: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        request.headers_mut().extend(further.iter().cloned());
        self.send(request).await
    }

    /// Sends a request with the headers and the token of this client.
    ///
    /// # Errors
    ///
    /// As [`Self::post`].
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        self.add_headers(request.headers_mut());
        let response = self.http().request(request).await.map_err(|it| Failure::of(&it))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await;
        Ok(Answer {
            status: head.status,
            retry_after: head.headers.get(RETRY_AFTER).and_then(retry_after),
            body: body.map_err(|it| Failure::of_body(&*it))?.to_bytes(),
        })
    }

    /// Adds the headers and the token to a request of gRPC.
    pub fn sign(&self, metadata: &mut MetadataMap) {
        let mut headers = std::mem::take(metadata).into_headers();
        self.add_headers(&mut headers);
        *metadata = MetadataMap::from_headers(headers);
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.current().1);
        }
    }

    /// Makes connections for gRPC, each with the certificates as they are then.
    #[must_use]
    pub fn grpc_connector(self: &Arc<Self>) -> GrpcConnector {
        GrpcConnector(Arc::clone(self))
    }

    /// The client of the certificates as they are now. A new one has new connections.
    fn http(&self) -> Http {
        let (generation, tls) = self.certificates.current();
        let mut last = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != generation {
            *last = (generation, http(tls));
        }
        last.1.clone()
    }
}

fn http(tls: ClientConfig) -> Http {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp());
    legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_timer(TokioTimer::new())
        .build(connector)
}

fn tcp() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    connector
}

/// Makes connections for gRPC, each with the certificates as they are then.
#[derive(Clone, Debug)]
pub struct GrpcConnector(Arc<Client>);

impl Service<Uri> for GrpcConnector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = <HttpsConnector<HttpConnector> as Service<Uri>>::Error;
    type Future = <HttpsConnector<HttpConnector> as Service<Uri>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        HttpsConnectorBuilder::new()
            .with_tls_config(self.0.certificates.current().1)
            .https_or_http()
            .enable_http2()
            .wrap_connector(tcp())
            .call(uri)
    }
}

/// Seconds, or the date that it is told as.
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    SystemTime::from(at.timestamp()).duration_since(SystemTime::now()).ok()
}
