//! Runs other programs. An error names the command line; the output of a
//! program that failed is always shown.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::report::{self, Step};

/// A program with its arguments.
pub(crate) fn command<I, S>(program: impl AsRef<Path>, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut command = Command::new(program.as_ref());
    command.args(args);
    command
}

/// Runs a program that shows its own output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| describe(command))?;
    ensure!(status.success(), "{}: {status}", describe(command));
    Ok(())
}

/// Runs a program and returns what it wrote to stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| describe(command))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{}: {}\n{}{}",
        describe(command),
        output.status,
        stdout,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(stdout.into_owned())
}

/// Whether a program runs and succeeds; what it writes is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a long program behind a spinner; its output is shown if it fails.
pub(crate) fn quietly(verb: &str, what: &str, command: &mut Command) -> Result<()> {
    let step = Step::begin(verb, what);
    let outcome = capture(command);
    drop(step);
    outcome.map(|_| ())
}

/// Runs a program, hands each line of its stdout to `line` as it comes, and
/// returns all of them with the exit status. Its stderr is not touched.
pub(crate) fn stream(
    command: &mut Command,
    mut line: impl FnMut(&str),
) -> Result<(ExitStatus, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| describe(command))?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    let mut all = String::new();
    let mut reader = BufReader::new(stdout);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        line(text.trim_end());
        all.push_str(&text);
        bytes.clear();
    }
    let status = child.wait().with_context(|| describe(command))?;
    Ok((status, all))
}

/// Where a program is: on the `PATH` or in the system folders that the `PATH`
/// of an ordinary user lacks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// The command line, for messages.
fn describe(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// Says a warning.
pub(crate) fn warn(what: impl std::fmt::Display) {
    report::say("Warning", what);
}
