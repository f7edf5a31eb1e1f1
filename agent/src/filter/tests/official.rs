//! Falco's own rule files, where they are at hand, and ours: what they spare.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use super::subject::{opened, part, reached};
use crate::filter::{Filter, TableCalls, VerdictKey};
use crate::rules::evaluate::Scratch;
use crate::rules::load::{Options, load, read};
use crate::rules::rule::Rule;

/// The rules of a folder, all in force.
fn rules(folder: PathBuf) -> Vec<Rule> {
    const ORDER: [&str; 5] = ["falco_rules", "incubating", "sandbox", "deprecated", "application"];
    let mut files = read(&[folder]);
    files.retain(|file| file.text.is_ok());
    files.sort_by_key(|file| {
        ORDER.iter().position(|name| file.name.contains(name)).unwrap_or(ORDER.len())
    });
    let mut rules = load(files, &Options::default()).rules;
    rules.iter_mut().for_each(|rule| rule.enabled = true);
    rules
}

fn official() -> Option<Vec<Rule>> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/falco-rules");
    let folder = std::env::var_os("LANDLORD_FALCO_RULES").unwrap_or_else(|| default.into());
    let rules = rules(folder.into());
    if rules.is_empty() {
        eprintln!("skipped: no official rule files; LANDLORD_FALCO_RULES names their folder");
    }
    (!rules.is_empty()).then_some(rules)
}

fn shipped() -> Vec<Rule> {
    rules(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules").into())
}

/// What programs open all day.
const ORDINARY: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/usr/lib/x86_64-linux-gnu/libm.so.6",
    "/usr/lib/x86_64-linux-gnu/libpthread.so.0",
    "/usr/lib/x86_64-linux-gnu/libssl.so.3",
    "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
    "/usr/lib/x86_64-linux-gnu/libz.so.1.3",
    "/usr/lib/x86_64-linux-gnu/libselinux.so.1",
    "/usr/lib/x86_64-linux-gnu/libpcre2-8.so.0",
    "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache",
    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "/usr/lib/x86_64-linux-gnu/libnss_files.so.2",
    "/usr/lib/locale/locale-archive",
    "/usr/lib/locale/C.utf8/LC_CTYPE",
    "/usr/lib/python3.12/os.py",
    "/usr/lib/python3.12/__pycache__/os.cpython-312.pyc",
    "/usr/lib/python3/dist-packages/yaml/__init__.py",
    "/usr/lib/jvm/java-21-openjdk-amd64/lib/server/libjvm.so",
    "/usr/lib/jvm/java-21-openjdk-amd64/lib/modules",
    "/usr/lib/node_modules/npm/package.json",
    "/usr/lib/os-release",
    "/usr/lib/systemd/system/cron.service",
    "/usr/local/lib/libfoo.so.1",
    "/usr/local/lib/python3.12/site-packages/requests/__init__.py",
    "/usr/local/share/ca-certificates/own.crt",
    "/usr/share/zoneinfo/UTC",
    "/usr/share/locale/locale.alias",
    "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt",
    "/usr/share/nginx/html/index.html",
    "/usr/share/mime/mime.cache",
    "/usr/bin/bash",
    "/usr/bin/python3.12",
    "/usr/bin/git",
    "/usr/sbin/nginx",
    "/usr/libexec/git-core/git",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/openssl.cnf",
    "/etc/nginx/nginx.conf",
    "/etc/nginx/mime.types",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/locale.alias",
    "/etc/inputrc",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/machine-id",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/cpuinfo",
    "/proc/loadavg",
    "/proc/1234/stat",
    "/proc/1234/status",
    "/proc/1234/maps",
    "/proc/1234/cmdline",
    "/proc/1234/mountinfo",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/core/somaxconn",
    "/proc/filesystems",
    "/proc/mounts",
    "/proc/net/tcp",
    "/proc/net/dev",
    "/sys/devices/system/cpu/online",
    "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/kubepods.slice/cpu.stat",
    "/sys/fs/cgroup/kubepods.slice/memory.current",
    "/sys/class/net/eth0/statistics/rx_bytes",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/dev/tty",
    "/dev/shm/sem.lock",
    "/tmp/build/main.o",
    "/tmp/tmpab12",
    "/var/lib/postgresql/16/main/base/16384/2619",
    "/var/lib/postgresql/16/main/pg_wal/000000010000000000000001",
    "/var/lib/mysql/ibdata1",
    "/var/lib/dpkg/status",
    "/var/log/nginx/access.log",
    "/var/log/syslog",
    "/var/cache/nginx/a/1/abcdef",
    "/run/systemd/resolve/resolv.conf",
    "/run/secrets/kubernetes.io/serviceaccount/..data/token",
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/config.json",
    "/home/someone/project/src/main.rs",
    "/home/someone/.cache/thumbnails/a.png",
    "/app/node_modules/express/index.js",
    "/app/server.js",
    "/srv/data/file.bin",
];

/// The ordinary paths that are not spared when opened so.
fn not_spared(filter: &Filter, reads: bool, writes: bool) -> Vec<&'static str> {
    ORDINARY.iter().filter(|path| !never(filter, path, path, reads, writes)).copied().collect()
}

/// Those that keep a path from being spared.
fn because_of(rules: &[Rule], path: &str, reads: bool, writes: bool) -> String {
    let mut told = String::new();
    for rule in rules {
        let filter = Filter::new([rule], &[], &TableCalls);
        let wanted = filter.wanted().iter().any(|one| one.name() == "openat");
        let (record, event) = (reached("openat", path), opened("openat", path, reads, writes));
        if wanted && !filter.never(VerdictKey::Subject, &record, &event, &mut Scratch::default()) {
            write!(told, " [{}]", rule.name).unwrap();
        }
    }
    told
}

/// Says how many ordinary paths a rule set spares, and what keeps it from the others.
fn report(title: &str, rules: &[Rule]) -> Filter {
    let begun = Instant::now();
    let filter = Filter::new(rules, &[], &TableCalls);
    println!("{title}: made in {:?}", begun.elapsed());
    for (how, reads, writes) in [("read", true, false), ("written", false, true)] {
        let missed = not_spared(&filter, reads, writes);
        let spared = ORDINARY.len() - missed.len();
        println!("{title}: {spared} of {} ordinary paths are spared when {how}", ORDINARY.len());
        for path in missed.iter().filter(|_| std::env::var_os("LANDLORD_TELL").is_some()) {
            println!("    {path}:{}", because_of(rules, path, reads, writes));
        }
    }
    let (record, path) = (reached("openat", ORDINARY[0]), ORDINARY[0]);
    let event = opened("openat", path, true, false);
    let mut scratch = Scratch::default();
    let begun = Instant::now();
    for _ in 0..1000 {
        assert!(filter.never(VerdictKey::Subject, &record, &event, &mut scratch));
    }
    println!("{title}: judged in {:?}", begun.elapsed() / 1000);
    for (index, plan) in filter.plans() {
        println!("  plan {index}: {:064b} {:#x}", plan.early, plan.flags);
    }
    filter
}

/// Whether a file is spared, by its path or together with the one that the call was
/// given.
fn never(filter: &Filter, path: &str, given: &str, reads: bool, writes: bool) -> bool {
    let event = opened("openat", path, reads, writes).text("fd.nameraw", given);
    let mut record = reached("openat", path);
    (record.raw, record.raw_verdict) = (Some(part(given)), [3, 5]);
    let mut scratch = Scratch::default();
    [VerdictKey::Subject, VerdictKey::AsGiven]
        .into_iter()
        .any(|key| filter.never(key, &record, &event, &mut scratch))
}

#[test]
fn falcos_rules_spare_ordinary_files_and_no_others() {
    let Some(rules) = official() else { return };
    let filter = report("official", &rules);
    let check = |path: &str, (reads, writes), expected: bool| {
        assert_eq!(never(&filter, path, path, reads, writes), expected, "{path}");
    };
    let (read, written) = ((true, false), (false, true));
    check("/usr/lib/x86_64-linux-gnu/libc.so.6", read, true);
    check("/etc/shadow", read, false);
    check("/root/.ssh/id_rsa", read, false);
    // Asked of containers only.
    check("/proc/1/environ", read, true);
    check("/etc/cron.d/job", written, false);
    check("/usr/bin/bash", written, false);
    check("/var/log/app.log", written, true);
    // One of them asks for what the call was given.
    check("/etc/hosts", read, true);
    assert!(!never(&filter, "/etc/hosts", "/usr/../../etc/hosts", true, false));
    assert!(not_spared(&filter, true, false).len() <= 4);
    assert!(not_spared(&filter, false, true).len() <= 26);
    assert!(filter.absent().is_empty() && filter.unsupported().is_empty());
}

#[test]
fn our_rules_spare_ordinary_files_and_no_others() {
    let rules = shipped();
    if rules.is_empty() {
        return;
    }
    let filter = report("ours", &rules);
    let check = |path: &str, (reads, writes), expected: bool| {
        assert_eq!(never(&filter, path, path, reads, writes), expected, "{path}");
    };
    let (read, written) = ((true, false), (false, true));
    check("/etc/shadow", read, false);
    check("/etc/passwd", read, true);
    check("/etc/passwd", written, false);
    check("/var/log/app.log", written, true);
    assert_eq!(not_spared(&filter, true, false), Vec::<&str>::new());
    assert!(filter.absent().is_empty() && filter.unsupported().is_empty());
}
