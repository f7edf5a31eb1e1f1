//! How a command ends: its exit code and, where it failed, one clear line.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use super::style::{ColorChoice, bad};
use crate::config::ConfigError;

/// Exit code for a command line that makes no sense, the same as clap's.
const USAGE: u8 = 2;

/// Exit code of a command; an error is printed.
pub(super) fn exit_code(result: anyhow::Result<ExitCode>, color: ColorChoice) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let mut err = io::stderr();
            let label = bad("error:", color.applies_to(&err));
            // The chain of causes in one line, and never a backtrace: the message
            // is for the operator. When even standard error is gone, the exit code
            // still tells.
            writeln!(err, "{label} {error:#}").ok();
            let usage = error.downcast_ref::<ConfigError>().is_some_and(ConfigError::is_of_flag);
            if usage { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// Exit code for arguments that could not be used, or that asked for help.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

/// True when the reader of a pipe has seen enough (`landlord … | head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context as _;

    use super::is_broken_pipe;

    #[test]
    fn broken_pipes_are_found_below_contexts() {
        let check = |kind: io::ErrorKind, expected: bool| {
            let error = Err::<(), _>(io::Error::from(kind)).context("writing").unwrap_err();
            assert_eq!(is_broken_pipe(&error), expected, "{kind}");
        };
        check(io::ErrorKind::BrokenPipe, true);
        check(io::ErrorKind::NotFound, false);
    }
}
