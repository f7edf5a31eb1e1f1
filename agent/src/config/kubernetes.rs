//! What the configuration says of the cluster.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Whether the API server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Enabled {
    /// In a pod, or with a kubeconfig.
    Auto,
    /// Whatever is missing.
    Always,
    /// It is not.
    Never,
}

/// The section `kubernetes`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// Whether the API server is asked.
    pub enabled: Enabled,
    /// Name of this node; empty: the machine's.
    pub node: String,
    /// Where the API server is; empty: as pods are told.
    pub kubeconfig: PathBuf,
    /// Whether `Tenant` objects count.
    pub tenants: bool,
    /// Whether it is asked who has which address in the whole cluster.
    pub addresses: bool,
}

impl Kubernetes {
    /// The kubeconfig, when there is one.
    #[must_use]
    pub fn kubeconfig(&self) -> Option<&Path> {
        Some(self.kubeconfig.as_path()).filter(|path| !path.as_os_str().is_empty())
    }

    /// Whether the API server is to be asked, on a machine where this is a pod or not.
    #[must_use]
    pub fn is_wanted(&self, in_pod: bool) -> bool {
        match self.enabled {
            Enabled::Always => true,
            Enabled::Never => false,
            Enabled::Auto => in_pod || self.kubeconfig().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Enabled, Kubernetes};

    #[test]
    fn who_is_asked() {
        let check = |enabled, kubeconfig: &str, in_pod, expected| {
            let kubernetes = Kubernetes {
                enabled,
                node: String::new(),
                kubeconfig: kubeconfig.into(),
                tenants: true,
                addresses: true,
            };
            assert_eq!(kubernetes.is_wanted(in_pod), expected, "{kubernetes:?} {in_pod}");
        };
        check(Enabled::Auto, "", false, false);
        check(Enabled::Auto, "", true, true);
        check(Enabled::Auto, "/k", false, true);
        check(Enabled::Always, "", false, true);
        check(Enabled::Never, "/k", true, false);
    }
}
