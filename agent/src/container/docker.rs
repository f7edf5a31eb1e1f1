//! What Docker writes and says of a container; Podman says it in the same words.

use serde_json::Value;

use super::{ContainerFacts, Mount, Probe, document::Doc, oci::MAX_MOUNTS};

/// Reads `config.v2.json` with `hostconfig.json`, or an answer of
/// `GET /containers/ID/json`, which holds both. `None` when it is neither.
pub(super) fn facts(container: Doc<'_>, host: Doc<'_>, runtime: &str) -> Option<ContainerFacts> {
    let id = container.get("ID").str().or_else(|| container.get("Id").str())?;
    let config = container.get("Config");
    let labels = config.get("Labels").labels();
    let label = |key: &str| labels.get(key).filter(|text| !text.is_empty()).cloned();
    let is_sandbox = label("io.kubernetes.docker.type").as_deref() == Some("podsandbox");
    let full_name = container.get("Name").str().map(|name| name.trim_start_matches('/').to_owned());
    let mode = |key: &str| host.get(key).str().map(|mode| mode == "host");
    Some(ContainerFacts {
        id: id.to_owned(),
        runtime: runtime.to_owned(),
        name: full_name.filter(|name| !name.is_empty()),
        image: config.get("Image").text(),
        image_id: container.get("Image").str().map(bare_id),
        image_digest: None,
        privileged: host.get("Privileged").flag(),
        mounts: mounts(container),
        started_unix_ns: container
            .at(&["State", "StartedAt"])
            .time()
            .or_else(|| container.get("Created").time()),
        host_pid: mode("PidMode"),
        host_network: mode("NetworkMode"),
        host_ipc: mode("IpcMode"),
        ip: address(container.get("NetworkSettings")),
        probes: healthcheck(config.get("Healthcheck")).into_iter().collect(),
        pod_name: label("io.kubernetes.pod.name"),
        pod_uid: label("io.kubernetes.pod.uid"),
        pod_namespace: label("io.kubernetes.pod.namespace"),
        pod_sandbox_id: label("io.kubernetes.sandbox.id")
            .or_else(|| is_sandbox.then(|| id.to_owned())),
        pod_labels: Default::default(),
        root: container.at(&["GraphDriver", "Data", "MergedDir"]).text(),
        labels,
    })
}

/// The digest in an answer of `GET /images/ID/json`: of the repository that the
/// image was asked for from, or the only one there is.
pub(super) fn image_digest(image: Doc<'_>, repository: Option<&str>) -> Option<String> {
    let digests: Vec<(&str, &str)> = image
        .get("RepoDigests")
        .list()
        .filter_map(|digest| digest.str()?.split_once('@'))
        .collect();
    let same = |found: &str| {
        // Docker leaves out what Podman spells out.
        repository.is_some_and(|asked| {
            found == asked
                || found.strip_prefix("docker.io/") == Some(asked)
                || found.strip_prefix("docker.io/library/") == Some(asked)
        })
    };
    let own = digests.iter().find(|(found, _)| same(found));
    let only = || digests.first().filter(|first| digests.iter().all(|other| other.1 == first.1));
    own.or_else(only).map(|(_, digest)| (*digest).to_owned())
}

/// An id without the name of its algorithm.
pub(super) fn bare_id(id: &str) -> String {
    id.strip_prefix("sha256:").unwrap_or(id).to_owned()
}

/// `Mounts` of an answer is a list; `MountPoints` of a file an object.
fn mounts(container: Doc<'_>) -> Vec<Mount> {
    let listed = container.get("Mounts").list();
    let kept = container.get("MountPoints").members().map(|(_, point)| point);
    listed
        .chain(kept)
        .take(MAX_MOUNTS)
        .filter_map(|mount| {
            Some(Mount {
                // A volume's place on the host; the file leaves it empty.
                source: mount
                    .get("Source")
                    .str()
                    .or_else(|| mount.get("Name").str())
                    .unwrap_or_default()
                    .to_owned(),
                destination: mount.get("Destination").text()?,
                mode: mount
                    .get("Mode")
                    .str()
                    .or_else(|| mount.get("Relabel").str())
                    .unwrap_or_default()
                    .to_owned(),
                writable: mount.get("RW").flag().unwrap_or(false),
                propagation: mount.get("Propagation").text().unwrap_or_default(),
            })
        })
        .collect()
}

/// The address of the default network, or else of the first network.
fn address(settings: Doc<'_>) -> Option<String> {
    settings.get("IPAddress").text().or_else(|| {
        settings.get("Networks").members().find_map(|(_, network)| network.get("IPAddress").text())
    })
}

/// The command of a health check: its words with blanks between.
fn healthcheck(check: Doc<'_>) -> Option<(Probe, String)> {
    let words: Vec<&str> = check.get("Test").list().filter_map(Doc::str).collect();
    let command = match words.split_first()? {
        (&"CMD", words) if !words.is_empty() => words.join(" "),
        (&"CMD-SHELL", [script, ..]) => format!("/bin/sh -c {script}"),
        _ => return None,
    };
    Some((Probe::Healthcheck, command))
}

/// The entry of a container in `containers.json` of containers/storage.
pub(super) fn storage_facts(id: &str, list: Doc<'_>) -> Option<ContainerFacts> {
    let entry = list.list().find(|entry| entry.get("id").str() == Some(id))?;
    let more: Option<Value> =
        entry.get("metadata").str().and_then(|text| serde_json::from_str(text).ok());
    let more = more.as_ref().map(Doc::new);
    let of_metadata = |key: &str| more.and_then(|doc| doc.get(key).text());
    // CRI-O writes `container-name` and names the entry by pod and attempt.
    let by_crio = of_metadata("pod-name").is_some() || of_metadata("container-name").is_some();
    let plain_name = || entry.get("names").list().find_map(Doc::text);
    Some(ContainerFacts {
        id: id.to_owned(),
        runtime: if by_crio { "cri-o" } else { "podman" }.to_owned(),
        name: if by_crio { None } else { plain_name().or_else(|| of_metadata("name")) },
        image: of_metadata("image-name"),
        image_id: of_metadata("image-id")
            .or_else(|| entry.get("image").text())
            .map(|id| bare_id(&id)),
        ..ContainerFacts::default()
    })
}

#[cfg(test)]
#[path = "docker_tests.rs"]
mod tests;
