//! Calls that are given paths, and act on what stands there.

use landlord_ebpf::abi::NO_ARGUMENT;

use super::{P, Param, RES, Row, row};
use crate::calls::names;
use crate::calls::param::{GIVEN, PATH, PATH2, fd, flags, mode, octal, uint};
use crate::calls::reading::{HERE, path};

const PATH_ONLY: &[Param] = &[RES, (P::PATH, PATH)];
const TWO_PATHS: &[Param] = &[RES, (P::OLDPATH, PATH), (P::NEWPATH, PATH2)];

pub(super) const ROWS: &[Row] = &[
    row(&["rename", "link"], path(0, HERE).and(1, HERE), TWO_PATHS),
    row(
        &["renameat"],
        path(1, 0).and(3, 2),
        &[RES, (P::OLDDIRFD, fd(0)), (P::OLDPATH, PATH), (P::NEWDIRFD, fd(2)), (P::NEWPATH, PATH2)],
    ),
    row(
        &["renameat2"],
        path(1, 0).and(3, 2).keys(&[4]),
        &[
            RES,
            (P::OLDDIRFD, fd(0)),
            (P::OLDPATH, PATH),
            (P::NEWDIRFD, fd(2)),
            (P::NEWPATH, PATH2),
            (P::FLAGS, flags(4, names::RENAME)),
        ],
    ),
    row(
        &["linkat"],
        path(1, 0).and(3, 2).keys(&[4]),
        &[
            RES,
            (P::OLDDIR, fd(0)),
            (P::OLDPATH, PATH),
            (P::NEWDIR, fd(2)),
            (P::NEWPATH, PATH2),
            (P::FLAGS, flags(4, names::AT)),
        ],
    ),
    row(
        &["symlink"],
        path(0, NO_ARGUMENT).and(1, HERE),
        &[RES, (P::TARGET, GIVEN), (P::LINKPATH, PATH2)],
    ),
    row(
        &["symlinkat"],
        path(0, NO_ARGUMENT).and(2, 1),
        &[RES, (P::TARGET, GIVEN), (P::LINKDIRFD, fd(1)), (P::LINKPATH, PATH2)],
    ),
    row(&["unlink", "rmdir", "stat", "lstat", "stat64", "lstat64"], path(0, HERE), PATH_ONLY),
    row(
        &["unlinkat"],
        path(1, 0).keys(&[2]),
        &[RES, (P::DIRFD, fd(0)), (P::NAME, PATH), (P::FLAGS, flags(2, names::UNLINKAT))],
    ),
    row(&["mkdir"], path(0, HERE).keys(&[1]), &[RES, (P::PATH, PATH), (P::MODE, octal(1))]),
    row(
        &["mkdirat"],
        path(1, 0).keys(&[2]),
        &[RES, (P::DIRFD, fd(0)), (P::PATH, PATH), (P::MODE, octal(2))],
    ),
    row(
        &["mknod"],
        path(0, HERE).keys(&[1, 2]),
        &[RES, (P::PATH, PATH), (P::MODE, mode(1)), (P::DEV, uint(2))],
    ),
    row(
        &["mknodat"],
        path(1, 0).keys(&[2, 3]),
        &[RES, (P::DIRFD, fd(0)), (P::PATH, PATH), (P::MODE, mode(2)), (P::DEV, uint(3))],
    ),
    row(&["chmod"], path(0, HERE).keys(&[1]), &[RES, (P::FILENAME, PATH), (P::MODE, mode(1))]),
    row(
        &["fchmodat"],
        path(1, 0).keys(&[2]),
        &[RES, (P::DIRFD, fd(0)), (P::FILENAME, PATH), (P::MODE, mode(2))],
    ),
    row(
        &["fchmodat2"],
        path(1, 0).keys(&[2, 3]),
        &[
            RES,
            (P::DIRFD, fd(0)),
            (P::FILENAME, PATH),
            (P::MODE, mode(2)),
            (P::FLAGS, flags(3, names::AT)),
        ],
    ),
    row(
        &["chown", "lchown"],
        path(0, HERE).keys(&[1, 2]),
        &[RES, (P::PATH, PATH), (P::UID, uint(1)), (P::GID, uint(2))],
    ),
    row(
        &["fchownat"],
        path(1, 0).keys(&[2, 3, 4]),
        &[
            RES,
            (P::DIRFD, fd(0)),
            (P::PATHNAME, PATH),
            (P::UID, uint(2)),
            (P::GID, uint(3)),
            (P::FLAGS, flags(4, names::AT)),
        ],
    ),
    row(
        &["access"],
        path(0, HERE).keys(&[1]),
        &[RES, (P::NAME, PATH), (P::MODE, flags(1, names::ACCESS))],
    ),
    row(
        &["newfstatat", "fstatat64"],
        path(1, 0).keys(&[3]),
        &[RES, (P::DIRFD, fd(0)), (P::PATH, PATH), (P::FLAGS, flags(3, names::AT))],
    ),
    // As given: a rule sees by it who leaves through `/proc/self/fd`.
    row(&["chdir"], path(0, HERE), &[RES, (P::PATH, GIVEN)]),
    // On return the path is in the buffer.
    row(&["getcwd"], path(0, NO_ARGUMENT), &[RES, (P::PATH, GIVEN)]),
    row(&["chroot"], path(0, HERE), PATH_ONLY),
    row(&["pivot_root"], path(0, HERE).and(1, HERE), &[RES]),
    row(
        &[
            "acct",
            "getxattr",
            "lgetxattr",
            "listxattr",
            "llistxattr",
            "lremovexattr",
            "lsetxattr",
            "oldlstat",
            "oldstat",
            "readlink",
            "removexattr",
            "setxattr",
            "statfs",
            "statfs64",
            "swapoff",
            "swapon",
            "truncate",
            "truncate64",
            "uselib",
            "utime",
            "utimes",
        ],
        path(0, HERE),
        &[RES],
    ),
    row(
        &[
            "faccessat",
            "faccessat2",
            "file_getattr",
            "file_setattr",
            "futimesat",
            "getxattrat",
            "listxattrat",
            "name_to_handle_at",
            "readlinkat",
            "removexattrat",
            "setxattrat",
            "statx",
            "utimensat",
            "utimensat_time64",
        ],
        path(1, 0),
        &[RES],
    ),
    row(&["mq_open", "mq_unlink"], path(0, NO_ARGUMENT), &[RES]),
];
