//! Who acted: the process, its ancestors, its user.

use landlord_ebpf::abi::{Section, TaskFacts};

use super::draft::Draft;
use super::world::{World, process};
use super::{check, check_in};

#[test]
fn the_process() {
    check(
        &Draft::call("close"),
        &[
            ("proc.pid", "200"),
            ("proc.name", "cat"),
            ("proc.exe", "cat"),
            ("proc.exepath", "/usr/bin/cat"),
            ("proc.cmdline", "cat -n /etc/shadow"),
            ("proc.exeline", "cat -n /etc/shadow"),
            ("proc.args", "-n /etc/shadow"),
            ("proc.args[0]", "-n"),
            ("proc.args[1]", "/etc/shadow"),
            ("proc.args[2]", "-"),
            ("proc.cmdnargs", "2"),
            ("proc.cmdlenargs", "13"),
            ("proc.cwd", "/work/"),
            ("proc.env", "PID=200 HOME=/root"),
            ("proc.env[HOME]", "/root"),
            ("proc.env[NONE]", "-"),
            ("proc.duration", "2000000001"),
            ("proc.pid.ts", "505000000000"),
            ("proc.ppid", "100"),
            ("proc.ppid.ts", "502000000000"),
            ("proc.ppid.duration", "5000000001"),
            ("proc.pname", "bash"),
            ("proc.pexe", "-bash"),
            ("proc.pexepath", "/usr/bin/bash"),
            ("proc.pcmdline", "bash"),
            ("proc.pvpid", "10"),
            ("proc.vpid", "20"),
            ("proc.sid", "1"),
            ("proc.pgid", "200"),
            ("proc.vpgid", "20"),
            ("proc.tty", "34816"),
            ("proc.is_sid_leader", "false"),
            ("proc.is_pgid_leader", "true"),
            ("proc.is_vpgid_leader", "true"),
            ("proc.sname", "sh"),
            ("proc.sid.exe", "/bin/sh"),
            ("proc.sid.exepath", "/usr/bin/sh"),
            ("proc.pgid.name", "cat"),
            ("proc.pgid.exe", "cat"),
            ("proc.vpgid.name", "cat"),
            ("proc.vpgid.exepath", "/usr/bin/cat"),
            ("proc.loginshellid", "10"),
            ("proc.nthreads", "-"),
            ("proc.vmrss", "-"),
            ("proc.fdopencount", "-"),
            ("proc.stdin.name", "-"),
        ],
    );
}

#[test]
fn its_program() {
    check(
        &Draft::call("close"),
        &[
            ("proc.exe_ino", "77"),
            ("proc.exe_ino.ctime", "503000000000"),
            ("proc.exe_ino.mtime", "402000000000"),
            ("proc.exe_ino.ctime_duration_proc_start", "2000000000"),
            ("proc.exe_ino.ctime_duration_pidns_start", "2000000000"),
            ("proc.pidns_init_start_ts", "501000000000"),
            ("proc.is_exe_upper_layer", "true"),
            ("proc.is_exe_lower_layer", "false"),
            ("proc.is_exe_writable", "true"),
            ("proc.is_exe_from_memfd", "false"),
            ("proc.is_container_liveness_probe", "true"),
            ("proc.is_container_readiness_probe", "false"),
        ],
    );
    let probe = [("proc.is_container_liveness_probe", "false")];
    check_in(&World::host(), &Draft::call("close"), &probe);
}

#[test]
fn its_ancestors() {
    check(
        &Draft::call("close"),
        &[
            ("proc.aname", "bash,sh,init"),
            ("proc.aname[0]", "cat"),
            ("proc.aname[1]", "bash"),
            ("proc.aname[2]", "sh"),
            ("proc.aname[4]", "-"),
            ("proc.apid", "100,10,1"),
            ("proc.apid[0]", "200"),
            ("proc.aexe", "-bash,/bin/sh,/sbin/init"),
            ("proc.aexepath[2]", "/usr/bin/sh"),
            ("proc.acmdline", "bash,sh -c serve,init"),
            ("proc.aargs[2]", "-c serve"),
            ("proc.aargs[1]", ""),
            ("proc.aenv", "PID=100 HOME=/root,PID=10 HOME=/root,PID=1 HOME=/root"),
            ("proc.aenv[0]", "PID=200 HOME=/root"),
            ("proc.aenv[2]", "PID=10 HOME=/root"),
            ("proc.aenv[PID]", "100"),
            ("proc.aenv[NONE]", "-"),
        ],
    );
}

#[test]
fn one_that_is_not_in_the_table() {
    check_in(
        &World::unknown(),
        &Draft::call("close"),
        &[
            ("proc.pid", "200"),
            ("proc.name", "thread"),
            ("proc.ppid", "100"),
            ("proc.duration", "2000000001"),
            ("proc.cmdline", "-"),
            ("proc.exepath", "-"),
            ("proc.pname", "-"),
            ("proc.aname", "-"),
            ("proc.vpid", "-"),
            ("proc.tty", "-"),
            ("proc.is_exe_writable", "-"),
            ("proc.cmdnargs", "-"),
            ("thread.nametid", "thread201"),
        ],
    );
    // Its parent is.
    let mut world = World::unknown();
    world.table.insert(process(10, 1, 1_000_000_000, "sh", &["/bin/sh"]));
    world.table.insert(process(100, 10, 2_000_000_000, "bash", &["-bash"]));
    let expected = [("proc.pname", "bash"), ("proc.aname", "bash,sh"), ("proc.aname[0]", "-")];
    check_in(&world, &Draft::call("close"), &expected);
}

#[test]
fn the_thread() {
    check(
        &Draft::call("close"),
        &[
            ("thread.tid", "201"),
            ("thread.ismain", "false"),
            ("thread.nametid", "cat201"),
            ("thread.vtid", "-"),
            ("thread.cap_permitted", "CAP_NET_RAW CAP_SYS_ADMIN"),
            ("thread.cap_effective", ""),
            ("thread.cgroup.cpu", "/kubepods.slice/web"),
            ("thread.pfmajor", "-"),
        ],
    );
    let mut main = Draft::call("close");
    main.head.tid = 200;
    check(&main, &[("thread.ismain", "true"), ("thread.vtid", "20")]);
    let told = Draft::call("close").task(&TaskFacts { vtid: 5, tty: 3, ..TaskFacts::default() });
    check(&told, &[("thread.vtid", "5"), ("proc.tty", "3"), ("proc.vpid", "-")]);
    let cgroups = "cpuset=/a cpu=/a io=/a memory=/a hugetlb=/a pids=/a misc=/a";
    let mut world = World::host();
    world.place.cgroup_path = "/a".into();
    check_in(&world, &Draft::call("close"), &[("thread.cgroups", cgroups)]);
}

#[test]
fn the_user() {
    check(
        &Draft::call("close"),
        &[
            ("user.uid", "1000"),
            ("user.name", "app"),
            ("user.homedir", "/home/app"),
            ("user.shell", "/bin/false"),
            ("user.loginuid", "-1"),
            ("user.loginname", "-"),
            ("group.gid", "100"),
            ("group.name", "users"),
        ],
    );
    let mut draft = Draft::call("close");
    draft.head.loginuid = 1000;
    draft.head.uid = 5;
    draft.head.gid = 5;
    let expected = [
        ("user.loginuid", "1000"),
        // Whoever logged in, did so on the host.
        ("user.loginname", "alice"),
        ("user.name", "-"),
        ("group.name", "-"),
        ("user.uid", "5"),
    ];
    check(&draft, &expected);
}

#[test]
fn a_program_of_unknown_words() {
    let mut world = World::unknown();
    let mut facts = process(200, 100, 5_000_000_000, "kworker/0:1", &[]);
    facts.argv = [].into();
    facts.exe = [].into();
    facts.cwd = b"/".as_slice().into();
    facts.file = None;
    world.table.insert(facts);
    let expected = [
        ("proc.name", "kworker/0:1"),
        ("proc.cmdline", "kworker/0:1"),
        ("proc.exe", "-"),
        ("proc.args", "-"),
        ("proc.exepath", "-"),
        ("proc.cwd", "/"),
        ("proc.exe_ino", "-"),
    ];
    check_in(&world, &Draft::call("close").user(Section::Buffer, ""), &expected);
}
