//! What the sensors have to know of this kernel before they are verified.

use aya::{EbpfLoader, util::KernelVersion};

use super::{KernelError, btf::KernelBtf, event_offsets::EventOffsets};

/// Values for the read-only words of the sensors, by name.
pub(super) struct Offsets {
    values: Vec<(&'static str, u32)>,
    epoch_ns: u64,
    /// False when the kernel keeps no `sched_info`: waits are not metered.
    pub(super) waits: bool,
    /// Values that only the sensors of events have; an object without them is no error.
    events: Vec<(&'static str, u32)>,
    /// The member that events need and this kernel has not.
    pub(super) event_gap: Option<&'static str>,
    /// Likewise for telling of connections.
    pub(super) connection_gap: Option<&'static str>,
}

/// A member under its present and its former names.
pub(super) struct Member {
    word: &'static str,
    structure: &'static str,
    paths: &'static [&'static str],
}

pub(super) const fn member(
    word: &'static str,
    structure: &'static str,
    paths: &'static [&'static str],
) -> Member {
    Member { word, structure, paths }
}

/// Needed by every meter.
const NEEDED: &[Member] = &[
    member("TASK_PID", "task_struct", &["pid"]),
    member("TASK_START", "task_struct", &["start_time"]),
    member("TASK_STATE", "task_struct", &["__state", "state"]),
    member("TASK_FLAGS", "task_struct", &["flags"]),
    member("TASK_CGROUPS", "task_struct", &["cgroups"]),
    member("TASK_RUNTIME", "task_struct", &["se.sum_exec_runtime"]),
    member("TASK_STACK", "task_struct", &["stack"]),
    member("CSS_CGROUP", "css_set", &["dfl_cgrp"]),
    member("CGROUP_NODE", "cgroup", &["kn"]),
    member("CGROUP_ROOT", "cgroup", &["root"]),
    member("ROOT_HIERARCHY", "cgroup_root", &["hierarchy_id"]),
    member("NODE_ID", "kernfs_node", &["id"]),
    #[cfg(target_arch = "x86_64")]
    member("TASK_COMPAT", "task_struct", &["thread_info.status"]),
    #[cfg(target_arch = "x86_64")]
    member("REGS_NUMBER", "pt_regs", &["orig_ax"]),
    #[cfg(target_arch = "aarch64")]
    member("TASK_COMPAT", "task_struct", &["thread_info.flags"]),
    #[cfg(target_arch = "aarch64")]
    member("REGS_NUMBER", "pt_regs", &["syscallno"]),
];

/// Needed to meter waits; absent without `CONFIG_SCHED_INFO`.
const WAITS: &[Member] = &[
    member("TASK_RUN_DELAY", "task_struct", &["sched_info.run_delay"]),
    member("TASK_ARRIVAL", "task_struct", &["sched_info.last_arrival"]),
];

/// First kernel with `bpf_get_current_task_btf`.
const TASK_BTF: (u8, u8) = (5, 11);
/// First kernel with `bpf_task_pt_regs`.
const TASK_REGS: (u8, u8) = (5, 15);
/// Up to 6.18 a program on `sys_exit` runs with preemption off, so that its
/// counters need no atomic addition. Newer kernels let such tracepoints sleep.
const PREEMPTIBLE: (u8, u8) = (6, 19);

impl Offsets {
    /// Resolves everything for the running kernel.
    pub(super) fn resolve(
        btf: &KernelBtf,
        cpus: u32,
        slots: u32,
        epoch_ns: u64,
    ) -> Result<Self, KernelError> {
        let running = KernelVersion::current()
            .map_err(|error| KernelError::io("kernel version", std::io::Error::other(error)))?;
        let at_least = |(major, minor)| u32::from(running >= KernelVersion::new(major, minor, 0));
        let mut values = vec![
            ("CPUS_LEN", cpus),
            ("SLOTS_LEN", slots),
            ("REGS_SIZE", btf.size("pt_regs").ok_or(KernelError::NoMember("pt_regs"))?),
            ("HAS_TASK_BTF", at_least(TASK_BTF)),
            ("HAS_TASK_REGS", at_least(TASK_REGS)),
            ("PREEMPTIBLE", at_least(PREEMPTIBLE)),
        ];
        for member in NEEDED {
            let offset = find(btf, member).ok_or(KernelError::NoMember(member.paths[0]))?;
            values.push((member.word, offset));
        }
        let found: Vec<_> =
            WAITS.iter().filter_map(|member| Some((member.word, find(btf, member)?))).collect();
        let waits = found.len() == WAITS.len();
        values.extend(found);
        values.push(("HAS_SCHED_INFO", u32::from(waits)));
        let EventOffsets { values: events, missing, missing_of_connections } =
            EventOffsets::resolve(btf);
        let (event_gap, connection_gap) = (missing, missing_of_connections);
        Ok(Self { values, epoch_ns, waits, events, event_gap, connection_gap })
    }

    /// Hands the values to the loader.
    pub(super) fn apply<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        for (name, value) in &self.values {
            loader.override_global(name, value, true);
        }
        for (name, value) in &self.events {
            loader.override_global(name, value, false);
        }
        loader.override_global("EPOCH_NS", &self.epoch_ns, true);
    }
}

fn find(btf: &KernelBtf, member: &Member) -> Option<u32> {
    member.paths.iter().find_map(|path| btf.offset(member.structure, path))
}
