//! Rows about the cgroup hierarchy and the figures that its files give.

use std::path::Path;

use super::{Check, Machine, Mounts};

const UNIFIED_BOOT: &str = "boot with systemd.unified_cgroup_hierarchy=1";
const NO_V2: &str = "the sensors tell tenants apart by cgroup v2";

pub(super) fn hierarchy(machine: &Machine, mounts: Option<&Mounts>) -> Check {
    let row = Check::new("cgroup v2", "telling tenants apart");
    let Some(mounts) = mounts else {
        return row
            .missing("unknown", "/proc/self/mounts cannot be read")
            .remedy("mount /proc: `mount -t proc proc /proc`");
    };
    match (mounts.cgroup2(), mounts.has_cgroup1()) {
        (None, true) => row.missing("cgroup v1 only", NO_V2).remedy(UNIFIED_BOOT),
        (None, false) => row
            .missing("no cgroup file system", NO_V2)
            .remedy("mount it: `mount -t cgroup2 cgroup2 /sys/fs/cgroup`"),
        // The true root has no `cgroup.type`; every other cgroup has one.
        (Some(at), _) if machine.at(at).join("cgroup.type").exists() => row
            .degraded(
                format!("{} is a part of the tree", at.display()),
                "a cgroup namespace hides the cgroups above it",
            )
            .remedy("mount the machine's own /sys/fs/cgroup into the container"),
        (Some(at), true) => row.ok(format!("{}, beside cgroup v1 (hybrid)", at.display())),
        (Some(at), false) => row.ok(format!("{} (unified)", at.display())),
    }
}

/// Figures that the agent reads from files of the v2 hierarchy: name of the row,
/// controller, what it gives.
const FIGURES: [(&str, &str, &str); 3] = [
    ("memory figures", "memory", "memory in use, peak, limit and OOM kills"),
    ("CPU limit figures", "cpu", "CPU limits and throttled time"),
    ("disk figures", "io", "bytes read from and written to disks"),
];

/// One row per family of figures; none when there is no cgroup v2 to look at.
pub(super) fn figures(machine: &Machine, mounts: Option<&Mounts>) -> Vec<Check> {
    let Some((mounts, at)) = mounts.and_then(|mounts| Some((mounts, mounts.cgroup2()?))) else {
        return Vec::new();
    };
    FIGURES
        .iter()
        .map(|&(name, controller, gives)| {
            figure(machine, mounts, at, controller, Check::new(name, gives))
        })
        .collect()
}

fn figure(machine: &Machine, mounts: &Mounts, at: &Path, controller: &str, row: Check) -> Check {
    let listed = |file: &str| {
        machine
            .read(at.join(file))
            .is_ok_and(|text| text.split_whitespace().any(|name| name == controller))
    };
    // v1 calls the controller of block I/O by another name.
    let v1_name = if controller == "io" { "blkio" } else { controller };
    if listed("cgroup.subtree_control") {
        row.ok(format!("controller `{controller}` is on"))
    } else if listed("cgroup.controllers") {
        let file = at.join("cgroup.subtree_control");
        row.degraded(
            format!("controller `{controller}` is off"),
            "it is not handed down to the cgroups below the root",
        )
        .remedy(format!("switch it on: `echo +{controller} > {}`", file.display()))
    } else if mounts.controller_is_v1(v1_name) {
        row.ok(format!("controller `{v1_name}` of cgroup v1"))
    } else {
        row.degraded(
            format!("no controller `{controller}`"),
            "the kernel lacks it or has it disabled",
        )
        .remedy(format!("boot without cgroup_disable={controller}"))
    }
}
