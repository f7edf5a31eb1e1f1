//! What a workload knows that it did, and how far a figure is from it.
//!
//! It never reads a figure of Landlord's.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// One line of JSON that a workload prints when it is done. Figures that a
/// workload does not determine are zero or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The workload's name.
    pub workload: String,
    /// Rounds of work done: loops, round trips, packets, children.
    pub operations: u64,
    /// Nanoseconds from the word `go` to the end of the work.
    pub elapsed_ns: u64,
    /// Nanoseconds on a CPU meanwhile, user and system, of all threads and of
    /// the children that ended.
    pub cpu_ns: u64,
    /// Nanoseconds runnable but not running meanwhile, of the threads that did
    /// the work; absent where the kernel keeps no such account.
    pub wait_ns: Option<u64>,
    /// Exact numbers of those system calls that the workload counts, by name. It
    /// makes others as well.
    pub syscalls: BTreeMap<String, u64>,
    /// The same, of calls through the 32-bit table.
    pub compat_syscalls: BTreeMap<String, u64>,
    /// Payload bytes handed to sockets: no header included.
    pub sent_bytes: u64,
    /// Payload bytes taken from sockets: no header included.
    pub received_bytes: u64,
    /// Bytes of memory held at the end.
    pub memory_bytes: u64,
    /// Bytes written to the block device.
    pub disk_write_bytes: u64,
}

/// Error of `measured` in percent of `truth`; negative when too little was
/// measured. Zero against zero is no error; anything against zero is infinite.
#[must_use]
pub fn error_percent(measured: f64, truth: f64) -> f64 {
    if truth == 0.0 {
        return if measured == 0.0 { 0.0 } else { f64::INFINITY.copysign(measured) };
    }
    (measured - truth) / truth * 100.0
}

/// Demands that `measured` is within `percent` of `truth`.
///
/// # Errors
///
/// It is not; the message has both figures and the error.
pub fn within(what: &str, measured: f64, truth: f64, percent: f64) -> Result<()> {
    let error = error_percent(measured, truth);
    // Written so that a NaN fails.
    if error.abs() <= percent {
        return Ok(());
    }
    bail!("{what}: measured {measured}, truth {truth}: {error:+.3} %, allowed ±{percent} %");
}

/// Demands that a count equals the truth.
///
/// # Errors
///
/// It does not; the message has both figures and their difference.
pub fn exactly(what: &str, measured: u64, truth: u64) -> Result<()> {
    if measured == truth {
        return Ok(());
    }
    let difference = i128::from(measured) - i128::from(truth);
    bail!("{what}: measured {measured}, truth {truth}: {difference:+}");
}

/// The negative control: demands that a check of a figure that is known to be
/// wrong has failed.
///
/// # Errors
///
/// The check accepts the wrong figure, so its other verdicts say nothing.
pub fn must_fail(what: &str, check: &Result<()>) -> Result<()> {
    match check {
        Err(_) => Ok(()),
        Ok(()) => bail!("{what}: the check accepts a wrong figure, so it proves nothing"),
    }
}

/// [`within`], with the negative control that a figure off by twice the
/// tolerance is refused.
///
/// # Errors
///
/// The figure is off, or the check cannot tell a wrong one.
pub fn within_and_controlled(what: &str, measured: f64, truth: f64, percent: f64) -> Result<()> {
    let wrong = truth * (1.0 + 2.0 * percent / 100.0);
    must_fail(what, &within(what, wrong, truth, percent))?;
    within(what, measured, truth, percent)
}

#[cfg(test)]
mod tests {
    use super::{error_percent, exactly, must_fail, within, within_and_controlled};

    #[test]
    fn error_is_signed_and_relative() {
        assert_eq!(error_percent(101.0, 100.0), 1.0);
        assert_eq!(error_percent(50.0, 100.0), -50.0);
        assert_eq!(error_percent(0.0, 0.0), 0.0);
        assert_eq!(error_percent(1.0, 0.0), f64::INFINITY);
        assert_eq!(error_percent(-1.0, 0.0), f64::NEG_INFINITY);
    }

    fn check(measured: f64, truth: f64, percent: f64, passes: bool) {
        let verdict = within("case", measured, truth, percent);
        assert_eq!(verdict.is_ok(), passes, "{measured} against {truth} within {percent} %");
    }

    #[test]
    fn tolerance_holds_on_both_sides() {
        check(100.5, 100.0, 0.5, true);
        check(99.5, 100.0, 0.5, true);
        check(100.6, 100.0, 0.5, false);
        check(99.4, 100.0, 0.5, false);
        check(0.0, 0.0, 0.0, true);
        check(1.0, 0.0, 100.0, false);
        check(f64::NAN, 100.0, 100.0, false);
    }

    #[test]
    fn a_check_that_cannot_fail_is_found() {
        must_fail("broken", &Ok(())).expect_err("it accepted a wrong figure");
        must_fail("sound", &exactly("sound", 1, 2)).expect("it refused a wrong figure");
        // A truth of nothing cannot be told from twice nothing.
        within_and_controlled("nothing ran", 0.0, 0.0, 0.5).expect_err("no work, no proof");
        within_and_controlled("work", 100.1, 100.0, 0.5).expect("within");
    }

    #[test]
    fn the_message_has_the_difference() {
        let error = exactly("calls", 7, 10).expect_err("they differ").to_string();
        assert_eq!(error, "calls: measured 7, truth 10: -3");
    }
}
