//! What the commands say: one line for each thing found or done, and a spinner
//! with the elapsed time while something long runs.
//!
//! Progress and diagnostics go to stderr; only a command's result goes to
//! stdout, so that it can be piped. Without a terminal the spinner becomes two
//! plain lines.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Says that `verb` happened to `what`, in cargo's own two columns.
#[expect(clippy::print_stderr, reason = "the one place where these commands speak")]
pub(crate) fn say(verb: &str, what: impl Display) {
    eprintln!("{verb:>12} {what}");
}

/// Prints text to stderr as it is: the output of a program that failed.
#[expect(clippy::print_stderr, reason = "the one place where these commands speak")]
pub(crate) fn raw(text: &str) {
    eprintln!("{}", text.trim_end());
}

/// Prints one line of a command's result to stdout.
#[expect(clippy::print_stdout, reason = "the one place where results are printed")]
pub(crate) fn result(line: impl Display) {
    println!("{line}");
}

/// Prints an error with its causes.
#[expect(clippy::print_stderr, reason = "the one place where these commands speak")]
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Seconds with one decimal, for the end of a line.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Something long that is under way.
pub(crate) struct Step {
    spinner: Option<ProgressBar>,
    started: Instant,
}

impl Step {
    /// Starts a step; `what` is shown with the elapsed time until it ends.
    pub(crate) fn begin(verb: &str, what: impl Display) -> Self {
        let spinner = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{prefix:>12} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.set_prefix(verb.to_owned());
            bar.set_message(what.to_string());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if spinner.is_none() {
            say(verb, what);
        }
        Self { spinner, started: Instant::now() }
    }

    /// Shows how far the step is; seen on a terminal only.
    pub(crate) fn note(&self, what: impl Display) {
        if let Some(bar) = &self.spinner {
            bar.set_message(what.to_string());
        }
    }

    /// How long the step has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.spinner.take() {
            bar.finish_and_clear();
        }
    }
}
