//! A token in a file that somebody else replaces before it expires.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;

use super::ClientError;

/// See the module.
#[derive(Debug)]
pub(super) struct Token {
    path: PathBuf,
    /// How old what was read may be.
    fresh: Duration,
    last: Mutex<(Instant, HeaderValue)>,
}

impl Token {
    pub(super) fn new(path: PathBuf, fresh: Duration) -> Result<Self, ClientError> {
        let header = read(&path)?;
        Ok(Self { path, fresh, last: Mutex::new((Instant::now(), header)) })
    }

    /// The value of `Authorization`. As long as the file cannot be read it is that of
    /// before.
    pub(super) fn header(&self) -> HeaderValue {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0.elapsed() >= self.fresh {
            last.0 = Instant::now();
            match read(&self.path) {
                Ok(header) => last.1 = header,
                Err(error) => tracing::warn!(%error, "the token stays as it was"),
            }
        }
        last.1.clone()
    }
}

fn read(path: &Path) -> Result<HeaderValue, ClientError> {
    let wrong = |reason: String| ClientError::Token { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(wrong("is empty; expected a token".to_owned()));
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| wrong("has more than one line; expected a token".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}
