//! Which runtimes to ask for a container, and what their answers come to.

use std::{collections::HashSet, os::fd::OwnedFd, time::Duration};

use super::{
    counts::Counters,
    grpc::Connection,
    http::{self, Failure},
};
use crate::{
    container::{
        ContainerFacts, Protocol,
        cri::{self, ContainerStatusResponse, SandboxStatusResponse, StatusRequest},
        docker,
        document::Doc,
        files::Files,
    },
    identity::cgroup_path::Runtime,
};

/// A runtime that needs longer than this is not well; the next event asks again.
const PATIENCE: Duration = Duration::from_secs(2);
/// The versions of the interface, the newest first.
const VERSIONS: [&str; 2] = ["v1", "v1alpha2"];

/// A socket that is there.
pub(super) struct Place {
    socket: OwnedFd,
    protocol: Protocol,
    /// The kind of runtime that is found there when it does not tell itself.
    runtime: &'static str,
}

/// Facts so far, and whether it is not worth asking again.
pub(super) struct Outcome {
    pub(super) facts: Option<ContainerFacts>,
    pub(super) is_enough: bool,
}

/// The sockets that may know the container.
pub(super) fn wanted(
    files: &Files,
    hint: Option<Runtime>,
    facts: Option<&ContainerFacts>,
) -> Vec<Place> {
    let known = facts.map(|facts| facts.runtime.as_str());
    let mut seen = HashSet::new();
    let sockets = files.sources().sockets.iter();
    sockets
        .filter(|socket| may_know(socket.protocol, hint, known))
        .filter_map(|socket| {
            let found = files.socket(&socket.path)?;
            // `/var/run` is a link to `/run` almost everywhere.
            let stat = rustix::fs::fstat(&found).ok()?;
            let runtime = match socket.protocol {
                Protocol::Docker => "docker",
                Protocol::Podman => "podman",
                Protocol::Cri if socket.path.contains("crio") => "cri-o",
                Protocol::Cri => "containerd",
            };
            seen.insert((stat.st_dev, stat.st_ino)).then_some(Place {
                socket: found,
                protocol: socket.protocol,
                runtime,
            })
        })
        .collect()
}

/// Whether who speaks the protocol may have started the container, by what its
/// cgroup and its files tell. What runs runc by itself is asked by nobody.
fn may_know(protocol: Protocol, hint: Option<Runtime>, known: Option<&str>) -> bool {
    let by_hint = match hint {
        Some(Runtime::Docker) => Some(Protocol::Docker),
        Some(Runtime::Podman) => Some(Protocol::Podman),
        Some(Runtime::Containerd | Runtime::Crio) => Some(Protocol::Cri),
        Some(Runtime::Lxc | Runtime::Nspawn | Runtime::Garden) => return false,
        Some(Runtime::Oci) | None => None,
    };
    let by_files = match known {
        Some("docker") => Some(Protocol::Docker),
        Some("podman") => Some(Protocol::Podman),
        Some("containerd" | "cri-o") => Some(Protocol::Cri),
        Some("runc" | "crun") if by_hint.is_none() => return false,
        _ => None,
    };
    by_hint.or(by_files).is_none_or(|only| only == protocol)
}

/// Asks one socket after the other until one knows the container.
pub(super) async fn ask(
    places: &[Place],
    id: &str,
    facts: Option<ContainerFacts>,
    counts: &Counters,
) -> Outcome {
    let mut nobody_knows = false;
    for place in places {
        let asked = tokio::time::timeout(PATIENCE, one(place, id));
        match asked.await.unwrap_or(Err(Failure::Unreachable)) {
            Ok(mut told) => {
                if told.runtime.is_empty() {
                    place.runtime.clone_into(&mut told.runtime);
                }
                let facts = match facts {
                    Some(mut facts) => {
                        // A runtime lists what was asked to be mounted; a bundle also
                        // holds what the runtime adds.
                        facts.mounts.clear();
                        facts.upgrade(told);
                        facts
                    }
                    None => told,
                };
                return Outcome { facts: Some(facts), is_enough: true };
            }
            Err(Failure::NotFound | Failure::Unimplemented) => nobody_knows = true,
            Err(Failure::Unreachable) => counts.unreachable.add(),
            Err(Failure::Oversized) => counts.oversized.add(),
            Err(Failure::Malformed) => counts.malformed.add(),
        }
    }
    // Files without an image are of a container that its runtime is still to know.
    let has_image = facts.as_ref().is_some_and(|facts| facts.image.is_some());
    let is_enough = facts.is_some() && (has_image || !nobody_knows);
    Outcome { facts, is_enough }
}

async fn one(place: &Place, id: &str) -> Result<ContainerFacts, Failure> {
    match place.protocol {
        Protocol::Docker | Protocol::Podman => engine(place, id).await,
        Protocol::Cri => runtime_interface(&place.socket, id).await,
    }
}

/// Docker's API: the container, and the digest of its image.
async fn engine(place: &Place, id: &str) -> Result<ContainerFacts, Failure> {
    let answer = http::get(&place.socket, &format!("/containers/{id}/json")).await?;
    let answer = Doc::new(&answer);
    let mut facts = docker::facts(answer, answer.get("HostConfig"), place.runtime)
        .filter(|facts| facts.id == id)
        .ok_or(Failure::Malformed)?;
    if let Some(image) = &facts.image_id
        && image.bytes().all(|byte| byte.is_ascii_hexdigit())
        && let Ok(image) = http::get(&place.socket, &format!("/images/sha256:{image}/json")).await
    {
        facts.image_digest = docker::image_digest(Doc::new(&image), facts.image_repository());
    }
    Ok(facts)
}

/// Kubernetes' interface: the container and its sandbox, or the sandbox alone.
async fn runtime_interface(socket: &OwnedFd, id: &str) -> Result<ContainerFacts, Failure> {
    let mut connection = Connection::open(socket).await?;
    let mut last = Failure::Unimplemented;
    for version in VERSIONS {
        match of_version(&mut connection, version, id).await {
            Err(Failure::Unimplemented) => {}
            Err(Failure::NotFound) => last = Failure::NotFound,
            told => return told,
        }
        if last == Failure::NotFound {
            break;
        }
    }
    Err(last)
}

async fn of_version(
    connection: &mut Connection,
    version: &str,
    id: &str,
) -> Result<ContainerFacts, Failure> {
    let path = |method: &str| format!("/runtime.{version}.RuntimeService/{method}");
    let question = StatusRequest { id: id.to_owned(), verbose: true };
    let asked = connection.call(&path("ContainerStatus"), &question).await;
    let answer: ContainerStatusResponse = match asked {
        Err(Failure::NotFound) => {
            let answer = connection.call(&path("PodSandboxStatus"), &question).await?;
            return cri::sandbox_facts(id, answer).ok_or(Failure::Malformed);
        }
        asked => asked?,
    };
    let mut facts = cri::container_facts(id, answer).ok_or(Failure::Malformed)?;
    if let Some(sandbox) = facts.pod_sandbox_id.clone() {
        let question = StatusRequest { id: sandbox.clone(), verbose: false };
        // A sandbox that is gone leaves the container's own facts.
        if let Ok(answer) =
            connection.call::<_, SandboxStatusResponse>(&path("PodSandboxStatus"), &question).await
            && let Some(pod) = cri::pod_facts(&sandbox, answer, facts.name.as_deref())
        {
            facts.upgrade(pod);
        }
    }
    Ok(facts)
}

#[cfg(test)]
#[path = "sockets_tests.rs"]
pub(super) mod tests;
