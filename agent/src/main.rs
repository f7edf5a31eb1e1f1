//! The `landlord` binary: parse, resolve, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    landlord::cli::main()
}
