//! From a pod to the configuration of a container: what the kubelet and containerd make
//! of a security context, of volumes and of the cgroup.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{chart, filter};
use crate::container::held_back;
use crate::netns::Namespace;

/// The cgroup of the pod, below the mount of a hierarchy.
pub(super) const POD_CGROUP: &str = "kubepods.slice/kubepods-burstable.slice/\
     kubepods-burstable-pod7ab00002_0000_4000_8000_000000000002.slice";
/// Folder of the host that the chart keeps the agent's state in; a test's own is put in its
/// place.
const STATE: &str = "/run/landlord";
/// What containerd hides in `/proc` and `/sys`, and what nobody may write there.
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];
const READ_ONLY: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The configuration of the pod's one container, which runs `command`.
pub(super) fn of(
    pod: &Value,
    command: &[String],
    folder: &Path,
    network: &Namespace,
    id: &str,
) -> Result<Value> {
    let container = &pod["containers"][0];
    let context = &container["securityContext"];
    if context["privileged"] != false || pod["hostNetwork"] == true || pod["hostPID"] != true {
        bail!("a pod of another kind than the chart's: {context}");
    }
    let capabilities = granted(context)?;
    let mut namespaces =
        ["ipc", "uts", "mount", "cgroup"].map(|kind| json!({"type": kind})).to_vec();
    namespaces.push(json!({"type": "network", "path": network.path()}));
    let mut mounts = vec![
        json!({"destination": "/proc", "type": "proc", "source": "proc",
               "options": ["nosuid", "noexec", "nodev"]}),
        json!({"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
               "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]}),
        json!({"destination": "/sys", "type": "sysfs", "source": "sysfs",
               "options": ["nosuid", "noexec", "nodev", "ro"]}),
    ];
    mounts.extend(volumes(pod, container, folder)?);
    Ok(json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": context["runAsUser"], "gid": context["runAsGroup"]},
            "args": command,
            "cwd": "/",
            "env": ["PATH=/usr/bin", "LANDLORD_INTERVAL=1s"],
            "noNewPrivileges": context["allowPrivilegeEscalation"] == false,
            "capabilities": {
                "bounding": capabilities, "effective": capabilities, "permitted": capabilities
            },
        },
        "root": {"path": "root", "readonly": context["readOnlyRootFilesystem"]},
        "hostname": "landlord",
        "mounts": mounts,
        "annotations": {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.container-name": container["name"],
            "io.kubernetes.cri.image-name": container["image"],
        },
        "linux": {
            "cgroupsPath": format!("/{POD_CGROUP}/cri-containerd-{id}.scope"),
            "namespaces": namespaces,
            "seccomp": filter::of(&words(&context["capabilities"]["add"])),
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
        },
    }))
}

/// Capabilities by their names in the configuration: nothing is left but what is added.
fn granted(context: &Value) -> Result<Vec<String>> {
    if words(&context["capabilities"]["drop"]) != ["ALL"] {
        bail!("not all capabilities are dropped: {context}");
    }
    let back = held_back()?;
    let added = words(&context["capabilities"]["add"]).into_iter();
    // What this machine itself holds back cannot be handed on.
    Ok(added.filter(|name| !back.contains(name)).map(|name| format!("CAP_{name}")).collect())
}

/// Mounts of the container's volumes.
fn volumes(pod: &Value, container: &Value, folder: &Path) -> Result<Vec<Value>> {
    let mounts = container["volumeMounts"].as_array().context("a container has mounts")?;
    let mut made = Vec::new();
    for mount in mounts {
        let volumes = pod["volumes"].as_array().context("a pod has volumes")?;
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]);
        let volume = volume.with_context(|| format!("no volume for {mount}"))?;
        let at = mount["mountPath"].as_str().context("a mount has a path")?;
        let from = source(volume, folder)?;
        let propagation =
            if mount["mountPropagation"] == "HostToContainer" { "rslave" } else { "rprivate" };
        made.push(bind(&from, Path::new(at), mount["readOnly"] == true, propagation));
    }
    Ok(made)
}

/// The folder of the host that a volume is.
fn source(volume: &Value, folder: &Path) -> Result<PathBuf> {
    let own = folder.join("volumes").join(volume["name"].as_str().context("a volume's name")?);
    if let Some(name) = volume["configMap"]["name"].as_str() {
        fs::create_dir_all(&own).context("cannot make a volume")?;
        for (file, text) in chart::config_map(name)? {
            fs::write(own.join(file), text).context("cannot write a file of a volume")?;
        }
        return Ok(own);
    }
    let path = volume["hostPath"]["path"].as_str().context("a volume of an unknown kind")?;
    // Folders that are not there are made, which a test does not do on its host.
    let is_made = volume["hostPath"]["type"] == "DirectoryOrCreate" && !Path::new(path).is_dir();
    if path == STATE || is_made {
        fs::create_dir_all(&own).context("cannot make a volume")?;
        return Ok(own);
    }
    Ok(path.into())
}

/// A folder of the host in the container.
pub(super) fn bind(from: &Path, at: &Path, read_only: bool, propagation: &str) -> Value {
    let access = if read_only { "ro" } else { "rw" };
    json!({"destination": at, "type": "bind", "source": from,
           "options": ["rbind", propagation, access]})
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
