//! Calls that make, start, watch and end processes, and what comes of them.

use landlord_ebpf::abi::{Layer, RESULT, exec_flag};

use super::{P, Param, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{
    Form, NEW_FD, PATH, Source, Texts, What, fact, fd, flags, hex, int, long, one, pid, signal,
    uint,
};
use crate::calls::reading::{HERE, SIMPLE, file, path, simple};
use crate::event::Record;

/// The new process, in place of the result.
const CHILD: Param = (P::RES, What::Number(Source::Result, Form::Pid));
const TID: Param = (P::TID, fact(|record| Some(record.head.tid.into()), Form::Pid));
const PID: Param = (P::PID, fact(|record| Some(record.head.tgid.into()), Form::Pid));
const PTID: Param = (P::PTID, fact(|record| Some(record.head.parent.into()), Form::Pid));
const CWD: Param = (P::CWD, What::Text(Texts::Cwd));
const COMM: Param = (P::COMM, What::Text(Texts::Comm));
const UID: What = fact(|record| Some(record.head.uid.into()), Form::Uid);
const GID: What = fact(|record| Some(record.head.gid.into()), Form::Gid);
const LOGINUID: What = fact(|record| Some(record.head.loginuid.into()), Form::Uid);
const VTID: Param = (P::VTID, fact(|record| Some(record.task?.vtid.into()), Form::Pid));
const VPID: Param = (P::VPID, fact(|record| Some(record.task?.vpid.into()), Form::Pid));

/// Of the program's file: it can be written, it is in a container's own layer, it has
/// no path at all.
fn exec_flags(record: &Record<'_>) -> Option<u64> {
    let flags = record.task?.exec_flags;
    let layer = record.file.map_or(0, |file| file.layer);
    let bits = [
        flags & exec_flag::WRITABLE != 0,
        layer == Layer::Upper as u32,
        flags & exec_flag::MEMFD != 0,
        layer == Layer::Lower as u32,
    ];
    Some((0..).zip(bits).map(|(at, is_set)| u64::from(is_set) << at).sum())
}

/// Of `capset`: a half of each set, then the other halves.
fn capabilities(record: &Record<'_>, at: usize) -> Option<u64> {
    let half = |at: usize| {
        let bytes = record.structure?.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_ne_bytes(bytes)))
    };
    Some(half(at)? | half(at + 12).unwrap_or(0) << 32)
}

const fn permitted(get: fn(&Record<'_>) -> Option<u64>) -> What {
    fact(get, Form::Hex)
}

/// Of `execve`, and of a program that was started.
pub(super) const STARTED: &[Param] = &[
    RES,
    (P::EXE, What::Text(Texts::Argv0)),
    (P::ARGS, What::Text(Texts::Arguments)),
    TID,
    PID,
    PTID,
    CWD,
    COMM,
    (P::ENV, What::Text(Texts::Environment)),
    (P::TTY, fact(|record| Some(record.task?.tty.into()), Form::Uint)),
    (P::VPGID, fact(|record| Some(record.task?.vpgid.into()), Form::Pid)),
    (P::LOGINUID, LOGINUID),
    (P::FLAGS, fact(exec_flags, Form::Flags(names::EXEC))),
    (P::CAP_INHERITABLE, permitted(|record| Some(record.head.cap_inheritable))),
    (P::CAP_PERMITTED, permitted(|record| Some(record.head.cap_permitted))),
    (P::CAP_EFFECTIVE, permitted(|record| Some(record.head.cap_effective))),
    (P::EXE_INO, fact(|record| Some(record.file?.ino), Form::Long)),
    (P::EXE_INO_CTIME, fact(|record| Some(record.file?.ctime_ns), Form::Time)),
    (P::EXE_INO_MTIME, fact(|record| Some(record.file?.mtime_ns), Form::Time)),
    (P::UID, UID),
    (P::TRUSTED_EXEPATH, What::Text(Texts::Exe)),
    (P::PGID, fact(|record| Some(record.task?.pgid.into()), Form::Pid)),
    (P::GID, GID),
    (P::FILENAME, PATH),
    (P::DIRFD, fd(0)),
    (P::PATHNAME, PATH),
];

/// A process was made, by a call that is not known.
pub(super) const MADE: &[Param] =
    &[CHILD, TID, PID, PTID, CWD, COMM, (P::UID, UID), (P::GID, GID), VTID, VPID];

const fn made(flags: What) -> [Param; 11] {
    let [a, b, c, d, e, f, g, h, i, j] = *first(MADE);
    [a, b, c, d, e, f, (P::FLAGS, flags), g, h, i, j]
}

const fn first(params: &[Param]) -> &[Param; 10] {
    match params.first_chunk() {
        Some(params) => params,
        None => panic!("as many as there are"),
    }
}

/// A process ended, with the exit code of `wait`.
pub(super) const ENDED: &[Param] = &[
    (P::STATUS, What::Number(Source::Result, Form::Errno)),
    (P::RET, fact(|record| exited(record, |code| code >> 8 & 0xff), Form::Int)),
    (P::SIG, fact(|record| exited(record, |code| code & 0x7f), Form::Signal)),
    (P::CORE, fact(|record| exited(record, |code| code >> 7 & 1), Form::Uint)),
];

fn exited(record: &Record<'_>, part: fn(u64) -> u64) -> Option<u64> {
    Some(part(record.head.result.cast_unsigned()))
}

pub(super) const ROWS: &[Row] = &[
    // Successes are told by what comes of them.
    row(&["execve"], path(0, HERE), STARTED),
    row(&["execveat"], path(1, 0).keys(&[4]), STARTED),
    row(&["clone"], SIMPLE.keys(&[0]), &made(flags(0, names::CLONE))),
    row(
        &["clone3"],
        SIMPLE.structure(0, 64),
        &made(What::Number(Source::Word(0), Form::Flags(names::CLONE))),
    ),
    row(&["fork"], SIMPLE, &made(fact(|_| Some(0), Form::Flags(names::CLONE)))),
    row(&["vfork"], SIMPLE, &made(fact(|_| Some(0x4100), Form::Flags(names::CLONE)))),
    row(&["unshare"], SIMPLE.keys(&[0]), &[RES, (P::FLAGS, flags(0, names::CLONE))]),
    row(
        &["setns"],
        file(0).keys(&[1]),
        &[RES, (P::FD, fd(0)), (P::NSTYPE, flags(1, names::CLONE))],
    ),
    row(&["kill"], SIMPLE, &[RES, (P::PID, pid(0)), (P::SIG, signal(1))]),
    row(&["tkill"], SIMPLE, &[RES, (P::TID, pid(0)), (P::SIG, signal(1))]),
    row(&["tgkill"], SIMPLE, &[RES, (P::PID, pid(0)), (P::TID, pid(1)), (P::SIG, signal(2))]),
    row(
        &["ptrace"],
        SIMPLE.keys(&[0]),
        &[
            RES,
            (P::ADDR, hex(2)),
            (P::DATA, hex(3)),
            (P::REQUEST, one(0, names::PTRACE)),
            (P::PID, pid(1)),
        ],
    ),
    row(
        &["pidfd_open"],
        simple(RESULT),
        &[(P::FD, NEW_FD), (P::PID, pid(0)), (P::FLAGS, flags(1, names::PIDFD))],
    ),
    row(&["process_vm_readv", "process_vm_writev"], SIMPLE, &[RES, (P::PID, pid(0))]),
    row(
        &["prctl"],
        SIMPLE.structure(1, 16).keys(&[0]),
        &[
            RES,
            (P::OPTION, one(0, names::PRCTL)),
            (P::ARG2_STR, What::Text(Texts::NewName)),
            (P::ARG2_INT, long(1)),
        ],
    ),
    row(&["seccomp"], SIMPLE.keys(&[0, 1]), &[RES, (P::OP, uint(0)), (P::FLAGS, hex(1))]),
    row(&["setpgid"], SIMPLE, &[CHILD, (P::PID, pid(0)), (P::PGID, pid(1))]),
    row(&["setsid"], SIMPLE, &[CHILD]),
    row(
        &["capset"],
        SIMPLE.structure(1, 24),
        &[
            RES,
            (P::CAP_INHERITABLE, permitted(|record| capabilities(record, 8))),
            (P::CAP_PERMITTED, permitted(|record| capabilities(record, 4))),
            (P::CAP_EFFECTIVE, permitted(|record| capabilities(record, 0))),
        ],
    ),
    row(
        &["setrlimit", "getrlimit"],
        SIMPLE.structure(1, 16),
        &[
            RES,
            (P::CUR, What::Number(Source::Word(0), Form::Errno)),
            (P::MAX, What::Number(Source::Word(8), Form::Errno)),
            (P::RESOURCE, one(0, names::RLIMIT)),
        ],
    )
    .native(),
    row(
        &["setrlimit", "getrlimit", "ugetrlimit"],
        SIMPLE,
        &[RES, (P::RESOURCE, one(0, names::RLIMIT))],
    )
    .compat(),
    row(
        &["prlimit64"],
        SIMPLE.structure(2, 16),
        &[
            RES,
            (P::NEWCUR, What::Number(Source::Word(0), Form::Errno)),
            (P::NEWMAX, What::Number(Source::Word(8), Form::Errno)),
            (P::PID, int(0)),
            (P::RESOURCE, one(1, names::RLIMIT)),
        ],
    ),
    row(
        &["semget"],
        SIMPLE,
        &[RES, (P::KEY, hex(0)), (P::NSEMS, uint(1)), (P::SEMFLG, flags(2, names::SEMGET))],
    ),
    row(
        &["semctl"],
        SIMPLE,
        &[
            RES,
            (P::SEMID, int(0)),
            (P::SEMNUM, int(1)),
            (P::CMD, one(2, names::SEMCTL)),
            (P::VAL, int(3)),
        ],
    ),
    row(&["semop"], SIMPLE, &[RES, (P::NSOPS, uint(2)), (P::SEMID, int(0))]),
    row(
        &["futex", "futex_time64"],
        SIMPLE,
        &[RES, (P::ADDR, hex(0)), (P::OP, uint(1)), (P::VAL, uint(2))],
    ),
];
