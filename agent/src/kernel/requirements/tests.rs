//! Whole machines as folders of files, and what is found lacking on each.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use rustix::fs::{FlockOperation, flock};

use super::fixture::Fixture;
use super::{Check, EventOptions, Machine, Report, Status, Wanted, other_agent, probe, sensors};

const PINS: &str = "/sys/fs/bpf/landlord";

fn report(fixture: &Fixture) -> Report {
    let wanted = Wanted { pin_path: Some(Path::new(PINS)), max_cgroups: 2048, events: None };
    probe(&fixture.machine(), &wanted)
}

/// The row `name` of the report on each machine.
fn rows(name: &str, machines: impl IntoIterator<Item = Fixture>) -> String {
    machines.into_iter().map(|fixture| row(&report(&fixture), name)).collect()
}

fn row(report: &Report, name: &str) -> String {
    let check = report.checks.iter().find(|check| check.name == name).unwrap();
    let Check { status, found, reason, remedy, .. } = check;
    let mut text = format!("{}: {found}\n", status.word());
    for line in [reason, remedy].into_iter().flatten() {
        text += &format!("    {line}\n");
    }
    text
}

#[test]
fn verdicts() {
    let check = |fixture: Fixture, expected: Status| {
        let report = report(&fixture);
        assert_eq!(report.verdict(), expected, "{report:#?}");
        assert_eq!(report.fatal().is_some(), expected == Status::Missing);
    };
    check(Fixture::unified(), Status::Ok);
    check(Fixture::hybrid(), Status::Ok);
    check(Fixture::hybrid().file("proc/sys/net/core/bpf_jit_enable", "0"), Status::Degraded);
    check(Fixture::v1_only(), Status::Missing);
    check(Fixture::without_btf(), Status::Missing);
    check(Fixture::unprivileged(), Status::Missing);
    check(Fixture::hopeless(), Status::Missing);
}

#[test]
fn refusals() {
    let refusals = [Fixture::v1_only(), Fixture::without_btf(), Fixture::unprivileged()]
        .map(|fixture| report(&fixture).fatal().unwrap());
    assert_snapshot!(refusals.join("\n"), @"
    Landlord cannot run here: cgroup v2: cgroup v1 only (the sensors tell tenants apart by cgroup v2). Remedy: boot with systemd.unified_cgroup_hierarchy=1
    Landlord cannot run here: kernel types (BTF): no /sys/kernel/btf/vmlinux (this kernel was built without CONFIG_DEBUG_INFO_BTF). Remedy: boot a kernel that has it, such as Debian's or Ubuntu's
    Landlord cannot run here: privileges: uid 1000 (without CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN). Remedy: run as root, for example with sudo
    ");
    assert_snapshot!(report(&Fixture::hopeless()).fatal().unwrap(), @"
    Landlord cannot run here, for these reasons:
      kernel: 4.19.0-26-amd64 (the sensors need 5.10 or newer). Remedy: boot a newer one: Debian 11, Ubuntu 22.04 and RHEL 9 have it
      privileges: uid 1000 (without CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN). Remedy: run as root, for example with sudo
      locked memory: limit of 65536 bytes (too little for the maps, and raising it takes CAP_SYS_RESOURCE). Remedy: give the agent CAP_SYS_RESOURCE
      kernel types (BTF): no /sys/kernel/btf/vmlinux (this kernel was built without CONFIG_DEBUG_INFO_BTF). Remedy: boot a kernel that has it, such as Debian's or Ubuntu's
      cgroup v2: cgroup v1 only (the sensors tell tenants apart by cgroup v2). Remedy: boot with systemd.unified_cgroup_hierarchy=1
    ");
}

#[test]
fn kernel() {
    let release = |text: &str| Fixture::unified().file("proc/sys/kernel/osrelease", text);
    assert_snapshot!(rows("kernel", [
        release("5.10.0-28-amd64"),
        release("5.4.0-150-generic"),
        release("strange"),
    ]), @"
    ok: 5.10.0-28-amd64
    missing: 5.4.0-150-generic
        the sensors need 5.10 or newer
        boot a newer one: Debian 11, Ubuntu 22.04 and RHEL 9 have it
    missing: unknown
        /proc/sys/kernel/osrelease cannot be read
        mount /proc: `mount -t proc proc /proc`
    ");
}

#[test]
fn architecture() {
    let fixture = Fixture::unified();
    let machine = Machine { architecture: "riscv64", ..fixture.machine() };
    let report = probe(&machine, &Wanted { pin_path: None, max_cgroups: 64, events: None });
    assert_snapshot!(row(&report, "architecture"), @"
    missing: riscv64
        sensors exist for x86_64 and aarch64 only
        run the agent on an x86_64 or aarch64 node
    ");
}

#[test]
fn kernel_types() {
    let content = |text: &str| Fixture::unified().file("sys/kernel/btf/vmlinux", text);
    assert_snapshot!(rows("kernel types (BTF)", [
        Fixture::unified(),
        Fixture::without_btf(),
        content("text"),
        content("x"),
    ]), @"
    ok: /sys/kernel/btf/vmlinux
    missing: no /sys/kernel/btf/vmlinux
        this kernel was built without CONFIG_DEBUG_INFO_BTF
        boot a kernel that has it, such as Debian's or Ubuntu's
    missing: /sys/kernel/btf/vmlinux is not BTF
        it does not begin with the bytes of BTF
        mount the kernel's own sysfs: `mount -t sysfs sysfs /sys`
    missing: /sys/kernel/btf/vmlinux is not BTF
        it does not begin with the bytes of BTF
        mount the kernel's own sysfs: `mount -t sysfs sysfs /sys`
    ");
}

#[test]
fn privileges() {
    assert_snapshot!(rows("privileges", [
        Fixture::unified(),
        // BPF, PERFMON and NET_ADMIN, and nothing else.
        Fixture::unified().user(1000, "000000c000001000"),
        Fixture::unified().user(1000, "0000008000001000"),
        // What a container runtime leaves to root by default.
        Fixture::unified().user(0, "00000000a80425fb"),
        Fixture::unified().file("proc/self/uid_map", "         0       1000          1\n"),
    ]), @"
    ok: root
    ok: uid 1000 with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN
    missing: uid 1000
        without CAP_PERFMON
        run as root, for example with sudo
    missing: root, confined
        without CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN
        give the container the capabilities BPF, PERFMON and NET_ADMIN
    missing: uid 0 of a user namespace
        root of a user namespace has no power over the kernel
        run as root of the machine, not in a rootless container
    ");
}

#[test]
fn what_only_rules_need() {
    let check = |effective: &str, watches: bool, expected: &[&str]| {
        let fixture = Fixture::unified().user(0, effective);
        let events = watches.then(EventOptions::default);
        let wanted = Wanted { pin_path: None, max_cgroups: 64, events };
        let report = probe(&fixture.machine(), &wanted);
        let found: Vec<_> = report.with(Status::Degraded).map(|row| row.found.as_str()).collect();
        assert_eq!(found, expected, "{effective}");
    };
    let without = |name: &str| format!("without CAP_{name}");
    let (ptrace, files, symbols) =
        (without("SYS_PTRACE"), without("DAC_READ_SEARCH"), without("SYSLOG"));
    // What the chart asks for, and the same without one of them.
    check("000000c401081004", true, &[]);
    check("000000c401001004", true, &[&ptrace]);
    check("000000c401081000", true, &[&files]);
    check("000000c001081004", true, &[&symbols]);
    check("000000c000001000", true, &[&ptrace, &files, &symbols]);
    // DAC_OVERRIDE reads all files, too.
    check("000000c401081002", true, &[]);
    // Meters need none of them, and a greater lack is told alone.
    check("000000c000001000", false, &[]);
    check("0000000000000000", true, &[]);
}

#[test]
fn locked_memory_matters_before_5_11() {
    let old = || Fixture::unified().file("proc/sys/kernel/osrelease", "5.10.0-28-amd64");
    let unlimited = "Max locked memory         unlimited   unlimited   bytes\n";
    assert_snapshot!(rows("locked memory", [
        old(),
        old().user(1000, "000000c000001000"),
        old().file("proc/self/limits", unlimited),
    ]), @"
    ok: limit of 65536 bytes; the agent raises it
    missing: limit of 65536 bytes
        too little for the maps, and raising it takes CAP_SYS_RESOURCE
        give the agent CAP_SYS_RESOURCE
    ok: unlimited
    ");
    assert!(report(&Fixture::unified()).checks.iter().all(|check| check.name != "locked memory"));
}

#[test]
fn hierarchies() {
    assert_snapshot!(rows("cgroup v2", [
        Fixture::unified(),
        Fixture::hybrid(),
        Fixture::v1_only(),
        Fixture::unified().file("proc/self/mounts", ""),
        Fixture::unified().without("proc/self/mounts"),
        // Within a cgroup namespace the root shown is not the root.
        Fixture::unified().file("sys/fs/cgroup/cgroup.type", "domain\n"),
    ]), @"
    ok: /sys/fs/cgroup (unified)
    ok: /sys/fs/cgroup/unified, beside cgroup v1 (hybrid)
    missing: cgroup v1 only
        the sensors tell tenants apart by cgroup v2
        boot with systemd.unified_cgroup_hierarchy=1
    missing: no cgroup file system
        the sensors tell tenants apart by cgroup v2
        mount it: `mount -t cgroup2 cgroup2 /sys/fs/cgroup`
    missing: unknown
        /proc/self/mounts cannot be read
        mount /proc: `mount -t proc proc /proc`
    degraded: /sys/fs/cgroup is a part of the tree
        a cgroup namespace hides the cgroups above it
        mount the machine's own /sys/fs/cgroup into the container
    ");
}

#[test]
fn figures_from_files() {
    let off = || Fixture::unified().file("sys/fs/cgroup/cgroup.subtree_control", "cpu memory\n");
    assert_snapshot!(rows("disk figures", [
        Fixture::unified(),
        off(),
        off().file("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
        Fixture::hybrid(),
    ]), @"
    ok: controller `io` is on
    degraded: controller `io` is off
        it is not handed down to the cgroups below the root
        switch it on: `echo +io > /sys/fs/cgroup/cgroup.subtree_control`
    degraded: no controller `io`
        the kernel lacks it or has it disabled
        boot without cgroup_disable=io
    ok: controller `blkio` of cgroup v1
    ");
}

#[test]
fn pinned_counters() {
    assert_snapshot!(rows("pinned counters", [
        Fixture::unified(),
        // Not mounted: root mounts it, others cannot.
        Fixture::hybrid(),
        Fixture::hybrid().user(1000, "000000c000001000"),
    ]), @"
    ok: bpffs on /sys/fs/bpf
    ok: the agent mounts bpffs on /sys/fs/bpf
    missing: no bpffs holds /sys/fs/bpf/landlord
        counters outlive the agent on bpffs only
        mount it: `mount -t bpf bpf /sys/fs/bpf`
    ");

    let row_for = |pin_path: Option<&str>| {
        let wanted = Wanted { pin_path: pin_path.map(Path::new), max_cgroups: 64, events: None };
        row(&probe(&Fixture::unified().machine(), &wanted), "pinned counters")
    };
    assert_snapshot!(row_for(None), @"info: off by configuration: counters start at zero with each agent");
    assert_snapshot!(row_for(Some("/run/pins")), @"
    missing: no bpffs holds /run/pins
        counters outlive the agent on bpffs only
        choose a pin path below /sys/fs/bpf
    ");
}

#[test]
fn hardening() {
    let lockdown = |text: &str| Fixture::unified().file("sys/kernel/security/lockdown", text);
    assert_snapshot!(rows("lockdown", [
        lockdown("[none] integrity confidentiality"),
        lockdown("none [integrity] confidentiality"),
        lockdown("none integrity [confidentiality]"),
        Fixture::unified().without("sys/kernel/security/lockdown"),
    ]), @"
    ok: none
    ok: integrity
    degraded: confidentiality
        the kernel may refuse sensors that read its memory
        boot with lockdown=integrity
    ok: none seen
    ");
    let jit = |text: &str| Fixture::unified().file("proc/sys/net/core/bpf_jit_enable", text);
    assert_snapshot!(rows("BPF compiler (JIT)", [jit("1"), jit("0")]), @"
    ok: on
    degraded: off
        programs are interpreted and cost several times as much
        switch it on: `sysctl net.core.bpf_jit_enable=1`
    ");
    let lsm = |text: &str| Fixture::unified().file("sys/kernel/security/lsm", text);
    assert_snapshot!(rows("BPF LSM", [lsm("lockdown,yama,bpf"), lsm("lockdown,yama")]), @"
    info: active
    info: not active
    ");
}

#[test]
fn trial_load() {
    let mut report = Report::default();
    report.add(sensors(Ok(())));
    assert_eq!(report.fatal(), None);
    report.add(sensors(Err("the kernel refused the sensor sched_switch".to_owned())));
    assert_snapshot!(report.fatal().unwrap(), @"Landlord cannot run here: sensors: the kernel refused a program (the kernel refused the sensor sched_switch). Remedy: report it with the output of `landlord doctor --log-level debug`");
}

#[test]
fn another_agent_holds_its_pins() {
    let fixture = Fixture::unified();
    let status = || other_agent(&fixture.machine(), Path::new(PINS)).unwrap().status;
    assert_eq!(status(), Status::Ok);
    let folder = fixture.machine().at(PINS);
    fs::create_dir(&folder).unwrap();
    assert_eq!(status(), Status::Ok);
    let lock = fs::File::open(folder).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_eq!(status(), Status::Info);
    drop(lock);
    assert_eq!(status(), Status::Ok);
}
