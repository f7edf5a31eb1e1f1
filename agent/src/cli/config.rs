//! `landlord config`: what the agent would run with.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::config::{self, Config, Kubernetes, LogFormat, Overrides, duration};
use crate::identity::tenant::RuleSpec;

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
            out.write_all(render(&config, print.output)?.as_bytes())?;
        }
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

/// The configuration in the form of its file.
#[derive(Serialize)]
struct File<'a> {
    listen: String,
    interval: String,
    log: Log,
    pin: Pin<'a>,
    state: &'a Path,
    max_cgroups: u32,
    max_tenants: u32,
    max_wait_causes: u32,
    kubernetes: &'a Kubernetes,
    kubelet: Kubelet<'a>,
    tenant_labels: Vec<&'a str>,
    tenants: &'a [RuleSpec],
}

#[derive(Serialize)]
struct Log {
    format: &'static str,
    level: &'static str,
}

#[derive(Serialize)]
struct Pin<'a> {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a Path>,
}

#[derive(Serialize)]
struct Kubelet<'a> {
    enabled: bool,
    address: String,
    interval: String,
    authority: &'a Path,
    insecure: bool,
}

fn render(config: &Config, format: Format) -> Result<String> {
    let file = File {
        listen: config.listen.to_string(),
        interval: duration::text(config.interval),
        log: Log {
            format: match config.log.format {
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            },
            level: config.log.level.as_str(),
        },
        pin: Pin { enabled: config.pin.is_some(), path: config.pin.as_deref() },
        state: &config.state,
        max_cgroups: config.max_cgroups,
        max_tenants: config.max_tenants,
        max_wait_causes: config.max_wait_causes,
        kubernetes: &config.kubernetes,
        kubelet: Kubelet {
            enabled: config.kubelet.enabled,
            address: config.kubelet.address.to_string(),
            interval: duration::text(config.kubelet.interval),
            authority: &config.kubelet.authority,
            insecure: config.kubelet.insecure,
        },
        tenant_labels: config.tenants.carried().collect(),
        tenants: config.tenants.specs(),
    };
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(&file).context("cannot write YAML")?,
        Format::Json => serde_json::to_string_pretty(&file).context("cannot write JSON")?,
    };
    Ok(text.trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Format, render};
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
        kubernetes:
          enabled: auto
          node: ""
          kubeconfig: ""
          tenants: true
          addresses: true
        kubelet:
          enabled: true
          address: 127.0.0.1:10250
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
        - match:
            namespace: kube-system|kube-public|kube-node-lease|kube-flannel
          tenant: "{namespace}"
          class: shared
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
