//! Made-up processes, and those of this machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use landlord_ebpf::abi::exec_flag;

use super::{ProcFs, ProcStats, cgroup_path, namespace_inode};

fn here() -> ProcFs {
    ProcFs::new("/proc", |path| Some(path.len() as u64))
}

/// A child that lives until it is dropped.
struct Sleeper(Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn sleeper(change: impl Fn(&mut Command)) -> Sleeper {
    let mut command = Command::new("/bin/sleep");
    command.arg0("nap").arg("60").stdin(Stdio::null()).env_clear().env("A", "1").env("B", "2");
    change(&mut command);
    let sleeper = Sleeper(command.spawn().unwrap());
    // It is started when the descriptors of its maker are closed, a moment before its
    // arguments are in place.
    while fs::read(format!("/proc/{}/cmdline", sleeper.0.id())).unwrap().is_empty() {
        std::thread::yield_now();
    }
    sleeper
}

#[test]
fn process_is_told_as_it_is() {
    let child = sleeper(|command| _ = command.current_dir("/tmp").process_group(0));
    let pid = child.0.id();
    let facts = here().read(pid).unwrap();
    let exe = fs::canonicalize("/bin/sleep").unwrap();
    assert_eq!((facts.pid, facts.parent), (pid, std::process::id()));
    assert_eq!((&*facts.comm, &*facts.argv), (&b"sleep"[..], &b"nap\x0060\0"[..]));
    assert_eq!((&*facts.envp, &*facts.cwd), (&b"A=1\0B=2\0"[..], &b"/tmp"[..]));
    assert_eq!((&*facts.exe, facts.exe_deleted), (exe.as_os_str().as_encoded_bytes(), false));
    assert_eq!((facts.task.pgid, facts.task.vpid), (pid, facts.task.vtid));
    assert!(facts.task.pid_namespace != 0 && facts.task.mount_namespace != 0);
    assert_eq!((facts.uid, facts.start_ns % 10_000_000), (rustix::process::geteuid().as_raw(), 0));
    let file = facts.file.unwrap();
    let expected = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&exe).unwrap());
    assert_eq!((file.ino, file.mode & 0o170_000), (expected, 0o100_000));
    assert_eq!(facts.task.exec_flags & exec_flag::MEMFD, 0);
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let age = now.tv_sec - i64::try_from(facts.start_ns / 1_000_000_000).unwrap();
    assert!((0..60).contains(&age), "{age} s old");
}

#[test]
fn removed_program_is_told() {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("nap");
    fs::copy("/bin/sleep", &program).unwrap();
    let child = Sleeper(Command::new(&program).arg("60").spawn().unwrap());
    fs::remove_file(&program).unwrap();
    let facts = here().read(child.0.id()).unwrap();
    assert_eq!(&*facts.exe, program.as_os_str().as_encoded_bytes());
    assert!(facts.exe_deleted);
    assert_eq!(facts.file.unwrap().nlink, 0);
}

#[test]
fn processes_that_ended_are_left_out_and_counted() {
    let mut child = Command::new("/bin/true").spawn().unwrap();
    let mut proc = here();
    // It stays a zombie until it is waited for.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while proc.read(child.id()).is_some() {
        assert!(std::time::Instant::now() < deadline, "did not end");
        std::thread::yield_now();
    }
    let before = proc.stats();
    assert_eq!(before.vanished_total, 1);
    child.wait().unwrap();
    assert_eq!(proc.read(child.id()), None);
    assert_eq!(proc.read(u32::MAX), None);
    let expected = ProcStats { vanished_total: 3, ..before };
    assert_eq!(proc.stats(), expected);
}

#[test]
fn threads_are_no_processes() {
    let thread =
        std::thread::spawn(|| here().read(rustix::thread::gettid().as_raw_pid().cast_unsigned()));
    assert_eq!(thread.join().unwrap(), None);
}

#[test]
fn all_processes_are_told_in_order() {
    let children: Vec<_> = (0..5).map(|_| sleeper(|_| ())).collect();
    let mut proc = here();
    let all: Vec<_> = proc.scan().unwrap().map(|facts| facts.pid).collect();
    assert!(all.is_sorted());
    assert!(children.iter().all(|child| all.contains(&child.0.id())));
    assert!(all.contains(&std::process::id()));
    assert_eq!(proc.stats().read_total, all.len() as u64);
    assert!(ProcFs::new("/nowhere", |_| None).scan().is_err());
}

/// A directory with process 7.
fn made_up(change: impl Fn(&Path)) -> (Option<super::ProcessFacts>, ProcStats) {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join("7").join(name);
    fs::create_dir_all(path("ns")).unwrap();
    let stat = "7 (x) S 1 6 5 1025 0 0 1 2 3 4 5 6 7 8 20 0 1 0 500 9 9\n";
    fs::write(path("stat"), stat).unwrap();
    let status = "Tgid:\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNStgid:\t7\t1\n";
    fs::write(path("status"), status).unwrap();
    fs::write(path("comm"), "a name that is longer\n").unwrap();
    fs::write(path("cmdline"), "x\0y\0").unwrap();
    fs::write(path("environ"), "A=1").unwrap();
    fs::write(path("loginuid"), "1000").unwrap();
    fs::write(path("cgroup"), "1:name=systemd:/x\n0::/pod/c\n").unwrap();
    symlink("/jail", path("root")).unwrap();
    symlink("/jail/home (deleted)", path("cwd")).unwrap();
    symlink("/memfd:x (deleted)", path("exe")).unwrap();
    symlink("pid:[12]", path("ns/pid")).unwrap();
    change(&place.path().join("7"));
    let id = |path: &[u8]| (path == b"/pod/c").then_some(99);
    let mut proc = ProcFs::new(place.path(), id);
    (proc.read(7), proc.stats())
}

#[test]
fn files_become_facts() {
    let facts = made_up(|_| ()).0.unwrap();
    assert_eq!((facts.pid, facts.start_ns, facts.exec_ns), (7, 5_000_000_000, 5_000_000_000));
    assert_eq!((facts.parent, facts.uid, facts.gid, facts.loginuid), (1, 2, 6, 1000));
    assert_eq!(&*facts.comm, b"a name that is ");
    assert_eq!((&*facts.exe, &*facts.cwd), (&b"/memfd:x"[..], &b"/home"[..]));
    assert_eq!((facts.exe_deleted, facts.file), (true, None));
    assert_eq!(facts.cgroup, 99);
    let task = facts.task;
    assert_eq!((task.pgid, task.sid, task.tty, task.vpid), (6, 5, 1025, 1));
    assert_eq!((task.pid_namespace, task.mount_namespace), (12, 0));
    assert_eq!(task.exec_flags, exec_flag::MEMFD);
}

#[test]
fn files_that_are_missing_or_wrong_are_counted() {
    #[track_caller]
    fn check(change: impl Fn(&Path), read: u64, vanished: u64, malformed: u64) {
        let (facts, stats) = made_up(change);
        let (read_total, vanished_total, malformed_total) = (read, vanished, malformed);
        let expected = ProcStats { read_total, vanished_total, malformed_total, refused_total: 0 };
        assert_eq!((facts.is_some(), stats), (read == 1, expected));
    }
    check(|_| (), 1, 0, 0);
    for link in ["exe", "cwd", "root"] {
        check(|process| fs::remove_file(process.join(link)).unwrap(), 1, 0, 0);
    }
    for file in ["stat", "status", "comm", "cmdline"] {
        check(|process| fs::remove_file(process.join(file)).unwrap(), 0, 1, 0);
    }
    for file in ["stat", "status"] {
        check(|process| fs::write(process.join(file), "?").unwrap(), 0, 0, 1);
    }
}

#[test]
fn lines_of_cgroups_and_namespaces_are_read() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(cgroup_path(text.as_bytes()), expected.map(str::as_bytes));
    }
    check("0::/\n", Some("/"));
    check("12:cpu:/a\n0::/b:c\n", Some("/b:c"));
    check("12:cpu:/a\n", None);
    check("", None);
    assert_eq!(namespace_inode(b"mnt:[4026531841]"), Some(4_026_531_841));
    assert_eq!(namespace_inode(b"mnt:[x]"), None);
    assert_eq!(namespace_inode(b"mnt"), None);
}
