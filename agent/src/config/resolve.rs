//! Defaults, file, environment and flags → one configuration with its values
//! checked.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Deserialize;

use crate::config::again::Origin;
use crate::config::api;
use crate::config::default::DEFAULT_YAML;
use crate::config::detection::Detection;
use crate::config::entries::{Entry, entries};
use crate::config::error::{ConfigError, FLAG, closest};
use crate::config::explain::{
    FILE_LAYER, explain, out_of_bounds, wrong_label, wrong_rule, wrong_sink,
};
use crate::config::file::{Settings, Source};
use crate::config::keys::{KEYS, Key, VARIABLE_PREFIX};
use crate::config::kubelet::KubeletSettings;
use crate::config::kubernetes::Kubernetes;
use crate::config::overrides::Overrides;
use crate::config::sinks::Sinks;
use crate::config::standard;
use crate::config::yaml::Content;
use crate::identity::TenantRules;
use crate::identity::tenant::is_label_key;
use crate::sinks::listener::Security;

/// The file that is read when none is named, if it exists.
pub const DEFAULT_PATH: &str = "/etc/landlord/landlord.yaml";

/// Name of the layer of what nobody has said.
pub(super) const DEFAULT_LAYER: &str = "default configuration";

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Least severe message that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something does not work.
    Error,
    /// Something works with a loss.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The level's name as filters of `tracing` write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Form.
    pub format: LogFormat,
    /// Least severe message.
    pub level: LogLevel,
}

/// A configuration ready for use; every value is within its declared range.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of metrics, health checks and the local API.
    pub listen: SocketAddr,
    /// What that is secured by.
    pub api: Security,
    /// Time between collections that nobody asked for, 1 s to 60 s.
    pub interval: Duration,
    /// How to log.
    pub log: LogSettings,
    /// Folder of the pinned counters; `None` when counters end with the agent.
    pub pin: Option<PathBuf>,
    /// File with the totals of cgroups that have ended.
    pub state: PathBuf,
    /// Slots in the kernel's maps, 64 to 4095.
    pub max_cgroups: u32,
    /// Tenants with metrics of their own, 1 to 10,000.
    pub max_tenants: u32,
    /// Culprits told apart per victim, 1 to 1,000.
    pub max_wait_causes: u32,
    /// Whether each pod has metrics of its own.
    pub pod_metrics: bool,
    /// Who is whose tenant, and which labels go along.
    pub tenants: TenantRules,
    /// Whether and how the cluster is asked.
    pub kubernetes: Kubernetes,
    /// Whether and how the kubelet is asked.
    pub kubelet: KubeletSettings,
    /// Rules and their alerts; `None` when the agent only meters.
    pub detection: Option<Detection>,
    /// Who is told what.
    pub sinks: Sinks,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What looks like a mistake but may be none, one sentence each.
    pub warnings: Vec<String>,
    /// What is said of each key, and where.
    pub entries: Vec<Entry>,
    pub(super) origin: Origin,
}

/// Reads the configuration: the file at `path`, or at [`DEFAULT_PATH`] if there is
/// one, then the environment, then `overrides`.
///
/// # Errors
///
/// A named file that is missing, unreadable or empty, text that is not YAML,
/// unknown keys, values of a wrong type or out of range. The display of the error
/// is complete; it needs no context.
pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Config, ConfigError> {
    load_from(path, Path::new(DEFAULT_PATH), std::env::vars_os(), overrides)
}

fn load_from(
    named: Option<&Path>,
    default: &Path,
    environment: impl Iterator<Item = (OsString, OsString)>,
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let path = named.unwrap_or(default);
    let source = Source::open(path)?;
    if named.is_some() {
        let name = path.display().to_string();
        match &source {
            None => return Err(ConfigError::of(&name, "no such file")),
            Some(Source { root: None, .. }) => {
                let problem = "is empty; expected at least one key, such as `interval: 5s`";
                let help = "without a file the defaults apply".to_owned();
                return Err(ConfigError::of(&name, problem).help(Some(help)));
            }
            Some(_) => {}
        }
    }
    let config = resolve(source.as_ref(), &Variables::read(environment)?, overrides)?;
    let origin = Origin::new(path, source.as_ref(), overrides);
    Ok(Config { file: source.is_some().then(|| path.to_owned()), origin, ..config })
}

/// Variables of the environment that concern the agent.
#[derive(Debug, Default)]
struct Variables(Vec<(String, String)>);

impl Variables {
    /// Takes what begins with the agent's prefix. An empty variable is as good as
    /// none, which is how templates of deployments leave one out.
    fn read(environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let mut variables = Vec::new();
        for (name, text) in environment {
            let is_known =
                |name: &&str| name.starts_with(VARIABLE_PREFIX) || standard::is_variable(name);
            let Some(name) = name.to_str().filter(is_known) else { continue };
            let text = text
                .into_string()
                .map_err(|_| ConfigError::of(&variable(name), "its value is not UTF-8 text"))?;
            if !text.is_empty() {
                variables.push((name.to_owned(), text));
            }
        }
        Ok(Self(variables))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// What is said of a key, and by which variable; the agent's own counts before one of
    /// OpenTelemetry.
    fn of(&self, key: &Key) -> Option<(String, Value)> {
        let own = key.variable();
        if let Some(text) = self.get(&own) {
            return Some((own, key.kind.read(text)));
        }
        let (name, form) = standard::variable_of(key.name)?;
        let text = self.get(name)?;
        let (name, text) = form.read((name, text), |other| self.get(other));
        Some((name.to_owned(), key.kind.read(&text)))
    }

    /// Names that are nearly a known one. Others may well be set: Kubernetes
    /// describes a Service called `landlord` in variables with the same prefix.
    fn warnings(&self) -> Vec<String> {
        let known: Vec<String> =
            KEYS.iter().filter(|key| key.is_scalar()).map(|key| key.variable()).collect();
        let own = |name: &str| name.strip_prefix(VARIABLE_PREFIX).unwrap_or(name).to_owned();
        let short: Vec<String> = known.iter().map(|name| own(name)).collect();
        let is_unknown = |name: &String| name.starts_with(VARIABLE_PREFIX) && !known.contains(name);
        let unknown = self.0.iter().filter(|(name, _)| is_unknown(name));
        unknown
            .filter_map(|(name, _)| {
                let meant = closest(&own(name), short.iter().map(String::as_str))?;
                Some(format!(
                    "environment variable {name} sets nothing; did you mean \
                     {VARIABLE_PREFIX}{meant}?"
                ))
            })
            .collect()
    }
}

fn variable(name: &str) -> String {
    format!("environment variable {name}")
}

/// One source of values. Its name is what errors call it.
struct Layer {
    name: String,
    values: Dict,
}

impl Layer {
    fn one(name: String, key: &str, value: Value) -> Self {
        let values = figment::util::nest(key, value).into_dict().unwrap_or_default();
        Self { name, values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

fn layer_of(source: &Source, name: &str) -> Layer {
    let values = match source.root.as_ref().map(|root| &root.content) {
        Some(Content::Map(entries)) => crate::config::yaml::to_dict(entries),
        _ => Dict::new(),
    };
    Layer { name: name.to_owned(), values }
}

fn resolve(
    source: Option<&Source>,
    variables: &Variables,
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let defaults = Source::parse("default".to_owned(), DEFAULT_YAML.to_owned())?;
    let mut layers = Figment::from(layer_of(&defaults, DEFAULT_LAYER));
    if let Some(source) = source {
        layers = layers.merge(layer_of(source, FILE_LAYER));
    }
    for key in KEYS.iter().filter(|key| key.is_scalar()) {
        if let Some((name, value)) = variables.of(key) {
            layers = layers.merge(Layer::one(variable(&name), key.name, value));
        }
    }
    for (key, text) in overrides.given() {
        let name = format!("{FLAG}{}", key.flag());
        layers = layers.merge(Layer::one(name, key.name, key.kind.read(text)));
    }
    let settings: Settings = layers.extract().map_err(|error| explain(&error, source, &layers))?;
    if let Some(key) = KEYS
        .iter()
        .filter(|key| key.is_scalar())
        .find(|key| layers.find_value(key.name).is_ok_and(|value| !key.kind.admits(&value)))
    {
        return Err(out_of_bounds(key, &key.path(), source, &layers));
    }
    for list in KEYS.iter().filter(|key| !key.is_scalar() && !key.name.contains("[]")) {
        let Ok(value) = layers.find_value(list.name) else { continue };
        if let Some((key, path)) = not_admitted(&value, &mut list.path()) {
            return Err(out_of_bounds(key, &path, source, &layers));
        }
    }
    let detection = Detection::new(&settings);
    let sinks = Sinks::new(settings.spool, settings.otlp, settings.sinks)
        .map_err(|problem| wrong_sink(&problem, source, &layers))?;
    let api =
        api::security(settings.api).map_err(|problem| wrong_sink(&problem, source, &layers))?;
    let tenants = TenantRules::compile(settings.tenants)
        .map_err(|error| wrong_rule(&error, source, &layers))?;
    if let Some(index) = settings.tenant_labels.iter().position(|key| !is_label_key(key)) {
        return Err(wrong_label(index, source, &layers));
    }
    let tenants = tenants.carrying(settings.tenant_labels);
    Ok(Config {
        listen: settings.listen,
        api,
        interval: settings.interval.0,
        log: settings.log,
        pin: settings.pin.enabled.then_some(settings.pin.path),
        state: settings.state,
        max_cgroups: settings.max_cgroups,
        max_tenants: settings.max_tenants,
        max_wait_causes: settings.max_wait_causes,
        pod_metrics: settings.pod_metrics,
        tenants,
        kubernetes: settings.kubernetes,
        kubelet: settings.kubelet,
        detection,
        sinks,
        file: None,
        warnings: variables.warnings(),
        entries: entries(&layers),
        origin: Origin::default(),
    })
}

/// The first value in a list that its key does not admit, and where it is.
fn not_admitted(value: &Value, path: &mut Vec<String>) -> Option<(&'static Key, Vec<String>)> {
    if let Some(key) = Key::at(path).filter(|key| !key.kind.admits(value)) {
        return Some((key, path.clone()));
    }
    let inner: Vec<(String, &Value)> = match value {
        Value::Array(_, elements) => {
            elements.iter().enumerate().map(|(index, it)| (index.to_string(), it)).collect()
        }
        Value::Dict(_, entries) => entries.iter().map(|(name, it)| (name.clone(), it)).collect(),
        _ => return None,
    };
    inner.into_iter().find_map(|(part, value)| {
        path.push(part);
        let found = not_admitted(value, path);
        path.pop();
        found
    })
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "sinks_tests.rs"]
mod sinks_tests;
