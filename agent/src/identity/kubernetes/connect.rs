//! Connections to servers, and how it is noticed that one of them says nothing any more.
//!
//! A watch of what does not change is silent for minutes while all is well, so nobody
//! misses a server that vanished, unless it is asked for a sign of life. By HTTP/2 that is
//! a ping, which the server itself answers; it costs it next to nothing, and it is only
//! asked where nothing else came. By HTTP/1.1 there is but what TCP has, which the host
//! answers, or whatever stands before the server.

use std::time::Duration;

use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Config;
use kube::client::{Body, ConfigExt as _};
use rustls::pki_types::ServerName;

use super::client::AccessError;

/// How often TCP asks for a sign of life before it gives up.
const TCP_ASKS: u32 = 2;
/// How many bytes of an answer may be on the way that nobody has read: what the agent
/// holds of lists at most, beside what it makes of them.
const WINDOW: u32 = 256 << 10;

/// How soon it is noticed that a server vanished without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// How long a connection on which an answer is awaited may be silent before its
    /// server is asked for a sign of life; whole seconds.
    pub quiet: Duration,
    /// How long that may take before the connection is given up; whole seconds.
    pub sign: Duration,
}

impl Default for Liveness {
    /// 15 s and 10 s.
    fn default() -> Self {
        Self { quiet: Duration::from_secs(15), sign: Duration::from_secs(10) }
    }
}

/// A client of the server of `config`. `answer`: how long connecting may take.
pub(super) fn client(
    config: &Config,
    answer: Duration,
    liveness: Liveness,
) -> Result<legacy::Client<HttpsConnector<HttpConnector>, Body>, AccessError> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(answer));
    connector.set_keepalive(Some(liveness.quiet));
    // Whole seconds, at least one.
    let every = (liveness.sign / TCP_ASKS).max(Duration::from_secs(1));
    connector.set_keepalive_interval(Some(every));
    connector.set_keepalive_retries(Some(TCP_ASKS));
    connector.set_nodelay(true);

    let unusable = |error| AccessError::Credentials(Box::new(error));
    let tls = config.rustls_client_config().map_err(unusable)?;
    let mut https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    if let Some(name) = &config.tls_server_name {
        let known = ServerName::try_from(name.clone());
        let known = known.map_err(|_| AccessError::Name(name.as_str().into()))?;
        https = https.with_server_name_resolver(FixedServerNameResolver::new(known));
    }
    let connector = https.enable_http1().enable_http2().wrap_connector(connector);
    Ok(legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(liveness.quiet)
        .http2_keep_alive_timeout(liveness.sign)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(WINDOW)
        .build(connector))
}
