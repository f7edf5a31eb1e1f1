//! The table as its users see it: records and facts in, processes out.

use landlord_ebpf::abi::Head;

use super::{Applied, Limits, Process, ProcessFacts, Table};
use crate::event::{Part, Record, RecordKind, TaskFacts};

mod interleaving;
mod random;
mod records;
mod room;

/// A head whose facts are those of a process that does nothing special.
pub(super) fn head(pid: u32, start_ns: u64, parent: u32, time_ns: u64) -> Head {
    let mut comm = [0; 16];
    comm[..4].copy_from_slice(b"name");
    Head {
        len: 0,
        kind: 0,
        flags: 0,
        time_ns,
        cgroup: 7,
        tgid: pid,
        tid: pid,
        parent,
        syscall: 0,
        start_ns,
        uid: 1000,
        gid: 1000,
        loginuid: u32::MAX,
        cpu: 0,
        cap_effective: 0,
        cap_permitted: 0,
        cap_inheritable: 0,
        result: 0,
        args: [0; 6],
        verdict: [0; 2],
        comm,
    }
}

pub(super) fn named(mut head: Head, comm: &str) -> Head {
    head.comm = [0; 16];
    head.comm[..comm.len()].copy_from_slice(comm.as_bytes());
    head
}

pub(super) const fn part(bytes: &[u8]) -> Part<'_> {
    Part { bytes, cut: false, user: false, deleted: false }
}

pub(super) fn fork(pid: u32, start_ns: u64, parent: u32) -> Record<'static> {
    Record::empty(head(pid, start_ns, parent, start_ns), RecordKind::Fork)
}

pub(super) fn exec<'a>(head: Head, comm: &str, argv: &'a str, exe: &'a str) -> Record<'a> {
    let mut record = Record::empty(named(head, comm), RecordKind::Exec);
    record.argv = Some(part(argv.as_bytes()));
    record.exe = Some(part(exe.as_bytes()));
    record.cwd = Some(part(b"/work"));
    record
}

pub(super) fn exit(pid: u32, start_ns: u64, parent: u32, time_ns: u64) -> Record<'static> {
    Record::empty(head(pid, start_ns, parent, time_ns), RecordKind::Exit)
}

pub(super) fn call(head: Head) -> Record<'static> {
    Record::empty(head, RecordKind::Syscall)
}

/// As `/proc` tells it: the start is a tick.
pub(super) fn proc_facts(pid: u32, start_ns: u64, parent: u32, argv: &str) -> ProcessFacts {
    let start_ns = start_ns - start_ns % 10_000_000;
    let name = argv.split('\0').next().unwrap();
    ProcessFacts {
        pid,
        start_ns,
        exec_ns: start_ns,
        parent,
        comm: name.as_bytes().into(),
        argv: argv.as_bytes().into(),
        exe: format!("/bin/{name}").as_bytes().into(),
        cwd: b"/from/proc"[..].into(),
        ..ProcessFacts::default()
    }
}

pub(super) fn table() -> Table {
    Table::new(Limits::default())
}

pub(super) fn cmdline(table: &Table, pid: u32) -> Option<String> {
    let process = table.find(pid).filter(|process| process.exited_ns.is_none())?;
    Some(String::from_utf8_lossy(process.cmdline()).into_owned())
}

pub(super) fn pids<'a>(processes: impl Iterator<Item = &'a Process>) -> Vec<u32> {
    processes.map(|process| process.facts.pid).collect()
}

pub(super) fn session(sid: u32, vpid: u32) -> TaskFacts {
    TaskFacts { sid, pgid: sid, vpid, vtid: vpid, pid_namespace: 1, ..TaskFacts::default() }
}

#[test]
fn start_told_by_proc_is_made_exact_by_the_first_record() {
    #[track_caller]
    fn check(start_ns: u64, same: bool) {
        let mut table = table();
        assert_eq!(table.insert(proc_facts(5, 123_456_789, 0, "sh\0")), Applied::Known);
        assert_eq!(table.get(5, start_ns).is_some(), same);
        let applied = table.apply(&call(named(head(5, start_ns, 0, 1 << 40), "sh")));
        assert_eq!(applied, if same { Applied::Known } else { Applied::Unknown(5, start_ns) });
        let now = table.find(5).unwrap();
        assert_eq!((now.facts.start_ns, now.exited_ns), (start_ns, None));
        assert_eq!(now.cmdline(), b"sh");
        assert_eq!(table.stats().processes, if same { 1 } else { 2 });
        // Once it is known, another time of the tick is another process.
        assert_eq!(table.get(5, start_ns + 1).is_some(), start_ns.is_multiple_of(10_000_000));
    }
    check(120_000_000, true);
    check(123_456_789, true);
    check(129_999_999, true);
    check(130_000_000, false);
}
