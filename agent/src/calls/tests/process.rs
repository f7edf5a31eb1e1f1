//! Processes: how they are made and started, what they do to each other, and whose
//! they are.

use landlord_ebpf::abi::{Layer, RecordKind, exec_flag};

use super::{called, check, check_args, check_raw, check_untold, given, head, number};
use crate::event::{FileFacts, Record, TaskFacts};
use crate::rules::value::Value;

fn started<'a>() -> Record<'a> {
    let mut record = Record::empty(head(0, [0; 6], 0), RecordKind::Exec);
    record.argv = given(b"ls\0-l\0/tmp dir\0");
    record.envp = given(b"A=1\0B=2\0");
    record.exe = given(b"/usr/bin/ls");
    record.cwd = given(b"/tmp");
    record.task = Some(TaskFacts {
        tty: 34816,
        vpgid: 77,
        exec_flags: exec_flag::WRITABLE | exec_flag::MEMFD,
        ..TaskFacts::default()
    });
    record.file = Some(FileFacts {
        ino: 7,
        ctime_ns: 1_000_000_001,
        layer: Layer::Upper as u32,
        ..FileFacts::default()
    });
    record
}

#[test]
fn a_program_that_was_started() {
    check(
        &started(),
        &[
            ("res", "0"),
            ("exe", "ls"),
            ("args", "-l./tmp dir."),
            ("env", "A=1.B=2."),
            ("cwd", "/tmp"),
            ("comm", "bash"),
            ("tid", "4712"),
            ("pid", "4711"),
            ("ptid", "1"),
            ("tty", "34816"),
            ("vpgid", "sshd"),
            ("loginuid", "<NONE>"),
            ("uid", "1000"),
            ("flags", "EXE_WRITABLE|EXE_UPPER_LAYER|EXE_FROM_MEMFD"),
            ("cap_permitted", "1FFFFFFFFFF"),
            ("cap_effective", "0"),
            ("exe_ino", "7"),
            ("exe_ino_ctime", "1970-01-01 00:00:01.000000001 +0000"),
            ("trusted_exepath", "/usr/bin/ls"),
        ],
    );
    check_untold(&started(), &["fdlimit", "vm_size", "cgroups", "dirfd"]);
    check_raw(&started(), "loginuid", Some(Value::Int(-1)));
    check_raw(&started(), "flags", Some(Value::Uint(0b111)));
    check_raw(&started(), "args", Some(Value::Text(b"-l\0/tmp dir\0")));
    check_raw(&started(), "cap_permitted", Some(Value::Uint(0x1ff_ffff_ffff)));
}

#[test]
fn layers_of_the_program() {
    let check_layer = |layer: Layer, expected: &str| {
        let mut record = started();
        record.task = Some(TaskFacts::default());
        record.file = Some(FileFacts { layer: layer as u32, ..FileFacts::default() });
        check(&record, &[("flags", expected)]);
    };
    check_layer(Layer::None, "0");
    check_layer(Layer::Upper, "EXE_UPPER_LAYER");
    check_layer(Layer::Lower, "EXE_LOWER_LAYER");
}

#[test]
fn a_program_that_was_not_started() {
    let mut record = called("execve", &[0, 0, 0], -13);
    record.raw = given(b"./a");
    check(&record, &[("res", "EACCES"), ("filename", "/work/first"), ("comm", "bash")]);
    check_untold(&record, &["exe", "args", "flags"]);
}

#[test]
fn an_end() {
    let ended = |status: i64| Record::empty(head(0, [0; 6], status), RecordKind::Exit);
    check_args(&ended(0x100), "status=256 ret=1 sig=0 core=0 reaper_tid=<NA> ");
    check(&ended(0x8b), &[("status", "139"), ("ret", "0"), ("sig", "SIGSEGV"), ("core", "1")]);
    check(&ended(9), &[("sig", "SIGKILL"), ("core", "0")]);
}

#[test]
fn processes_that_are_made() {
    let record = called("clone", &[0x2002_0011], 77);
    check(&record, &[("res", "sshd"), ("flags", "CLONE_NEWNS|CLONE_NEWPID"), ("pid", "4711")]);
    check(&called("clone", &[17], -11), &[("res", "-11"), ("flags", "17")]);
    let mut record = called("clone3", &[0, 88], 5);
    check_untold(&record, &["flags"]);
    let mut arguments = [0; 64];
    arguments[..8].copy_from_slice(&0x1000_0100_u64.to_ne_bytes());
    record.structure = given(&arguments);
    check(&record, &[("flags", "CLONE_VM|CLONE_NEWUSER")]);
    // A record that is not made on return has no registers.
    let nr = number("clone", false).unwrap();
    let record = Record::empty(head(nr, [0; 6], 0), RecordKind::Fork);
    check(&record, &[("res", "0"), ("pid", "4711")]);
    check_untold(&record, &["flags"]);
}

#[test]
fn what_is_done_to_processes() {
    check_args(&called("kill", &[77, 9], 0), "res=0 pid=77(sshd) sig=9(SIGKILL) ");
    check_args(&called("kill", &[0xffff_ffff_ffff_ffff, 40], -1), "res=-1(EPERM) pid=-1 sig=40 ");
    check(
        &called("ptrace", &[16, 77, 0x7fff_ffff_f000, 0], 0),
        &[("request", "PTRACE_ATTACH"), ("pid", "sshd"), ("addr", "7FFFFFFFF000"), ("data", "0")],
    );
    check(&called("ptrace", &[0x4206, 1], 0), &[("request", "PTRACE_SEIZE"), ("pid", "1")]);
    check(&called("ptrace", &[999, 1], -5), &[("request", "999")]);
    check(
        &called("setns", &[3, 0x4000_0000], 0),
        &[("fd", "<f>/etc/passwd"), ("nstype", "CLONE_NEWNET")],
    );
    check(&called("setns", &[3, 0], 0), &[("nstype", "0")]);
    check(
        &called("unshare", &[0x1002_0000], 0),
        &[("flags", "CLONE_NEWNS|CLONE_NEWUSER"), ("res", "0")],
    );
}

#[test]
fn users() {
    check_args(&called("setuid", &[33], 0), "res=0 uid=33(www-data) ");
    check_args(&called("setuid", &[5000], 0), "res=0 uid=5000 ");
    check_args(
        &called("setresgid", &[33, 0xffff_ffff, 1], 0),
        "res=0 rgid=33(www) egid=-1(<NONE>) sgid=1 ",
    );
    check_raw(&called("setuid", &[33], 0), "uid", Some(Value::Uint(33)));
    // The first calls of 32-bit programs know 16 bits.
    for (name, uid, expected) in [
        ("setuid", 0x1_0021, "www-data"),
        ("setuid", 0xffff, "<NONE>"),
        ("setuid32", 0xffff, "65535"),
        ("setuid32", 33, "www-data"),
    ] {
        let nr = number(name, true).unwrap();
        let record = Record::empty(head(nr, [uid, 0, 0, 0, 0, 0], 0), RecordKind::Syscall);
        check(&record, &[("uid", expected)]);
        assert_eq!(super::call(&record).event_type.name(), "setuid");
    }
}

#[test]
fn capabilities_are_put_together() {
    let mut data = [0_u8; 24];
    for (at, half) in [(0, 1_u32), (4, 2), (8, 3), (12, 0x10), (16, 0x20), (20, 0)] {
        data[at..at + 4].copy_from_slice(&half.to_ne_bytes());
    }
    let mut record = called("capset", &[0, 0], 0);
    record.structure = given(&data);
    check(
        &record,
        &[
            ("cap_effective", "1000000001"),
            ("cap_permitted", "2000000002"),
            ("cap_inheritable", "3"),
        ],
    );
}

#[test]
fn a_thread_gets_a_name() {
    let mut record = called("prctl", &[15, 0x7fff_0000], 0);
    record.structure = given(b"kworker/0:1\0\0\0\0\0");
    check(&record, &[("option", "PR_SET_NAME"), ("arg2_str", "kworker/0:1")]);
    let mut record = called("prctl", &[36, 1], 0);
    record.structure = given(b"");
    check(&record, &[("option", "PR_SET_CHILD_SUBREAPER"), ("arg2_int", "1")]);
    check_untold(&record, &["arg2_str"]);
}
