//! A certificate authority of its own, and what a client needs to trust it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// How HTTP/2 is called when a connection begins.
pub(super) const HTTP2: &[u8] = b"h2";

/// A certificate authority.
pub struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// One that nobody trusts yet, by its common name.
    pub fn new(name: &str) -> Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let pem = authority.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(authority, key) })
    }

    /// Its certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate of a server of this name that it signs, and its key, PEM.
    ///
    /// # Errors
    ///
    /// The name is none.
    pub fn certify(&self, name: &str) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let certificate = server(name, None)?.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// A server's certificate that it signs, for a name, and for an address if one is given.
    pub(crate) fn sign(&self, name: &str, address: Option<IpAddr>) -> Result<TlsAcceptor> {
        self.acceptor(&server(name, address)?)
    }

    /// The same, but it was valid only until 2020.
    pub(crate) fn sign_expired(&self, name: &str, address: Option<IpAddr>) -> Result<TlsAcceptor> {
        let mut server = server(name, address)?;
        server.not_after = date_time_ymd(2020, 1, 1);
        self.acceptor(&server)
    }

    fn acceptor(&self, server: &CertificateParams) -> Result<TlsAcceptor> {
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(Arc::new(server).into())
    }
}

fn server(name: &str, address: Option<IpAddr>) -> Result<CertificateParams> {
    let mut server = CertificateParams::new(vec![name.to_owned()])?;
    server.subject_alt_names.extend(address.map(SanType::IpAddress));
    Ok(server)
}

/// The authority, and a server's certificate signed by it.
pub(super) struct Certificates {
    pub(super) authority: Authority,
    server: TlsAcceptor,
}

impl Certificates {
    pub(super) fn new() -> Result<Self> {
        let authority = Authority::new("kubernetes")?;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let server = authority.sign("kubernetes.default.svc", Some(loopback))?;
        Ok(Self { authority, server })
    }

    /// Takes connections, and offers HTTP/2 beside HTTP/1.1 if it is to.
    pub(super) fn acceptor(&self, http2: bool) -> TlsAcceptor {
        let mut config = ServerConfig::clone(self.server.config());
        if http2 {
            config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        }
        Arc::new(config).into()
    }
}

/// Writes a kubeconfig in one step, as whoever reads it may do so at any time.
pub(super) fn write_kubeconfig(
    path: &Path,
    server: SocketAddr,
    authority: &[u8],
    token: &str,
) -> Result<()> {
    let authority = STANDARD.encode(authority);
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters:\n- name: test\n  cluster:\n    server: https://{server}\n    \
         certificate-authority-data: {authority}\n\
         users:\n- name: agent\n  user:\n    token: {token}\n\
         contexts:\n- name: test\n  context:\n    cluster: test\n    user: agent\n"
    );
    let whole = path.with_extension("new");
    std::fs::write(&whole, text)?;
    std::fs::rename(whole, path)?;
    Ok(())
}
