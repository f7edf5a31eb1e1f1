//! What a client knows back-ends by, and what it shows of itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::sinks::credentials::{CredentialError, Kept, authorities, certificates, private_key};

/// See the module.
pub(super) type Certificates = Kept<ClientConfig>;

/// `ca`: the certificates of those who sign; `own`: the own one and its key.
pub(super) fn kept(
    ca: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
    fresh: Duration,
) -> Result<Certificates, CredentialError> {
    let files = own.clone().map(|(certificate, key)| [certificate, key]);
    let paths = ca.clone().into_iter().chain(files.into_iter().flatten()).collect();
    Kept::new(paths, fresh, move |texts| config(ca.as_deref(), own.as_ref(), texts))
}

fn config(
    ca: Option<&Path>,
    own: Option<&(PathBuf, PathBuf)>,
    texts: &[Vec<u8>],
) -> Result<ClientConfig, CredentialError> {
    let nowhere = Path::new("certificates of this machine");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| CredentialError::new(nowhere, error))?;
    let mut texts = texts.iter();
    let builder = match (ca, ca.and_then(|_| texts.next())) {
        (Some(path), Some(text)) => builder.with_root_certificates(authorities(path, text)?),
        // An image without any has those that browsers trust.
        _ => match builder.clone().with_platform_verifier() {
            Ok(builder) => builder,
            Err(error) => {
                tracing::debug!(%error, "this machine has no certificates of authorities");
                let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
                builder.with_root_certificates(RootCertStore { roots })
            }
        },
    };
    match (own, texts.next(), texts.next()) {
        (Some((path, key_path)), Some(text), Some(key)) => builder
            .with_client_auth_cert(certificates(path, text)?, private_key(key_path, key)?)
            .map_err(|error| CredentialError::new(key_path, error)),
        _ => Ok(builder.with_no_client_auth()),
    }
}
