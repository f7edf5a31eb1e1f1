//! What the listener shows of itself and wants of clients: certificates and a token, from
//! files that may be replaced at any time.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use subtle::ConstantTimeEq as _;

/// How old may be what was read of the files.
const FRESH: Duration = Duration::from_secs(5);

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

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct CredentialError {
    path: PathBuf,
    reason: String,
}

impl CredentialError {
    fn new(path: &Path, reason: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// Makes something of files: their paths, and what is in them.
type Make<T> = fn(&[PathBuf], &[Vec<u8>]) -> Result<T, CredentialError>;

/// What was made of files, and is made anew when they were replaced. As long as they
/// cannot be read it stays as it was.
struct Kept<T> {
    paths: Vec<PathBuf>,
    make: Make<T>,
    fresh: Duration,
    last: Mutex<Last<T>>,
}

/// Has secrets in clear, so it is never shown.
struct Last<T> {
    at: Instant,
    texts: Vec<Vec<u8>>,
    made: T,
}

impl<T: Clone> Kept<T> {
    fn new(paths: Vec<PathBuf>, make: Make<T>, fresh: Duration) -> Result<Self, CredentialError> {
        let texts = read(&paths)?;
        let made = make(&paths, &texts)?;
        let last = Mutex::new(Last { at: Instant::now(), texts, made });
        Ok(Self { paths, make, fresh, last })
    }

    fn current(&self) -> T {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.at.elapsed() >= self.fresh {
            last.at = Instant::now();
            // Two files are seldom replaced at the same instant; the next look tells.
            if let Err(error) = self.look(&mut last) {
                tracing::warn!(%error, "the listener's credentials stay as they were");
            }
        }
        last.made.clone()
    }

    fn look(&self, last: &mut Last<T>) -> Result<(), CredentialError> {
        let texts = read(&self.paths)?;
        if texts != last.texts {
            last.made = (self.make)(&self.paths, &texts)?;
            last.texts = texts;
            tracing::info!("the listener's credentials were replaced");
        }
        Ok(())
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, CredentialError> {
    let read = |path: &PathBuf| fs::read(path).map_err(|error| CredentialError::new(path, error));
    paths.iter().map(read).collect()
}

/// The certificates of the listener.
pub(super) struct Tls(Kept<Arc<ServerConfig>>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.0.paths).finish_non_exhaustive()
    }
}

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
        let Some((certificate, key)) = &security.certificate else { return Ok(None) };
        let own = [certificate.clone(), key.clone()];
        let paths = own.into_iter().chain(security.client_ca.clone()).collect();
        Kept::new(paths, server_config, fresh).map(|kept| Some(Self(kept)))
    }

    /// What is to be used now.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.0.current()
    }
}

fn server_config(
    paths: &[PathBuf],
    texts: &[Vec<u8>],
) -> Result<Arc<ServerConfig>, CredentialError> {
    let ([path, key_path, ..], [text, key, ..]) = (paths, texts) else {
        return Err(CredentialError::new(Path::new("certificate"), "is missing"));
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| CredentialError::new(path, error))?;
    let builder = match (paths.get(2), texts.get(2)) {
        (Some(path), Some(text)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path, text)? {
                roots.add(certificate).map_err(|error| CredentialError::new(path, error))?;
            }
            // The kubelet's probes have no certificate; which pages want one is the router's.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| CredentialError::new(path, error))?;
            builder.with_client_cert_verifier(verifier)
        }
        _ => builder.with_no_client_auth(),
    };
    let chain = certificates(path, text)?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| CredentialError::new(key_path, "has no private key in PEM"))?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| CredentialError::new(key_path, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(CredentialError::new(path, "has no certificate in PEM")),
        Err(_) => Err(CredentialError::new(path, "has what is no certificate in PEM")),
    }
}

/// The token that clients must say.
pub struct ClientToken(Kept<Arc<[u8]>>);

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientToken").field("files", &self.0.paths).finish_non_exhaustive()
    }
}

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
        Kept::new(vec![path], token, fresh).map(Self)
    }

    /// Whether a header `Authorization` has it. How long it takes tells nothing of the
    /// token but its length.
    #[must_use]
    pub fn is_said(&self, header: &[u8]) -> bool {
        let said = match header.split_at_checked(SCHEME.len()) {
            Some((scheme, said)) if scheme.eq_ignore_ascii_case(SCHEME) => said.trim_ascii(),
            _ => return false,
        };
        self.0.current().ct_eq(said).into()
    }
}

const SCHEME: &[u8] = b"Bearer ";

fn token(paths: &[PathBuf], texts: &[Vec<u8>]) -> Result<Arc<[u8]>, CredentialError> {
    let (path, text) = match (paths, texts) {
        ([path, ..], [text, ..]) => (path, text),
        _ => return Err(CredentialError::new(Path::new("token"), io::ErrorKind::NotFound)),
    };
    let token = text.trim_ascii();
    if token.is_empty() {
        return Err(CredentialError::new(path, "is empty; expected a token"));
    }
    if !token.iter().all(u8::is_ascii_graphic) {
        return Err(CredentialError::new(path, "is not one word; expected a token"));
    }
    Ok(token.into())
}
