//! What holds of every row, and of every record.

use std::collections::BTreeSet;

use landlord_ebpf::abi::{
    COMPAT_BIT, NO_ARGUMENT, Plan, RESULT, RecordKind, Shape, WORKING_DIRECTORY, plan_flag,
};
use proptest::prelude::*;

use super::{Known, head};
use crate::calls::table::names;
use crate::calls::{CALLS, Call, args, of_record, raw, text};
use crate::event::{FileFacts, Part, Record, SocketFacts, TaskFacts};
use crate::rules::event_type::ParamId;
use crate::rules::value::{Kind, Value};
use crate::syscalls::tables;

fn all() -> impl Iterator<Item = (u32, &'static Call)> {
    CALLS.calls()
}

#[test]
fn plans_name_arguments_that_there_are() {
    for (nr, call) in all() {
        let Plan { early, fd, path, directory, path2, directory2, .. } = call.plan;
        let Plan { address, address_len, buffer, buffer_len, .. } = call.plan;
        let Plan { open_flags, open_mode, structure, structure_len, .. } = call.plan;
        let name = call.event_type.name();
        assert_eq!(early, 0, "{name}");
        for argument in
            [path, path2, address, address_len, buffer, open_flags, open_mode, structure]
        {
            assert!(argument < 6 || argument == NO_ARGUMENT, "{name} {nr}");
        }
        for argument in [fd, buffer_len] {
            assert!(argument < 6 || [NO_ARGUMENT, RESULT].contains(&argument), "{name}");
        }
        for argument in [directory, directory2] {
            assert!(argument < 6 || [NO_ARGUMENT, WORKING_DIRECTORY].contains(&argument), "{name}");
        }
        assert!(structure_len <= 128, "{name}");
        assert_eq!(structure == NO_ARGUMENT, structure_len == 0, "{name}");
        assert!(call.plan.key_args < 1 << 6, "{name}");
    }
}

#[test]
fn rows_name_calls_that_there_are() {
    let known: BTreeSet<&str> = tables().into_iter().flatten().map(|(_, name)| *name).collect();
    let mut rows = BTreeSet::new();
    for (name, of) in names() {
        assert!(known.contains(name), "{name}");
        assert!(rows.insert((name, of)), "{name} twice");
    }
    let is_alone = |name, of: &str| !rows.contains(&(name, of));
    let both = rows.iter().filter(|(_, of)| *of == "both");
    for (name, _) in both {
        assert!(is_alone(name, "native") && is_alone(name, "compat"), "{name}");
    }
}

#[test]
fn plans_fit_their_shape() {
    for (_, call) in all() {
        let plan = call.plan;
        let name = call.event_type.name();
        let is = |shape: Shape| plan.shape == shape as u8;
        let has = |flag: u16| plan.flags & flag != 0;
        assert_eq!(has(plan_flag::VERDICT), !is(Shape::Simple), "{name}");
        assert_eq!(is(Shape::Paths), plan.path != NO_ARGUMENT && !is(Shape::File), "{name}");
        if is(Shape::File) || is(Shape::Socket) {
            assert_ne!(plan.fd, NO_ARGUMENT, "{name}");
        }
        assert!(!has(plan_flag::SERVER | plan_flag::MESSAGE) || is(Shape::Socket), "{name}");
        assert!(plan.address == NO_ARGUMENT || is(Shape::Socket), "{name}");
        // A pointer is another one each time.
        let pointers = [plan.path, plan.path2, plan.address, plan.buffer, plan.structure];
        for pointer in pointers.into_iter().filter(|pointer| *pointer < 6) {
            assert_eq!(plan.key_args & 1 << pointer, 0, "{name}");
        }
        for descriptor in [plan.fd, plan.directory, plan.directory2] {
            assert!(descriptor >= 6 || plan.key_args & 1 << descriptor == 0, "{name}");
        }
    }
}

#[test]
fn rows_tell_parameters_of_their_type() {
    let res = ParamId::RES;
    for (nr, call) in all() {
        for (at, (param, _)) in call.params.iter().enumerate() {
            let name = call.event_type.name();
            let is_its = call.event_type.params().contains(param);
            // `execve` and `execveat` share a list.
            let shared = ["dirfd", "pathname", "filename"].contains(&param.name());
            assert!(is_its || *param == res || shared, "{name} {nr} {}", param.name());
            assert!(call.params[..at].iter().all(|(other, _)| other != param), "{name}");
        }
    }
}

/// Parameters that no record tells, of all types and of some: of these the kernel
/// side would have to follow pointers in memory of the process.
const UNTOLD: &[(&[&str], &[&str])] = &[
    (
        &["clone", "clone3", "execve", "execveat", "fork", "vfork"],
        &["fdlimit", "pgft_maj", "pgft_min", "vm_size", "vm_rss", "vm_swap", "cgroups"],
    ),
    (&["clone", "clone3", "fork", "vfork"], &["exe", "args", "pidns_init_start_ts"]),
    (&["mmap", "munmap", "brk"], &["vm_size", "vm_rss", "vm_swap"]),
    (&["accept", "accept4"], &["queuepct", "queuelen", "queuemax"]),
    (&["readv", "writev", "preadv", "pwritev", "sendmsg", "recvmsg"], &["size", "data"]),
    (&["sendmmsg", "recvmmsg"], &["size", "data"]),
    (&["recvmsg", "recvmmsg"], &["msgcontrol"]),
    (&["socketpair"], &["source", "peer"]),
    (&["getsockopt"], &["optlen"]),
    (&["pipe", "pipe2"], &["ino"]),
    (&["poll", "ppoll"], &["fds"]),
    (&["ppoll"], &["timeout", "sigmask"]),
    (&["nanosleep"], &["interval"]),
    (&["sendfile"], &["offset"]),
    (&["copy_file_range"], &["offin", "offout"]),
    (&["process_vm_readv", "process_vm_writev"], &["data"]),
    (&["signalfd", "signalfd4"], &["mask"]),
    (&["io_uring_enter"], &["sig"]),
    (&["fsconfig"], &["value_bytebuf"]),
    (&["getresuid"], &["ruid", "euid", "suid"]),
    (&["getresgid"], &["rgid", "egid", "sgid"]),
    (&["prlimit"], &["oldcur", "oldmax"]),
    (&["semop"], &["sem_num_0", "sem_op_0", "sem_flg_0", "sem_num_1", "sem_op_1", "sem_flg_1"]),
    (
        &["quotactl"],
        &[
            "quotafilepath",
            "dqb_bhardlimit",
            "dqb_bsoftlimit",
            "dqb_curspace",
            "dqb_ihardlimit",
            "dqb_isoftlimit",
            "dqb_btime",
            "dqb_itime",
            "dqi_bgrace",
            "dqi_igrace",
            "dqi_flags",
            "quota_fmt_out",
            "quota_fmt",
        ],
    ),
];

#[test]
fn what_is_not_told_is_known() {
    for (nr, call) in all().filter(|(nr, _)| nr & COMPAT_BIT == 0) {
        let name = call.event_type.name();
        for param in call.event_type.params() {
            let is_known = UNTOLD
                .iter()
                .any(|(types, params)| types.contains(&name) && params.contains(&param.name()));
            assert_eq!(call.what(*param).is_none(), is_known, "{name}.{} {nr}", param.name());
        }
    }
}

fn part() -> impl Strategy<Value = Option<Vec<u8>>> {
    proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100))
}

fn kind() -> impl Strategy<Value = RecordKind> {
    prop_oneof![
        4 => Just(RecordKind::Syscall),
        1 => Just(RecordKind::Fork),
        1 => Just(RecordKind::Exec),
        1 => Just(RecordKind::Exit),
        1 => Just(RecordKind::IoUring),
    ]
}

proptest! {
    #[test]
    fn no_record_stops_it(
        kind in kind(),
        nr in 0..470_u32,
        compat: bool,
        args_given: [u64; 6],
        result: i64,
        parts in proptest::collection::vec(part(), 12),
        (facts, ports, family) in (any::<u32>(), any::<(u16, u16)>(), 0..12_u16),
    ) {
        let syscall = if compat { nr | COMPAT_BIT } else { nr };
        let mut record = Record::empty(head(syscall, args_given, result), kind);
        let part = |at: usize| {
            let bytes = parts.get(at)?.as_deref()?;
            Some(Part { bytes, cut: false, user: true, deleted: false })
        };
        (record.path, record.raw, record.base) = (part(0), part(1), part(2));
        (record.raw2, record.address, record.unix_path) = (part(3), part(4), part(5));
        (record.argv, record.envp, record.exe) = (part(6), part(7), part(8));
        (record.cwd, record.buffer, record.structure) = (part(9), part(10), part(11));
        if facts % 2 == 0 {
            record.file = Some(FileFacts { open_mode: facts, ctime_ns: u64::MAX, ..FileFacts::default() });
            record.task = Some(TaskFacts { exec_flags: facts, ..TaskFacts::default() });
            let (local_port, remote_port) = ports;
            record.socket = Some(SocketFacts { family, local_port, remote_port, ..SocketFacts::default() });
        }
        if let Some(call) = of_record(&record) {
            for param in ParamId::all() {
                let mut out = b"x".to_vec();
                let has = text(call, &record, param, &Known, &mut out);
                prop_assert!(out.starts_with(b"x") && (has || out.len() == 1));
                let value = raw(call, &record, param);
                prop_assert!(matches!(
                    (param.raw_kind(), value),
                    (_, None)
                        | (Kind::Int, Some(Value::Int(_)))
                        | (Kind::Uint, Some(Value::Uint(_)))
                        | (Kind::Text, Some(Value::Text(_)))
                        | (Kind::Bytes, Some(Value::Bytes(_)))
                ));
            }
            args(call, &record, &Known, &mut Vec::new());
            prop_assert!(call.subject(&record).is_none() || call.plan.fd != NO_ARGUMENT);
        }
    }

    #[test]
    fn what_is_settled_does_not_change_with_the_rest(
        nr in 0..470_u32,
        args_given: [u64; 6],
        others: [u64; 6],
        result in prop_oneof![-200..0_i64, 0..9_i64],
    ) {
        let mut record = Record::empty(head(nr, args_given, result), RecordKind::Syscall);
        let Some(call) = of_record(&record) else { return Ok(()) };
        let mut other = record;
        for (at, arg) in other.head.args.iter_mut().enumerate() {
            if call.plan.key_args & 1 << at == 0 {
                *arg = others[at];
            }
        }
        if result >= 0 {
            other.head.result = result + 1;
        }
        record.raw = super::given(b"a");
        other.raw = record.raw;
        for param in ParamId::all().filter(|param| call.settles(*param, result < 0)) {
            let told = |record: &Record<'_>| {
                let mut out = Vec::new();
                text(call, record, param, &Known, &mut out).then_some(out)
            };
            prop_assert_eq!(told(&record), told(&other));
            prop_assert_eq!(raw(call, &record, param), raw(call, &other, param));
        }
    }
}
