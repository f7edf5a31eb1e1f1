//! What a cgroup's path says about the workload in it: pod, container, unit.
//!
//! Pure text: it never looks at the file system, and takes nothing for a pod or
//! a container that does not have the exact form one of their makers writes.
//!
//! # Which name counts when they nest
//!
//! The path is read from the root down, and **the name nearest to the root
//! wins**, because whoever owns a cgroup can create any name below it:
//!
//! - The pod is the outermost pod. Docker in a pod, kind in a pod, systemd in a
//!   container: all of it belongs to the pod around it.
//! - The container is the outermost container below that pod; without a pod, the
//!   outermost container.
//! - A pod inside a plain container (a kind or minikube node) is the one case
//!   where an inner name wins over an outer one: the container there is a node
//!   and its pods are the workloads.
//! - Below a user's service manager (`user@1000.service`) and below system
//!   containers (LXC, nspawn, Garden), whose owners may create cgroups at will,
//!   no name is taken for a pod.
//!
//! So once a path names a pod and a container, nothing appended to it changes
//! either; a tenant cannot become another tenant by making directories.

use std::fmt;

/// A pod's UID as the API server writes it: a lower-case UUID, or the 32 hex
/// digits of a static pod's configuration hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodUid(Box<str>);

impl PodUid {
    /// Reads a UID; systemd's paths write `_` where the UUID has `-`.
    fn parse(text: &str) -> Option<Self> {
        let uid = text.replace('_', "-").to_ascii_lowercase();
        (is_hex_groups(&uid, &[8, 4, 4, 4, 12]) || is_hex_groups(&uid, &[32]))
            .then(|| Self(uid.into_boxed_str()))
    }

    /// The UID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Quality-of-service class of a pod, from the cgroup it lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qos {
    /// Requests equal limits for every container.
    Guaranteed,
    /// Some request or limit is set.
    Burstable,
    /// None is set.
    BestEffort,
}

impl Qos {
    /// The class as the API server writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        }
    }
}

/// A Kubernetes pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pod {
    /// Its UID.
    pub uid: PodUid,
    /// Its class.
    pub qos: Qos,
}

/// Who made a container, as far as the path tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runtime {
    /// Docker, also as the runtime of Kubernetes, ECS and GitHub's job containers.
    Docker,
    /// containerd, through CRI, nerdctl or ctr.
    Containerd,
    /// CRI-O.
    Crio,
    /// Podman.
    Podman,
    /// LXC, LXD, Incus, Proxmox.
    Lxc,
    /// systemd-nspawn.
    Nspawn,
    /// Cloud Foundry's Garden.
    Garden,
    /// An OCI runtime whose caller the path does not tell: a bare container id,
    /// as the cgroupfs driver writes it.
    Oci,
}

impl Runtime {
    /// All runtimes, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::Docker,
        Self::Containerd,
        Self::Crio,
        Self::Podman,
        Self::Lxc,
        Self::Nspawn,
        Self::Garden,
        Self::Oci,
    ];

    /// The name used in configuration and tenant names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Crio => "crio",
            Self::Podman => "podman",
            Self::Lxc => "lxc",
            Self::Nspawn => "nspawn",
            Self::Garden => "garden",
            Self::Oci => "oci",
        }
    }

    /// The runtime of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|runtime| runtime.name() == name)
    }

    /// Whether such a container may be a Kubernetes node whose pods count. System
    /// containers may not: their owners write cgroups as they like.
    const fn may_hold_pods(self) -> bool {
        match self {
            Self::Docker | Self::Containerd | Self::Crio | Self::Podman | Self::Oci => true,
            Self::Lxc | Self::Nspawn | Self::Garden => false,
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A container's id: 64 hex digits for OCI runtimes, 8-4-4-4-4 or UUID for
/// Garden, the container's name for LXC and nspawn. Never empty, at most 255
/// bytes, no control characters and no `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(Box<str>);

impl ContainerId {
    fn hex(text: &str) -> Option<Self> {
        is_hex_groups(text, &[64]).then(|| Self(text.to_ascii_lowercase().into_boxed_str()))
    }

    fn named(name: &str) -> Option<Self> {
        let plain = |c: char| !c.is_control() && c != '/';
        (!name.is_empty() && name.len() <= 255 && name.chars().all(plain))
            .then(|| Self(name.to_owned().into_boxed_str()))
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits of a hex id, as container tools print it. Names and
    /// Garden handles are not shortened: `web-front-1` and `web-front-2` differ
    /// only at their ends.
    #[must_use]
    pub fn short(&self) -> &str {
        if is_hex_groups(&self.0, &[64]) { &self.0[..12] } else { &self.0 }
    }
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Container {
    /// Who made it.
    pub runtime: Runtime,
    /// Its id.
    pub id: ContainerId,
}

/// All that a path tells. Every part is `None` for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Workload {
    /// The outermost pod; see the module's rules for nesting.
    pub pod: Option<Pod>,
    /// The outermost container below the pod.
    pub container: Option<Container>,
    /// Name without `.slice` of the innermost slice of the host's service
    /// manager: `system`, `user-1000`. Slices below a unit or a container belong
    /// to somebody else's manager and do not count.
    pub slice: Option<Box<str>>,
    /// The unit of the host's service manager: `nginx.service`, `init.scope`.
    pub unit: Option<Box<str>>,
    /// First component of the path.
    pub top: Option<Box<str>>,
}

impl Workload {
    /// Reads a path below the cgroup v2 mount, `/` for the root. Any text is
    /// accepted; what has no known form leaves the parts `None`.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let mut workload = Self::default();
        let mut above = Above::default();
        let mut among_slices = true;
        let mut pods_count = true;
        for component in path.split('/').filter(|component| !component.is_empty()) {
            workload.top.get_or_insert_with(|| component.into());
            if among_slices {
                among_slices = workload.read_unit(component);
            }
            if pods_count
                && workload.pod.is_none()
                && let Some(pod) = pod_of(component, &above)
            {
                workload.pod = Some(pod);
                workload.container = None;
            }
            if workload.container.is_none()
                && let Some(container) = container_of(component, &above)
            {
                pods_count &= container.runtime.may_hold_pods();
                workload.container = Some(container);
            }
            pods_count &= !is_user_manager(component);
            let top = if above.top.is_empty() { component } else { above.top };
            above = Above { parent: component, grandparent: above.parent, top };
        }
        workload
    }

    /// Takes one component as a slice or, where the slices end, as the unit.
    /// Returns whether another slice may follow.
    fn read_unit(&mut self, component: &str) -> bool {
        if let Some(slice) = component.strip_suffix(".slice") {
            self.slice = Some(slice.into());
            return true;
        }
        const KINDS: [&str; 5] = [".service", ".scope", ".mount", ".swap", ".socket"];
        if KINDS.iter().any(|kind| component.ends_with(kind)) {
            self.unit = Some(component.into());
        }
        false
    }
}

/// The components before the one being read; empty where there is none.
#[derive(Default)]
struct Above<'a> {
    parent: &'a str,
    grandparent: &'a str,
    top: &'a str,
}

/// `pod<uid>` below `kubepods` (cgroupfs driver), `…kubepods-…-pod<uid>.slice`
/// (systemd driver), or that slice as the first part of an unexpanded
/// `slice:prefix:id`.
fn pod_of(component: &str, above: &Above<'_>) -> Option<Pod> {
    if let Some(uid) = component.strip_prefix("pod").and_then(PodUid::parse) {
        let qos = match (above.grandparent, above.parent) {
            (_, "kubepods") => Qos::Guaranteed,
            ("kubepods", "burstable") => Qos::Burstable,
            ("kubepods", "besteffort") => Qos::BestEffort,
            _ => return None,
        };
        return Some(Pod { uid, qos });
    }
    let slice = component.split(':').next()?.strip_suffix(".slice")?;
    let (class, uid) = slice.rsplit_once("-pod")?;
    let uid = PodUid::parse(uid)?;
    let (parent, qos) = if let Some(parent) = class.strip_suffix("-burstable") {
        (parent, Qos::Burstable)
    } else if let Some(parent) = class.strip_suffix("-besteffort") {
        (parent, Qos::BestEffort)
    } else {
        (class, Qos::Guaranteed)
    };
    // A kubelet below another cgroup puts that one's name before its own.
    (parent == "kubepods" || parent.ends_with("-kubepods")).then_some(Pod { uid, qos })
}

/// The container that a component names, if it names one. The runtimes' monitor
/// processes (`crio-conmon-…`, `libpod-conmon-…`, `lxc.monitor.…`) are none.
fn container_of(component: &str, above: &Above<'_>) -> Option<Container> {
    let some = |runtime, id| Some(Container { runtime, id });
    if let Some((runtime, id)) = prefixed_id(component) {
        return some(runtime, id);
    }
    if let Some(id) = ContainerId::hex(component) {
        let runtime = match above.parent {
            "docker" | "actions_job" => Runtime::Docker,
            "default" | "k8s.io" => Runtime::Containerd,
            // /ecs/<task>/<id> or /ecs/<cluster>/<task>/<id>.
            _ if above.top == "ecs" => Runtime::Docker,
            _ => Runtime::Oci,
        };
        return some(runtime, id);
    }
    if is_hex_groups(component, &[8, 4, 4, 4, 4])
        || (above.parent == "garden" && is_hex_groups(component, &[8, 4, 4, 4, 12]))
    {
        return some(Runtime::Garden, ContainerId::named(component)?);
    }
    if let Some(name) = component.strip_prefix("lxc.payload.") {
        return some(Runtime::Lxc, ContainerId::named(name)?);
    }
    if matches!(above.parent, "lxc" | "lxc.payload") {
        return some(Runtime::Lxc, ContainerId::named(component)?);
    }
    nspawn_name(component, above.parent)
        .and_then(|name| some(Runtime::Nspawn, ContainerId::named(&name)?))
}

/// `docker-<id>.scope`, the same without `.scope`, and systemd's unexpanded
/// `<slice>:docker:<id>`.
fn prefixed_id(component: &str) -> Option<(Runtime, ContainerId)> {
    const PREFIXES: [(&str, Runtime); 6] = [
        ("docker", Runtime::Docker),
        ("cri-containerd", Runtime::Containerd),
        ("nerdctl", Runtime::Containerd),
        ("crio", Runtime::Crio),
        ("libpod", Runtime::Podman),
        // A container that runs as a part of its own service unit.
        ("libpod-payload", Runtime::Podman),
    ];
    let name = component.strip_suffix(".scope").unwrap_or(component);
    let (prefix, id) = match name.rsplit_once(':') {
        Some((rest, id)) => (rest.rsplit_once(':')?.1, id),
        None => name.rsplit_once('-')?,
    };
    let (_, runtime) = PREFIXES.iter().find(|(known, _)| *known == prefix)?;
    Some((*runtime, ContainerId::hex(id)?))
}

/// Name of the machine in `machine.slice`; `None` for virtual machines and
/// libvirt's containers, which register there as `qemu-1-name`.
fn nspawn_name(component: &str, parent: &str) -> Option<String> {
    if parent != "machine.slice" {
        return None;
    }
    let escaped =
        component
            .strip_prefix("machine-")
            .and_then(|rest| rest.strip_suffix(".scope"))
            .or_else(|| component.strip_prefix("systemd-nspawn@")?.strip_suffix(".service"))?;
    let name = unescape_unit(escaped)?;
    let by_libvirt = ["qemu-", "lxc-", "xen-", "ch-"].iter().any(|driver| {
        name.strip_prefix(driver).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    (!by_libvirt).then_some(name)
}

/// Undoes systemd's `\x2d` escapes; `None` when they do not give text.
fn unescape_unit(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(after.get(..2)?, 16).ok()?);
        rest = after.get(2..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

/// The service manager of one user, who may create any cgroup below it.
fn is_user_manager(component: &str) -> bool {
    component.starts_with("user@") && component.ends_with(".service")
}

/// Whether the text is groups of hex digits of these lengths, joined by `-`.
fn is_hex_groups(text: &str, lengths: &[usize]) -> bool {
    let mut groups = text.split('-');
    lengths.iter().all(|length| {
        groups
            .next()
            .is_some_and(|g| g.len() == *length && g.bytes().all(|b| b.is_ascii_hexdigit()))
    }) && groups.next().is_none()
}

#[cfg(test)]
#[path = "cgroup_path_tests.rs"]
mod tests;
