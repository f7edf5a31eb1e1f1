//! Alertmanager, from Debian's package: for tests of what is told to it.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::apt::Apt;
use super::{Requirement, TESTING};
use crate::{files, shell, workspace};

const PACKAGE: &str = "prometheus-alertmanager";
/// Where Debian's Alertmanager looks for its templates.
const TEMPLATES: &str = "/usr/share/prometheus/alertmanager";
/// The same below the folder that it is started in, and as long.
const HERE: &str = "usr/share/prometheus/alertmanager/";

pub(super) fn requirement() -> Requirement {
    let why = "by the tests of alerts, to send to";
    let find = || {
        let version = files::read_text(&folder().join("version")).ok()?;
        alertmanager().map(|program| format!("{}, {version}", program.display()))
    };
    Requirement::new("alertmanager", why, find, install).optional()
}

fn folder() -> PathBuf {
    workspace::cache().join("alertmanager")
}

/// An Alertmanager, which has to be started in the folder that it is in.
pub(crate) fn alertmanager() -> Option<PathBuf> {
    let program = folder().join("alertmanager");
    (program.is_file() && folder().join("version").is_file()).then_some(program)
}

fn install() -> Result<()> {
    files::remove_folder(&folder())?;
    files::make_folder(&folder())?;
    let lists = tempfile::tempdir_in(folder())?;
    let apt = Apt::private(lists.path(), TESTING)?;
    let version = apt.candidate(PACKAGE).unwrap_or_default();
    apt.unpack(&[PACKAGE.to_owned()], &folder())?;
    let unpacked = folder().join("usr/bin").join(PACKAGE);
    let mut bytes = files::read(&unpacked)?;
    let changed = replace(&mut bytes, TEMPLATES.as_bytes(), HERE.as_bytes());
    ensure!(changed > 0, "{PACKAGE} {version} has its templates not in {TEMPLATES}");
    files::write(&unpacked, bytes)?;
    let program = folder().join("alertmanager");
    // The package's file is executable already.
    std::fs::rename(&unpacked, &program)?;
    shell::capture(shell::command(program, ["--version"]).current_dir(folder()))?;
    files::write(&folder().join("version"), version)
}

/// Writes `to` wherever `from` is, which is as long; how often it was.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let is_here = |bytes: &[u8], at: usize| bytes[at..].starts_with(from);
    let places = (0..bytes.len()).filter(|at| bytes[*at] == from[0] && is_here(bytes, *at));
    let places: Vec<usize> = places.collect();
    for at in &places {
        bytes[*at..][..to.len()].copy_from_slice(to);
    }
    places.len()
}

#[cfg(test)]
mod tests {
    use super::{HERE, TEMPLATES, replace};

    #[test]
    fn all_places_are_changed_and_nothing_moves() {
        assert_eq!(TEMPLATES.len(), HERE.len());
        let check = |text: &str, expected: &str, count| {
            let mut bytes = text.as_bytes().to_vec();
            assert_eq!(replace(&mut bytes, b"/ab", b"ab/"), count);
            assert_eq!(bytes, expected.as_bytes());
        };
        check("x/abx/ab/c", "xab/xab//c", 2);
        check("/a", "/a", 0);
    }
}
