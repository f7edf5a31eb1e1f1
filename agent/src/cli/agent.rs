//! Asks the running agent over its local API.

mod secure;

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::http::StatusCode;

use super::figures::printable;
use crate::config::Config;
use crate::sinks::listener::Security;
use crate::sinks::recent::Page;
use crate::usage::tenant::NodeUsage;

/// The agent answers from memory, on loopback as a rule.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(3);
/// Longer than an agent waits for an alert.
const WAIT: Duration = Duration::from_secs(15);
/// More than any node's answer; an endless one is cut off.
const ANSWER_LIMIT: usize = 256 << 20;

/// Why the agent could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    /// Nobody listens there.
    #[error("no agent answers at {address}: connection refused")]
    Refused {
        /// Where it was looked for.
        address: String,
    },
    /// The answer did not come, or broke off.
    #[error("the agent at {address} cannot be reached: {cause}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What went wrong on the way.
        cause: String,
    },
    /// It has no figures now.
    #[error("the agent at {address} has no figures now: {reason}")]
    Unready {
        /// Where it was looked for.
        address: String,
        /// In its own words.
        reason: String,
    },
    /// It wants a token that was not said.
    #[error(
        "the agent at {address} wants another token: name its configuration with --config, as \
         somebody who may read the file `api.token_file`"
    )]
    Unauthorized {
        /// Where it was looked for.
        address: String,
    },
    /// Somebody else listens there.
    #[error("what answers at {address} is not a Landlord agent: {cause}")]
    Stranger {
        /// Where it was looked for.
        address: String,
        /// What gave it away.
        cause: String,
    },
}

/// A running agent's local API.
#[derive(Debug)]
pub(crate) struct Agent {
    http: ureq::Agent,
    address: String,
    security: Security,
}

/// One answer, and the program that gave it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The node's use.
    pub(crate) usage: NodeUsage,
    /// The agent's version; `None` when it does not tell.
    pub(crate) version: Option<String>,
}

impl Agent {
    /// An agent at `address`, `HOST:PORT`.
    pub(crate) fn at(address: impl Into<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            // Errors are told apart below, and a proxy has no business here.
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .build();
        Self { http: config.into(), address: address.into(), security: Security::default() }
    }

    /// The agent of this configuration.
    pub(crate) fn of(config: &Config) -> Self {
        Self::listening_on(config.listen).secured(&config.api)
    }

    /// The same agent, which is secured by these files.
    pub(crate) fn secured(self, security: &Security) -> Self {
        Self { security: security.clone(), ..self }
    }

    /// The agent that listens on this socket: its own address, or loopback when
    /// it listens on all.
    pub(crate) fn listening_on(listen: SocketAddr) -> Self {
        Self::at(reachable(listen).to_string())
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// True when it runs on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// What the node's tenants have used.
    pub(crate) fn usage(&self) -> Result<Answer, AgentError> {
        let (usage, version) = self.get("/v1/usage", "", TIMEOUT)?;
        Ok(Answer { usage, version })
    }

    /// Its alerts: those it keeps, or those from a number on, for which it waits a while.
    pub(crate) fn alerts(&self, from: Option<u64>) -> Result<Page, AgentError> {
        let query = from.map(|from| format!("?from={from}")).unwrap_or_default();
        Ok(self.get("/v1/alerts", &query, WAIT)?.0)
    }

    /// What it says there, and its version when it tells.
    fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &str,
        timeout: Duration,
    ) -> Result<(T, Option<String>), AgentError> {
        let token = self.security.token.as_deref().map(|path| self.token(path)).transpose()?;
        let (status, server, text) = match &self.security.certificate {
            None => self.plain(&format!("{path}{query}"), token.as_deref(), timeout)?,
            Some((certificate, _)) => {
                let path = format!("{path}{query}");
                secure::get(&self.address, &path, certificate, token.as_deref(), timeout)
                    .map(|reply| (reply.status, reply.server, reply.text))
                    .map_err(|error| self.failed(&error.into()))?
            }
        };
        let version = server
            .and_then(|server| Some(server.strip_prefix("landlord/")?.to_owned()))
            .and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
        if status != StatusCode::OK {
            return Err(self.refused(status, &text));
        }
        let said = serde_json::from_str(&text)
            .map_err(|error| self.stranger(format!("GET {path} gives other data ({error})")))?;
        Ok((said, version))
    }

    /// Status, header `Server` and body of an answer without TLS.
    fn plain(
        &self,
        path: &str,
        token: Option<&str>,
        timeout: Duration,
    ) -> Result<(u16, Option<String>, String), AgentError> {
        let url = format!("http://{}{path}", self.address);
        let mut request = self.http.get(&url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.config().timeout_global(Some(timeout)).build();
        let mut response = request.call().map_err(|error| self.failed(&error))?;
        let server = response.headers().get("server").and_then(|it| it.to_str().ok());
        let server = server.map(str::to_owned);
        let text = response
            .body_mut()
            .with_config()
            .limit(ANSWER_LIMIT as u64)
            .read_to_string()
            .map_err(|error| self.failed(&error))?;
        Ok((response.status().as_u16(), server, text))
    }

    /// The token of a file, which may have been replaced meanwhile.
    fn token(&self, path: &Path) -> Result<String, AgentError> {
        let text = fs::read_to_string(path).map_err(|error| AgentError::Unreachable {
            address: self.address.clone(),
            cause: format!("{}: {error}", path.display()),
        })?;
        Ok(text.trim().to_owned())
    }

    /// An agent says in JSON why it has no figures; others have pages of their own.
    fn refused(&self, status: u16, text: &str) -> AgentError {
        if status == StatusCode::UNAUTHORIZED {
            return AgentError::Unauthorized { address: self.address.clone() };
        }
        let answer: Option<serde_json::Value> = serde_json::from_str(text).ok();
        let reason = answer.as_ref().and_then(|answer| answer.get("error")?.as_str());
        match reason.filter(|_| status == StatusCode::SERVICE_UNAVAILABLE) {
            Some(reason) => {
                AgentError::Unready { address: self.address.clone(), reason: printable(reason) }
            }
            None => {
                let status = StatusCode::from_u16(status)
                    .map_or_else(|_| status.to_string(), |it| it.to_string());
                self.stranger(format!("it answers {status}"))
            }
        }
    }

    fn failed(&self, error: &ureq::Error) -> AgentError {
        let address = self.address.clone();
        match error {
            ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
                AgentError::Refused { address }
            }
            ureq::Error::Io(cause) => AgentError::Unreachable { address, cause: cause.to_string() },
            ureq::Error::Protocol(cause) => self.stranger(cause.to_string()),
            other => AgentError::Unreachable { address, cause: other.to_string() },
        }
    }

    fn stranger(&self, cause: String) -> AgentError {
        AgentError::Stranger { address: self.address.clone(), cause }
    }
}

/// Where to connect to reach a listener on this address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => ([127, 0, 0, 1], listen.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, listen.port()).into()
        }
        _ => listen,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;

    use super::{Agent, AgentError, reachable};

    /// Answers one request with these bytes.
    fn serve(answer: &'static str) -> Agent {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).unwrap();
            assert!(request[..read].starts_with(b"GET /v1/usage HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Agent::listening_on(address)
    }

    #[test]
    fn usage_and_version() {
        let agent = serve(
            "HTTP/1.1 200 OK\r\nserver: landlord/1.2.3 (node)\r\ncontent-length: 158\r\n\r\n\
             {\"read_at_unix_ms\":5,\"tenants\":[],\"agent\":{\"lost_total\":{},\"cgroups\":7,\
             \"map_memory_bytes\":0,\"epoch_start_time_seconds\":0}}                                    ",
        );
        let answer = agent.usage().unwrap();
        assert_eq!(answer.usage.agent.cgroups, 7);
        assert_eq!(answer.version.as_deref(), Some("1.2.3"));
    }

    #[test]
    fn others_are_told_apart() {
        let check = |answer, expected: &str| {
            let agent = serve(answer);
            let error = agent.usage().unwrap_err().to_string();
            let error = error.replace(agent.address(), "ADDRESS");
            assert_eq!(error, expected);
        };
        check(
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "what answers at ADDRESS is not a Landlord agent: it answers 404 Not Found",
        );
        check(
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
            "the agent at ADDRESS wants another token: name its configuration with --config, as \
             somebody who may read the file `api.token_file`",
        );
        check(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 24\r\n\r\n{\"error\":\"not ready: x\"}",
            "the agent at ADDRESS has no figures now: not ready: x",
        );
        check(
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "what answers at ADDRESS is not a Landlord agent: GET /v1/usage gives other data \
             (expected value at line 1 column 1)",
        );
        check(
            "SSH-2.0-OpenSSH_9.2\r\n",
            "what answers at ADDRESS is not a Landlord agent: http parse fail: invalid HTTP version",
        );
    }

    #[test]
    fn nobody_there_is_a_refusal() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Agent::listening_on(free).usage().unwrap_err();
        assert!(matches!(error, AgentError::Refused { .. }), "{error}");
    }

    #[test]
    fn listeners_on_all_addresses_are_reached_by_loopback() {
        let check = |listen: &str, expected: &str| {
            let listen: SocketAddr = listen.parse().unwrap();
            assert_eq!(reachable(listen).to_string(), expected);
        };
        check("0.0.0.0:9464", "127.0.0.1:9464");
        check("[::]:9464", "[::1]:9464");
        check("192.0.2.1:9464", "192.0.2.1:9464");
    }

    #[test]
    fn local_addresses() {
        let check = |address: &str, expected: bool| {
            assert_eq!(Agent::at(address).is_local(), expected, "{address}");
        };
        check("127.0.0.1:9464", true);
        check("[::1]:9464", true);
        check("localhost:9464", true);
        check("192.0.2.1:9464", false);
        check("node-7:9464", false);
    }
}
