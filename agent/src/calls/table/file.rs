//! Calls that open files, and those that act on an open one.

use landlord_ebpf::abi::{NO_ARGUMENT, RESULT};

use super::{P, Param, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{
    Form, GIVEN, NEW_FD, PATH, Source, Texts, What, fact, fd, flags, hex, long, mode, octal, one,
    uint,
};
use crate::calls::reading::{HERE, any, file, path};
use crate::event::Record;

/// Flags of an open, from an argument.
const fn open(arg: u8) -> What {
    What::Number(Source::Arg(arg), Form::Open)
}

/// Device of the file as user space numbers it: `stat`'s, in 32 bits.
fn device(record: &Record<'_>) -> Option<u64> {
    let dev = u64::from(record.file?.dev);
    let (major, minor) = (dev >> 20, dev & 0xf_ffff);
    Some((minor & 0xff) | (major << 8) | ((minor & !0xff) << 12))
}

fn ino(record: &Record<'_>) -> Option<u64> {
    Some(record.file?.ino)
}

/// `f_mode`, of which only the bit that tells a new file has a name.
fn created(record: &Record<'_>) -> Option<u64> {
    Some(u64::from(record.file?.open_mode) & (1 << 20))
}

const DEV: Param = (P::DEV, fact(device, Form::Hex));
const INO: Param = (P::INO, fact(ino, Form::Long));

pub(super) const ROWS: &[Row] = &[
    row(
        &["open"],
        file(RESULT).given(0, HERE).opens(1, 2),
        &[(P::FD, NEW_FD), (P::NAME, PATH), (P::FLAGS, open(1)), (P::MODE, octal(2)), DEV, INO],
    ),
    row(
        &["openat"],
        file(RESULT).given(1, 0).opens(2, 3),
        &[
            (P::FD, NEW_FD),
            (P::DIRFD, fd(0)),
            (P::NAME, PATH),
            (P::FLAGS, open(2)),
            (P::MODE, octal(3)),
            DEV,
            INO,
        ],
    ),
    row(
        &["openat2"],
        file(RESULT).given(1, 0).opens_how(2),
        &[
            (P::FD, NEW_FD),
            (P::DIRFD, fd(0)),
            (P::NAME, PATH),
            (P::FLAGS, What::Number(Source::Word(0), Form::Open)),
            (P::MODE, What::Number(Source::Word(8), Form::Octal)),
            (P::RESOLVE, What::Number(Source::Word(16), Form::Flags(names::RESOLVE))),
            DEV,
            INO,
        ],
    ),
    row(
        &["creat"],
        file(RESULT).given(0, HERE).creates(1),
        &[
            (P::FD, NEW_FD),
            (P::NAME, PATH),
            (P::MODE, octal(1)),
            DEV,
            INO,
            (P::CREAT_FLAGS, fact(created, Form::Flags(names::CREAT))),
        ],
    ),
    row(
        &["open_by_handle_at"],
        file(RESULT).opens(2, NO_ARGUMENT),
        &[
            (P::FD, NEW_FD),
            (P::MOUNTFD, fd(0)),
            (P::FLAGS, open(2)),
            (P::PATH, What::Text(Texts::Path)),
            DEV,
            INO,
        ],
    ),
    row(
        &["memfd_create"],
        file(RESULT).given(0, NO_ARGUMENT).keys(&[1]),
        &[(P::FD, NEW_FD), (P::NAME, GIVEN), (P::FLAGS, flags(1, names::MEMFD))],
    ),
    row(&["memfd_secret"], file(RESULT).keys(&[0]), &[RES]),
    row(&["fchmod"], file(0).keys(&[1]), &[RES, (P::FD, fd(0)), (P::MODE, mode(1))]),
    row(
        &["fchown"],
        file(0).keys(&[1, 2]),
        &[RES, (P::FD, fd(0)), (P::UID, uint(1)), (P::GID, uint(2))],
    ),
    row(&["fchdir"], file(0), &[RES, (P::FD, fd(0))]),
    row(
        &["flock"],
        file(0).keys(&[1]),
        &[RES, (P::FD, fd(0)), (P::OPERATION, flags(1, names::LOCK))],
    ),
    row(&["fstat", "fstat64", "getdents", "getdents64"], file(0), &[RES, (P::FD, fd(0))]),
    row(
        &["lseek"],
        file(0).keys(&[2]),
        &[RES, (P::FD, fd(0)), (P::OFFSET, long(1)), (P::WHENCE, one(2, names::WHENCE))],
    ),
    row(
        &["_llseek"],
        file(0).keys(&[4]),
        &[
            RES,
            (P::FD, fd(0)),
            (P::OFFSET, What::Number(Source::Pair(2, 1), Form::Long)),
            (P::WHENCE, one(4, names::WHENCE)),
        ],
    ),
    row(
        &[
            "cachestat",
            "fadvise64",
            "fallocate",
            "fdatasync",
            "fgetxattr",
            "flistxattr",
            "fremovexattr",
            "fsetxattr",
            "fstatfs",
            "fstatfs64",
            "fsync",
            "ftruncate",
            "ftruncate64",
            "readahead",
            "sync_file_range",
            "sync_file_range2",
            "syncfs",
        ],
        file(0),
        &[RES],
    ),
    row(
        &["copy_file_range"],
        file(2),
        &[RES, (P::FDOUT, fd(2)), (P::FDIN, fd(0)), (P::LEN, long(4))],
    ),
    row(
        &["finit_module"],
        file(0).given(1, NO_ARGUMENT).keys(&[2]),
        &[RES, (P::FD, fd(0)), (P::UARGS, GIVEN), (P::FLAGS, flags(2, names::MODULE))],
    ),
    row(&["kexec_file_load"], file(0).keys(&[4]), &[RES]),
    row(&["fanotify_mark"], path(4, 3).keys(&[1, 2]), &[RES]).native(),
    row(&["fanotify_mark"], path(5, 4).keys(&[1, 2]), &[RES]).compat(),
    row(&["inotify_add_watch"], path(1, HERE).keys(&[2]), &[RES]),
    row(
        &["ioctl"],
        any(0).keys(&[1]),
        &[RES, (P::FD, fd(0)), (P::REQUEST, hex(1)), (P::ARGUMENT, hex(2))],
    ),
];
