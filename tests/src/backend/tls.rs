//! Certificates that are good, and such that no longer are.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Whether a certificate may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It may.
    Valid,
    /// It might have been until 2020.
    Expired,
}

/// What serves TLS as `127.0.0.1`; the certificate of who signed for that goes to `authority`.
pub(super) fn acceptor(validity: Validity, authority: &Path) -> Result<TlsAcceptor> {
    let mut signer = CertificateParams::default();
    signer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    signer.distinguished_name.push(DnType::CommonName, "back-ends");
    let signer_key = KeyPair::generate()?;
    std::fs::write(authority, signer.self_signed(&signer_key)?.pem())?;
    let issuer = Issuer::new(signer, signer_key);
    let mut own = CertificateParams::default();
    own.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    if validity == Validity::Expired {
        own.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Arc::new(config).into())
}
