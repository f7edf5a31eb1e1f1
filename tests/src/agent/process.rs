//! What the kernel says about another process: CPU time and resident memory.

use anyhow::{Context as _, Result};
use nix::sys::time::TimeValLike as _;
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use rustix::param::page_size;

/// Seconds of CPU, user and system, of all threads of a process so far.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let pid = i32::try_from(pid).context("not a process id")?;
    let clock = clock_getcpuclockid(Pid::from_raw(pid)).context("no clock of a process")?;
    let time = clock.now().context("cannot read the clock of a process")?;
    // Exact: a process does not live for 2^53 nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    Ok(time.num_nanoseconds() as f64 / 1e9)
}

/// Bytes of memory that a process has resident.
pub(super) fn resident_bytes(pid: u32) -> Result<u64> {
    let pages =
        resident_pages(&read(pid, "statm")?).context("/proc/PID/statm is not as expected")?;
    Ok(pages * u64::try_from(page_size()).context("a page is small")?)
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, resident_bytes, resident_pages};

    #[test]
    fn resident_memory_is_the_second_figure() {
        assert_eq!(resident_pages("100 20 3 4 0 5 0"), Some(20));
        assert_eq!(resident_pages("100"), None);
    }

    #[test]
    fn this_process_has_figures() {
        let own = std::process::id();
        assert!(cpu_seconds(own).expect("alive") < 3600.0);
        assert!(resident_bytes(own).expect("alive") > 100_000);
    }
}
