//! What is measured: the rows of the benchmark, in one table.

use super::watched::Target;

/// Every hook that has an empty program and that the sensors use.
pub(crate) const ALL_HOOKS: [&str; 10] = [
    "sys_exit",
    "sched_switch",
    "sched_wakeup",
    "sched_wakeup_new",
    "sched_process_exit",
    "cgroup_mkdir",
    "cgroup_rmdir",
    "cgroup_attach_task",
    "ingress",
    "egress",
];

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// Name of the row, and for `--only`.
    pub(crate) name: &'static str,
    /// What one operation is.
    pub(crate) operation: &'static str,
    /// The workload and its arguments, without the amount.
    pub(crate) command: &'static [&'static str],
    /// Operations of one run: about a tenth of a second.
    pub(crate) count: u32,
    /// The hooks that this work is sure to pass: its floor.
    pub(crate) floor: &'static [&'static str],
    /// How many times the floor's cost Landlord's may be; `None` where nothing is promised.
    pub(crate) target: Option<f64>,
    /// Whether it is also measured with agents that watch by rules, none of which
    /// matches it.
    pub(crate) watched: bool,
    /// Whether it is also measured with an agent that tells of connections.
    pub(crate) connects: bool,
    /// What is promised of them.
    pub(crate) watched_target: Option<Target>,
}

/// All rows.
pub(crate) const WORKLOADS: [Workload; 9] = [
    Workload {
        name: "getppid",
        operation: "system call",
        command: &["syscalls", "--name", "getppid"],
        count: 750_000,
        floor: &["sys_exit"],
        target: Some(1.15),
        watched: true,
        connects: false,
        watched_target: Some(Target::UnchangedPercent(5.0)),
    },
    Workload {
        name: "openclose",
        operation: "file opened for reading, and closed",
        command: &["openclose"],
        count: 60_000,
        floor: &["sys_exit"],
        target: None,
        watched: true,
        connects: false,
        watched_target: Some(Target::TogetherNs(500.0)),
    },
    // In a process with more than 64 files the kernel keeps them elsewhere, where a sensor
    // has to copy what it may look at in place otherwise.
    Workload {
        name: "openclose-many",
        operation: "the same with 100 other files open",
        command: &["openclose", "--beside", "100"],
        count: 60_000,
        floor: &["sys_exit"],
        target: None,
        watched: true,
        connects: false,
        watched_target: Some(Target::TogetherNs(500.0)),
    },
    Workload {
        name: "pingpong",
        operation: "round trip of a byte between two threads",
        command: &["pingpong"],
        count: 20_000,
        floor: &["sched_switch", "sched_wakeup"],
        target: Some(2.0),
        watched: false,
        connects: false,
        watched_target: None,
    },
    Workload {
        name: "forkexec",
        operation: "child that runs a tiny program, which only exits",
        command: &["forkexec"],
        count: 600,
        floor: &ALL_HOOKS,
        target: None,
        watched: true,
        connects: false,
        watched_target: Some(Target::TogetherNs(8_000.0)),
    },
    Workload {
        name: "tcp-rr",
        operation: "request and answer of a byte",
        command: &["tcp-pair"],
        count: 7_500,
        floor: &["ingress", "egress"],
        target: Some(2.0),
        watched: false,
        connects: false,
        watched_target: None,
    },
    Workload {
        name: "tcp-connect",
        operation: "connection made and ended, both ends",
        command: &["tcp-connect"],
        count: 1_500,
        floor: &["ingress", "egress"],
        target: None,
        watched: true,
        connects: true,
        watched_target: None,
    },
    Workload {
        name: "tcp-stream",
        operation: "64 KiB sent and received",
        command: &["stream-pair"],
        count: 4_000,
        floor: &["ingress", "egress"],
        target: None,
        watched: false,
        connects: false,
        watched_target: None,
    },
    Workload {
        name: "udp-send",
        operation: "datagram sent",
        command: &["udp-alone"],
        count: 30_000,
        floor: &["ingress", "egress"],
        target: Some(2.0),
        watched: false,
        connects: false,
        watched_target: None,
    },
];

#[cfg(test)]
mod tests {
    use super::{ALL_HOOKS, WORKLOADS};

    #[test]
    fn rows_have_names_of_their_own_and_known_hooks() {
        for (at, row) in WORKLOADS.iter().enumerate() {
            assert!(WORKLOADS[..at].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(!row.floor.is_empty(), "{}", row.name);
            assert!(row.floor.iter().all(|hook| ALL_HOOKS.contains(hook)), "{}", row.name);
        }
    }
}
