//! Who we are, and how to become root for the one command that needs it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell;

/// `CAP_SYS_ADMIN` and `CAP_BPF`, either of which allows to load programs.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_BPF: u32 = 39;

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A program that runs as root, by sudo if this process is not root.
///
/// sudo clears the environment, so variables are given here and not by
/// [`Command::env`].
pub(crate) fn command(program: &Path, env: &[(&str, &Path)]) -> Result<Command> {
    if is_root() {
        let mut command = Command::new(program);
        command.envs(env.iter().copied());
        return Ok(command);
    }
    if shell::find("sudo").is_none() {
        bail!("{} has to run as root, and this machine has no sudo", program.display());
    }
    let mut command = Command::new("sudo");
    command.arg("env");
    for (name, value) in env {
        command.arg(format!("{name}={}", value.display()));
    }
    command.arg(program);
    Ok(command)
}

/// Why BPF programs cannot be loaded on this machine, if so. Judged without the
/// agent, so that a fault of the agent cannot excuse its own tests.
pub(crate) fn why_no_bpf() -> Option<String> {
    let status = match command(Path::new("/bin/cat"), &[])
        .and_then(|mut cat| shell::capture(cat.arg("/proc/self/status")))
    {
        Ok(status) => status,
        Err(error) => return Some(format!("{error:#}")),
    };
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let btf = Path::new("/sys/kernel/btf/vmlinux").exists();
    lacking(&status, &mounts, btf).map(str::to_owned)
}

/// The first thing that is lacking, from root's `/proc/self/status` and the
/// mount table.
fn lacking(status: &str, mounts: &str, btf: bool) -> Option<&'static str> {
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    if effective & (1 << CAP_SYS_ADMIN | 1 << CAP_BPF) == 0 {
        return Some("root has neither CAP_BPF nor CAP_SYS_ADMIN here");
    }
    if !btf {
        return Some("the kernel gives no /sys/kernel/btf/vmlinux");
    }
    if !mounts.lines().any(|line| line.split(' ').nth(2) == Some("cgroup2")) {
        return Some("no cgroup v2 hierarchy is mounted");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::lacking;

    const V2: &str = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n";
    const V1: &str = "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n";
    const ALL: &str = "Name:\tcat\nCapEff:\t000001ffffffffff\n";

    fn check(status: &str, mounts: &str, btf: bool, expected: Option<&str>) {
        assert_eq!(lacking(status, mounts, btf), expected);
    }

    #[test]
    fn what_bpf_needs() {
        check(ALL, &format!("{V1}{V2}"), true, None);
        check("CapEff:\t0000000000200000\n", V2, true, None);
        check("CapEff:\t0000008000000000\n", V2, true, None);
        check(ALL, V1, true, Some("no cgroup v2 hierarchy is mounted"));
        check(ALL, V2, false, Some("the kernel gives no /sys/kernel/btf/vmlinux"));
        let none = Some("root has neither CAP_BPF nor CAP_SYS_ADMIN here");
        check("CapEff:\t00000000a80425fb\n", V2, true, none);
        check("", V2, true, none);
    }
}
