//! Environments of Python in the cache, each with packages that are pinned by their hashes.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::apt;
use crate::{files, shell, workspace};

/// One of them.
pub(super) struct Environment {
    /// Its folder in the cache.
    pub(super) name: &'static str,
    /// What it has, as pip reads it.
    pub(super) packages: &'static str,
    /// What that is, for people.
    pub(super) about: &'static str,
}

impl Environment {
    fn folder(&self) -> PathBuf {
        workspace::cache().join(self.name)
    }

    /// Its Python, if it was installed with these very packages.
    pub(super) fn python(&self) -> Option<PathBuf> {
        let installed = std::fs::read_to_string(self.folder().join("packages.txt")).ok()?;
        let python = self.folder().join("bin/python");
        (installed == self.packages && python.is_file()).then_some(python)
    }

    /// Makes it anew.
    pub(super) fn install(&self) -> Result<()> {
        let has_venv = |python: &PathBuf| {
            shell::succeeds(&mut shell::command(python, ["-c", "import venv, ensurepip"]))
        };
        if !shell::find("python3").is_some_and(|python| has_venv(&python)) {
            apt::install(&["python3-venv"])?;
        }
        let python = shell::find("python3").context("python3 is not on the PATH")?;
        let folder = self.folder();
        files::remove_folder(&folder)?;
        shell::capture(shell::command(python, ["-m", "venv"]).arg(&folder))?;
        let list = folder.join("requirements.txt");
        files::write(&list, self.packages)?;
        let mut pip = shell::command(folder.join("bin/pip"), ["install", "--quiet"]);
        pip.args(["--require-hashes", "--only-binary", ":all:", "--requirement"]).arg(&list);
        shell::quietly("Fetching", self.about, &mut pip)?;
        // Last, so that an installation that broke off is not taken for one.
        files::write(&folder.join("packages.txt"), self.packages)
    }
}
