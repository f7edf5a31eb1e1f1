//! Files and other descriptors.

use landlord_ebpf::abi::{FileFacts, RecordKind, Section};

use super::check;
use super::draft::Draft;

const FILE: FileFacts = FileFacts {
    ino: 4711,
    ctime_ns: 0,
    mtime_ns: 0,
    dev: 8 << 20 | 0x123,
    mode: 0o100_644,
    magic: 0xef53,
    open_flags: 0,
    open_mode: 0,
    nlink: 1,
    uid: 0,
    layer: 2,
};

/// `AT_FDCWD`, as a register may hold it.
const HERE: u64 = 0xffff_ff9c;

fn opened(path: &str, file: &FileFacts) -> Draft {
    Draft::call("openat")
        .result(5)
        .user(Section::Raw, "given")
        .kernel(Section::Path, path)
        .file(file)
}

#[test]
fn a_file_that_was_opened() {
    check(
        &opened("/etc/shadow", &FILE).args(&[HERE, 0, 0o102, 0o755]),
        &[
            ("fd.num", "5"),
            ("fd.name", "/etc/shadow"),
            ("fd.nameraw", "given"),
            ("fd.directory", "/etc"),
            ("fd.filename", "shadow"),
            ("fd.type", "file"),
            ("fd.typechar", "f"),
            ("fd.ino", "4711"),
            ("fd.dev", "1050659"),
            ("fd.dev.major", "8"),
            ("fd.dev.minor", "291"),
            ("fd.is_lower_layer", "true"),
            ("fd.is_upper_layer", "false"),
            ("fd.uid", "2015"),
            ("fd.containername", "3ad7b26ded6d:/etc/shadow"),
            ("fd.containerdirectory", "3ad7b26ded6d:/etc"),
            ("fd.sockfamily", "-"),
            ("fd.l4proto", "-"),
            ("fd.cip", "-"),
            ("fd.ip", "-"),
            ("fd.is_server", "false"),
            ("fd.connected", "false"),
            ("fd.name_changed", "false"),
            ("fs.path.name", "/etc/shadow"),
            ("fs.path.nameraw", "given"),
            ("evt.category", "file"),
            ("evt.abspath", "/work/given"),
            ("evt.is_open_read", "true"),
            ("evt.is_open_write", "true"),
            ("evt.is_open_create", "true"),
            ("evt.is_open_exec", "true"),
            // What the kernel has is sure.
            ("evt.unverified", "false"),
        ],
    );
}

#[test]
fn one_that_was_not() {
    let failed = |base: &str, raw: &str| {
        Draft::call("openat").result(-2).kernel(Section::Base, base).user(Section::Raw, raw)
    };
    check(
        &failed("/srv/www", "../../etc//shadow"),
        &[
            ("fd.num", "-1"),
            ("fd.name", "/etc/shadow"),
            ("fd.nameraw", "../../etc//shadow"),
            ("fd.directory", "/etc"),
            ("fd.filename", "shadow"),
            ("fd.typechar", "f"),
            ("fd.ino", "-"),
            ("fs.path.name", "-"),
            ("evt.res", "ENOENT"),
            ("evt.rawres", "-2"),
            ("evt.count.error.file", "1"),
            ("evt.count.error.net", "-"),
            ("evt.unverified", "true"),
        ],
    );
    check(&failed("/srv", "/etc/./passwd"), &[("fd.name", "/etc/passwd")]);
    // The working directory is known, even where it was not sent.
    let bare = Draft::call("open").result(-2).user(Section::Raw, "a");
    check(&bare, &[("fd.name", "/work/a")]);
    // That of another directory is not.
    let other = Draft::call("openat").result(-9).args(&[4]).user(Section::Raw, "a");
    check(&other, &[("fd.name", "-"), ("fd.nameraw", "a"), ("evt.abspath", "-")]);
}

#[test]
fn how_files_are_opened() {
    #[track_caller]
    fn opens(draft: &Draft, read: bool, write: bool, create: bool, execute: bool) {
        let text = |value: bool| if value { "true" } else { "false" };
        check(
            draft,
            &[
                ("evt.is_open_read", text(read)),
                ("evt.is_open_write", text(write)),
                ("evt.is_open_create", text(create)),
                ("evt.is_open_exec", text(execute)),
            ],
        );
    }
    let open = |flags: u64, mode: u64| Draft::call("open").args(&[0, flags, mode]);
    opens(&open(0, 0o777), true, false, false, false);
    opens(&open(1, 0), false, true, false, false);
    opens(&open(2, 0), true, true, false, false);
    opens(&open(0o101, 0o644), false, true, true, false);
    opens(&open(0o20_200_001, 0o100), false, true, true, true);
    opens(&Draft::call("creat").args(&[0, 0o755]), false, true, true, true);
    opens(&Draft::call("creat").args(&[0, 0o644]), false, true, true, false);
    let how = [0o101_u64.to_ne_bytes(), 0o700_u64.to_ne_bytes(), [0; 8]].concat();
    opens(&Draft::call("openat2").section(Section::Structure, 2, &how), false, true, true, true);
    let cut = Draft::call("openat2").section(Section::Structure, 2, &how[..12]);
    check(&cut, &[("evt.is_open_read", "-")]);
    check(&Draft::call("unlink"), &[("evt.is_open_read", "-")]);
}

#[test]
fn kinds() {
    #[track_caller]
    fn kind(magic: u32, mode: u32, path: Option<&str>, expected: [&str; 4]) {
        let mut draft = Draft::call("read").args(&[6]).file(&FileFacts { magic, mode, ..FILE });
        if let Some(path) = path {
            draft = draft.kernel(Section::Path, path);
        }
        let [name, letter, text, category] = expected;
        check(
            &draft,
            &[
                ("fd.num", "6"),
                ("fd.type", name),
                ("fd.typechar", letter),
                ("fd.name", text),
                ("evt.category", category),
            ],
        );
    }
    const ANON: u32 = 0x0904_1934;
    kind(0xef53, 0o100_644, Some("/a"), ["file", "f", "/a", "file"]);
    kind(0xef53, 0o040_755, Some("/a"), ["directory", "d", "/a", "file"]);
    kind(0x1373, 0o020_666, Some("/dev/null"), ["file", "f", "/dev/null", "file"]);
    kind(0x5049_5045, 0o010_600, None, ["pipe", "p", "-", "IPC"]);
    kind(ANON, 0o600, Some("[eventpoll]"), ["eventpoll", "l", "[eventpoll]", "IPC"]);
    kind(ANON, 0o600, Some("anon_inode:[eventfd]"), {
        ["event", "e", "anon_inode:[eventfd]", "IPC"]
    });
    kind(ANON, 0o600, Some("inotify"), ["inotify", "i", "inotify", "IPC"]);
    kind(ANON, 0o600, Some("[signalfd]"), ["signalfd", "s", "[signalfd]", "IPC"]);
    kind(ANON, 0o600, Some("[timerfd]"), ["timerfd", "t", "[timerfd]", "IPC"]);
    kind(ANON, 0o600, Some("[userfaultfd]"), ["userfaultfd", "u", "[userfaultfd]", "IPC"]);
    kind(ANON, 0o600, Some("bpf-prog"), ["bpf", "b", "bpf-prog", "IPC"]);
    kind(ANON, 0o600, Some("[io_uring]"), ["io_uring", "r", "[io_uring]", "IPC"]);
    kind(ANON, 0o600, Some("[pidfd]"), ["pidfd", "P", "[pidfd]", "IPC"]);
    kind(ANON, 0o600, Some("[fanotify]"), ["-", "o", "[fanotify]", "IPC"]);
    kind(0x5049_4446, 0o600, None, ["pidfd", "P", "-", "IPC"]);
    kind(0x0102_1994, 0o100_777, Some("/memfd:x"), ["memfd", "m", "/memfd:x", "IPC"]);
}

#[test]
fn directories_are_their_own() {
    let directory = FileFacts { mode: 0o040_755, ..FILE };
    let draft = |path| Draft::call("fchmod").kernel(Section::Path, path).file(&directory);
    check(&draft("/etc"), &[("fd.directory", "/etc"), ("fd.filename", "-")]);
    check(&draft("/"), &[("fd.directory", "/"), ("fs.path.name", "/")]);
    let file = Draft::call("fchmod").kernel(Section::Path, "/vmlinuz").file(&FILE);
    check(
        &file,
        &[("fd.directory", "/"), ("fd.filename", "vmlinuz"), ("fs.path.name", "/vmlinuz")],
    );
}

#[test]
fn what_is_read_and_written() {
    let io = |name, result| {
        let draft = Draft::call(name).args(&[4, 0, 100]).result(result);
        draft.kernel(Section::Path, "/dev/log").file(&FILE).user(Section::Buffer, "he\0llo")
    };
    check(
        &io("write", 6),
        &[
            ("evt.buffer", "he\0llo"),
            ("evt.buflen", "6"),
            ("evt.buflen.out", "6"),
            ("evt.buflen.in", "-"),
            ("evt.buflen.file", "6"),
            ("evt.buflen.file.out", "6"),
            ("evt.buflen.file.in", "-"),
            ("evt.buflen.net", "-"),
            ("evt.is_io", "true"),
            ("evt.is_io_write", "true"),
            ("evt.is_io_read", "false"),
            ("evt.io_dir", "w"),
            ("evt.is_syslog", "true"),
        ],
    );
    check(
        &io("read", 6),
        &[
            ("evt.buflen.in", "6"),
            ("evt.buflen.file.in", "6"),
            ("evt.buflen.out", "-"),
            ("evt.io_dir", "r"),
            ("evt.is_syslog", "false"),
        ],
    );
    check(&io("read", -11), &[("evt.buflen", "-"), ("evt.res", "EAGAIN")]);
}

#[test]
fn programs_are_no_descriptors() {
    let draft = Draft::of(RecordKind::Exec, "execve").kernel(Section::Exe, "/bin/ls").file(&FILE);
    check(&draft, &[("fd.num", "-"), ("fd.name", "-"), ("fd.type", "-"), ("fd.ino", "-")]);
    check(&draft, &[("fs.path.name", "-"), ("evt.abspath", "-"), ("fd.connected", "-")]);
}
