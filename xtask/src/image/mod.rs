//! `cargo xtask image`: the agent's container image as an OCI archive, without a
//! container engine. What it says of itself is read from `charts/image/Containerfile`.
//!
//! The same input gives the same bytes: no time and no user of the machine gets in.

mod archive;
mod recipe;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use self::archive::{Blob, Tar};
use self::recipe::Recipe;
use crate::build::Build;
use crate::setup::{self, Purpose};
use crate::{files, report, workspace};

/// The architecture as images call it.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: &str = "amd64";
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: &str = "arm64";

/// Where the image has its rules; the chart names it, too.
const RULES: &str = "usr/share/landlord/rules";

/// What the image can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Optimise
    #[arg(long)]
    release: bool,
    /// Name of the image, as the chart has it
    #[arg(long, default_value = concat!("ghcr.io/landlord-dev/landlord:", env!("CARGO_PKG_VERSION")))]
    name: String,
    /// A static agent that is already built, instead of building one
    #[arg(long, value_name = "FILE")]
    agent: Option<PathBuf>,
}

/// One path of the image.
enum Item {
    Folder,
    File { from: PathBuf, executable: bool },
    Link { to: &'static str },
}

/// Lays out the image's files and writes the archive.
pub(crate) fn run(args: &Args) -> Result<()> {
    let agent = match &args.agent {
        Some(agent) => agent.clone(),
        None => {
            setup::ensure(Purpose::Build)?;
            Build { release: args.release, fully_static: true }.agent()?
        }
    };
    let folder = workspace::root().join("target/image");
    let items = items(&agent)?;
    lay_out(&folder.join("linux").join(ARCHITECTURE), &items)?;
    let recipe = files::read_text(&workspace::root().join("charts/image/Containerfile"))?;
    let recipe = Recipe::parse(&recipe).context("charts/image/Containerfile")?;
    let layer = layer(&items)?;
    let archive = folder.join(format!("landlord-{ARCHITECTURE}.tar"));
    files::write(&archive, archive::oci(&layer, &recipe, ARCHITECTURE, &args.name)?)?;
    report::result(archive.display());
    Ok(())
}

/// Everything in the image, folders before what is in them.
fn items(agent: &Path) -> Result<Vec<(String, Item)>> {
    let folders = ["usr", "usr/bin", "usr/share", "usr/share/landlord", RULES];
    let mut items: Vec<(String, Item)> =
        folders.iter().map(|folder| ((*folder).to_owned(), Item::Folder)).collect();
    let agent = Item::File { from: agent.to_owned(), executable: true };
    items.push(("usr/bin/landlord".to_owned(), agent));
    // kubectl finds its plugins by their names.
    items.push(("usr/bin/kubectl-landlord".to_owned(), Item::Link { to: "landlord" }));
    for file in files::list(&workspace::root().join("rules"))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".yaml") {
            items.push((format!("{RULES}/{name}"), Item::File { from: file, executable: false }));
        }
    }
    Ok(items)
}

/// Puts the files where an engine takes them from.
fn lay_out(root: &Path, items: &[(String, Item)]) -> Result<()> {
    files::remove_folder(root)?;
    files::make_folder(root)?;
    for (path, item) in items {
        let path = root.join(path);
        match item {
            Item::Folder => files::make_folder(&path)?,
            Item::File { from, .. } => {
                std::fs::copy(from, &path).with_context(|| from.display().to_string())?;
            }
            Item::Link { to } => {
                std::os::unix::fs::symlink(to, &path)
                    .with_context(|| path.display().to_string())?;
            }
        }
    }
    Ok(())
}

/// The image's only layer.
fn layer(items: &[(String, Item)]) -> Result<Blob> {
    let mut tar = Tar::default();
    for (path, item) in items {
        match item {
            Item::Folder => tar.folder(path)?,
            Item::File { from, executable } => tar.file(path, &files::read(from)?, *executable)?,
            Item::Link { to } => tar.link(path, to)?,
        }
    }
    Ok(Blob::new(tar.end()?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Item, items};

    #[test]
    fn the_agent_its_plugin_name_and_the_rules() {
        let items = items(Path::new("/agent")).unwrap();
        let find = |wanted: &str| items.iter().find(|(path, _)| path == wanted).map(|(_, i)| i);
        assert!(matches!(find("usr/bin/landlord"), Some(Item::File { executable: true, .. })));
        let plugin = find("usr/bin/kubectl-landlord");
        assert!(matches!(plugin, Some(Item::Link { to: "landlord" })));
        let rules = find("usr/share/landlord/rules/container-escape.yaml");
        assert!(matches!(rules, Some(Item::File { executable: false, .. })));
        assert!(!items.iter().any(|(path, _)| path.contains("tests")));
    }
}
