//! Names of how files are opened, of their modes, and of what is done with paths.

use super::{List, Names};
use crate::event::FileFacts;

/// `O_DIRECT`, `O_DIRECTORY`, `O_LARGEFILE`: arm has its own, also in 32-bit programs.
const ARCHITECTURE: [u64; 3] = if cfg!(target_arch = "aarch64") {
    [0o200_000, 0o40_000, 0o400_000]
} else {
    [0o40_000, 0o200_000, 0o100_000]
};
const O_ACCMODE: u64 = 0o3;
const O_CREAT: u64 = 0o100;
const O_TMPFILE: u64 = 0o20_000_000;
/// `FMODE_CREATED` of an open file: this very open made it.
const FMODE_CREATED: u32 = 1 << 20;

/// Without the access mode, which is no flag.
const OPEN: Names = Names(&[
    ("O_LARGEFILE", ARCHITECTURE[2]),
    ("O_DIRECTORY", ARCHITECTURE[1]),
    ("O_DIRECT", ARCHITECTURE[0]),
    ("O_TRUNC", 0o1000),
    ("O_SYNC", 0o4_000_000),
    ("O_NONBLOCK", 0o4000),
    ("O_EXCL", 0o200),
    ("O_DSYNC", 0o10_000),
    ("O_APPEND", 0o2000),
    ("O_CREAT", O_CREAT),
]);

/// Writes the flags of an open in Falco's set and order. `O_F_CREATED`, which only
/// Falco has, tells that the open made the file.
pub(in crate::calls) fn open_flags(flags: u64, file: Option<&FileFacts>, out: &mut Vec<u8>) {
    let mut list = List::new(out);
    for &(name, bit) in OPEN.0 {
        if flags & bit != 0 {
            list.add(name);
        }
    }
    list.add(match flags & O_ACCMODE {
        0 => "O_RDONLY",
        1 => "O_WRONLY",
        _ => "O_RDWR",
    });
    if flags & CLOEXEC_BIT != 0 {
        list.add("O_CLOEXEC");
    }
    if flags & O_TMPFILE != 0 {
        list.add("O_TMPFILE");
    }
    if file.is_some_and(|file| file.open_mode & FMODE_CREATED != 0) {
        list.add("O_F_CREATED");
    }
}

/// Of `creat`, which is given no flags.
pub(in crate::calls) const CREAT: Names = Names(&[("O_F_CREATED", FMODE_CREATED as u64)]);

const CLOEXEC_BIT: u64 = 0o2_000_000;

/// Of `dup3`, `pipe2`, `eventfd2` and the like.
pub(in crate::calls) const CLOEXEC: Names =
    Names(&[("O_DIRECT", ARCHITECTURE[0]), ("O_NONBLOCK", 0o4000), ("O_CLOEXEC", CLOEXEC_BIT)]);

/// Of `dup3`.
pub(in crate::calls) const DUP: Names = Names(&[("O_CLOEXEC", CLOEXEC_BIT)]);

/// `RESOLVE_*` of `openat2`.
pub(in crate::calls) const RESOLVE: Names = Names(&[
    ("RESOLVE_BENEATH", 0x8),
    ("RESOLVE_IN_ROOT", 0x10),
    ("RESOLVE_NO_MAGICLINKS", 0x2),
    ("RESOLVE_NO_SYMLINKS", 0x4),
    ("RESOLVE_NO_XDEV", 0x1),
    ("RESOLVE_CACHED", 0x20),
]);

const MODE: Names = Names(&[
    ("S_IXOTH", 0o1),
    ("S_IWOTH", 0o2),
    ("S_IROTH", 0o4),
    ("S_IXGRP", 0o10),
    ("S_IWGRP", 0o20),
    ("S_IRGRP", 0o40),
    ("S_IXUSR", 0o100),
    ("S_IWUSR", 0o200),
    ("S_IRUSR", 0o400),
    ("S_ISVTX", 0o1000),
    ("S_ISGID", 0o2000),
    ("S_ISUID", 0o4000),
]);

const TYPE: Names = Names(&[
    ("S_IFREG", 0o100_000),
    ("S_IFCHR", 0o20_000),
    ("S_IFBLK", 0o60_000),
    ("S_IFIFO", 0o10_000),
    ("S_IFSOCK", 0o140_000),
    ("S_IFDIR", 0o40_000),
    ("S_IFLNK", 0o120_000),
]);

/// Writes permissions and the type of a file.
pub(in crate::calls) fn mode(mode: u64, out: &mut Vec<u8>) {
    let mut list = List::new(out);
    for &(name, bit) in MODE.0 {
        if mode & bit != 0 {
            list.add(name);
        }
    }
    if let Some(name) = TYPE.one(mode & 0o170_000) {
        list.add(name);
    }
}

/// `AT_*` of calls that are given a directory and a path.
pub(in crate::calls) const AT: Names = Names(&[
    ("AT_SYMLINK_FOLLOW", 0x400),
    ("AT_SYMLINK_NOFOLLOW", 0x100),
    ("AT_EMPTY_PATH", 0x1000),
    ("AT_NO_AUTOMOUNT", 0x800),
]);

/// Of `unlinkat`.
pub(in crate::calls) const UNLINKAT: Names = Names(&[("AT_REMOVEDIR", 0x200)]);

/// Of `renameat2`.
pub(in crate::calls) const RENAME: Names =
    Names(&[("RENAME_NOREPLACE", 1), ("RENAME_EXCHANGE", 2), ("RENAME_WHITEOUT", 4)]);

/// Of `access`.
pub(in crate::calls) const ACCESS: Names =
    Names(&[("F_OK", 0), ("R_OK", 4), ("W_OK", 2), ("X_OK", 1)]);

/// Of `lseek`.
pub(in crate::calls) const WHENCE: Names =
    Names(&[("SEEK_END", 2), ("SEEK_CUR", 1), ("SEEK_SET", 0), ("SEEK_DATA", 3), ("SEEK_HOLE", 4)]);

/// Of `flock`.
pub(in crate::calls) const LOCK: Names =
    Names(&[("LOCK_SH", 1), ("LOCK_EX", 2), ("LOCK_NB", 4), ("LOCK_UN", 8)]);

/// Of `memfd_create`.
pub(in crate::calls) const MEMFD: Names = Names(&[
    ("MFD_CLOEXEC", 0x1),
    ("MFD_ALLOW_SEALING", 0x2),
    ("MFD_HUGETLB", 0x4),
    ("MFD_NOEXEC_SEAL", 0x8),
    ("MFD_EXEC", 0x10),
]);

/// Of `finit_module`.
pub(in crate::calls) const MODULE: Names = Names(&[
    ("MODULE_INIT_IGNORE_MODVERSIONS", 1),
    ("MODULE_INIT_IGNORE_VERMAGIC", 2),
    ("MODULE_INIT_COMPRESSED_FILE", 4),
]);

/// Of `mount`.
pub(in crate::calls) const MOUNT: Names = Names(&[
    ("MS_RDONLY", 1),
    ("MS_NOSUID", 2),
    ("MS_NODEV", 4),
    ("MS_NOEXEC", 8),
    ("MS_SYNCHRONOUS", 16),
    ("MS_REMOUNT", 32),
    ("MS_MANDLOCK", 64),
    ("MS_DIRSYNC", 128),
    ("MS_NOSYMFOLLOW", 256),
    ("MS_NOATIME", 1024),
    ("MS_NODIRATIME", 2048),
    ("MS_BIND", 4096),
    ("MS_MOVE", 8192),
    ("MS_REC", 16384),
    ("MS_SILENT", 32768),
    ("MS_POSIXACL", 1 << 16),
    ("MS_UNBINDABLE", 1 << 17),
    ("MS_PRIVATE", 1 << 18),
    ("MS_SLAVE", 1 << 19),
    ("MS_SHARED", 1 << 20),
    ("MS_RELATIME", 1 << 21),
    ("MS_KERNMOUNT", 1 << 22),
    ("MS_I_VERSION", 1 << 23),
    ("MS_STRICTATIME", 1 << 24),
    ("MS_LAZYTIME", 1 << 25),
]);

/// Of `umount2`.
pub(in crate::calls) const UMOUNT: Names =
    Names(&[("MNT_FORCE", 1), ("MNT_DETACH", 2), ("MNT_EXPIRE", 4), ("UMOUNT_NOFOLLOW", 8)]);

/// Of `fcntl`.
pub(in crate::calls) const FCNTL: Names = Names(&[
    ("F_DUPFD", 0),
    ("F_GETFD", 1),
    ("F_SETFD", 2),
    ("F_GETFL", 3),
    ("F_SETFL", 4),
    ("F_GETLK", 5),
    ("F_SETLK", 6),
    ("F_SETLKW", 7),
    ("F_SETOWN", 8),
    ("F_GETOWN", 9),
    ("F_SETSIG", 10),
    ("F_GETSIG", 11),
    ("F_GETLK64", 12),
    ("F_SETLK64", 13),
    ("F_SETLKW64", 14),
    ("F_SETOWN_EX", 15),
    ("F_GETOWN_EX", 16),
    ("F_OFD_GETLK", 36),
    ("F_OFD_SETLK", 37),
    ("F_OFD_SETLKW", 38),
    ("F_SETLEASE", 1024),
    ("F_GETLEASE", 1025),
    ("F_NOTIFY", 1026),
    ("F_DUPFD_CLOEXEC", 1030),
    ("F_SETPIPE_SZ", 1031),
    ("F_GETPIPE_SZ", 1032),
    ("F_ADD_SEALS", 1033),
    ("F_GET_SEALS", 1034),
]);
