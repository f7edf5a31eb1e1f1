//! Machines as folders of files, for tests of the report and of its table.

use std::fs;

use tempfile::TempDir;

use super::Machine;

/// A folder that stands for a machine; gone when dropped.
pub(crate) struct Fixture(TempDir);

const ALL_CAPABILITIES: &str = "000001ffffffffff";
const INITIAL_NAMESPACE: &str = "         0          0 4294967295\n";
const CONTROLLERS: &str = "cpuset cpu io memory pids\n";

const UNIFIED: &str = "\
proc /proc proc rw 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0
bpf /sys/fs/bpf bpf rw,nosuid,nodev,noexec,relatime,mode=700 0 0
";
const HYBRID: &str = "\
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/blkio cgroup rw,relatime,blkio 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
";
const V1_ONLY: &str = "\
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
bpf /sys/fs/bpf bpf rw 0 0
";

impl Fixture {
    /// Debian 12 as installed, seen by root.
    pub(crate) fn unified() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine
            .file("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
            .file("proc/sys/net/core/bpf_jit_enable", "1\n")
            .file("proc/self/mounts", UNIFIED)
            .file("proc/self/uid_map", INITIAL_NAMESPACE)
            .file("proc/self/limits", "Max locked memory         65536    65536    bytes\n")
            .file("sys/devices/system/cpu/possible", "0-7\n")
            .file("sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
            .file("sys/kernel/security/lsm", "lockdown,capability,landlock,yama,apparmor\n")
            .file("sys/kernel/btf/vmlinux", 0xeb9f_u16.to_ne_bytes())
            .file("sys/fs/cgroup/cgroup.controllers", CONTROLLERS)
            .file("sys/fs/cgroup/cgroup.subtree_control", CONTROLLERS)
            .file("sys/fs/bpf/.keep", "")
            .user(0, ALL_CAPABILITIES)
    }

    /// cgroup v2 beside v1 controllers, bpffs not mounted.
    pub(crate) fn hybrid() -> Self {
        Self::unified()
            .file("proc/self/mounts", HYBRID)
            .file("sys/fs/cgroup/unified/cgroup.controllers", "")
            .file("sys/fs/cgroup/unified/cgroup.subtree_control", "")
    }

    /// cgroup v1 only.
    pub(crate) fn v1_only() -> Self {
        Self::unified().file("proc/self/mounts", V1_ONLY)
    }

    /// A kernel built without type information.
    pub(crate) fn without_btf() -> Self {
        Self::unified().without("sys/kernel/btf/vmlinux")
    }

    /// The unified machine, seen by an ordinary user.
    pub(crate) fn unprivileged() -> Self {
        Self::unified().user(1000, "0000000000000000")
    }

    /// Nothing is as it should be.
    pub(crate) fn hopeless() -> Self {
        Self::v1_only()
            .without("sys/kernel/btf/vmlinux")
            .file("proc/sys/kernel/osrelease", "4.19.0-26-amd64\n")
            .file("proc/sys/net/core/bpf_jit_enable", "0\n")
            .file("sys/kernel/security/lockdown", "none integrity [confidentiality]\n")
            .user(1000, "0000000000000000")
    }

    /// Sets user and effective capabilities.
    pub(crate) fn user(self, uid: u32, effective: &str) -> Self {
        let status =
            format!("Name:\tlandlord\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nCapEff:\t{effective}\n");
        self.file("proc/self/status", status)
    }

    /// Writes one file of the machine.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Removes one file of the machine.
    pub(crate) fn without(self, path: &str) -> Self {
        fs::remove_file(self.0.path().join(path)).unwrap();
        self
    }

    /// The machine to probe.
    pub(crate) fn machine(&self) -> Machine {
        Machine { root: self.0.path().to_owned(), architecture: "x86_64" }
    }
}
