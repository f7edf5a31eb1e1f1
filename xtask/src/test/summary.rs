//! Reads what libtest prints.

use std::fmt;
use std::ops::AddAssign;
use std::process::ExitCode;

/// Marks a test that saw that it cannot run, in what the test prints.
const SKIPPED: &str = "SKIPPED: ";
/// Marks one that lacks what no set-up gives: a controller that the machine uses otherwise,
/// files that are not part of the source, time in an emulated machine.
const EXCUSED: &str = "SKIPPED HERE: ";

/// Why a test skipped itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason<'a> {
    pub(crate) text: &'a str,
    /// It says that it could not run on this machine whatever is done.
    pub(crate) is_excused: bool,
}

/// Lines of a failed test's own that are repeated at the end.
const LINES: usize = 16;

/// How tests ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    /// What failed, and what it said of that: the output of a whole run is long, and these
    /// lines are what its reader looks for.
    pub(crate) failures: Vec<String>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped, .. } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl Tally {
    /// Success, if nothing failed and anything was run: a filter that no test
    /// matches is a slip.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.failed == 0 && *self != Self::default() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Sums up the output of a test program that ended, successfully or not.
    ///
    /// A program that failed without naming a failed test has one all the same,
    /// and so has one that claims success without a summary.
    pub(crate) fn of(output: &str, success: bool) -> Self {
        let mut tally = Self::default();
        // What a program tells test by test is replaced by its summary, and is
        // all there is of one that did not come to its end.
        let mut open = Self::default();
        let mut summaries = 0_usize;
        for line in output.lines() {
            if let Some(result) = line.strip_prefix("test result: ") {
                summaries += 1;
                tally += result_line(result);
                open = Self::default();
            } else if line.starts_with("test ") {
                open.passed += usize::from(line.ends_with(" ... ok"));
                open.failed += usize::from(line.ends_with(" ... FAILED"));
            }
        }
        tally += open;
        if tally.failed == 0 && (!success || summaries == 0) {
            tally.failed = 1;
        }
        // A test that skips itself ends well, so libtest counts it as passed.
        let skipped = reasons(output).len().min(tally.passed);
        tally.passed -= skipped;
        tally.skipped += skipped;
        tally.failures = failures(output);
        tally
    }
}

/// What each failed test said, from its panic on if it has one, under its name.
fn failures(output: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut failing = false;
    let mut lines = output.lines().peekable();
    while let Some(line) = lines.next() {
        match line {
            "failures:" => failing = true,
            _ if line.starts_with("test result: ") => failing = false,
            _ => {}
        }
        let head = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"));
        let Some(name) = head.filter(|_| failing) else { continue };
        let is_end = |line: &str| line.starts_with("---- ") || line == "failures:";
        let said: Vec<&str> = std::iter::from_fn(|| lines.next_if(|line| !is_end(line))).collect();
        let panic = said.iter().position(|line| line.starts_with("thread '")).unwrap_or(0);
        let said = said.into_iter().skip(panic).filter(|line| !line.is_empty());
        let said =
            said.take_while(|line| !line.starts_with("note: ") && *line != "stack backtrace:");
        found.push([name].into_iter().chain(said.take(LINES)).collect::<Vec<_>>().join("\n  "));
    }
    found
}

/// The reasons of the tests that skipped themselves, one a test. Needs output
/// made with `--show-output`.
pub(crate) fn reasons(output: &str) -> Vec<Reason<'_>> {
    let mut reasons = Vec::new();
    let mut told = false;
    for line in output.lines() {
        if line.starts_with("---- ") || line.starts_with("test ") {
            told = false;
        }
        let line = line.trim_start();
        let found =
            [(SKIPPED, false), (EXCUSED, true)].into_iter().find_map(|(mark, is_excused)| {
                Some(Reason { text: line.strip_prefix(mark)?, is_excused })
            });
        if !told {
            reasons.extend(found);
        }
        told |= found.is_some();
    }
    reasons
}

/// Reads `ok. 3 passed; 0 failed; 1 ignored; …`.
fn result_line(line: &str) -> Tally {
    let count = |what: &str| {
        line.split([';', '.'])
            .filter_map(|part| part.trim().strip_suffix(what))
            .find_map(|number| number.trim().parse().ok())
            .unwrap_or(0)
    };
    let [passed, failed, skipped] = ["passed", "failed", "ignored"].map(count);
    Tally { passed, failed, skipped, failures: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::{Reason, Tally, failures, reasons};

    fn check(output: &str, success: bool, expected: (usize, usize, usize)) {
        let Tally { passed, failed, skipped, .. } = Tally::of(output, success);
        assert_eq!((passed, failed, skipped), expected, "{output}");
    }

    #[test]
    fn summaries_are_added_up() {
        check(
            "test a ... ok\n\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered \
             out; finished in 0.00s\n",
            true,
            (3, 0, 1),
        );
        check(
            "test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\ntest \
             result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n",
            false,
            (11, 2, 0),
        );
    }

    #[test]
    fn silence_is_no_success() {
        check("", true, (0, 1, 0));
        check("test a ... ok\n", true, (1, 1, 0));
        check("test result: ok. 3 passed; 0 failed; 0 ignored\n", false, (3, 1, 0));
    }

    #[test]
    fn a_program_that_died_is_counted_test_by_test() {
        check("test a ... ok\ntest b ... FAILED\ntest c ... ", false, (1, 1, 0));
        check("test a ... ok\ntest b ... ok\ntest c ... ", false, (2, 1, 0));
        let first = "test a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        check(&format!("{first}test b ... ok\ntest c ... "), false, (2, 1, 0));
    }

    #[test]
    fn what_failed_tests_said_is_found_among_the_rest() {
        let output = "test one ... ok\ntest two ... FAILED\ntest three ... FAILED\n\nsuccesses:\n\n\
                      ---- one stdout ----\nthread 'none' was spun\n\nsuccesses:\n    one\n\n\
                      failures:\n\n---- two stdout ----\n1 of 2\n\nthread 'two' (7) panicked at \
                      two.rs:1:2:\nassertion failed\n  left: 1\nnote: run with more\n\n\
                      ---- three stdout ----\nError: \"no way\"\n\n\nfailures:\n    two\n    \
                      three\n\ntest result: FAILED. 1 passed; 2 failed\n";
        check(output, false, (1, 2, 0));
        let expected = [
            "two\n  thread 'two' (7) panicked at two.rs:1:2:\n  assertion failed\n    left: 1",
            "three\n  Error: \"no way\"",
        ];
        assert_eq!(failures(output), expected);
        assert_eq!(failures("test result: ok. 0 passed; 0 failed"), [""; 0]);
    }

    #[test]
    fn tests_that_skip_themselves_did_not_pass() {
        let output = "test one ... ok\ntest two ... ok\n\nsuccesses:\n\n---- one stdout \
                      ----\nSKIPPED: no BTF\nSKIPPED: no BTF\n\n---- two stdout ----\nerror \
                      0.1 %\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\n";
        check(output, true, (1, 0, 1));
        assert_eq!(reasons(output), [Reason { text: "no BTF", is_excused: false }]);
        let excused = output.replace("SKIPPED: ", "SKIPPED HERE: ");
        check(&excused, true, (1, 0, 1));
        assert_eq!(reasons(&excused), [Reason { text: "no BTF", is_excused: true }]);
        // Only a line of its own tells; a test may well print the word.
        let output = output.replace("SKIPPED: no BTF", "nothing was SKIPPED: all ran");
        check(&output, true, (2, 0, 0));
    }
}
