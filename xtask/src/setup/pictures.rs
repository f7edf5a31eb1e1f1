//! What draws pictures of dashboards; `cargo xtask pictures` alone needs it.

use std::path::PathBuf;

use super::Requirement;
use super::python::Environment;

const ENVIRONMENT: Environment =
    Environment { name: "pictures", packages: include_str!("pictures.txt"), about: "matplotlib" };

pub(super) fn requirement() -> Requirement {
    let find = || painter().map(|python| python.display().to_string());
    Requirement::new("matplotlib", "to draw dashboards", find, || ENVIRONMENT.install())
}

/// A Python that can draw, if it was installed with these very packages.
pub(crate) fn painter() -> Option<PathBuf> {
    ENVIRONMENT.python()
}
