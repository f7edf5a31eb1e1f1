//! The files of TLS, read again when they are replaced.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct CertificateError {
    path: PathBuf,
    reason: String,
}

/// See the module.
pub(super) struct Certificates {
    ca: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
    /// How old what was seen may be.
    fresh: Duration,
    seen: Mutex<Seen>,
}

/// Has the key in clear, so it is never shown.
struct Seen {
    at: Instant,
    /// What was in the files, to tell whether they changed.
    texts: Vec<Vec<u8>>,
    generation: u64,
    config: ClientConfig,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ca, own, .. } = self;
        f.debug_struct("Certificates").field("ca", ca).field("own", own).finish_non_exhaustive()
    }
}

impl Certificates {
    pub(super) fn new(
        ca: Option<PathBuf>,
        own: Option<(PathBuf, PathBuf)>,
        fresh: Duration,
    ) -> Result<Self, CertificateError> {
        let texts = read(ca.as_deref(), own.as_ref())?;
        let config = config(ca.as_deref(), own.as_ref(), &texts)?;
        let seen = Mutex::new(Seen { at: Instant::now(), texts, generation: 0, config });
        Ok(Self { ca, own, fresh, seen })
    }

    /// What is to be used now, and a number that is another one each time the files
    /// changed. What is wrong with them is said, and leaves it as it was.
    pub(super) fn current(&self) -> (u64, ClientConfig) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let has_files = self.ca.is_some() || self.own.is_some();
        if has_files && seen.at.elapsed() >= self.fresh {
            seen.at = Instant::now();
            if let Err(error) = self.look(&mut seen) {
                // Two files are seldom replaced at the same instant; the next look tells.
                tracing::warn!(%error, "the certificates stay as they were");
            }
        }
        (seen.generation, seen.config.clone())
    }

    fn look(&self, seen: &mut Seen) -> Result<(), CertificateError> {
        let (ca, own) = (self.ca.as_deref(), self.own.as_ref());
        let texts = read(ca, own)?;
        if texts != seen.texts {
            seen.config = config(ca, own, &texts)?;
            seen.texts = texts;
            seen.generation += 1;
            tracing::info!("certificates were replaced");
        }
        Ok(())
    }
}

/// The certificates of those who sign, the own one and its key, as far as there are.
fn read(
    ca: Option<&Path>,
    own: Option<&(PathBuf, PathBuf)>,
) -> Result<Vec<Vec<u8>>, CertificateError> {
    let own = own.map(|(certificate, key)| [certificate.as_path(), key.as_path()]);
    let files = ca.into_iter().chain(own.into_iter().flatten());
    files.map(|path| fs::read(path).map_err(|error| wrong(path, &error.to_string()))).collect()
}

fn config(
    ca: Option<&Path>,
    own: Option<&(PathBuf, PathBuf)>,
    texts: &[Vec<u8>],
) -> Result<ClientConfig, CertificateError> {
    let nowhere = Path::new("certificates of this machine");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(nowhere, &error.to_string()))?;
    let mut texts = texts.iter();
    let builder = match (ca, ca.and_then(|_| texts.next())) {
        (Some(path), Some(text)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path, text)? {
                roots.add(certificate).map_err(|error| wrong(path, &error.to_string()))?;
            }
            builder.with_root_certificates(roots)
        }
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
        (Some((path, key_path)), Some(text), Some(key)) => {
            let chain = certificates(path, text)?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|_| wrong(key_path, "has no private key in PEM"))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| wrong(key_path, &error.to_string()))
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(
    path: &Path,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|_| wrong(path, "has what is no certificate in PEM"))?;
    if found.is_empty() {
        return Err(wrong(path, "has no certificate in PEM"));
    }
    Ok(found)
}

fn wrong(path: &Path, reason: &str) -> CertificateError {
    CertificateError { path: path.to_owned(), reason: reason.to_owned() }
}
