//! Whether somebody else's programs sit on this machine's hooks.
//!
//! They would be part of the base, and a second program on a hook costs less
//! than the first: every figure would be wrong.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::lab::Interrupt;
use crate::report::say;

/// Where sensors outlive their agent.
const PINS: &str = "/sys/fs/bpf";
/// How every folder of an agent's pins begins.
const PIN_PREFIX: &str = "landlord";
/// Kinds of links that sit on a hook of the sensors, in the words of the kernel.
const KINDS: [&str; 3] = ["raw_tracepoint", "tracing", "cgroup"];
/// How long it is waited for others to go.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(250);

/// Who is on the hooks, in words: pins of agents and processes that hold links.
/// To be asked while nothing of our own is there.
pub(crate) fn on_the_hooks() -> Vec<String> {
    let names = |folder: &str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let pins = names(PINS).into_iter().filter(|name| name.starts_with(PIN_PREFIX));
    let pins = pins.map(|name| format!("{PINS}/{name}"));
    let processes = names("/proc").into_iter().filter(|name| name.parse::<u32>().is_ok());
    let holders = processes.filter(|pid| holds_a_link(pid)).map(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        format!("{} (process {pid})", name.trim())
    });
    pins.chain(holders).collect()
}

/// Waits until nobody is on the hooks.
pub(crate) fn wait_until_gone(interrupt: &Interrupt) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        let others = on_the_hooks();
        if others.is_empty() {
            return Ok(());
        }
        let others = others.join(", ");
        ensure!(
            Instant::now() < deadline,
            "cannot measure: programs of others are on the hooks of this machine: {others}"
        );
        if !told {
            say("Waiting", format_args!("for programs of others to go: {others}"));
            told = true;
        }
        interrupt.sleep(PAUSE)?;
    }
}

fn holds_a_link(pid: &str) -> bool {
    // A process that ends meanwhile holds nothing.
    let Ok(files) = fs::read_dir(Path::new("/proc").join(pid).join("fdinfo")) else {
        return false;
    };
    files.flatten().any(|file| fs::read_to_string(file.path()).is_ok_and(|text| is_link(&text)))
}

/// Whether a file descriptor's description is that of a link on a hook.
fn is_link(fdinfo: &str) -> bool {
    fdinfo
        .lines()
        .filter_map(|line| line.strip_prefix("link_type:"))
        .any(|kind| KINDS.contains(&kind.trim()))
}

#[cfg(test)]
mod tests {
    use super::is_link;

    fn check(fdinfo: &str, expected: bool) {
        assert_eq!(is_link(fdinfo), expected, "{fdinfo}");
    }

    #[test]
    fn links_on_hooks_are_told_from_other_files() {
        check("pos:\t0\nflags:\t02\nlink_type:\traw_tracepoint\nlink_id:\t4\n", true);
        check("pos:\t0\nlink_type:\tcgroup\nattach_type:\t1\n", true);
        check("pos:\t0\nlink_type:\txdp\n", false);
        check("pos:\t0\nprog_type:\t26\nprog_id:\t3\n", false);
        check("", false);
    }
}
