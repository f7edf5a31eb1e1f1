//! One GET at a time over a plain socket, or TLS: all that asking an agent, or another that
//! serves, takes.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const PATIENCE: Duration = Duration::from_secs(10);

/// How an agent is asked that is secured.
#[derive(Clone, Debug)]
pub struct Secured {
    /// File with the certificate of who signs the agent's.
    pub authority: PathBuf,
    /// The name that is in the agent's.
    pub name: String,
    /// File with the token that it wants.
    pub token: Option<PathBuf>,
}

/// The body of the answer, which must be 200.
///
/// # Errors
///
/// Nobody answers, or something else.
pub fn get(address: SocketAddr, path: &str) -> Result<String> {
    ask(connect(address)?, address, path, None)
}

/// The same by TLS.
///
/// # Errors
///
/// Nobody answers, or something else; no certificate of that name from that authority.
pub fn get_secured(address: SocketAddr, path: &str, how: &Secured) -> Result<String> {
    let mut roots = RootCertStore::empty();
    let authority = fs::read(&how.authority).context("cannot read the authority")?;
    roots.add(CertificateDer::from_pem_slice(&authority)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(how.name.clone()).context("no name of a server")?;
    let connection = ClientConnection::new(Arc::new(config), name)?;
    let token = how.token.as_ref().map(fs::read_to_string).transpose();
    let token = token.context("cannot read the token")?;
    ask(StreamOwned::new(connection, connect(address)?), address, path, token.as_deref())
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("nobody answers at {address}"))?;
    stream.set_read_timeout(Some(PATIENCE)).context("cannot set a time limit")?;
    Ok(stream)
}

fn ask(
    mut stream: impl Read + Write,
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> Result<String> {
    let token = token.map(|it| format!("Authorization: Bearer {}\r\n", it.trim()));
    let token = token.unwrap_or_default();
    // Version 1.0: the answer ends with the connection and is never chunked.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n{token}\r\n")
        .context("cannot ask")?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        // TLS that ends without a word of farewell; whether it is whole the head tells.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        read => drop(read.with_context(|| format!("no answer to {path}"))?),
    }
    body(&answer).map(str::to_owned).with_context(|| format!("GET {path}"))
}

fn body(answer: &str) -> Result<&str> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is cut off")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("{status}: {}", body.trim());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::body;

    fn check(answer: &str, expected: Result<&str, &str>) {
        assert_eq!(
            body(answer).map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn only_a_whole_answer_of_200_has_a_body() {
        check("HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody", Ok("body"));
        check("HTTP/1.0 200 OK\r\n\r\n", Ok(""));
        check(
            "HTTP/1.0 503 Service Unavailable\r\n\r\nnot yet\n",
            Err("HTTP/1.0 503 Service Unavailable: not yet"),
        );
        check("HTTP/1.0 200 OK\r\nA: b", Err("the answer is cut off"));
        check("", Err("the answer is cut off"));
    }
}
