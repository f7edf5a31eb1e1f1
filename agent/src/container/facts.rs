//! What is known of one container.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A container as its runtime describes it. What the runtime does not tell is empty
/// or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerFacts {
    /// Id in full.
    pub id: String,
    /// Name of the kind of runtime, such as `containerd`, `cri-o`, `docker`, `podman`, `runc`.
    pub runtime: String,
    /// Name.
    pub name: Option<String>,
    /// Image with its tag or digest, as it was asked for.
    pub image: Option<String>,
    /// Id of the image.
    pub image_id: Option<String>,
    /// Digest of the image in its registry, `sha256:…`.
    pub image_digest: Option<String>,
    /// May do what the host's root may.
    pub privileged: Option<bool>,
    /// Mounts in the order of the runtime.
    pub mounts: Vec<Mount>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Start, nanoseconds since 1970.
    pub started_unix_ns: Option<u64>,
    /// Shares the host's pid namespace.
    pub host_pid: Option<bool>,
    /// Shares the host's network namespace.
    pub host_network: Option<bool>,
    /// Shares the host's IPC namespace.
    pub host_ipc: Option<bool>,
    /// Address.
    pub ip: Option<String>,
    /// Commands of its health check and probes.
    pub probes: Vec<(Probe, String)>,
    /// Name of the pod.
    pub pod_name: Option<String>,
    /// UID of the pod.
    pub pod_uid: Option<String>,
    /// Namespace of the pod.
    pub pod_namespace: Option<String>,
    /// Id of the pod's sandbox in full.
    pub pod_sandbox_id: Option<String>,
    /// Labels of the pod.
    pub pod_labels: BTreeMap<String, String>,
    /// Root of its file system in the host's mount namespace.
    pub root: Option<String>,
}

/// A mount of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Source on the host.
    pub source: String,
    /// Place in the container.
    pub destination: String,
    /// Options as the runtime was given them, such as `ro`.
    pub mode: String,
    /// May be written.
    pub writable: bool,
    /// Propagation, such as `rprivate`.
    pub propagation: String,
}

/// A command that tells whether a container is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// Of Docker.
    Healthcheck,
    /// Of Kubernetes.
    Liveness,
    /// Of Kubernetes.
    Readiness,
}

impl ContainerFacts {
    /// Takes over all that `better` knows; the rest stays.
    pub fn upgrade(&mut self, better: Self) {
        fn text(known: &mut String, better: String) {
            if !better.is_empty() {
                *known = better;
            }
        }
        fn some<T>(known: &mut Option<T>, better: Option<T>) {
            if better.is_some() {
                *known = better;
            }
        }
        fn list<T>(known: &mut Vec<T>, better: Vec<T>) {
            if !better.is_empty() {
                *known = better;
            }
        }
        fn map(known: &mut BTreeMap<String, String>, better: BTreeMap<String, String>) {
            if !better.is_empty() {
                *known = better;
            }
        }
        text(&mut self.id, better.id);
        text(&mut self.runtime, better.runtime);
        some(&mut self.name, better.name);
        some(&mut self.image, better.image);
        some(&mut self.image_id, better.image_id);
        some(&mut self.image_digest, better.image_digest);
        some(&mut self.privileged, better.privileged);
        list(&mut self.mounts, better.mounts);
        map(&mut self.labels, better.labels);
        some(&mut self.started_unix_ns, better.started_unix_ns);
        some(&mut self.host_pid, better.host_pid);
        some(&mut self.host_network, better.host_network);
        some(&mut self.host_ipc, better.host_ipc);
        some(&mut self.ip, better.ip);
        list(&mut self.probes, better.probes);
        some(&mut self.pod_name, better.pod_name);
        some(&mut self.pod_uid, better.pod_uid);
        some(&mut self.pod_namespace, better.pod_namespace);
        some(&mut self.pod_sandbox_id, better.pod_sandbox_id);
        map(&mut self.pod_labels, better.pod_labels);
        some(&mut self.root, better.root);
    }

    /// Bytes of text that it holds, about.
    pub(super) fn weight(&self) -> usize {
        let some = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let map = |labels: &BTreeMap<String, String>| {
            labels.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
        };
        let mounts = self.mounts.iter().map(|mount| {
            let texts = [&mount.source, &mount.destination, &mount.mode, &mount.propagation];
            texts.into_iter().map(String::len).sum::<usize>()
        });
        let texts = [
            &self.name,
            &self.image,
            &self.image_id,
            &self.image_digest,
            &self.ip,
            &self.pod_name,
            &self.pod_uid,
            &self.pod_namespace,
            &self.pod_sandbox_id,
            &self.root,
        ];
        let probes = self.probes.iter().map(|(_, command)| command.len());
        size_of::<Self>()
            + self.id.len()
            + self.runtime.len()
            + texts.into_iter().map(some).sum::<usize>()
            + map(&self.labels)
            + map(&self.pod_labels)
            + mounts.sum::<usize>()
            + probes.sum::<usize>()
    }

    /// Whether it holds a pod's namespaces and runs none of its programs.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        !self.id.is_empty() && self.pod_sandbox_id.as_deref() == Some(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_better_known_replaces_what_was() {
        let text = |text: &str| Some(text.to_owned());
        let mut facts = ContainerFacts {
            id: "c0".to_owned(),
            runtime: "runc".to_owned(),
            name: text("old"),
            pod_name: text("pod"),
            privileged: Some(true),
            mounts: vec![Mount::default()],
            ..ContainerFacts::default()
        };
        let before = facts.clone();
        facts.upgrade(ContainerFacts::default());
        assert_eq!(facts, before);
        facts.upgrade(ContainerFacts {
            runtime: "docker".to_owned(),
            name: text("new"),
            image: text("web:1"),
            privileged: Some(false),
            ..ContainerFacts::default()
        });
        let expected = ContainerFacts {
            runtime: "docker".to_owned(),
            name: text("new"),
            image: text("web:1"),
            privileged: Some(false),
            ..before
        };
        assert_eq!(facts, expected);
    }

    #[test]
    fn a_sandbox_is_its_own() {
        let check = |id: &str, sandbox: Option<&str>, expected| {
            let facts = ContainerFacts {
                id: id.to_owned(),
                pod_sandbox_id: sandbox.map(str::to_owned),
                ..ContainerFacts::default()
            };
            assert_eq!(facts.is_sandbox(), expected, "{id}");
        };
        check("a", Some("a"), true);
        check("a", Some("b"), false);
        check("a", None, false);
        check("", Some(""), false);
    }
}
