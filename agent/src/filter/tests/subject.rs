//! Records and events of subjects.

use landlord_ebpf::abi::{FileFacts, Head, Plan, RecordKind, SocketFacts, head_flag};

use crate::event::{Part, Record};
use crate::filter::{Calls as _, TableCalls};
use crate::rules::event_type::EventType;
use crate::rules::random::Sample;

/// A call of that name with its plan: the kernel's own, not that of 32-bit programs.
pub(super) fn call(name: &str) -> (u32, Plan) {
    let number = TableCalls.numbers(EventType::named(name).unwrap()).into_iter().min().unwrap();
    (number, TableCalls.plan(number).unwrap())
}

/// A head of a call that succeeded on the host, with a key.
pub(super) fn head(name: &str, result: i64) -> Head {
    Head {
        len: 0,
        kind: RecordKind::Syscall as u16,
        flags: head_flag::ON_HOST,
        time_ns: 0,
        cgroup: 0,
        tgid: 0,
        tid: 0,
        parent: 0,
        syscall: call(name).0,
        start_ns: 0,
        uid: 0,
        gid: 0,
        loginuid: 0,
        cpu: 0,
        cap_effective: 0,
        cap_permitted: 0,
        cap_inheritable: 0,
        result,
        args: [0; 6],
        verdict: [7, 9],
        comm: [0; 16],
    }
}

/// A text of a record.
pub(super) fn part(text: &str) -> Part<'_> {
    Part { bytes: text.as_bytes(), cut: false, user: false, deleted: false }
}

/// The record of a call about a regular file that was reached.
pub(super) fn reached<'a>(name: &str, path: &'a str) -> Record<'a> {
    let mut record = Record::empty(head(name, 3), RecordKind::Syscall);
    record.path = Some(part(path));
    record.file = Some(FileFacts { mode: 0o100_644, ..FileFacts::default() });
    record
}

/// The record of a call that was given paths.
pub(super) fn given<'a>(name: &str, result: i64, path: &'a str, path2: &'a str) -> Record<'a> {
    let mut record = Record::empty(head(name, result), RecordKind::Syscall);
    record.raw = Some(part(path));
    record.base = Some(part("/"));
    record.raw2 = Some(part(path2));
    record.base2 = Some(part("/"));
    record
}

/// The record of a call about a socket of version 4 with another end, or without.
pub(super) fn connected<'a>(name: &str, result: i64, remote: u8) -> Record<'a> {
    let mut record = Record::empty(head(name, result), RecordKind::Syscall);
    let mut facts = SocketFacts { family: 2, ..SocketFacts::default() };
    facts.remote[0] = remote;
    record.socket = Some(facts);
    record
}

/// What rules see of a file that was opened.
pub(super) fn opened(name: &str, path: &str, reads: bool, writes: bool) -> Sample {
    let (directory, file) = path.rsplit_once('/').unwrap();
    let directory = if directory.is_empty() { "/" } else { directory };
    Sample::new(name)
        .text("evt.res", "SUCCESS")
        .truth("evt.failed", false)
        .truth("evt.is_open_read", reads)
        .truth("evt.is_open_write", writes)
        .truth("evt.is_open_create", false)
        .truth("evt.is_open_exec", false)
        .text("syscall.type", name)
        .text("evt.arg.flags", if writes { "O_RDWR" } else { "O_RDONLY" })
        .text("fd.type", "file")
        .text("fd.typechar", "f")
        .text("fd.name", path)
        .text("fd.directory", directory)
        .text("fd.filename", file)
        .text("fs.path.name", path)
}
