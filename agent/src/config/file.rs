//! The shape of the configuration, and the file it is read from.
//!
//! Parse only: nothing here looks at the machine beyond the file itself.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use serde::Deserialize;

use crate::config::api::ApiSettings;
use crate::config::detection::AlertFormat;
use crate::config::duration::Time;
use crate::config::error::{ConfigError, found};
use crate::config::kubelet::KubeletSettings;
use crate::config::kubernetes::Kubernetes;
use crate::config::resolve::LogSettings;
use crate::config::sinks::{OtlpSettings, SinkSpec, SpoolSettings};
use crate::config::yaml::{self, Content, Node};
use crate::identity::tenant::RuleSpec;
use crate::rules::rule::{Matching, Priority};

/// Largest file, bytes.
const MAX_BYTES: usize = 1 << 20;

/// All keys with the types of their values. The ranges are in
/// [`KEYS`](super::keys::KEYS).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) listen: SocketAddr,
    pub(super) api: ApiSettings,
    pub(super) interval: Time,
    pub(super) log: LogSettings,
    pub(super) pin: PinSettings,
    pub(super) state: PathBuf,
    pub(super) max_cgroups: u32,
    pub(super) max_tenants: u32,
    pub(super) max_wait_causes: u32,
    pub(super) pod_metrics: bool,
    pub(super) rules: RuleSettings,
    pub(super) alerts: AlertSettings,
    pub(super) events: EventSettings,
    pub(super) spool: SpoolSettings,
    pub(super) otlp: OtlpSettings,
    pub(super) sinks: Vec<SinkSpec>,
    pub(super) kubernetes: Kubernetes,
    pub(super) kubelet: KubeletSettings,
    pub(super) tenant_labels: Vec<String>,
    pub(super) tenants: Vec<RuleSpec>,
}

/// The section `rules`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSettings {
    pub(super) enabled: bool,
    pub(super) paths: Vec<PathBuf>,
    pub(super) r#match: Matching,
    pub(super) priority: Priority,
}

/// The section `alerts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertSettings {
    pub(super) format: AlertFormat,
    pub(super) repeats: Time,
}

/// The section `events`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventSettings {
    pub(super) rate: u64,
    pub(super) buffer: u32,
    pub(super) memory: u32,
}

/// The section `pin`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PinSettings {
    pub(super) enabled: bool,
    pub(super) path: PathBuf,
}

/// A file's text, kept for the errors that point into it, and what it says.
#[derive(Debug)]
pub(super) struct Source {
    /// As given; errors begin with it.
    pub(super) name: String,
    pub(super) text: String,
    /// A mapping; `None` when there are no keys.
    pub(super) root: Option<Node>,
}

impl Source {
    /// Reads a file. `None` when there is none of that name.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, ConfigError> {
        let name = path.display().to_string();
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                return Err(ConfigError::of(&name, "is a directory; expected a YAML file"));
            }
            Err(error) => return Err(ConfigError::of(&name, &format!("cannot be read: {error}"))),
        };
        if bytes.len() > MAX_BYTES {
            let problem =
                "is larger than 1 MiB; expected a YAML file of at most some hundred lines";
            return Err(ConfigError::of(&name, problem));
        }
        let text = String::from_utf8(bytes).map_err(|error| not_text(&name, &error))?;
        Self::parse(name, text).map(Some)
    }

    /// Reads a text.
    pub(super) fn parse(name: String, mut text: String) -> Result<Self, ConfigError> {
        if text.starts_with('\u{FEFF}') {
            // Places do not count it.
            text.remove(0);
        }
        let mut source = Self { name, text, root: None };
        match yaml::parse(&source.text) {
            Ok(None) => Ok(source),
            Ok(Some(root)) if matches!(root.content, Content::Map(_)) => {
                source.root = Some(root);
                Ok(source)
            }
            Ok(Some(root)) => {
                let found = found(&root.to_value());
                let problem = format!("expected keys such as `listen:`, found {found}");
                Err(ConfigError::at(&source, root.place, &problem))
            }
            Err(error) => Err(match error.place {
                Some(place) => ConfigError::at(&source, place, &error.message),
                None => ConfigError::of(&source.name, &error.message),
            }),
        }
    }
}

/// Reads a little more than the largest file, so that more can be told from
/// exactly as much.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES + 1).unwrap_or(u64::MAX);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Names the first byte that is not UTF-8.
fn not_text(name: &str, error: &FromUtf8Error) -> ConfigError {
    let valid = error.utf8_error().valid_up_to();
    let before = &error.as_bytes()[..valid];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
    let place = format!("{name}:{line}:{column}");
    ConfigError::of(&place, &format!("not text: byte 0x{byte:02x} is not UTF-8"))
}
