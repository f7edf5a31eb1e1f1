//! One GET over TLS, to an agent whose own certificate is in a file here.
//!
//! The certificate is compared as a whole, so that it does not matter for which name or
//! address it was made, and nobody who takes the agent's port is told the token.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    SignatureScheme, StreamOwned,
};

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
    let deadline = Instant::now() + timeout;
    let config = Arc::new(config(certificate)?);
    // No name is asked for, as none is compared.
    let name = ServerName::try_from("landlord").map_err(io::Error::other)?;
    let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, connect(address)?);
    let token = token.map(|it| format!("Authorization: Bearer {it}\r\n")).unwrap_or_default();
    stream.sock.set_write_timeout(Some(timeout))?;
    stream.sock.set_read_timeout(Some(timeout))?;
    // Of version 1.0: the answer ends with the connection and is never chunked.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{token}\r\n")?;
    let mut bytes = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || bytes.len() as u64 > ANSWER_LIMIT {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no whole answer in time"));
        }
        stream.sock.set_read_timeout(Some(left))?;
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&part[..length]),
            // The length tells below whether it is whole.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    reply(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer of HTTP"))
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// `None`: it is none, or not whole.
fn reply(bytes: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let length: usize = header("content-length")?.parse().ok()?;
    (body.len() == length).then(|| Reply {
        status,
        server: header("server").map(str::to_owned),
        text: body.to_owned(),
    })
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

#[cfg(test)]
mod tests {
    use super::reply;

    #[test]
    fn only_whole_answers_are_taken() {
        let check = |answer: &str, expected: Option<(u16, Option<&str>, &str)>| {
            let found = reply(answer.as_bytes());
            let found = found.as_ref().map(|it| (it.status, it.server.as_deref(), &*it.text));
            assert_eq!(found, expected, "{answer:?}");
        };
        check(
            "HTTP/1.0 200 OK\r\nServer: landlord/1\r\nContent-Length: 2\r\n\r\nhi",
            Some((200, Some("landlord/1"), "hi")),
        );
        check("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", Some((401, None, "")));
        check("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nhi", None);
        check("HTTP/1.0 200 OK\r\n\r\nhi", None);
        check("SSH-2.0-OpenSSH_9.2\r\n", None);
    }
}
