//! The flags that stand for configuration keys.
//!
//! They carry text as it was given; what it must be is declared once, in the
//! table of keys.

use crate::config::keys::{KEYS, Key};

/// Flags of a command that takes a configuration; each wins over the environment
/// and the file. Flatten it into the command's arguments.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration (see docs/configuration.md)")]
pub struct Overrides {
    /// Address and port of metrics, health checks and the local API
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// How often counters are collected when nobody asks
    #[arg(long, value_name = "TIME")]
    pub interval: Option<String>,
    /// Form of the log on standard error: text or json
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Least severe messages that are logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Whether the counters stay in the kernel while the agent restarts
    #[arg(long, value_name = "true|false")]
    pub pin_enabled: Option<String>,
    /// Folder of the pinned counters, on a bpf file system
    #[arg(long, value_name = "FOLDER")]
    pub pin_path: Option<String>,
    /// File with the totals of cgroups that have ended
    #[arg(long, value_name = "FILE")]
    pub state: Option<String>,
    /// Cgroups that have counters of their own at the same time
    #[arg(long, value_name = "NUMBER")]
    pub max_cgroups: Option<String>,
    /// Tenants that have metrics of their own
    #[arg(long, value_name = "NUMBER")]
    pub max_tenants: Option<String>,
    /// Tenants told apart as the cause of another's waiting
    #[arg(long, value_name = "NUMBER")]
    pub max_wait_causes: Option<String>,
    /// Whether events are watched and rules held against them
    #[arg(long, value_name = "true|false")]
    pub rules_enabled: Option<String>,
    /// Which of the rules that match an event raise an alert
    #[arg(long, value_name = "first|all")]
    pub rules_match: Option<String>,
    /// Rules that are less urgent are not in force
    #[arg(long, value_name = "PRIORITY")]
    pub rules_priority: Option<String>,
    /// Form of the alerts on standard output: text, json or none
    #[arg(long, value_name = "FORMAT")]
    pub alerts_format: Option<String>,
    /// How long the same alert is counted instead of written
    #[arg(long, value_name = "TIME")]
    pub alerts_repeats: Option<String>,
    /// Events a second that one cgroup may send to the agent
    #[arg(long, value_name = "NUMBER")]
    pub events_rate: Option<String>,
    /// Kernel memory for events on their way to the agent
    #[arg(long, value_name = "MIB")]
    pub events_buffer: Option<String>,
    /// Memory kept of processes and waiting events
    #[arg(long, value_name = "MIB")]
    pub events_memory: Option<String>,
    /// Whether the API server is asked whose pods are: auto, always or never
    #[arg(long, value_name = "auto|always|never")]
    pub kubernetes_enabled: Option<String>,
    /// Name of this node in the cluster
    #[arg(long, value_name = "NAME")]
    pub kubernetes_node: Option<String>,
    /// Where the API server is and who asks
    #[arg(long, value_name = "FILE")]
    pub kubernetes_kubeconfig: Option<String>,
    /// Whether tenants are also taken from Tenant objects
    #[arg(long, value_name = "true|false")]
    pub kubernetes_tenants: Option<String>,
    /// Whether who has which address in the whole cluster is known
    #[arg(long, value_name = "true|false")]
    pub kubernetes_addresses: Option<String>,
    /// Whether the kubelet is asked what pods keep on disks
    #[arg(long, value_name = "true|false")]
    pub kubelet_enabled: Option<String>,
    /// Where the kubelet listens
    #[arg(long, value_name = "IP[:PORT]")]
    pub kubelet_address: Option<String>,
    /// How often the kubelet is asked
    #[arg(long, value_name = "TIME")]
    pub kubelet_interval: Option<String>,
    /// Who signs the kubelet's certificate
    #[arg(long, value_name = "FILE")]
    pub kubelet_authority: Option<String>,
    /// Whether the kubelet's certificate is not looked at
    #[arg(long, value_name = "true|false")]
    pub kubelet_insecure: Option<String>,
}

impl Overrides {
    /// The flags that were given, with their keys.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static Key, &str)> {
        // Taken apart, so that a new flag cannot be forgotten here.
        let Self {
            listen,
            interval,
            log_format,
            log_level,
            pin_enabled,
            pin_path,
            state,
            max_cgroups,
            max_tenants,
            max_wait_causes,
            rules_enabled,
            rules_match,
            rules_priority,
            alerts_format,
            alerts_repeats,
            events_rate,
            events_buffer,
            events_memory,
            kubernetes_enabled,
            kubernetes_node,
            kubernetes_kubeconfig,
            kubernetes_tenants,
            kubernetes_addresses,
            kubelet_enabled,
            kubelet_address,
            kubelet_interval,
            kubelet_authority,
            kubelet_insecure,
        } = self;
        let texts = [
            ("listen", listen),
            ("interval", interval),
            ("log.format", log_format),
            ("log.level", log_level),
            ("pin.enabled", pin_enabled),
            ("pin.path", pin_path),
            ("state", state),
            ("max_cgroups", max_cgroups),
            ("max_tenants", max_tenants),
            ("max_wait_causes", max_wait_causes),
            ("rules.enabled", rules_enabled),
            ("rules.match", rules_match),
            ("rules.priority", rules_priority),
            ("alerts.format", alerts_format),
            ("alerts.repeats", alerts_repeats),
            ("events.rate", events_rate),
            ("events.buffer", events_buffer),
            ("events.memory", events_memory),
            ("kubernetes.enabled", kubernetes_enabled),
            ("kubernetes.node", kubernetes_node),
            ("kubernetes.kubeconfig", kubernetes_kubeconfig),
            ("kubernetes.tenants", kubernetes_tenants),
            ("kubernetes.addresses", kubernetes_addresses),
            ("kubelet.enabled", kubelet_enabled),
            ("kubelet.address", kubelet_address),
            ("kubelet.interval", kubelet_interval),
            ("kubelet.authority", kubelet_authority),
            ("kubelet.insecure", kubelet_insecure),
        ];
        texts.into_iter().filter_map(|(name, text)| {
            let key = KEYS.iter().find(|key| key.name == name)?;
            Some((key, text.as_deref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::Overrides;
    use crate::config::keys::KEYS;

    #[test]
    fn there_is_a_flag_for_every_scalar_key() {
        let command = Overrides::augment_args(clap::Command::new("landlord"));
        let flags: Vec<_> = command.get_arguments().filter_map(|arg| arg.get_long()).collect();
        let keys: Vec<_> =
            KEYS.iter().filter(|key| key.is_scalar()).map(|key| key.flag()).collect();
        assert_eq!(flags, keys);
    }

    #[test]
    fn every_flag_reaches_its_key() {
        let scalars = || KEYS.iter().filter(|key| key.is_scalar());
        let arguments = scalars().map(|key| format!("--{}={}", key.flag(), key.name));
        let command = Overrides::augment_args(clap::Command::new("landlord"));
        let matches =
            command.get_matches_from(["landlord".to_owned()].into_iter().chain(arguments));
        let overrides = Overrides::from_arg_matches(&matches).unwrap();
        let given: Vec<_> = overrides.given().map(|(key, text)| (key.name, text)).collect();
        assert_eq!(given, scalars().map(|key| (key.name, key.name)).collect::<Vec<_>>());
    }
}
