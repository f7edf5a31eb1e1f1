//! Calls that read, write, copy and watch whatever is behind a descriptor.

use landlord_ebpf::abi::RESULT as RETURNED;

use super::{P, Param, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{Form, NEW_FD, Source, What, fact, fd, flags, int, long, one, uint};
use crate::calls::reading::{SIMPLE, any, simple};

const DATA: Param = (P::DATA, What::Buffer);
const FD: Param = (P::FD, fd(0));
const SIZE: Param = (P::SIZE, uint(2));
/// Where arm's calling convention wants two registers for 64 bits, the first of them
/// has an even number.
const POS32: What = if cfg!(target_arch = "aarch64") {
    What::Number(Source::Pair(4, 5), Form::Long)
} else {
    What::Number(Source::Pair(3, 4), Form::Long)
};
/// The vectored calls have it in two registers on all architectures.
const POSV32: What = What::Number(Source::Pair(3, 4), Form::Long);

/// A number of the structure.
const fn half(at: usize, form: Form) -> What {
    What::Number(Source::Half(at), form)
}

/// The new descriptor, in place of the result.
const FD_AS_RES: Param = (P::RES, NEW_FD);
/// Of calls that take flags only in their later version.
const NO_FLAGS: Param = (P::FLAGS, fact(|_| Some(0), Form::Uint));

pub(super) const ROWS: &[Row] = &[
    row(&["read"], any(0).buffer(1, RETURNED), &[RES, DATA, FD, SIZE]),
    row(&["write"], any(0).buffer(1, 2), &[RES, DATA, FD, SIZE]),
    row(&["pread64"], any(0).buffer(1, RETURNED), &[RES, DATA, FD, SIZE, (P::POS, long(3))])
        .native(),
    row(&["pread64"], any(0).buffer(1, RETURNED), &[RES, DATA, FD, SIZE, (P::POS, POS32)]).compat(),
    row(&["pwrite64"], any(0).buffer(1, 2), &[RES, DATA, FD, SIZE, (P::POS, long(3))]).native(),
    row(&["pwrite64"], any(0).buffer(1, 2), &[RES, DATA, FD, SIZE, (P::POS, POS32)]).compat(),
    row(&["readv", "writev"], any(0), &[RES, FD]),
    row(&["preadv", "pwritev"], any(0), &[RES, FD, (P::POS, long(3))]).native(),
    row(&["preadv", "pwritev"], any(0), &[RES, FD, (P::POS, POSV32)]).compat(),
    row(&["preadv2", "pwritev2", "vmsplice"], any(0), &[RES]),
    // On return the descriptor is gone, and what was behind it.
    row(&["close"], simple(0), &[RES, FD]),
    row(&["dup"], any(0), &[FD_AS_RES, (P::OLDFD, fd(0))]),
    row(&["dup2"], any(0), &[FD_AS_RES, (P::OLDFD, fd(0)), (P::NEWFD, fd(1))]),
    row(
        &["dup3"],
        any(0).keys(&[2]),
        &[FD_AS_RES, (P::OLDFD, fd(0)), (P::NEWFD, fd(1)), (P::FLAGS, flags(2, names::DUP))],
    ),
    row(&["fcntl", "fcntl64"], any(0).keys(&[1]), &[FD_AS_RES, FD, (P::CMD, one(1, names::FCNTL))]),
    row(
        &["pipe"],
        SIMPLE.structure(0, 8),
        &[RES, (P::FD1, half(0, Form::Fd)), (P::FD2, half(4, Form::Fd))],
    ),
    row(
        &["pipe2"],
        SIMPLE.structure(0, 8),
        &[
            RES,
            (P::FD1, half(0, Form::Fd)),
            (P::FD2, half(4, Form::Fd)),
            (P::FLAGS, flags(1, names::CLOEXEC)),
        ],
    ),
    row(
        &["splice"],
        any(0).keys(&[5]),
        &[
            RES,
            (P::FD_IN, fd(0)),
            (P::FD_OUT, fd(2)),
            (P::SIZE, long(4)),
            (P::FLAGS, flags(5, names::SPLICE)),
        ],
    ),
    row(&["tee"], any(0), &[RES]),
    row(
        &["sendfile", "sendfile64"],
        any(0),
        &[RES, (P::OUT_FD, fd(0)), (P::IN_FD, fd(1)), (P::SIZE, long(3))],
    ),
    row(&["epoll_create"], simple(RETURNED), &[RES, (P::SIZE, int(0))]),
    row(&["epoll_create1"], simple(RETURNED), &[RES, (P::FLAGS, flags(0, names::CLOEXEC))]),
    row(&["epoll_wait"], simple(0), &[RES, (P::MAXEVENTS, int(2))]),
    row(&["poll"], SIMPLE, &[RES, (P::TIMEOUT, int(2))]),
    row(&["eventfd"], simple(RETURNED), &[FD_AS_RES, (P::INITVAL, uint(0)), NO_FLAGS]),
    row(
        &["eventfd2"],
        simple(RETURNED),
        &[FD_AS_RES, (P::FLAGS, flags(1, names::CLOEXEC)), (P::INITVAL, uint(0))],
    ),
    row(&["signalfd"], simple(RETURNED), &[FD_AS_RES, FD, NO_FLAGS]),
    row(&["signalfd4"], SIMPLE, &[FD_AS_RES, (P::FLAGS, flags(3, names::CLOEXEC)), (P::FD, fd(0))]),
    row(&["inotify_init"], simple(RETURNED), &[FD_AS_RES, NO_FLAGS]),
    row(&["inotify_init1"], simple(RETURNED), &[FD_AS_RES, (P::FLAGS, flags(0, names::CLOEXEC))]),
    row(
        &["timerfd_create"],
        simple(RETURNED),
        &[FD_AS_RES, (P::CLOCKID, uint(0)), (P::FLAGS, flags(1, names::CLOEXEC))],
    ),
    row(
        &["userfaultfd"],
        simple(RETURNED).keys(&[0]),
        &[RES, (P::FLAGS, flags(0, names::USERFAULT))],
    ),
    row(
        &["pidfd_getfd"],
        any(RETURNED).keys(&[2]),
        &[(P::FD, NEW_FD), (P::PID_FD, fd(0)), (P::TARGET_FD, int(1)), (P::FLAGS, uint(2))],
    ),
];
