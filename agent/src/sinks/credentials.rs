//! Files with certificates, keys and tokens, which somebody else replaces before they
//! expire. What a side of a connection makes of them is its own.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How old may be what was read of the files.
pub(super) const FRESH: Duration = Duration::from_secs(5);

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct CredentialError {
    path: PathBuf,
    reason: String,
}

impl CredentialError {
    pub(super) fn new(path: &Path, reason: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// Makes something of what is in the files.
type Make<T> = dyn Fn(&[Vec<u8>]) -> Result<T, CredentialError> + Send + Sync;

/// What was made of files, and is made anew when they were replaced. As long as they
/// cannot be used it stays as it was.
pub(super) struct Kept<T> {
    paths: Vec<PathBuf>,
    make: Box<Make<T>>,
    fresh: Duration,
    last: Mutex<Last<T>>,
}

/// Has secrets in clear, so it is never shown.
struct Last<T> {
    at: Instant,
    /// What was in the files, to tell whether they changed.
    texts: Vec<Vec<u8>>,
    generation: u64,
    made: T,
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("files", &self.paths).finish_non_exhaustive()
    }
}

impl<T: Clone> Kept<T> {
    /// `make` gets the texts of the files in their order; `fresh`: after which they are
    /// looked at again.
    pub(super) fn new(
        paths: Vec<PathBuf>,
        fresh: Duration,
        make: impl Fn(&[Vec<u8>]) -> Result<T, CredentialError> + Send + Sync + 'static,
    ) -> Result<Self, CredentialError> {
        let texts = read(&paths)?;
        let made = make(&texts)?;
        let last = Mutex::new(Last { at: Instant::now(), texts, generation: 0, made });
        Ok(Self { paths, make: Box::new(make), fresh, last })
    }

    /// What is to be used now, and a number that is another one each time it was made anew.
    pub(super) fn current(&self) -> (u64, T) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.paths.is_empty() && last.at.elapsed() >= self.fresh {
            last.at = Instant::now();
            // Two files are seldom replaced at the same instant; the next look tells.
            if let Err(error) = self.look(&mut last) {
                tracing::warn!(%error, "credentials stay as they were");
            }
        }
        (last.generation, last.made.clone())
    }

    fn look(&self, last: &mut Last<T>) -> Result<(), CredentialError> {
        let texts = read(&self.paths)?;
        if texts != last.texts {
            last.made = (self.make)(&texts)?;
            last.texts = texts;
            last.generation += 1;
            tracing::info!(files = ?self.paths, "credentials were replaced");
        }
        Ok(())
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, CredentialError> {
    let read = |path: &PathBuf| fs::read(path).map_err(|error| CredentialError::new(path, error));
    paths.iter().map(read).collect()
}

/// The certificates of a file in PEM, of which there is at least one.
pub(super) fn certificates(
    path: &Path,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(CredentialError::new(path, "has no certificate in PEM")),
        Err(_) => Err(CredentialError::new(path, "has what is no certificate in PEM")),
    }
}

/// Those of a file as who signs others'.
pub(super) fn authorities(path: &Path, text: &[u8]) -> Result<RootCertStore, CredentialError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, text)? {
        roots.add(certificate).map_err(|error| CredentialError::new(path, error))?;
    }
    Ok(roots)
}

/// The key of a file in PEM.
pub(super) fn private_key(
    path: &Path,
    text: &[u8],
) -> Result<PrivateKeyDer<'static>, CredentialError> {
    PrivateKeyDer::from_pem_slice(text)
        .map_err(|_| CredentialError::new(path, "has no private key in PEM"))
}

/// The token of a file.
pub(super) fn token<'a>(path: &Path, text: &'a [u8]) -> Result<&'a [u8], CredentialError> {
    let token = text.trim_ascii();
    if token.is_empty() {
        return Err(CredentialError::new(path, "is empty; expected a token"));
    }
    if !token.iter().all(u8::is_ascii_graphic) {
        return Err(CredentialError::new(path, "is not one word; expected a token"));
    }
    Ok(token)
}
