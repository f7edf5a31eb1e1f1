//! `cargo xtask pictures`: the dashboards as pictures, of real data.
//!
//! The end-to-end test of the dashboards lets tenants work, has a real Prometheus scrape
//! the agent, and keeps what it answers to every query. A script draws that by the dashboards'
//! own JSON, much as Grafana would.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::build::Build;
use crate::report::{self, say};
use crate::setup::{self, Purpose};
use crate::{files, root, shell, test, workspace};

const SCRIPT: &str = include_str!("render.py");
/// The test that keeps answers, and the variables that let it.
const TEST: &str = "rules_and_dashboards_show_real_tenants";
const ANSWERS: &str = "LANDLORD_ANSWERS";
const SECONDS: &str = "LANDLORD_LOOK_SECONDS";

/// What the command can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long the tenants work at least
    #[arg(long, default_value_t = 180)]
    seconds: u32,
    /// Folder for the pictures [default: target/pictures]
    folder: Option<PathBuf>,
}

/// Lets tenants work, and draws what there is to be seen.
pub(crate) fn run(args: &Args) -> Result<()> {
    for purpose in [Purpose::Build, Purpose::Test, Purpose::Draw] {
        setup::ensure(purpose)?;
    }
    let folder = args.folder.clone().unwrap_or_else(|| workspace::root().join("target/pictures"));
    files::make_folder(&folder)?;
    let answers = tempfile::tempdir()?;
    watch(args.seconds, answers.path())?;
    let painter = setup::painter().context("nothing to draw with")?;
    let mut draw = shell::command(painter, ["-I", "-c", SCRIPT]);
    shell::run(draw.arg(answers.path()).arg(&folder))?;
    for picture in files::list(&folder)? {
        say("Drew", picture.display());
    }
    Ok(())
}

/// Fills a folder with answers.
fn watch(seconds: u32, answers: &Path) -> Result<()> {
    let build = Build::tested(false);
    let (programs, tests) = (build.programs()?, build.end_to_end()?);
    let test = tests.iter().find(|test| test.name == "e2e").context("no end-to-end tests")?;
    let seconds = PathBuf::from(seconds.to_string());
    let mut environment = test::tools(&programs);
    environment.extend([(ANSWERS, answers.to_owned()), (SECONDS, seconds)]);
    let environment: Vec<(&str, &Path)> =
        environment.iter().map(|(name, value)| (*name, value.as_path())).collect();
    say("Watching", "tenants at work");
    let mut command = root::command(&test.file, &environment)?;
    command.args(["--show-output", TEST]).current_dir(workspace::root().join("tests"));
    let (status, _) = shell::stream(&mut command, report::raw)?;
    ensure!(status.success(), "the test of the dashboards: {status}");
    ensure!(!files::list(answers)?.is_empty(), "the test of the dashboards was skipped");
    Ok(())
}
