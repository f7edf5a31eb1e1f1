//! The filter of system calls: what the agent needs, all of which the default profiles of
//! containerd, CRI-O and Docker allow (`RuntimeDefault`), and nothing else that they do.
//!
//! Those profiles hand out some calls with a capability only; so does this one, and it
//! never hands out what they keep for `CAP_SYS_ADMIN`: `mount`, `setns`, `unshare`…

use serde_json::{Value, json};

/// Calls that the profiles allow to everybody, by what they are about.
const ALLOWED: [&str; 9] = [
    // Files and folders.
    "access faccessat faccessat2 chdir close close_range copy_file_range dup dup2 dup3 fallocate \
     fchdir fchmod fchmodat fchown fchownat fcntl fdatasync flock fstat fstatfs fsync ftruncate \
     getcwd getdents getdents64 lseek lstat mkdir mkdirat newfstatat open openat openat2 pread64 \
     preadv pwrite64 pwritev read readlink readlinkat readv rename renameat renameat2 rmdir \
     sendfile stat statfs statx symlink symlinkat umask unlink unlinkat write writev",
    // Waiting, and being told.
    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 \
     inotify_add_watch inotify_init inotify_init1 inotify_rm_watch pipe pipe2 poll ppoll pselect6 \
     select timerfd_create timerfd_gettime timerfd_settime",
    // Memory.
    "brk madvise membarrier memfd_create mincore mlock mlock2 mmap mprotect mremap msync munlock \
     munmap",
    // Processes and threads. What makes namespaces is not allowed by its arguments, below.
    "arch_prctl execve exit exit_group futex getpgid getpgrp getpid getppid getpriority \
     get_robust_list getrusage getsid gettid pidfd_open prctl prlimit64 rseq sched_getaffinity \
     sched_getparam sched_getscheduler sched_setaffinity sched_yield setpgid set_robust_list \
     set_tid_address tgkill tkill wait4 waitid kill getrlimit setrlimit",
    // Users and capabilities: the runtime's own last steps, too.
    "capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setgid setgroups \
     setresgid setresuid setuid",
    // Signals.
    "rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait \
     sigaltstack signalfd signalfd4 restart_syscall",
    // Sockets.
    "accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg \
     recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair",
    // Time.
    "clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time times",
    // The machine.
    "getcpu getrandom ioctl sysinfo uname",
];

/// Calls that the profiles hand out with a capability.
const WITH: [(&str, &str); 4] = [
    ("BPF", "bpf"),
    ("PERFMON", "perf_event_open"),
    ("SYSLOG", "syslog"),
    ("DAC_READ_SEARCH", "open_by_handle_at"),
];

/// Flags of `clone` that make namespaces: those of mounts, cgroups, host names, IPC, users,
/// processes and networks.
const NAMESPACES: u64 =
    0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
/// Sockets to the hypervisor.
const AF_VSOCK: u64 = 40;

const EPERM: i32 = 1;
const ENOSYS: i32 = 38;

/// The filter for a container with these capabilities, as runtimes take it.
pub(super) fn of(capabilities: &[&str]) -> Value {
    let mut names: Vec<&str> = ALLOWED.iter().flat_map(|list| list.split_whitespace()).collect();
    names.extend(WITH.iter().filter(|(with, _)| capabilities.contains(with)).map(|(_, name)| name));
    let architectures: &[&str] = if cfg!(target_arch = "x86_64") {
        &["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    } else {
        &["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    };
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": EPERM,
        "architectures": architectures,
        "syscalls": [
            {"names": names, "action": "SCMP_ACT_ALLOW"},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
                {"index": 0, "value": NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
            ]},
            // Its flags are in memory, where no filter sees them: libraries take `clone`.
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS},
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
                {"index": 0, "value": AF_VSOCK, "op": "SCMP_CMP_NE"}
            ]},
        ],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{ALLOWED, NAMESPACES, of};

    #[test]
    fn calls_come_with_their_capability() {
        let check = |capabilities: &[&str], call: &str, expected: bool| {
            let filter = of(capabilities);
            let names = filter.pointer("/syscalls/0/names").and_then(Value::as_array).unwrap();
            assert_eq!(names.iter().any(|name| name == call), expected, "{call}");
        };
        check(&["BPF"], "bpf", true);
        check(&["PERFMON"], "bpf", false);
        check(&["SYSLOG"], "syslog", true);
        check(&[], "read", true);
        check(&["SYS_ADMIN"], "mount", false);
    }

    #[test]
    fn no_call_is_named_twice() {
        let mut names: Vec<&str> = ALLOWED.iter().flat_map(|it| it.split_whitespace()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn all_namespaces_are_masked() {
        let flags = [
            nix::sched::CloneFlags::CLONE_NEWNS,
            nix::sched::CloneFlags::CLONE_NEWCGROUP,
            nix::sched::CloneFlags::CLONE_NEWUTS,
            nix::sched::CloneFlags::CLONE_NEWIPC,
            nix::sched::CloneFlags::CLONE_NEWUSER,
            nix::sched::CloneFlags::CLONE_NEWPID,
            nix::sched::CloneFlags::CLONE_NEWNET,
        ];
        let all = flags.iter().fold(0, |all, flag| all | flag.bits());
        assert_eq!(u64::try_from(all).unwrap(), NAMESPACES);
    }
}
