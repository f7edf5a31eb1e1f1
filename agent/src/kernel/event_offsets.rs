//! What the events' programs have to know of this kernel. A kernel that lacks any
//! of it is metered all the same, but gives no events.

use super::{btf::KernelBtf, file_offsets};

/// A word of the programs, and the member whose offset it is, under its present
/// and its former names.
type Member = (&'static str, &'static str, &'static [&'static str]);

/// Needed by all of them.
const NEEDED: &[Member] = &[
    ("TASK_TGID", "task_struct", &["tgid"]),
    ("TASK_LEADER", "task_struct", &["group_leader"]),
    ("TASK_PARENT", "task_struct", &["real_parent"]),
    ("TASK_START_BOOTTIME", "task_struct", &["start_boottime", "real_start_time"]),
    ("TASK_COMM", "task_struct", &["comm"]),
    ("TASK_CRED", "task_struct", &["cred"]),
    ("TASK_SIGNAL", "task_struct", &["signal"]),
    ("TASK_THREAD_PID", "task_struct", &["thread_pid"]),
    ("TASK_NSPROXY", "task_struct", &["nsproxy"]),
    ("TASK_MM", "task_struct", &["mm"]),
    ("TASK_EXIT_CODE", "task_struct", &["exit_code"]),
    ("CRED_EUID", "cred", &["euid"]),
    ("CRED_EGID", "cred", &["egid"]),
    ("CRED_EFFECTIVE", "cred", &["cap_effective"]),
    ("CRED_PERMITTED", "cred", &["cap_permitted"]),
    ("CRED_INHERITABLE", "cred", &["cap_inheritable"]),
    ("SIGNAL_LIVE", "signal_struct", &["live"]),
    ("SIGNAL_PIDS", "signal_struct", &["pids"]),
    ("SIGNAL_TTY", "signal_struct", &["tty"]),
    ("SIGNAL_FLAGS", "signal_struct", &["flags"]),
    ("SIGNAL_EXIT_CODE", "signal_struct", &["group_exit_code"]),
    ("PID_LEVEL", "pid", &["level"]),
    ("PID_NUMBERS", "pid", &["numbers"]),
    ("TTY_DRIVER", "tty_struct", &["driver"]),
    ("TTY_INDEX", "tty_struct", &["index"]),
    ("DRIVER_MAJOR", "tty_driver", &["major"]),
    ("DRIVER_MINOR", "tty_driver", &["minor_start"]),
    ("PID_NAMESPACE_INODE", "pid_namespace", &["ns.inum"]),
    ("NSPROXY_MOUNTS", "nsproxy", &["mnt_ns"]),
    ("MOUNT_NAMESPACE_INODE", "mnt_namespace", &["ns.inum"]),
    ("MM_ARGUMENTS", "mm_struct", &["arg_start"]),
    ("BINPRM_FILE", "linux_binprm", &["file"]),
    ("CRED_FSUID", "cred", &["fsuid"]),
    ("CRED_FSGID", "cred", &["fsgid"]),
    ("CRED_GROUPS", "cred", &["group_info"]),
    ("GROUPS_LEN", "group_info", &["ngroups"]),
    ("GROUPS_IDS", "group_info", &["gid"]),
    ("INODE_GID", "inode", &["i_gid"]),
    ("FILE_PRIVATE", "file", &["private_data"]),
    ("SOCK_TYPE", "sock", &["sk_type"]),
    ("SOCK_PROTOCOL", "sock", &["sk_protocol"]),
    ("INET_LOCAL", "inet_sock", &["inet_saddr"]),
    ("INET_INET6", "inet_sock", &["pinet6"]),
    ("INET6_LOCAL", "ipv6_pinfo", &["saddr"]),
];

/// What a kernel may be built without, behind a word that is 1 when it has all of it.
const OPTIONAL: &[(&str, &[Member])] = &[
    ("HAS_LOGINUID", &[("TASK_LOGINUID", "task_struct", &["loginuid"])]),
    (
        "HAS_UNIX",
        &[
            ("UNIX_ADDRESS", "unix_sock", &["addr"]),
            ("UNIX_PEER", "unix_sock", &["peer"]),
            ("UNIX_ADDRESS_LEN", "unix_address", &["len"]),
            ("UNIX_ADDRESS_NAME", "unix_address", &["name"]),
        ],
    ),
    (
        "HAS_REQUEST",
        &[
            ("REQUEST_OPCODE", "io_kiocb", &["opcode"]),
            ("REQUEST_FLAGS", "io_kiocb", &["flags"]),
            ("REQUEST_MARK", "io_kiocb", &["cqe.user_data", "user_data"]),
        ],
    ),
    ("HAS_REQUEST_FD", &[("REQUEST_FD", "io_kiocb", &["cqe.fd"])]),
];

/// Needed to tell of connections.
const CONNECTIONS: &[Member] = &[
    ("SOCK_ERROR", "sock", &["sk_err"]),
    ("SOCK_FLAGS", "sock", &["__sk_common.skc_flags"]),
    ("SOCK_CGROUP", "sock", &["sk_cgrp_data.cgroup", "sk_cgrp_data.val"]),
    ("INET_PORT", "inet_sock", &["inet_sport"]),
    ("TCP_UNACKNOWLEDGED", "tcp_sock", &["snd_una"]),
    ("TCP_EXPECTED", "tcp_sock", &["rcv_nxt"]),
    ("TCP_BYTES_SENT", "tcp_sock", &["bytes_sent"]),
    ("TCP_BYTES_RETRANSMITTED", "tcp_sock", &["bytes_retrans"]),
    ("TCP_BYTES_ACKNOWLEDGED", "tcp_sock", &["bytes_acked"]),
    ("TCP_BYTES_RECEIVED", "tcp_sock", &["bytes_received"]),
];

/// Parameters of a tracepoint's handler since it tells more than before, and a
/// word that is 1 then.
const TOLD: &[(&str, &str, usize)] = &[("HAS_GROUP_DEAD", "btf_trace_sched_process_exit", 3)];

/// Values for the words of the events' programs.
pub(super) struct EventOffsets {
    /// By name.
    pub(super) values: Vec<(&'static str, u32)>,
    /// The first member that this kernel does not have: there are no events then.
    pub(super) missing: Option<&'static str>,
    /// The first one without which connections cannot be told.
    pub(super) missing_of_connections: Option<&'static str>,
}

impl EventOffsets {
    /// Resolves what there is.
    pub(super) fn resolve(btf: &KernelBtf) -> Self {
        let find = |(word, structure, paths): &Member| {
            let offset = paths.iter().find_map(|path| btf.offset(structure, path))?;
            Some((*word, offset))
        };
        let mut values = Vec::new();
        let mut missing = file_offsets::resolve(btf, &mut values);
        for member in NEEDED {
            match find(member) {
                Some(value) => values.push(value),
                None => missing = missing.or(Some(member.2[0])),
            }
        }
        let mut missing_of_connections = None;
        for member in CONNECTIONS {
            match find(member) {
                Some(value) => values.push(value),
                None => missing_of_connections = missing_of_connections.or(Some(member.2[0])),
            }
        }
        for (word, members) in OPTIONAL {
            let found: Option<Vec<_>> = members.iter().map(find).collect();
            values.push((*word, u32::from(found.is_some())));
            values.extend(found.unwrap_or_default());
        }
        for (word, handler, parameters) in TOLD {
            let has = btf.parameters(handler).is_some_and(|count| count >= *parameters);
            values.push((*word, u32::from(has)));
        }
        values.push(("URING_LAYOUT", uring_layout(btf)));
        Self { values, missing, missing_of_connections }
    }
}

/// What the tracepoint of a submission to `io_uring` is handed: 1 the request first,
/// 2 the request second, 3 no request but the opcode second, 0 nothing that is known.
/// Its type has one parameter more than that.
fn uring_layout(btf: &KernelBtf) -> u32 {
    let present = btf.parameters("btf_trace_io_uring_submit_req");
    let former = btf.parameters("btf_trace_io_uring_submit_sqe");
    match (present, former) {
        (Some(2), _) | (_, Some(3)) => 1,
        (_, Some(8)) => 2,
        (_, Some(6)) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::{CONNECTIONS, EventOffsets, NEEDED, OPTIONAL};
    use crate::kernel::{
        btf::{KERNEL_BTF, KernelBtf},
        file_offsets,
    };

    #[test]
    fn words_are_declared_once() {
        let all = NEEDED.iter().chain(CONNECTIONS).chain(file_offsets::NEEDED);
        let all = all.chain(OPTIONAL.iter().flat_map(|(_, members)| *members));
        let mut seen = BTreeSet::new();
        for (word, ..) in all {
            assert!(seen.insert(word), "{word}");
        }
    }

    #[test]
    fn the_running_kernel_has_all() {
        let Ok(btf) = KernelBtf::load(Path::new(KERNEL_BTF)) else { return };
        let offsets = EventOffsets::resolve(&btf);
        assert_eq!((offsets.missing, offsets.missing_of_connections), (None, None));
    }
}
