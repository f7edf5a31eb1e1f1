//! What an OCI bundle's `config.json` tells, with the annotations that containerd,
//! CRI-O, Podman and nerdctl add to it.

use serde_json::Value;

use super::{ContainerFacts, Mount, document::Doc, image::is_digest, privilege::is_privileged};

/// Mounts of one container that are kept.
pub(super) const MAX_MOUNTS: usize = 512;

const CONTAINERD: &str = "io.kubernetes.cri.";
const CRIO: &str = "io.kubernetes.cri-o.";

/// Reads a configuration. The runtime is its caller where that has left its mark,
/// else the one given.
pub(super) fn facts(id: &str, spec: Doc<'_>, runtime: &str) -> ContainerFacts {
    let notes = spec.get("annotations");
    let note = |prefix: &str, key: &str| notes.get(&format!("{prefix}{key}")).text();
    let kubernetes = |key: &str| notes.get(&format!("io.kubernetes.{key}")).text();
    let caller = caller(notes);
    let is_sandbox = [CONTAINERD, CRIO].iter().any(|prefix| {
        ["container-type", "ContainerType"]
            .iter()
            .any(|key| note(prefix, key).as_deref() == Some("sandbox"))
    });
    let own_labels =
        note(CRIO, "Labels").and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let own_labels = own_labels.map(|value| Doc::new(&value).labels()).unwrap_or_default();
    let (labels, pod_labels) = if is_sandbox {
        (Default::default(), own_labels)
    } else {
        (own_labels, Default::default())
    };
    let host = |kind| shares_host(spec, kind);
    ContainerFacts {
        id: id.to_owned(),
        runtime: caller.unwrap_or(runtime).to_owned(),
        name: note(CONTAINERD, "container-name")
            .or_else(|| kubernetes("container.name"))
            .or_else(|| notes.get("nerdctl/name").text())
            // The kubelet's name for the sandbox.
            .filter(|name| !(is_sandbox && name == "POD")),
        image: [
            note(CONTAINERD, "image-name"),
            note(CRIO, "ImageName"),
            note(CRIO, "Image"),
            notes.get("org.opencontainers.image.ref.name").text(),
        ]
        .into_iter()
        .flatten()
        .find(|name| !is_digest(name) && name.contains(|c: char| !c.is_ascii_hexdigit())),
        privileged: caller_says_privileged(notes).or_else(|| is_privileged(spec)),
        mounts: mounts(spec),
        labels,
        started_unix_ns: None,
        host_pid: host("pid"),
        host_network: host("network"),
        host_ipc: host("ipc"),
        ip: note(CRIO, "IP.0"),
        pod_name: note(CONTAINERD, "sandbox-name").or_else(|| kubernetes("pod.name")),
        pod_uid: note(CONTAINERD, "sandbox-uid").or_else(|| kubernetes("pod.uid")),
        pod_namespace: note(CONTAINERD, "sandbox-namespace")
            .or_else(|| kubernetes("pod.namespace")),
        pod_sandbox_id: note(CONTAINERD, "sandbox-id")
            .or_else(|| note(CRIO, "SandboxID"))
            .or_else(|| is_sandbox.then(|| id.to_owned())),
        pod_labels,
        root: spec.at(&["root", "path"]).text().filter(|path| path.starts_with('/')),
        ..ContainerFacts::default()
    }
}

/// Whose marks the annotations bear. Podman uses some of CRI-O's names.
fn caller(notes: Doc<'_>) -> Option<&'static str> {
    match notes.get("io.container.manager").str() {
        Some("libpod") => return Some("podman"),
        Some("cri-o") => return Some("cri-o"),
        _ => {}
    }
    let has = |key: &str| notes.get(key).says();
    if has("io.kubernetes.cri-o.ContainerType") {
        Some("cri-o")
    } else if has("io.kubernetes.cri.container-type") {
        Some("containerd")
    } else {
        None
    }
}

fn caller_says_privileged(notes: Doc<'_>) -> Option<bool> {
    let said = notes.get("io.podman.annotations.privileged").str()?;
    Some(said.eq_ignore_ascii_case("true"))
}

/// Whether the host's namespace of a kind is used: `None` when an existing one is
/// joined, which may be the host's or another container's.
fn shares_host(spec: Doc<'_>, kind: &str) -> Option<bool> {
    let namespaces = spec.at(&["linux", "namespaces"]);
    spec.get("linux").says().then_some(())?;
    let own = namespaces.list().find(|namespace| namespace.get("type").str() == Some(kind));
    match own {
        None => Some(true),
        Some(namespace) if namespace.get("path").says() => None,
        Some(_) => Some(false),
    }
}

/// The path of the namespace that is joined, when one is.
pub(super) fn joined_namespace<'a>(spec: Doc<'a>, kind: &str) -> Option<&'a str> {
    spec.at(&["linux", "namespaces"])
        .list()
        .find(|namespace| namespace.get("type").str() == Some(kind))?
        .get("path")
        .str()
}

/// What is mounted from the host; `/proc`, `tmpfs` and their like are the container's
/// own, and the runtimes' interfaces do not list them either. A mount without a
/// propagation of its own has the root's.
fn mounts(spec: Doc<'_>) -> Vec<Mount> {
    let of_root = spec.at(&["linux", "rootfsPropagation"]).str().unwrap_or_default();
    spec.get("mounts")
        .list()
        .filter_map(|mount| {
            let options: Vec<&str> = mount.get("options").list().filter_map(Doc::str).collect();
            let is_bind = mount.get("type").str() == Some("bind")
                || options.iter().any(|option| matches!(*option, "bind" | "rbind"));
            let propagation = options.iter().copied().find(|option| is_propagation(option));
            Some(Mount {
                source: mount.get("source").text().filter(|_| is_bind)?,
                destination: mount.get("destination").text()?,
                mode: String::new(),
                writable: !options.contains(&"ro"),
                propagation: propagation.unwrap_or(of_root).to_owned(),
            })
        })
        .take(MAX_MOUNTS)
        .collect()
}

fn is_propagation(option: &str) -> bool {
    let kind = option.strip_prefix('r').unwrap_or(option);
    matches!(kind, "private" | "shared" | "slave" | "unbindable")
}

#[cfg(test)]
#[path = "oci_tests.rs"]
mod tests;
