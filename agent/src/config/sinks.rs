//! What the configuration says of those who are told: sinks of alerts, OpenTelemetry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderName;
use regex::RegexSet;
use serde::Deserialize;

use crate::config::duration::Time;
use crate::rules::rule::Priority;
use crate::sinks::backends::syslog::Receiver;
use crate::sinks::client::Access;
use crate::sinks::delivery::{Pace, Route};
use crate::sinks::otlp::Protocol;
use crate::sinks::otlp::connections::Scope;

/// How long an answer is waited for, unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long after its last event Alertmanager takes an alert to be over.
const RESOLVE: Duration = Duration::from_secs(300);
/// MiB of a file of alerts, and how many are kept.
const FILE_SIZE: u64 = 100;
const FILE_KEEP: u32 = 5;

/// The section `spool`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpoolSettings {
    path: PathBuf,
    size: u64,
}

/// The section `otlp`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtlpSettings {
    endpoint: String,
    protocol: Protocol,
    metrics: bool,
    logs: bool,
    traces: bool,
    traces_ratio: f64,
    trace_acts: usize,
    connections: Scope,
    self_traces: bool,
    interval: Time,
    timeout: Time,
    headers: String,
    tenant_header: String,
    resource: String,
    token_file: PathBuf,
    ca_file: PathBuf,
    certificate_file: PathBuf,
    key_file: PathBuf,
}

/// An element of `sinks` as it is written. The ranges are in
/// [`KEYS`](super::keys::KEYS).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SinkSpec {
    name: String,
    kind: SinkKind,
    to: String,
    priority: Option<Priority>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    tenants: Vec<String>,
    rate: Option<NonZeroU32>,
    timeout: Option<Time>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    token_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    resolve: Option<Time>,
    size: Option<u64>,
    keep: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SinkKind {
    FalcoHttp,
    Alertmanager,
    Syslog,
    File,
}

/// Where what waits is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolPlace {
    /// Folder of the folders of sinks.
    pub path: PathBuf,
    /// Bytes of the files of one sink.
    pub bytes: u64,
}

/// Who gets alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkSettings {
    /// Its name, of letters, digits, `-` and `_`; no other sink has it.
    pub name: String,
    /// Which back-end.
    pub target: Target,
    /// Which alerts.
    pub route: Route,
    /// How fast.
    pub pace: Pace,
    /// By which credentials.
    pub access: Access,
}

/// A back-end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Falco's JSON by HTTP.
    FalcoHttp(Uri),
    /// Alertmanager's API v2.
    Alertmanager {
        /// Its address with the path.
        uri: Uri,
        /// How long after its last event an alert is over.
        resolve: Duration,
    },
    /// Syslog.
    Syslog(Receiver),
    /// A file.
    File {
        /// Which.
        path: PathBuf,
        /// Bytes after which it is put aside.
        most: u64,
        /// How many of those are kept.
        keep: u32,
    },
}

/// What is exported by OTLP.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The back-end, without the path of a signal.
    pub endpoint: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Whether metrics are exported.
    pub metrics: bool,
    /// Whether alerts are exported as log records.
    pub logs: bool,
    /// Whether they are exported as traces.
    pub traces: bool,
    /// Which part of them, 0 to 1.
    pub traces_ratio: f64,
    /// How many of the last acts of each process these tell, 0 to 128.
    pub trace_acts: usize,
    /// Which connections are exported as spans.
    pub connections: Scope,
    /// Whether the agent's own work is exported as traces.
    pub self_traces: bool,
    /// How often metrics are.
    pub interval: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// By which credentials.
    pub access: Access,
    /// The header that says whose the alerts of a request are.
    pub tenant_header: Option<HeaderName>,
    /// Further attributes of the resource.
    pub resource: Vec<(String, String)>,
}

impl Otlp {
    /// Whether the same back-end is spoken to in the same way, by the same credentials and
    /// in the name of the same resource.
    #[must_use]
    pub fn is_reached_as(&self, other: &Self) -> bool {
        let address = |it: &Self| (it.endpoint.clone(), it.protocol, it.tenant_header.clone());
        address(self) == address(other)
            && self.access == other.access
            && self.resource == other.resource
    }
}

/// Who is told what.
#[derive(Clone, Debug)]
pub struct Sinks {
    /// Where what waits is kept.
    pub spool: SpoolPlace,
    /// Sinks of alerts.
    pub list: Vec<SinkSettings>,
    /// OpenTelemetry; `None` without an endpoint.
    pub otlp: Option<Otlp>,
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct SinkProblem {
    /// The path of the key.
    pub(super) path: Vec<String>,
    /// What was expected.
    pub(super) expected: String,
}

impl SinkProblem {
    fn new(index: usize, key: &str, expected: impl fmt::Display) -> Self {
        let path = vec!["sinks".to_owned(), index.to_string(), key.to_owned()];
        Self { path, expected: expected.to_string() }
    }

    pub(super) fn of(key: &str, expected: impl fmt::Display) -> Self {
        let path = key.split('.').map(str::to_owned).collect();
        Self { path, expected: expected.to_string() }
    }
}

impl Sinks {
    pub(super) fn new(
        spool: SpoolSettings,
        otlp: OtlpSettings,
        specs: Vec<SinkSpec>,
    ) -> Result<Self, SinkProblem> {
        let mut names = BTreeSet::from(
            ["otlp", "otlp_connections", "otlp_metrics", "otlp_self_traces", "otlp_traces"]
                .map(str::to_owned),
        );
        let mut list = Vec::with_capacity(specs.len());
        for (index, spec) in specs.into_iter().enumerate() {
            let sink = sink(spec, index)?;
            if !names.insert(sink.name.clone()) {
                return Err(SinkProblem::new(index, "name", "a name that no other sink has"));
            }
            list.push(sink);
        }
        Ok(Self {
            spool: SpoolPlace { path: spool.path, bytes: spool.size << 20 },
            list,
            otlp: exported(otlp)?,
        })
    }
}

fn sink(spec: SinkSpec, index: usize) -> Result<SinkSettings, SinkProblem> {
    let wrong = |key: &str, expected: &str| SinkProblem::new(index, key, expected);
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_');
    if spec.name.is_empty() || spec.name.len() > 64 || !spec.name.bytes().all(is_plain) {
        return Err(wrong("name", "up to 64 letters, digits, `-` or `_`"));
    }
    let only = |given: bool, key: &str, kinds: &[SinkKind]| match given {
        true if !kinds.contains(&spec.kind) => Err(wrong(key, "nothing for a sink of this kind")),
        _ => Ok(()),
    };
    let http = [SinkKind::FalcoHttp, SinkKind::Alertmanager];
    only(!spec.headers.is_empty(), "headers", &http)?;
    only(spec.token_file.is_some(), "token_file", &http)?;
    only(spec.ca_file.is_some(), "ca_file", &http)?;
    only(spec.certificate_file.is_some(), "certificate_file", &http)?;
    only(spec.key_file.is_some(), "key_file", &http)?;
    only(spec.resolve.is_some(), "resolve", &[SinkKind::Alertmanager])?;
    only(spec.size.is_some(), "size", &[SinkKind::File])?;
    only(spec.keep.is_some(), "keep", &[SinkKind::File])?;
    let tenants: Vec<String> = spec.tenants.iter().map(|it| format!("^(?:{it})$")).collect();
    let tenants = match RegexSet::new(&tenants) {
        Ok(set) => (!tenants.is_empty()).then_some(set),
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or("cannot be read").to_owned();
            return Err(wrong("tenants", &format!("regular expressions ({reason})")));
        }
    };
    let timeout = spec.timeout.map_or(TIMEOUT, |time| time.0);
    let certificate = match (spec.certificate_file, spec.key_file) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(wrong("certificate_file", "a `key_file`, too")),
        (None, Some(_)) => return Err(wrong("key_file", "a `certificate_file`, too")),
    };
    let target = match spec.kind {
        SinkKind::FalcoHttp => Target::FalcoHttp(
            http_uri(&spec.to, "")
                .ok_or_else(|| wrong("to", "an address such as `http://falcosidekick:2801`"))?,
        ),
        SinkKind::Alertmanager => Target::Alertmanager {
            uri: http_uri(&spec.to, "/api/v2/alerts")
                .ok_or_else(|| wrong("to", "an address such as `http://alertmanager:9093`"))?,
            resolve: spec.resolve.map_or(RESOLVE, |time| time.0),
        },
        SinkKind::Syslog => Target::Syslog(
            receiver(&spec.to)
                .ok_or_else(|| wrong("to", "`/dev/log`, `udp://host:514` or `tcp://host:601`"))?,
        ),
        SinkKind::File => {
            let path = PathBuf::from(&spec.to);
            if !path.is_absolute() {
                return Err(wrong("to", "a path that begins with `/`"));
            }
            let most = spec.size.unwrap_or(FILE_SIZE) << 20;
            Target::File { path, most, keep: spec.keep.unwrap_or(FILE_KEEP) }
        }
    };
    Ok(SinkSettings {
        name: spec.name,
        target,
        route: Route {
            priority: spec.priority.map(|it| it as u8),
            tags: spec.tags,
            tenants,
            ..Route::default()
        },
        pace: Pace { rate: spec.rate, timeout },
        access: Access {
            headers: spec.headers,
            token_file: spec.token_file,
            ca_file: spec.ca_file,
            certificate,
        },
    })
}

/// An address of HTTP, with a path if it has none.
fn http_uri(text: &str, path: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    if uri.host().is_none() || !matches!(uri.scheme_str(), Some("http" | "https")) {
        return None;
    }
    if path.is_empty() || uri.path().ends_with(path) {
        return Some(uri);
    }
    format!("{}{path}", text.trim_end_matches('/')).parse().ok()
}

fn receiver(text: &str) -> Option<Receiver> {
    let address = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| text.to_owned())
    };
    if text.starts_with('/') {
        return Some(Receiver::Local(PathBuf::from(text)));
    }
    match text.split_once("://")? {
        ("udp", to) => address(to).map(Receiver::Udp),
        ("tcp", to) => address(to).map(Receiver::Tcp),
        _ => None,
    }
}

fn exported(otlp: OtlpSettings) -> Result<Option<Otlp>, SinkProblem> {
    if otlp.endpoint.is_empty() {
        return Ok(None);
    }
    if http_uri(&otlp.endpoint, "").is_none() {
        let expected = "an address such as `http://collector:4318`";
        return Err(SinkProblem::of("otlp.endpoint", expected));
    }
    let pairs = |text: &str, key: &str| {
        pairs(text).ok_or_else(|| SinkProblem::of(key, "`name=value` pairs with `,` between them"))
    };
    let headers = pairs(&otlp.headers, "otlp.headers")?.into_iter().collect();
    let tenant_header = match otlp.tenant_header.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|_| {
            SinkProblem::of("otlp.tenant_header", "a name of a header, such as `X-Scope-OrgID`")
        })?),
    };
    let some = |path: &Path| Some(path.to_owned()).filter(|it| !it.as_os_str().is_empty());
    let certificate = match (some(&otlp.certificate_file), some(&otlp.key_file)) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(SinkProblem::of("otlp.certificate_file", "a key, too")),
        (None, Some(_)) => return Err(SinkProblem::of("otlp.key_file", "a certificate, too")),
    };
    Ok(Some(Otlp {
        tenant_header,
        resource: pairs(&otlp.resource, "otlp.resource")?,
        access: Access {
            headers,
            token_file: some(&otlp.token_file),
            ca_file: some(&otlp.ca_file),
            certificate,
        },
        endpoint: otlp.endpoint,
        protocol: otlp.protocol,
        metrics: otlp.metrics,
        logs: otlp.logs,
        traces: otlp.traces,
        traces_ratio: otlp.traces_ratio,
        trace_acts: otlp.trace_acts,
        connections: otlp.connections,
        self_traces: otlp.self_traces,
        interval: otlp.interval.0,
        timeout: otlp.timeout.0,
    }))
}

/// `name=value,name=value`, as OpenTelemetry writes lists in variables; values may be
/// percent-encoded.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            let name = name.trim();
            (!name.is_empty()).then(|| Some((name.to_owned(), decoded(value.trim())?)))?
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        if first == b'%' && behind.len() >= 2 {
            let digits = std::str::from_utf8(&behind[..2]).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}
