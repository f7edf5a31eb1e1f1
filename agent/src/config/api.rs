//! What the configuration says of the local API's listener.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::sinks::SinkProblem;
use crate::sinks::listener::Security;

/// The section `api`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiSettings {
    certificate_file: PathBuf,
    key_file: PathBuf,
    client_ca_file: PathBuf,
    token_file: PathBuf,
}

/// What the listener is secured by.
pub(super) fn security(settings: ApiSettings) -> Result<Security, SinkProblem> {
    let some = |path: PathBuf| Some(path).filter(|it| !it.as_os_str().is_empty());
    let certificate = match (some(settings.certificate_file), some(settings.key_file)) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            return Err(SinkProblem::of("api.certificate_file", "an `api.key_file`, too"));
        }
        (None, Some(_)) => {
            return Err(SinkProblem::of("api.key_file", "an `api.certificate_file`, too"));
        }
    };
    let client_ca = some(settings.client_ca_file);
    if client_ca.is_some() && certificate.is_none() {
        let expected = "an `api.certificate_file`, too: only TLS has certificates of clients";
        return Err(SinkProblem::of("api.client_ca_file", expected));
    }
    Ok(Security { certificate, client_ca, token: some(settings.token_file) })
}
