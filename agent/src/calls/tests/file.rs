//! Files: how they are opened and what is done with paths.

use landlord_ebpf::abi::{COMPAT_BIT, RecordKind};

use super::{called, check, check_args, check_raw, check_untold, given, head, number};
use crate::event::{FileFacts, Record};
use crate::rules::value::Value;

const FILE: FileFacts = FileFacts {
    ino: 42,
    ctime_ns: 0,
    mtime_ns: 0,
    dev: 8 << 20 | 1,
    mode: 0o100_644,
    magic: 0xef53,
    open_flags: 0,
    open_mode: 0,
    nlink: 1,
    uid: 0,
    layer: 0,
};

#[test]
fn an_open_tells_descriptor_path_flags_and_mode() {
    let mut record = called("openat", &[0xffff_ff9c, 0, 0o2_000_000, 0], 3);
    record.raw = given(b"passwd");
    record.file = Some(FILE);
    check_args(
        &record,
        "fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) name=passwd(/work/first) \
         flags=524288(O_RDONLY|O_CLOEXEC) mode=0 dev=801 ino=42 ",
    );
    check_raw(&record, "fd", Some(Value::Int(3)));
    check_raw(&record, "dirfd", Some(Value::Int(-100)));
    check_raw(&record, "name", Some(Value::Text(b"passwd")));
    check_raw(&record, "flags", Some(Value::Uint(0o2_000_000)));
    check_raw(&record, "ino", Some(Value::Uint(42)));
}

#[test]
fn an_open_that_failed_tells_its_error() {
    let mut record = called("openat", &[5, 0, 1, 0], -2);
    record.raw = given(b"/nowhere");
    check(&record, &[("fd", "ENOENT"), ("dirfd", "5"), ("flags", "O_WRONLY")]);
    check_raw(&record, "fd", Some(Value::Int(-2)));
    check_untold(&record, &["dev", "ino", "path", "res"]);
}

#[test]
fn flags_of_an_open() {
    let check_flags = |flags: u64, expected: &str| {
        check(&called("openat", &[0, 0, flags, 0o644], 3), &[("flags", expected)]);
    };
    check_flags(0, "O_RDONLY");
    check_flags(0o1, "O_WRONLY");
    check_flags(0o2, "O_RDWR");
    check_flags(0o1101, "O_TRUNC|O_CREAT|O_WRONLY");
    check_flags(0o2_002_301, "O_EXCL|O_APPEND|O_CREAT|O_WRONLY|O_CLOEXEC");
    check_flags(0o4_014_000, "O_SYNC|O_NONBLOCK|O_DSYNC|O_RDONLY");
    if cfg!(target_arch = "x86_64") {
        check_flags(0o200_000, "O_DIRECTORY|O_RDONLY");
        check_flags(0o20_200_002, "O_DIRECTORY|O_RDWR|O_TMPFILE");
        check_flags(0o140_000, "O_LARGEFILE|O_DIRECT|O_RDONLY");
    }
    // What lies above the argument's type is noise.
    check_flags(0xdead_0000_0000 | 0o1, "O_WRONLY");
}

#[test]
fn a_file_that_the_open_made_is_told() {
    let mut record = called("openat", &[0, 0, 0o101, 0o4755], 3);
    record.file = Some(FileFacts { open_mode: 1 << 20 | 2, ..FILE });
    check(&record, &[("flags", "O_CREAT|O_WRONLY|O_F_CREATED"), ("mode", "04755")]);
    if let Some(nr) = number("creat", false) {
        let mut record = Record::empty(head(nr, [0, 0o600, 0, 0, 0, 0], 3), RecordKind::Syscall);
        record.raw = given(b"a");
        record.file = Some(FileFacts { open_mode: 1 << 20, ..FILE });
        check(
            &record,
            &[("creat_flags", "O_F_CREATED"), ("mode", "0600"), ("name", "/work/first")],
        );
        check_untold(&record, &["flags"]);
    }
}

#[test]
fn openat2_has_its_flags_in_a_structure() {
    let mut how = [0; 24];
    how[..8].copy_from_slice(&0o101_u64.to_ne_bytes());
    how[8..16].copy_from_slice(&0o700_u64.to_ne_bytes());
    how[16..].copy_from_slice(&0x18_u64.to_ne_bytes());
    let mut record = called("openat2", &[0xffff_ff9c, 0, 0x7fff_0000, 24], 3);
    check_untold(&record, &["flags", "mode", "resolve"]);
    record.structure = given(&how);
    check(
        &record,
        &[
            ("flags", "O_CREAT|O_WRONLY"),
            ("mode", "0700"),
            ("resolve", "RESOLVE_BENEATH|RESOLVE_IN_ROOT"),
        ],
    );
    record.structure = given(&how[..12]);
    check(&record, &[("flags", "O_CREAT|O_WRONLY")]);
    check_untold(&record, &["mode", "resolve"]);
}

#[test]
fn a_handle_has_the_path_that_the_kernel_knows() {
    let mut record = called("open_by_handle_at", &[9, 0, 0], 3);
    record.path = given(b"/etc/shadow");
    check(&record, &[("path", "/etc/shadow"), ("flags", "O_RDONLY"), ("mountfd", "9")]);
}

#[test]
fn modes_are_told_by_name() {
    let check_mode = |mode: u64, expected: &str| {
        check(&called("fchmod", &[3, mode], 0), &[("mode", expected), ("fd", "<f>/etc/passwd")]);
    };
    check_mode(0, "0");
    check_mode(0o4000, "S_ISUID");
    check_mode(0o644, "S_IROTH|S_IRGRP|S_IWUSR|S_IRUSR");
    check_mode(0o6711, "S_IXOTH|S_IXGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISGID|S_ISUID");
    let mut record = called("mknodat", &[3, 0, 0o60_600, 2049], 0);
    record.raw = given(b"d");
    check(
        &record,
        &[("mode", "S_IWUSR|S_IRUSR|S_IFBLK"), ("dev", "2049"), ("path", "/work/first")],
    );
    check_args(
        &called("fchmod", &[9, 0o755], -1),
        "res=-1(EPERM) fd=9 \
        mode=0755(S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR) ",
    );
}

#[test]
fn paths_are_told_from_the_root_on() {
    let mut record = called("renameat2", &[3, 0, 0xffff_ff9c, 0, 2], 0);
    record.raw = given(b"a");
    record.raw2 = given(b"b");
    check_args(
        &record,
        "res=0 olddirfd=3(<f>/etc/passwd) oldpath=a(/work/first) newdirfd=-100(AT_FDCWD) \
         newpath=b(/work/second) flags=2(RENAME_EXCHANGE) ",
    );
    let mut record = called("symlinkat", &[0, 3, 0], -17);
    record.raw = given(b"/etc");
    record.raw2 = given(b"b");
    check(
        &record,
        &[
            ("target", "/etc"),
            ("linkpath", "/work/second"),
            ("linkdirfd", "<f>/etc/passwd"),
            ("res", "EEXIST"),
        ],
    );
    let mut record = called("unlinkat", &[3, 0, 0x200], 0);
    record.raw = given(b"a");
    check(&record, &[("name", "/work/first"), ("flags", "AT_REMOVEDIR")]);
    let mut record = called("chdir", &[0], 0);
    record.raw = given(b"/proc/self/fd/8");
    check(&record, &[("path", "/proc/self/fd/8"), ("res", "0")]);
}

#[test]
fn owners_are_numbers() {
    let record = called("fchown", &[3, 33, 0xffff_ffff], 0);
    check(&record, &[("uid", "33"), ("gid", "4294967295")]);
}

#[test]
fn a_mount_tells_what_where_and_how() {
    let mut record = called("mount", &[0, 0, 0, 0x1001], 0);
    record.raw = given(b"/mnt");
    record.raw2 = given(b"/dev/sda1");
    record.structure = given(b"ext4\0garbage\0\0\0\0");
    check(
        &record,
        &[
            ("dev", "/dev/sda1"),
            ("dir", "/work/first"),
            ("type", "ext4"),
            ("flags", "MS_RDONLY|MS_BIND"),
        ],
    );
    check_raw(&record, "type", Some(Value::Text(b"ext4")));
    check_raw(&record, "dev", None);
    check(&called("umount2", &[0, 2], 0), &[("flags", "MNT_DETACH")]);
}

#[test]
fn calls_of_32_bits_have_registers_of_32_bits() {
    let nr = number("pread64", true).unwrap();
    assert_eq!(nr & COMPAT_BIT, COMPAT_BIT);
    let upper = if cfg!(target_arch = "aarch64") { [0, 7, 1] } else { [7, 1, 0] };
    let args = [3, 0, 10, upper[0], upper[1], upper[2]];
    let record = Record::empty(head(nr, args, 10), RecordKind::Syscall);
    check(&record, &[("pos", "4294967303"), ("size", "10"), ("res", "10")]);
    let record = called("pread64", &[3, 0, 10, 1 << 40], 10);
    check(&record, &[("pos", "1099511627776")]);
}
