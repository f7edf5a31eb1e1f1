//! The Helm chart: its files that are made from others, and its tests.
//!
//! | made | from |
//! |---|---|
//! | `values.schema.json`, the table in `README.md` | the comments and defaults of `values.yaml` |
//! | `files/landlord.rules.yaml` | `charts/prometheus/landlord.rules.yaml` |
//! | `dashboards/*.json` | [`crate::dashboards`] |
//! | `charts/tests/snapshots/*.yaml` | the chart, rendered for `charts/tests/values/*.yaml` |
//!
//! Charts are rendered by Helm's own code, as a Python package holds it; it needs no
//! cluster. Without it snapshots are left as they are, and the tests are skipped.

mod helm;
mod laws;
mod readme;
mod refusals;
mod schema;
mod test;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::setup::{self, Purpose};
use crate::{dashboards, files, report, shell, tidy, workspace};

pub(crate) use test::run as test;

/// What the command can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rewrite what is made from other files, snapshots included
    #[arg(long)]
    fix: bool,
}

/// Checks what is made, and runs the tests of the chart.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure(Purpose::Test)?;
    let mut tally = tidy::chart(args.fix);
    tally += test()?;
    report::result(&tally);
    Ok(tally.exit_code())
}

/// A file that is made from others.
pub(crate) struct Made {
    /// Relative to the workspace.
    pub(crate) file: String,
    pub(crate) text: String,
}

/// A set of values to render the chart with.
pub(crate) struct ValueSet {
    name: String,
    text: String,
}

fn folder() -> PathBuf {
    workspace::root().join("charts")
}

/// The files that are made of others, as they have to be.
pub(crate) fn made() -> Result<Vec<Made>> {
    let read = |file: &str| files::read_text(&folder().join(file));
    let entries = values::parse(&read("landlord/values.yaml")?).context("landlord/values.yaml")?;
    let mut made = vec![
        Made {
            file: "charts/landlord/values.schema.json".to_owned(),
            text: schema::schema(&entries)?,
        },
        Made {
            file: "charts/landlord/README.md".to_owned(),
            text: readme::with_table(&read("landlord/README.md")?, &entries)?,
        },
        Made {
            file: "charts/landlord/files/landlord.rules.yaml".to_owned(),
            text: read("prometheus/landlord.rules.yaml")?,
        },
    ];
    made.extend(dashboards::made());
    Ok(made)
}

/// The snapshots, as the chart is rendered now.
pub(crate) fn rendered() -> Result<Vec<Made>> {
    let Some(python) = setup::helm() else {
        shell::warn("Helm is not here: the chart's snapshots are not looked at");
        return Ok(Vec::new());
    };
    let sets = value_sets()?;
    let answer = helm::ask(&python, &helm::Request::of_sets(&sets)?)?;
    let made = sets
        .iter()
        .zip(&answer.sets)
        .map(|(set, outcome)| Ok(Made { file: snapshot(&set.name), text: outcome.snapshot()? }));
    made.collect()
}

/// Where the rendered output of a set of values is kept.
fn snapshot(set: &str) -> String {
    format!("charts/tests/snapshots/{set}.yaml")
}

/// The sets of values that the chart is rendered with.
fn value_sets() -> Result<Vec<ValueSet>> {
    let read = |file: &PathBuf| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(ValueSet { name, text: files::read_text(file)? })
    };
    files::list(&folder().join("tests/values"))?.iter().map(read).collect()
}
