//! `cargo xtask tidy`: what the compiler does not check. Layout and style of the
//! source, generated files, formatting, lints, links in the documentation.

mod generated;
mod rooms;
mod shape;
mod source;

use std::process::ExitCode;

use anyhow::Result;

use self::source::Source;
use crate::build::Build;
use crate::report::{self, say};
use crate::setup::{self, Purpose};
use crate::test::Tally;
use crate::{shell, workspace};

/// What tidy can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Format the source and rewrite generated files
    #[arg(long)]
    fix: bool,
    /// Also check licences and bans of all dependencies; installs cargo-deny,
    /// which takes some minutes to build
    #[arg(long)]
    deny: bool,
}

/// What one check found, a line each; an error if it could not be run.
type Findings = Result<Vec<String>>;

/// Runs all checks; the exit code tells whether they passed.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(Purpose::Build)?;
    let mut tally = check(args.fix);
    if args.deny {
        tally += judge("dependencies", deny());
    }
    report::result(&tally);
    Ok(tally.exit_code())
}

/// Runs the checks that belong to every test run, and says what each found.
pub(crate) fn check(fix: bool) -> Tally {
    let checks: [(&str, &dyn Fn() -> Findings); 9] = [
        ("imports", &|| Ok(rooms::imports(&Source::all()?))),
        ("unsafe", &|| Ok(rooms::unsafe_code(&Source::all()?))),
        ("names", &|| Ok(shape::names(&Source::all()?))),
        ("lengths", &|| Ok(shape::lengths(&Source::all()?))),
        ("format", &|| format(fix)),
        ("lints", &lint),
        ("documentation", &document),
        ("generated files", &|| generated::check(fix)),
        ("chart", &|| generated::chart(fix)),
    ];
    let mut tally = Tally::default();
    for (name, check) in checks {
        tally += judge(name, check());
    }
    tally
}

/// The check of the chart's files alone.
pub(crate) fn chart(fix: bool) -> Tally {
    judge("chart", generated::chart(fix))
}

fn judge(name: &str, findings: Findings) -> Tally {
    let findings = match findings {
        Ok(findings) if findings.is_empty() => {
            say("Tidy", name);
            return Tally { passed: 1, ..Tally::default() };
        }
        Ok(findings) => findings,
        Err(error) => vec![format!("{error:#}")],
    };
    say("Untidy", name);
    report::raw(&findings.join("\n"));
    Tally { failed: 1, ..Tally::default() }
}

fn format(fix: bool) -> Findings {
    let mut fmt = workspace::cargo();
    fmt.args(["fmt", "--all"]);
    if !fix {
        fmt.arg("--check");
    }
    shell::capture(&mut fmt)?;
    Ok(Vec::new())
}

/// Links in the documentation have to lead somewhere.
fn document() -> Findings {
    let mut doc = Build::tested(false).cargo("doc");
    doc.args(["--quiet", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    shell::run(&mut doc)?;
    Ok(Vec::new())
}

/// The lints of the whole workspace; a warning is an error here.
///
/// Looks at what is tested: a build of another kind would make the sensors and what
/// other build scripts make once more, minutes and hundreds of megabytes.
fn lint() -> Findings {
    let mut clippy = Build::tested(false).cargo("clippy");
    clippy.args(["--workspace", "--all-targets", "--", "-D", "warnings"]);
    shell::run(&mut clippy)?;
    Ok(Vec::new())
}

/// Licences, bans and sources of all dependencies.
fn deny() -> Findings {
    if !shell::succeeds(workspace::cargo().args(["deny", "--version"])) {
        let mut install = workspace::cargo();
        // Not optimised it is built in a quarter of the time, and looks at all in two seconds.
        install.args(["install", "cargo-deny", "--locked", "--debug"]);
        shell::quietly("Building", "cargo-deny, which takes a minute", &mut install)?;
    }
    let mut deny = workspace::cargo();
    deny.args(["deny", "check"]);
    shell::run(deny.args(["bans", "licenses", "sources"]))?;
    Ok(Vec::new())
}
