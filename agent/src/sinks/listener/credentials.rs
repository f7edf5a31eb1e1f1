//! What the listener shows of itself and wants of clients: certificates and a token, from
//! files that may be replaced at any time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use subtle::ConstantTimeEq as _;

use crate::sinks::credentials::{
    self, CredentialError, FRESH, Kept, authorities, certificates, private_key,
};

/// Files by which the listener is secured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// Its certificate and the key, in PEM; without them there is no TLS.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The certificates, in PEM, of those who sign clients'.
    pub client_ca: Option<PathBuf>,
    /// The token that clients must say.
    pub token: Option<PathBuf>,
}

impl Security {
    /// Whether clients must say who they are.
    #[must_use]
    pub const fn asks_clients(&self) -> bool {
        self.token.is_some() || self.client_ca.is_some()
    }
}

/// The certificates of the listener.
#[derive(Debug)]
pub(super) struct Tls(Kept<Arc<ServerConfig>>);

impl Tls {
    /// Of the certificate's file, that of its key and, if there is one, that of who signs
    /// clients'.
    pub(super) fn new(security: &Security) -> Result<Option<Self>, CredentialError> {
        Self::looking(security, FRESH)
    }

    /// The same with another time after which files are looked at again.
    pub(super) fn looking(
        security: &Security,
        fresh: Duration,
    ) -> Result<Option<Self>, CredentialError> {
        let Some(own) = security.certificate.clone() else { return Ok(None) };
        let client_ca = security.client_ca.clone();
        let files = [own.0.clone(), own.1.clone()].into_iter().chain(client_ca.clone()).collect();
        let make = move |texts: &[Vec<u8>]| server_config(&own, client_ca.as_deref(), texts);
        Kept::new(files, fresh, make).map(|kept| Some(Self(kept)))
    }

    /// What is to be used now.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.0.current().1
    }
}

fn server_config(
    (path, key_path): &(PathBuf, PathBuf),
    client_ca: Option<&Path>,
    texts: &[Vec<u8>],
) -> Result<Arc<ServerConfig>, CredentialError> {
    let [text, key, further @ ..] = texts else {
        return Err(CredentialError::new(path, "is missing"));
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| CredentialError::new(path, error))?;
    let builder = match (client_ca, further.first()) {
        (Some(path), Some(text)) => {
            let roots = Arc::new(authorities(path, text)?);
            // The kubelet's probes have no certificate; which pages want one is the router's.
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| CredentialError::new(path, error))?;
            builder.with_client_cert_verifier(verifier)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(certificates(path, text)?, private_key(key_path, key)?)
        .map_err(|error| CredentialError::new(key_path, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The token that clients must say.
#[derive(Debug)]
pub struct ClientToken(Kept<Arc<[u8]>>);

impl ClientToken {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or has no token.
    pub fn new(path: PathBuf) -> Result<Self, CredentialError> {
        Self::looking(path, FRESH)
    }

    /// The same with another time after which the file is looked at again.
    pub(super) fn looking(path: PathBuf, fresh: Duration) -> Result<Self, CredentialError> {
        Kept::new(vec![path.clone()], fresh, move |texts| {
            let text = texts.first().map_or(&[][..], Vec::as_slice);
            credentials::token(&path, text).map(Arc::from)
        })
        .map(Self)
    }

    /// Whether a header `Authorization` has it. How long it takes tells nothing of the
    /// token but its length.
    #[must_use]
    pub fn is_said(&self, header: &[u8]) -> bool {
        let said = match header.split_at_checked(SCHEME.len()) {
            Some((scheme, said)) if scheme.eq_ignore_ascii_case(SCHEME) => said.trim_ascii(),
            _ => return false,
        };
        self.0.current().1.ct_eq(said).into()
    }
}

const SCHEME: &[u8] = b"Bearer ";
