//! `landlord rules`: everything about rule files that needs no running agent.

mod eval;
mod explain;
mod fields;
mod list;
mod test;
mod validate;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};

use crate::rules::diagnostic::{FileReport, text};
use crate::rules::load::{self, Loaded, Options, SourceFile};

/// Check, list and try out rules
///
/// Rule files are Falco's: files written for Falco mean here what they mean there.
#[derive(Args, Debug)]
pub(super) struct Rules {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Validate(validate::Validate),
    List(list::List),
    Explain(explain::Explain),
    Test(test::Test),
    Eval(eval::Eval),
    Fields(fields::Fields),
}

pub(super) fn run(flags: &Rules, coloured: bool, out: &mut impl Write) -> Result<ExitCode> {
    let code = match &flags.action {
        Action::Validate(flags) => validate::run(flags, coloured, out)?,
        Action::List(flags) => list::run(flags, out)?,
        Action::Explain(flags) => explain::run(flags, coloured, out)?,
        Action::Test(flags) => test::run(flags, coloured, out)?,
        Action::Eval(flags) => eval::run(flags, out)?,
        Action::Fields(flags) => {
            fields::run(flags, out)?;
            ExitCode::SUCCESS
        }
    };
    out.flush()?;
    Ok(code)
}

/// Where rule files are if none are named.
const DEFAULT: &str = "/etc/landlord/rules";

/// Rule files, as a command takes them.
#[derive(Args, Debug)]
struct RuleFiles {
    /// Rule files, or folders of them (*.yaml and *.yml in the order of their names);
    /// later ones change what earlier ones define [default: /etc/landlord/rules if it
    /// exists]
    #[arg(value_name = "FILES")]
    files: Vec<PathBuf>,
}

impl RuleFiles {
    /// Reads them; what cannot be read comes with its reason.
    ///
    /// # Errors
    ///
    /// When there are none.
    fn read(&self) -> Result<Vec<SourceFile>> {
        let default = [PathBuf::from(DEFAULT)];
        let paths = match self.files.as_slice() {
            [] => {
                ensure!(Path::new(DEFAULT).is_dir(), "name rule files; there is no {DEFAULT}");
                &default
            }
            named => named,
        };
        let files = load::read(paths);
        let names = || paths.iter().map(|path| path.display().to_string());
        ensure!(
            !files.is_empty(),
            "there are no rule files (*.yaml, *.yml) in {}",
            names().collect::<Vec<_>>().join(", ")
        );
        Ok(files)
    }
}

/// Loads rules. If they have errors, those are told on standard error instead.
fn load_or_tell(files: Vec<SourceFile>) -> Result<Option<Loaded>> {
    let loaded = load::load(files, &Options::default());
    if loaded.failed() {
        tell(&loaded.reports, &mut io::stderr())?;
        return Ok(None);
    }
    Ok(Some(loaded))
}

/// Writes what is wrong with files that have errors.
fn tell(reports: &[FileReport], err: &mut impl Write) -> io::Result<()> {
    for report in reports.iter().filter(|report| report.failed()) {
        write!(err, "{}", text(report, false))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::RuleFiles;

    #[test]
    fn no_files() {
        let folder = tempfile::tempdir().unwrap();
        let files = RuleFiles { files: vec![folder.path().into()] };
        let error = files.read().unwrap_err().to_string();
        assert!(error.starts_with("there are no rule files"), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_there() {
        let files = RuleFiles { files: vec!["/nonexistent/rules.yaml".into()] };
        assert!(files.read().unwrap()[0].text.is_err());
    }
}
