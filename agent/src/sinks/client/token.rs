//! A token that says to a back-end who asks.

use std::path::PathBuf;
use std::time::Duration;

use hyper::header::HeaderValue;

use crate::sinks::credentials::{self, CredentialError, Kept};

/// The value of `Authorization`.
pub(super) type Token = Kept<HeaderValue>;

/// Of a file.
pub(super) fn kept(path: PathBuf, fresh: Duration) -> Result<Token, CredentialError> {
    Kept::new(vec![path.clone()], fresh, move |texts| {
        let text = texts.first().map_or(&[][..], Vec::as_slice);
        let token = credentials::token(&path, text)?;
        let mut header = HeaderValue::from_bytes(&[b"Bearer ", token].concat())
            .map_err(|error| CredentialError::new(&path, error))?;
        header.set_sensitive(true);
        Ok(header)
    })
}
