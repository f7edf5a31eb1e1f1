//! Tokens and certificates that are replaced while the client is in use, and who is let in
//! by which.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use hyper::Uri;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::{Access, Client, Failure};
use crate::telemetry::SinkFailure;

/// What is posted; the server's answer comes after it.
const BODY: &str = "end of the request";

/// A certificate in PEM and DER, and its key in PEM.
struct Signed {
    pem: String,
    der: Vec<u8>,
    key: KeyPair,
}

/// Who signs.
struct Authority {
    pem: String,
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        Self { pem: own.pem(), der: own.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        Signed { pem: signed.pem(), der: signed.der().to_vec(), key }
    }

    /// A server of this authority that lets in who has a certificate of it, and answers
    /// with that certificate.
    async fn serve(&self) -> (Uri, JoinHandle<()>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone().into()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let own = self.sign("localhost");
        let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(vec![own.der.into()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever is not let in ends here.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = Vec::new();
                while !request.ends_with(BODY.as_bytes()) {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0);
                }
                let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
                let length = certificate.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&certificate).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (format!("https://localhost:{port}/").parse().unwrap(), server)
    }
}

/// Files that are replaced as operators do.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        let next = self.0.path().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, &path).unwrap();
        path
    }

    fn put_certificate(&self, signed: &Signed) -> (PathBuf, PathBuf) {
        (self.put("crt", &signed.pem), self.put("key", &signed.key.serialize_pem()))
    }
}

/// What the server answers.
async fn ask(client: &Client, uri: &Uri) -> Result<Vec<u8>, Failure> {
    let answer = client.post(uri, "text/plain", &[], BODY.into()).await;
    answer.map(|answer| answer.body.to_vec())
}

#[tokio::test]
async fn who_has_the_right_certificate_is_let_in_and_a_replaced_one_counts() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let (uri, server) = authority.serve().await;
    let files = Files::new();
    let ca_file = Some(files.put("ca", &authority.pem));
    let without = Access { ca_file: ca_file.clone(), ..Access::default() };
    let client = Client::new(&without).unwrap();
    assert!(ask(&client, &uri).await.is_err(), "without a certificate");

    let foreign = files.put_certificate(&other.sign("agent"));
    let access = Access { ca_file, certificate: Some(foreign), ..Access::default() };
    let client = Client::reading_after(Duration::ZERO, &access).unwrap();
    assert!(ask(&client, &uri).await.is_err(), "with one that another authority signed");

    let (first, second) = (authority.sign("agent"), authority.sign("agent"));
    files.put_certificate(&first);
    assert_eq!(ask(&client, &uri).await.unwrap(), first.der);
    // Replaced in two steps: as long as both do not fit, those of before are in use.
    files.put("crt", &second.pem);
    assert_eq!(ask(&client, &uri).await.unwrap(), first.der);
    files.put("key", &second.key.serialize_pem());
    assert_eq!(ask(&client, &uri).await.unwrap(), second.der);
    // One that is gone leaves things as they were.
    std::fs::remove_file(files.0.path().join("crt")).unwrap();
    assert_eq!(ask(&client, &uri).await.unwrap(), second.der);
    server.abort();
}

#[tokio::test]
async fn a_server_is_believed_by_the_authorities_of_the_file_as_it_is_now() {
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let (uri, server) = authority.serve().await;
    let files = Files::new();
    let own = authority.sign("agent");
    let ca_file = Some(files.put("ca", &other.pem));
    let certificate = Some(files.put_certificate(&own));
    let access = Access { ca_file, certificate, ..Access::default() };
    let client = Client::reading_after(Duration::ZERO, &access).unwrap();
    assert_eq!(ask(&client, &uri).await.unwrap_err().cause, SinkFailure::Tls);
    files.put("ca", &format!("{}{}", other.pem, authority.pem));
    assert_eq!(ask(&client, &uri).await.unwrap(), own.der);
    // What was read is fresh for a while.
    let client = Client::reading_after(Duration::from_secs(3600), &access).unwrap();
    files.put("ca", &other.pem);
    assert_eq!(ask(&client, &uri).await.unwrap(), own.der);
    server.abort();
}

#[tokio::test]
async fn a_replaced_token_is_sent() {
    async fn reply(headers: HeaderMap) -> Vec<u8> {
        headers["authorization"].as_bytes().to_vec()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri: Uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/", post(reply))).await.unwrap();
    });
    let files = Files::new();
    let token_file = Some(files.put("token", "one\n"));
    let access = Access { token_file, ..Access::default() };
    let client = Client::reading_after(Duration::ZERO, &access).unwrap();
    let lazy = Client::reading_after(Duration::from_secs(3600), &access).unwrap();
    assert_eq!(ask(&client, &uri).await.unwrap(), b"Bearer one");
    files.put("token", "two\n");
    assert_eq!(ask(&client, &uri).await.unwrap(), b"Bearer two");
    assert_eq!(ask(&lazy, &uri).await.unwrap(), b"Bearer one");
    // What is no token, and none at all, leave the last one.
    files.put("token", "\n");
    assert_eq!(ask(&client, &uri).await.unwrap(), b"Bearer two");
    std::fs::remove_file(files.0.path().join("token")).unwrap();
    assert_eq!(ask(&client, &uri).await.unwrap(), b"Bearer two");
    server.abort();
}
