//! The row about bpffs, where counters outlive the agent.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Access, FlockOperation, access, flock};
use rustix::io::Errno;

use super::privileges::Held;
use super::{Check, Machine, Mounts};

const BPFFS: &str = "/sys/fs/bpf";

pub(super) fn counters(
    machine: &Machine,
    mounts: Option<&Mounts>,
    held: &Held,
    pin_path: Option<&Path>,
) -> Check {
    let row = Check::new("pinned counters", "counting on while the agent restarts");
    let Some(pin_path) = pin_path else {
        return row.info("off by configuration: counters start at zero with each agent");
    };
    // One lack, one row: without privileges the folder cannot even be seen.
    if held.lacks_any() {
        return row.info("not looked at without privileges");
    }
    match mounts.and_then(|mounts| mounts.bpffs_above(pin_path)) {
        Some(at) if writable(machine, pin_path) => row.ok(format!("bpffs on {}", at.display())),
        Some(at) => row
            .missing(
                format!("bpffs on {} is not writable", at.display()),
                format!("{} cannot be made there", pin_path.display()),
            )
            .remedy("run as root; in a container, mount /sys/fs/bpf writable"),
        None if pin_path.starts_with(BPFFS) && machine.at(BPFFS).is_dir() && held.may_mount() => {
            row.ok(format!("the agent mounts bpffs on {BPFFS}"))
        }
        None => row
            .missing(
                format!("no bpffs holds {}", pin_path.display()),
                "counters outlive the agent on bpffs only",
            )
            .remedy(if pin_path.starts_with(BPFFS) {
                format!("mount it: `mount -t bpf bpf {BPFFS}`")
            } else {
                format!("choose a pin path below {BPFFS}")
            }),
    }
}

/// True when the nearest folder that exists above `path` may be written to.
fn writable(machine: &Machine, path: &Path) -> bool {
    path.ancestors()
        .map(|folder| machine.at(folder))
        .find(|folder| folder.exists())
        .is_some_and(|folder| access(folder, Access::WRITE_OK).is_ok())
}

/// True when an agent has locked the pin folder; `None` when that cannot be seen.
pub(super) fn is_held(machine: &Machine, pin_path: &Path) -> Option<bool> {
    match File::open(machine.at(pin_path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
        // The lock ends with the file, at once.
        Ok(folder) => match flock(&folder, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Some(false),
            Err(Errno::WOULDBLOCK) => Some(true),
            Err(_) => None,
        },
    }
}
