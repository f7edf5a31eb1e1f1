//! What the kernel says about another process: CPU time and resident memory.

use anyhow::{Context as _, Result};
use rustix::param::{clock_ticks_per_second, page_size};

/// Seconds of CPU, user and system, of all threads of a process so far.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let ticks = ticks(&read(pid, "stat")?).context("/proc/PID/stat is not as expected")?;
    // Exact: a process does not live for 2^53 ticks.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    Ok(ticks as f64 / clock_ticks_per_second() as f64)
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

/// User and system ticks; the process name before them may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, resident_bytes, resident_pages, ticks};

    fn check(stat: &str, expected: Option<u64>) {
        assert_eq!(ticks(stat), expected, "{stat}");
    }

    #[test]
    fn ticks_are_found_behind_any_name() {
        check("7 (a) S 1 7 7 0 -1 4 5 6 7 8 30 12 1 2 20 0", Some(42));
        check("7 (a) b) (c) S 1 7 7 0 -1 4 5 6 7 8 30 12 1 2", Some(42));
        check("7 (a) S 1 7", None);
        check("", None);
    }

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
