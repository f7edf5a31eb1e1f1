//! What the configuration says of the kubelet.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::duration::Time;

/// The port of kubelets.
const PORT: u16 = 10_250;

/// The section `kubelet`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeletSettings {
    /// Whether it is asked, if the API server is.
    pub enabled: bool,
    /// Where it listens.
    #[serde(deserialize_with = "host")]
    pub address: SocketAddr,
    /// How often it is asked, 1 s to an hour.
    #[serde(deserialize_with = "time")]
    pub interval: Duration,
    /// Who signs its certificate; empty: who signs the API server's.
    pub authority: PathBuf,
    /// Whether its certificate is not looked at.
    pub insecure: bool,
}

impl KubeletSettings {
    /// File of who signs its certificate, when there is one.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        Some(self.authority.as_path()).filter(|path| !path.as_os_str().is_empty())
    }
}

/// An IP address, with its port or the kubelet's; of nothing, that of loopback.
pub(super) fn address(host: &str) -> Option<SocketAddr> {
    if host.is_empty() {
        return Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT));
    }
    let bare = host.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT));
    bare.or_else(|_| host.parse()).ok()
}

fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || de::Error::invalid_value(de::Unexpected::Str(&text), &"an IP address");
    address(&text).ok_or_else(wrong)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Time::deserialize(deserializer).map(|time| time.0)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_may_lack_their_port() {
        let check = |host: &str, expected: Option<&str>| {
            assert_eq!(address(host).map(|it| it.to_string()).as_deref(), expected, "{host}");
        };
        check("", Some("127.0.0.1:10250"));
        check("10.0.0.7", Some("10.0.0.7:10250"));
        check("10.0.0.7:1", Some("10.0.0.7:1"));
        // As the downward API writes it.
        check("fd00::7", Some("[fd00::7]:10250"));
        check("[fd00::7]:1", Some("[fd00::7]:1"));
        check("node-7", None);
        check("10.0.0.7:", None);
    }
}
