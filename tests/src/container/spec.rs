//! The OCI configuration of a container, as containerd writes it for a pod.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Power;

/// The cgroup of the pod, below the mount of a hierarchy.
pub(super) const POD_CGROUP: &str = "kubepods.slice/kubepods-besteffort.slice/\
                                     kubepods-besteffort-pod7ab00001_0000_4000_8000_000000000001.slice";
const POD_UID: &str = "7ab00001-0000-4000-8000-000000000001";

/// By their numbers.
const CAPABILITIES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID \
     SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER \
     SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE \
     SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP \
     MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF \
     CHECKPOINT_RESTORE";
/// Those that every container gets.
const USUAL: &str = "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP \
     NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE";

/// An id as containerd makes them.
pub(crate) fn new_id() -> String {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    format!("{:032x}{:032x}", u128::from(std::process::id()) << 64 | 0x001a_b001, serial)
}

pub(super) fn of(
    id: &str,
    power: Power,
    command: &[&str],
    environment: &[String],
    terminal: bool,
) -> Result<String> {
    let is_privileged = power == Power::Privileged;
    let held = held()?;
    let may = |name: &&str| is_privileged || USUAL.split_whitespace().any(|usual| usual == *name);
    let capabilities: Vec<String> =
        held.into_iter().filter(may).map(|name| format!("CAP_{name}")).collect();
    let mut sys = vec!["nosuid", "noexec", "nodev"];
    if !is_privileged {
        sys.push("ro");
    }
    let namespaces =
        ["pid", "network", "ipc", "uts", "mount"].map(|kind| json!({"type": kind})).to_vec();
    let mut spec = json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": terminal, "user": {"uid": 0, "gid": 0}, "args": command, "cwd": "/tmp",
            "env": environment, "noNewPrivileges": !is_privileged,
            "capabilities": {
                "bounding": capabilities, "effective": capabilities, "permitted": capabilities
            },
        },
        "root": {"path": "root", "readonly": false},
        "hostname": "lab",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "mode=755"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": ["nosuid", "nodev", "mode=1777"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": sys},
        ],
        "annotations": {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.container-name": "lab",
            "io.kubernetes.cri.image-name": "docker.io/library/busybox:1.36",
            "io.kubernetes.cri.sandbox-name": "lab-pod",
            "io.kubernetes.cri.sandbox-namespace": "default",
            "io.kubernetes.cri.sandbox-uid": POD_UID,
            "io.kubernetes.cri.sandbox-id": "5".repeat(64),
        },
        "linux": {
            "cgroupsPath": format!("/{POD_CGROUP}/cri-containerd-{id}.scope"),
            "namespaces": namespaces,
        },
    });
    if !is_privileged {
        spec["linux"]["maskedPaths"] = json!(["/proc/kcore"]);
        spec["linux"]["readonlyPaths"] = json!(["/proc/sys"]);
    }
    Ok(Value::to_string(&spec))
}

/// Capabilities that this machine itself holds back, which no container can be given.
pub(crate) fn held_back() -> Result<Vec<&'static str>> {
    let held = held()?;
    Ok(CAPABILITIES.split_whitespace().filter(|name| !held.contains(name)).collect())
}

/// What this process may hand on: a host may hold some back itself.
fn held() -> Result<Vec<&'static str>> {
    let status = std::fs::read_to_string("/proc/self/status").context("no /proc")?;
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bits = u64::from_str_radix(bounding.context("no CapBnd")?.trim(), 16)?;
    let numbered = CAPABILITIES.split_whitespace().enumerate();
    Ok(numbered.filter(|(number, _)| bits >> number & 1 == 1).map(|(_, name)| name).collect())
}
