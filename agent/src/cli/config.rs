//! `landlord config`: what the agent would run with.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::figures::{UNKNOWN, printable};
use super::table::aligned;
use crate::config::{self, Config, Entry, Overrides};

/// Print or check the configuration
#[derive(Args, Debug)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the configuration in force: defaults, file, LANDLORD_* variables and flags
    Print(Box<Print>),
    /// Print the JSON schema of configuration files, for editors and checks elsewhere
    Schema,
    /// Check a configuration without using it
    Check {
        /// Configuration file [default: /etc/landlord/landlord.yaml if it exists]
        #[arg(value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
struct Print {
    /// Configuration file [default: /etc/landlord/landlord.yaml if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: Format,

    /// Show a line for each key, with where its value is from
    #[arg(long, conflicts_with = "output")]
    origin: bool,

    #[command(flatten)]
    overrides: Overrides,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A configuration file that says the same
    Yaml,
    /// An object
    Json,
}

pub(super) fn run(flags: &ConfigCommand, out: &mut impl Write) -> Result<()> {
    match &flags.action {
        Action::Print(print) => {
            let config = config::load(print.config.as_deref(), &print.overrides)?;
            let text = if print.origin { origins(&config) } else { render(&config, print.output)? };
            out.write_all(text.as_bytes())?;
        }
        Action::Schema => out.write_all(config::schema().as_bytes())?,
        Action::Check { config } => {
            let config = config::load(config.as_deref(), &Overrides::default())?;
            for warning in &config.warnings {
                writeln!(io::stderr(), "warning: {warning}")?;
            }
            match &config.file {
                Some(file) => writeln!(out, "{} is good", file.display())?,
                None => writeln!(out, "there is no file; the defaults apply")?,
            }
        }
    }
    Ok(())
}

/// The keys, in sections.
struct File<'a>(&'a [Entry]);

impl Serialize for File<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        for entries in self.0.chunk_by(|one, next| section(one) == section(next)) {
            match entries {
                [entry] if section(entry) == entry.key => {
                    map.serialize_entry(entry.key, &entry.value())?;
                }
                entries => map.serialize_entry(section(&entries[0]), &Section(entries))?,
            }
        }
        map.end()
    }
}

struct Section<'a>(&'a [Entry]);

impl Serialize for Section<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let last = |entry: &Entry| entry.key.rsplit('.').next().unwrap_or_default();
        out.collect_map(self.0.iter().map(|entry| (last(entry), entry.value())))
    }
}

/// The part of a key before the dot.
fn section(entry: &Entry) -> &'static str {
    entry.key.split('.').next().unwrap_or_default()
}

fn render(config: &Config, format: Format) -> Result<String> {
    let file = File(&config.entries);
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(&file).context("cannot write YAML")?,
        Format::Json => serde_json::to_string_pretty(&file).context("cannot write JSON")?,
    };
    Ok(text.trim_end().to_owned() + "\n")
}

/// A line for each key, with its value and where that is from.
fn origins(config: &Config) -> String {
    let rows = config.entries.iter().map(|entry| {
        let value = match &entry.value() {
            Value::String(text) if text.is_empty() => UNKNOWN.to_owned(),
            Value::String(text) => printable(text),
            Value::Array(list) => match list.len() {
                0 => "[]".to_owned(),
                _ if list.iter().all(Value::is_string) => entry.value().to_string(),
                count => format!("{count} in all"),
            },
            value => value.to_string(),
        };
        vec![entry.key.to_owned(), value, entry.origin.clone()]
    });
    aligned(Some(&["KEY", "VALUE", "ORIGIN"]), rows, &[false; 3]) + "\n"
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Format, origins, render};
    use crate::config::{self, DEFAULT_YAML, Overrides};

    /// Writes a configuration, reads it and prints it.
    fn printed(yaml: &str, format: Format) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("landlord.yaml");
        fs::write(&path, yaml).unwrap();
        render(&config::load(Some(&path), &Overrides::default()).unwrap(), format).unwrap()
    }

    #[test]
    fn defaults() {
        insta::assert_snapshot!(printed(DEFAULT_YAML, Format::Yaml), @r#"
        listen: 127.0.0.1:9464
        api:
          certificate_file: ""
          key_file: ""
          client_ca_file: ""
          token_file: ""
        interval: 5s
        log:
          format: text
          level: info
        pin:
          enabled: true
          path: /sys/fs/bpf/landlord
        state: /run/landlord/state
        max_cgroups: 2048
        max_tenants: 1000
        max_wait_causes: 32
        pod_metrics: false
        rules:
          enabled: true
          paths: []
          match: first
          priority: debug
        alerts:
          format: text
          repeats: 10s
        events:
          rate: 50000
          buffer: 8
          memory: 64
        spool:
          path: /var/lib/landlord/spool
          size: 64
        otlp:
          endpoint: ""
          protocol: http/protobuf
          metrics: true
          logs: true
          traces: false
          traces_ratio: 1
          trace_acts: 16
          connections: none
          self_traces: false
          interval: 30s
          timeout: 10s
          headers: ""
          tenant_header: ""
          resource: ""
          token_file: ""
          ca_file: ""
          certificate_file: ""
          key_file: ""
        sinks: []
        kubernetes:
          enabled: auto
          node: ""
          kubeconfig: ""
          tenants: true
          addresses: true
        kubelet:
          enabled: true
          address: ""
          interval: 60s
          authority: ""
          insecure: false
        tenant_labels:
        - team
        - cost-center
        - environment
        - owner
        tenants:
        - match:
            namespace_label: capsule.clastix.io/tenant
          tenant: "{namespace_label}"
        - match:
            hnc: true
          tenant: "{hnc_root}"
        - match:
            pod_label: vcluster.loft.sh/managed-by
          tenant: "{namespace}/{pod_label}"
        - match:
            namespace_label: managedby=kubeplus
          tenant: "{namespace}"
        - class: shared
          match:
            namespace: kube-system|kube-public|kube-node-lease|kube-flannel
          tenant: "{namespace}"
        - match:
            namespace: .+
          tenant: "{namespace}"
        - match:
            pod: true
          tenant: pod-{pod_uid}
        - match:
            container: any
          tenant: "{runtime}-{container_id_short}"
        - match:
            path: ^/system\.slice(/|$)
          tenant: system
        - match:
            slice: true
          tenant: "{slice}"
        - match:
            path: ^/
          tenant: "{top}"
        "#);
    }

    #[test]
    fn where_values_are_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("landlord.yaml");
        let yaml = "interval: 6s\notlp: { headers: 'a=secret' }\nsinks:\n  - { name: a, \
                    kind: falco_http, to: 'http://x', headers: { b: secret } }\n";
        fs::write(&path, yaml).unwrap();
        let overrides = Overrides::default().with("log.level", "debug");
        let config = config::load(Some(&path), &overrides).unwrap();
        let lines = origins(&config);
        let of = |key: &str| {
            let line = lines.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("interval"), "interval 6s file");
        assert_eq!(of("log.level"), "log.level debug flag --log-level");
        assert_eq!(of("log.format"), "log.format text default");
        assert_eq!(of("otlp.headers"), "otlp.headers *** file");
        assert_eq!(of("sinks"), "sinks 1 in all file");
        let yaml = render(&config, Format::Yaml).unwrap();
        assert!(!yaml.contains("secret") && yaml.contains("http://x"), "{yaml}");
    }

    #[test]
    fn what_is_printed_says_the_same_again() {
        let yaml = r"
            listen: '[::1]:9000'
            interval: 1500ms
            log: { format: json, level: debug }
            pin: { enabled: false }
            max_cgroups: 64
            tenants:
              - match: { path: '^/a: \s#(?<who>[^/]+)', pod: true }
                tenant: '{who}-{pod_uid}'
        ";
        let once = printed(yaml, Format::Yaml);
        assert_eq!(printed(&once, Format::Yaml), once);
        assert!(
            once.contains("listen: \"[::1]:9000\"") || once.contains("listen: '[::1]:9000'"),
            "{once}"
        );
        // JSON is YAML.
        assert_eq!(printed(&printed(yaml, Format::Json), Format::Yaml), once);
    }
}
