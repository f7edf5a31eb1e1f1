//! One GET over TLS, to an agent whose own certificate is in a file here.
//!
//! The certificate is compared as a whole, so that it does not matter for which name or
//! address it was made, and nobody who takes the agent's port is told the token.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST, SERVER};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{ANSWER_LIMIT, CONNECT_TIMEOUT};

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) server: Option<String>,
    pub(super) text: String,
}

/// Asks for `path`, with a token if there is one.
pub(super) fn get(
    address: &str,
    path: &str,
    certificate: &Path,
    token: Option<&str>,
    timeout: Duration,
) -> io::Result<Reply> {
    let config = config(certificate)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let asked = tokio::time::timeout(timeout, ask(address, path, config, token)).await;
        asked.unwrap_or_else(|_| Err(late("no whole answer in time")))
    })
}

async fn ask(
    address: &str,
    path: &str,
    config: ClientConfig,
    token: Option<&str>,
) -> io::Result<Reply> {
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let stream = stream.unwrap_or_else(|_| Err(late("no connection in time")))?;
    // No name is asked for, as none is compared.
    let name = ServerName::try_from("landlord").map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // What goes wrong with it is told to who asks.
    drop(tokio::spawn(connection));
    let mut request = Request::get(path).header(HOST, address);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(io::Error::other)?;
    let server = head.headers.get(SERVER).and_then(|it| it.to_str().ok());
    Ok(Reply {
        status: head.status.as_u16(),
        server: server.map(str::to_owned),
        text: String::from_utf8(body.to_bytes().into()).map_err(io::Error::other)?,
    })
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

fn config(certificate: &Path) -> io::Result<ClientConfig> {
    let wrong = |reason: String| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {reason}", certificate.display()))
    };
    let text = fs::read(certificate).map_err(|error| wrong(error.to_string()))?;
    let own = CertificateDer::from_pem_slice(&text)
        .map_err(|_| wrong("has no certificate in PEM".to_owned()))?;
    let provider = Arc::new(ring::default_provider());
    let verifier = Pinned { own, provider: Arc::clone(&provider) };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.enable_sni = false;
    Ok(config)
}

/// Trusts one certificate and no other.
#[derive(Debug)]
struct Pinned {
    own: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.own {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
