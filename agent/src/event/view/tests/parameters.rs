//! Parameters of events, which ask back for what the view knows.

use landlord_ebpf::abi::{FileFacts, Section, SocketFacts};

use super::check;
use super::draft::Draft;

#[test]
fn texts() {
    let file = FileFacts { ino: 7, mode: 0o100_644, ..FileFacts::default() };
    let opened = Draft::call("openat")
        .args(&[0xffff_ff9c, 0, 1, 0])
        .result(5)
        .user(Section::Raw, "a")
        .kernel(Section::Base, "/etc")
        .kernel(Section::Path, "/etc/a")
        .file(&file);
    check(
        &opened,
        &[
            ("evt.arg.fd", "<f>/etc/a"),
            ("evt.arg[0]", "<f>/etc/a"),
            ("evt.arg.dirfd", "AT_FDCWD"),
            ("evt.arg.name", "/etc/a"),
            ("evt.rawarg.name", "a"),
            ("evt.rawarg.fd", "5"),
            ("evt.arg.ino", "7"),
            ("evt.arg.res", "-"),
            ("evt.arg[99]", "-"),
        ],
    );
    let facts = SocketFacts {
        family: 2,
        kind: 1,
        protocol: 6,
        state: 1,
        local_port: 4711,
        remote_port: 443,
        ..SocketFacts::default()
    };
    let connected = Draft::call("connect").args(&[3]).socket(&facts);
    let name = "0.0.0.0:4711->0.0.0.0:443";
    check(&connected, &[("fd.name", name), ("evt.arg.tuple", name)]);
    check(&connected, &[("evt.arg.fd", &format!("<4t>{name}")), ("evt.arg.res", "0")]);
}

#[test]
fn names_are_those_of_the_place() {
    let by = |uid| Draft::call("setuid").args(&[uid]);
    check(&by(1000), &[("evt.arg.uid", "app"), ("evt.rawarg.uid", "1000")]);
    check(&by(7), &[("evt.arg.uid", "7")]);
    let kill = |pid| Draft::call("kill").args(&[pid, 9]);
    check(&kill(100), &[("evt.arg.pid", "bash"), ("evt.arg.sig", "SIGKILL")]);
    check(&kill(200), &[("evt.arg.pid", "cat")]);
    check(&kill(9999), &[("evt.arg.pid", "9999")]);
}

#[test]
fn all_of_them() {
    let line = "res=0 pid=100(bash) sig=9(SIGKILL) ";
    let kill = Draft::call("kill").args(&[100, 9]);
    check(&kill, &[("evt.args", line), ("evt.info", line)]);
    check(&Draft::call("getpid"), &[("evt.args", "-")]);
}

#[test]
fn requests_of_io_uring() {
    let open = Draft::request(18, "openat")
        .user(Section::Raw, "../a")
        .kernel(Section::Base, "/etc/ssh")
        .result(-2);
    check(
        &open,
        &[
            ("evt.type", "openat"),
            ("fd.name", "/etc/a"),
            ("fd.nameraw", "../a"),
            ("fs.path.name", "/etc/a"),
            ("evt.arg.name", "/etc/a"),
            ("evt.unverified", "true"),
            // It has not returned, and has no registers.
            ("evt.res", "-"),
            ("evt.rawres", "-"),
            ("evt.failed", "-"),
            ("fd.num", "-"),
            ("evt.is_open_read", "-"),
        ],
    );
    let rename = Draft::request(35, "renameat2").user(Section::Raw, "/a").user(Section::Raw2, "/b");
    check(&rename, &[("fs.path.source", "/a"), ("fs.path.target", "/b"), ("fd.name", "-")]);
}

#[test]
fn descriptors_that_are_made() {
    #[track_caller]
    fn makes(name: &'static str, result: i64, expected: [&str; 3]) {
        let [number, kind, letter] = expected;
        let fields = [("fd.num", number), ("fd.type", kind), ("fd.typechar", letter)];
        check(&Draft::call(name).result(result), &fields);
    }
    makes("epoll_create1", 7, ["7", "eventpoll", "l"]);
    makes("eventfd2", 7, ["7", "event", "e"]);
    makes("signalfd4", 7, ["-", "signalfd", "s"]);
    makes("inotify_init1", -24, ["-1", "inotify", "i"]);
    makes("timerfd_create", 7, ["7", "timerfd", "t"]);
    makes("userfaultfd", 7, ["7", "userfaultfd", "u"]);
    makes("io_uring_setup", 7, ["7", "io_uring", "r"]);
    makes("memfd_create", -14, ["-1", "memfd", "m"]);
    makes("pipe2", 0, ["-", "pipe", "p"]);
    makes("close", 0, ["0", "-", "-"]);
}

#[test]
fn names_that_are_no_paths() {
    let module = Draft::call("delete_module").user(Section::Raw, "/x");
    check(&module, &[("fs.path.name", "-"), ("fs.path.nameraw", "-"), ("evt.arg.name", "/x")]);
}
