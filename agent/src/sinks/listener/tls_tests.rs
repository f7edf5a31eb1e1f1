//! TLS with certificates that are made for the test, and replaced in it.

use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::routing::get;
use axum::{Extension, Router};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::credentials::{ClientToken, Tls};
use super::tests::{Server, read_reply};
use super::{Certified, Clients, Door, PATIENCE, Patience, Security};
use crate::telemetry::ClientFault;

/// Who signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certificate and key of a name, PEM.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// What the server says to a client that trusts `authority`, and shows a certificate if it
/// has one; `None` when they do not come together.
fn ask(server: &Server, authority: &Authority, own: Option<&(String, String)>) -> Option<String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots());
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let name = ServerName::try_from("agent").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let said = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    said.ok()?;
    let mut reply = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut reply).ok()?;
    Some(read_reply(&reply[..]).body)
}

/// Tells whether the listener saw a certificate.
fn router() -> Router {
    Router::new().route(
        "/",
        get(
            async |certified: Option<Extension<Certified>>| {
                if certified.is_some() { "known" } else { "anybody" }
            },
        ),
    )
}

fn serve(security: &Security, patience: Patience) -> Server {
    let clients = Arc::<Clients>::default();
    let tls = Tls::looking(security, Duration::ZERO).unwrap();
    let door = Door { tls, clients: Arc::clone(&clients) };
    Server::behind(patience, door, clients, router())
}

#[test]
fn replaced_certificates_are_shown_and_wrong_ones_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let put = |(certificate, key): &(String, String)| {
        let certificate = write(folder.path(), "tls.crt", certificate);
        (certificate, write(folder.path(), "tls.key", key))
    };
    let certificate = Some(put(&first.sign("agent")));
    let security = Security { certificate, ..Security::default() };
    let server = serve(&security, PATIENCE);
    let anybody = Some("anybody".to_owned());
    assert_eq!(ask(&server, &first, None), anybody);
    assert_eq!(ask(&server, &second, None), None);
    server.wait_for(ClientFault::Tls, 1);
    put(&second.sign("agent"));
    assert_eq!(ask(&server, &second, None), anybody);
    assert_eq!(ask(&server, &first, None), None);
    server.wait_for(ClientFault::Tls, 2);
    // What is no certificate, or half of a pair, leaves it as it was.
    write(folder.path(), "tls.crt", "-----BEGIN");
    assert_eq!(ask(&server, &second, None), anybody);
    write(folder.path(), "tls.crt", &first.sign("agent").0);
    assert_eq!(ask(&server, &second, None), anybody);
    // Nor does it answer without TLS.
    let mut plain = TcpStream::connect(server.address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    server.wait_for(ClientFault::Tls, 3);
}

#[test]
fn certificates_of_clients_are_known_and_not_demanded() {
    let folder = tempfile::tempdir().unwrap();
    let (own, theirs, strangers) =
        (Authority::new("own"), Authority::new("theirs"), Authority::new("strangers"));
    let (certificate, key) = own.sign("agent");
    let certificate = write(folder.path(), "tls.crt", &certificate);
    let security = Security {
        certificate: Some((certificate, write(folder.path(), "tls.key", &key))),
        client_ca: Some(write(folder.path(), "ca.crt", &theirs.0.pem())),
        token: None,
    };
    let server = serve(&security, PATIENCE);
    let says = |own_certificate: Option<&(String, String)>| ask(&server, &own, own_certificate);
    assert_eq!(says(None), Some("anybody".to_owned()));
    assert_eq!(says(Some(&theirs.sign("prometheus"))), Some("known".to_owned()));
    assert_eq!(says(Some(&strangers.sign("prometheus"))), None);
    write(folder.path(), "ca.crt", &strangers.0.pem());
    assert_eq!(says(Some(&strangers.sign("prometheus"))), Some("known".to_owned()));
}

#[test]
fn who_does_not_shake_hands_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own");
    let (certificate, key) = authority.sign("agent");
    let certificate = write(folder.path(), "tls.crt", &certificate);
    let certificate = Some((certificate, write(folder.path(), "tls.key", &key)));
    let security = Security { certificate, ..Security::default() };
    let head = Duration::from_millis(300);
    let server = serve(&security, Patience { connections: 1, head, ..PATIENCE });
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.write_all(&[0x16, 0x03, 0x01]).unwrap();
    let start = Instant::now();
    assert_eq!(ask(&server, &authority, None), Some("anybody".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    server.wait_for(ClientFault::Slow, 1);
}

#[test]
fn a_replaced_token_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "token", "first");
    let token = ClientToken::looking(file.clone(), Duration::ZERO).unwrap();
    assert!(token.is_said(b"Bearer first"));
    write(folder.path(), "token", "second\n");
    assert!(token.is_said(b"Bearer second") && !token.is_said(b"Bearer first"));
    // What is none leaves it as it was.
    for none in ["", "two words", "l\u{e4}nge"] {
        write(folder.path(), "token", none);
        assert!(token.is_said(b"Bearer second") && !token.is_said(b"Bearer "), "{none:?}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(token.is_said(b"Bearer second"));
}

#[test]
fn what_is_wrong_with_files_is_told_without_what_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("own");
    let (certificate, key) = authority.sign("agent");
    let check = |name: &str, certificate: &str, key: &str, expected: &str| {
        let files =
            (write(folder.path(), "tls.crt", certificate), write(folder.path(), "tls.key", key));
        let security = Security { certificate: Some(files), ..Security::default() };
        let error = Door::new(&security, Arc::default()).unwrap_err().to_string();
        assert_eq!(error, format!("{}: {expected}", folder.path().join(name).display()));
    };
    check("tls.crt", "", &key, "has no certificate in PEM");
    check("tls.key", &certificate, "secret", "has no private key in PEM");
    let other = authority.sign("agent").1;
    check("tls.key", &certificate, &other, "keys may not be consistent: KeyMismatch");
    let missing = folder.path().join("none");
    let error = ClientToken::new(missing.clone()).unwrap_err().to_string();
    assert!(error.starts_with(&missing.display().to_string()), "{error}");
    let token = ClientToken::new(write(folder.path(), "token", "secret")).unwrap();
    assert!(!format!("{token:?}").contains("secret"));
}
