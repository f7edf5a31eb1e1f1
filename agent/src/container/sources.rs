//! Where runtimes keep and tell what they know: paths only, nothing is opened here.

use std::path::{Path, PathBuf};

/// What a state file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFormat {
    /// `state.json` of runc: times, and the bundle that the OCI configuration is in.
    Runc,
    /// `status` of crun: the same.
    Crun,
    /// `config.json` of an OCI bundle.
    Spec,
    /// `config.v2.json` of Docker, with `hostconfig.json` beside it.
    Docker,
    /// `containers.json` of containers/storage: names and images of Podman's and
    /// CRI-O's containers.
    Storage,
}

/// One place of state files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFile {
    /// Path below [`Sources::root`]. `{id}` stands for the container's id and a
    /// component `*` for every directory there is.
    pub pattern: String,
    /// What it holds.
    pub format: StateFormat,
    /// Kind of runtime, where the path alone tells it.
    pub runtime: &'static str,
}

/// Who answers at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Docker's HTTP API, spoken by Docker.
    Docker,
    /// Docker's HTTP API, spoken by Podman.
    Podman,
    /// Kubernetes' container runtime interface: containerd and CRI-O.
    Cri,
}

/// A unix socket of a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Path below [`Sources::root`].
    pub path: String,
    /// What is spoken there.
    pub protocol: Protocol,
}

/// Everything that may be asked, in the order in which later answers win over
/// earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The host's root as the agent sees it: `/`, or `/host` in a container. Links
    /// below it are followed as if it were the root.
    pub root: PathBuf,
    /// `/proc` of the host's pid namespace as the agent sees it.
    pub proc: PathBuf,
    /// State files.
    pub states: Vec<StateFile>,
    /// Sockets; one that is not there costs a failed `connect`.
    pub sockets: Vec<Socket>,
}

use StateFormat as Format;

/// Weakest first: what runc was told is less than what its caller knows.
const STATES: [(&str, Format, &str); 15] = [
    ("run/runc/{id}/state.json", Format::Runc, "runc"),
    ("run/containerd/runc/*/{id}/state.json", Format::Runc, "containerd"),
    ("run/k3s/containerd/runc/*/{id}/state.json", Format::Runc, "containerd"),
    ("run/docker/runtime-runc/moby/{id}/state.json", Format::Runc, "docker"),
    ("run/crun/{id}/status", Format::Crun, "crun"),
    ("run/containerd/io.containerd.runtime.v2.task/*/{id}/config.json", Format::Spec, "containerd"),
    (
        "run/containerd/io.containerd.runtime.v1.linux/*/{id}/config.json",
        Format::Spec,
        "containerd",
    ),
    (
        "run/k3s/containerd/io.containerd.runtime.v2.task/*/{id}/config.json",
        Format::Spec,
        "containerd",
    ),
    (
        "var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/*/{id}/config.json",
        Format::Spec,
        "containerd",
    ),
    // Docker's own containerd.
    (
        "run/docker/containerd/daemon/io.containerd.runtime.v2.task/*/{id}/config.json",
        Format::Spec,
        "docker",
    ),
    // Podman and CRI-O, whose configuration tells which; `overlay-containers`, or
    // `vfs-containers` and others by the driver.
    ("run/containers/storage/*/{id}/userdata/config.json", Format::Spec, "podman"),
    ("var/lib/containers/storage/*/{id}/userdata/config.json", Format::Spec, "podman"),
    ("var/lib/containers/storage/*/containers.json", Format::Storage, ""),
    ("var/lib/containers/storage/*/volatile-containers.json", Format::Storage, ""),
    ("var/lib/docker/containers/{id}/config.v2.json", Format::Docker, "docker"),
];

const SOCKETS: [(&str, Protocol); 9] = [
    ("run/docker.sock", Protocol::Docker),
    ("var/run/docker.sock", Protocol::Docker),
    ("run/podman/podman.sock", Protocol::Podman),
    ("var/run/podman/podman.sock", Protocol::Podman),
    ("run/containerd/containerd.sock", Protocol::Cri),
    ("run/crio/crio.sock", Protocol::Cri),
    ("run/k3s/containerd/containerd.sock", Protocol::Cri),
    ("run/host-containerd/containerd.sock", Protocol::Cri),
    ("var/snap/microk8s/common/run/containerd.sock", Protocol::Cri),
];

impl Sources {
    /// The places where runtimes are by default, on a host whose root is seen at
    /// `root`; its `/proc` is taken to be `root/proc`.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        let states = STATES.map(|(pattern, format, runtime)| StateFile {
            pattern: pattern.to_owned(),
            format,
            runtime,
        });
        let sockets = SOCKETS.map(|(path, protocol)| Socket { path: path.to_owned(), protocol });
        Self {
            root: root.to_owned(),
            proc: root.join("proc"),
            states: states.into(),
            sockets: sockets.into(),
        }
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self::under(Path::new("/"))
    }
}
