//! A configuration that is read again while the agent runs.
//!
//! Only what concerns tenants and those who are told is taken then; of everything else it
//! is said that it needs a restart.

use std::path::{Path, PathBuf};

use crate::config::entries::Entry;
use crate::config::error::ConfigError;
use crate::config::file::{self, Source};
use crate::config::overrides::Overrides;
use crate::config::resolve::{Config, load};

/// What a configuration was made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// The file that was read, or that would have been had it been there.
    pub(super) path: PathBuf,
    pub(super) overrides: Overrides,
    /// What the file said; `None` when there was none.
    pub(super) text: Option<Vec<u8>>,
    /// Rule files are from elsewhere.
    pub(super) has_other_rules: bool,
}

/// The key of rule files.
const RULE_PATHS: &str = "rules.paths";

impl Origin {
    /// Of what was read at `path`.
    pub(super) fn new(path: &Path, source: Option<&Source>, overrides: &Overrides) -> Self {
        Self {
            path: path.to_owned(),
            overrides: overrides.clone(),
            text: source.map(|source| source.text.clone().into_bytes()),
            has_other_rules: false,
        }
    }
}

impl Config {
    /// The file that the configuration is read from, whether it was there or not.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.origin.path
    }

    /// What the file said when it was read; `None` when it was not there.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        self.origin.text.as_deref()
    }

    /// What the file says now; `None` when it cannot be read. Nothing beyond what a
    /// configuration may have is read.
    #[must_use]
    pub fn text_now(&self) -> Option<Vec<u8>> {
        file::read(&self.origin.path).ok()
    }

    /// Reads the same places again. A file that was there must still be.
    ///
    /// # Errors
    ///
    /// As for [`load`].
    pub fn again(&self) -> Result<Self, ConfigError> {
        load(self.file.as_deref(), &self.origin.overrides)
    }

    /// Takes rule files from elsewhere: what the places say of them no longer counts.
    pub fn set_rule_paths(&mut self, paths: Vec<PathBuf>) {
        if let Some(detection) = &mut self.detection {
            detection.paths = paths;
        }
        self.origin.has_other_rules = true;
    }

    /// Keys that another reading gives other values and that only a restart takes up.
    #[must_use]
    pub fn needs_restart(&self, next: &Self) -> Vec<&'static str> {
        let counts = |entry: &&Entry| !(self.origin.has_other_rules && entry.key == RULE_PATHS);
        let entries = self.entries.iter().filter(counts).filter(|entry| entry.is_read_at_start());
        entries.filter(|entry| !entry.is_same_in(&next.entries)).map(|entry| entry.key).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Config, Overrides, load};

    fn read(path: &Path, yaml: &str) -> Config {
        fs::write(path, yaml).unwrap();
        load(Some(path), &Overrides::default().with("listen", "127.0.0.1:1")).unwrap()
    }

    #[test]
    fn what_needs_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("landlord.yaml");
        let mut config = read(&path, "interval: 5s\n");
        config.set_rule_paths(vec!["/rules".into()]);
        let check = |yaml: &str, expected: &[&str]| {
            fs::write(&path, yaml).unwrap();
            assert_eq!(config.needs_restart(&config.again().unwrap()), expected, "{yaml}");
        };
        check("interval: 5s\n", &[]);
        // What is the default anyway.
        check("max_tenants: 1000\n", &[]);
        check("interval: 6s\nlog: { level: warn }\n", &["interval", "log.level"]);
        // A flag says it.
        check("listen: 127.0.0.1:2\n", &[]);
        check("rules: { paths: [/other], match: all }\n", &["rules.match"]);
        let sinks = |secret: &str| {
            format!(
                "interval: 5s\nsinks: [{{ name: a, kind: falco_http, to: 'http://x', headers: {{ a: {secret} }} }}]\n"
            )
        };
        check(&sinks("secret"), &[]);
        check("otlp: { endpoint: 'http://x', trace_acts: 3 }\ninterval: 5s\n", &[]);
        check("otlp: { connections: all }\ninterval: 5s\n", &["otlp.connections"]);
        check("tenant_labels: [a]\ntenants: [{ match: { path: '^/' }, tenant: a }]\n", &[]);
    }

    #[test]
    fn another_secret_is_a_change_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("landlord.yaml");
        let yaml =
            |secret: &str| format!("otlp: {{ endpoint: 'http://x', headers: 'a={secret}' }}\n");
        let config = read(&path, &yaml("hunter2"));
        let again = |secret: &str| {
            fs::write(&path, yaml(secret)).unwrap();
            config.again().unwrap().sinks.otlp.unwrap()
        };
        let otlp = config.sinks.otlp.clone().unwrap();
        assert!(otlp.is_reached_as(&again("hunter2")));
        assert!(!otlp.is_reached_as(&again("hunter3")));
        let shown = format!("{:?}", config.entries);
        assert!(shown.contains("***") && !shown.contains("hunter"), "{shown}");
    }

    #[test]
    fn it_is_read_from_the_same_places() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("landlord.yaml");
        let config = read(&path, "interval: 7s\n");
        assert_eq!(config.text(), Some(&b"interval: 7s\n"[..]));
        assert_eq!(config.text_now().as_deref(), config.text());
        let again = config.again().unwrap();
        assert_eq!((again.interval.as_secs(), again.listen.port()), (7, 1));
        fs::remove_file(&path).unwrap();
        assert_eq!(config.text_now(), None);
        let error = config.again().unwrap_err().to_string();
        assert!(error.ends_with("no such file"), "{error}");
    }
}
