//! Whether a container may do what the host's root may, told from its OCI
//! configuration alone.
//!
//! No configuration says "privileged"; it is what remains when nothing is held
//! back. A container counts as privileged when all of this is true:
//!
//! - its bounding set holds all capabilities that reach beyond a container;
//! - there is no seccomp filter, no masked and no read-only path;
//! - no SELinux label, and no AppArmor profile but `unconfined`;
//! - neither `sysfs` nor a cgroup file system is mounted read-only.
//!
//! This is how `--privileged` and `securityContext.privileged` come out in
//! containerd, CRI-O, Docker and Podman. Their own word, where it can be had, counts
//! for more.

use super::document::Doc;

/// What root has and no runtime gives to a container unasked: each of these is a way
/// out. A node that lacks others itself, as one in a virtual machine may, still has
/// privileged containers.
const POWERS: [&str; 14] = [
    "DAC_READ_SEARCH",
    "LINUX_IMMUTABLE",
    "NET_ADMIN",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_TIME",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
];

/// The rule above; `None` when the document is no configuration of a Linux container.
pub(super) fn is_privileged(spec: Doc<'_>) -> Option<bool> {
    let (process, linux) = (spec.get("process"), spec.get("linux"));
    if !process.says() || !linux.says() {
        return None;
    }
    let bounding: Vec<&str> =
        process.at(&["capabilities", "bounding"]).list().filter_map(Doc::str).collect();
    let holds = |name: &&str| {
        bounding.iter().any(|held| held.strip_prefix("CAP_").unwrap_or(held) == *name)
    };
    let confined =
        ["seccomp", "maskedPaths", "readonlyPaths"].iter().any(|key| linux.get(key).says())
            || process.get("selinuxLabel").says()
            || process.get("apparmorProfile").str().is_some_and(|profile| profile != "unconfined");
    let held_back = spec.get("mounts").list().any(|mount| {
        matches!(mount.get("type").str(), Some("sysfs" | "cgroup" | "cgroup2"))
            && mount.get("options").list().any(|option| option.str() == Some("ro"))
    });
    Some(!confined && !held_back && POWERS.iter().all(holds))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(in super::super) fn privileged_spec() -> Value {
        let all: Vec<String> = POWERS.iter().map(|name| format!("CAP_{name}")).collect();
        json!({
            "process": {"capabilities": {"bounding": all}, "apparmorProfile": "unconfined"},
            "linux": {"namespaces": [{"type": "mount"}], "maskedPaths": null},
            "mounts": [{"type": "sysfs", "destination": "/sys", "options": ["nosuid", "rw"]}],
        })
    }

    #[test]
    fn only_what_is_held_back_by_nothing_is_privileged() {
        let check = |path: &str, value: Value, expected: Option<bool>| {
            let mut spec = privileged_spec();
            let (parent, key) = path.rsplit_once('/').expect("a path");
            spec.pointer_mut(parent).expect("a parent")[key] = value;
            assert_eq!(is_privileged(Doc::new(&spec)), expected, "{path}");
        };
        check("/unrelated", json!(1), Some(true));
        check("/linux/seccomp", json!({"defaultAction": "SCMP_ACT_ERRNO"}), Some(false));
        check("/linux/seccomp", json!(null), Some(true));
        check("/linux/maskedPaths", json!(["/proc/kcore"]), Some(false));
        check("/linux/maskedPaths", json!([]), Some(true));
        check("/linux/readonlyPaths", json!(["/proc/sys"]), Some(false));
        check("/process/apparmorProfile", json!("docker-default"), Some(false));
        check("/process/selinuxLabel", json!("system_u:system_r:c"), Some(false));
        check("/process/capabilities/bounding", json!(["CAP_SYS_ADMIN"]), Some(false));
        check("/process/capabilities", json!(null), Some(false));
        check("/mounts/0/options", json!(["ro"]), Some(false));
        check("/mounts", json!("none"), Some(true));
        check("/linux", json!(null), None);
        check("/process", json!(7), Some(false));
    }
}
