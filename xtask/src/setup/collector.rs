//! An OpenTelemetry Collector, built from Debian's packages of its source: for tests of
//! what is told by OTLP.
//!
//! The packages are unpacked, built from without the network, and removed again; only the
//! program stays.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::apt::Apt;
use super::{Requirement, TESTING};
use crate::{files, shell, workspace};

/// The program's own source: which of the Collector's parts it has.
const MAIN: &str = include_str!("collector/main.go");
const SOURCE: &str = "golang-opentelemetry-collector-dev";
const COMPILER: &str = "golang-go";
/// Large, and of nothing that is built in here.
const NEEDLESS: [&str; 12] = [
    "golang-github-apache-arrow",
    "golang-github-aws-",
    "golang-github-azure-",
    "golang-github-cloudflare-circl",
    "golang-github-envoyproxy-",
    "golang-github-googlecloudplatform-",
    "golang-golang-x-image",
    "golang-golang-x-tools",
    "golang-google-api",
    "golang-google-cloud",
    "golang-gonum-v1-plot",
    "golang-mongodb-",
];

pub(super) fn requirement() -> Requirement {
    let why = "by the tests of OTLP, to send to";
    let find = || {
        let version = files::read_text(&folder().join("version")).ok()?;
        collector().map(|program| format!("{}, {version}", program.display()))
    };
    Requirement::new("collector", why, find, install).optional()
}

fn folder() -> PathBuf {
    workspace::cache().join("collector")
}

/// The Collector, if it was built from the source of today.
pub(crate) fn collector() -> Option<PathBuf> {
    let built = std::fs::read_to_string(folder().join("main.go")).ok()?;
    let program = folder().join("collector");
    (built == MAIN && program.is_file()).then_some(program)
}

fn install() -> Result<()> {
    files::remove_folder(&folder())?;
    files::make_folder(&folder())?;
    // Some GB, which are not kept even if something breaks off.
    let place = tempfile::tempdir_in(folder())?;
    let apt = Apt::private(&place.path().join("apt"), TESTING)?;
    let version = apt.candidate(SOURCE).with_context(|| format!("{TESTING} has no {SOURCE}"))?;
    let is_wanted = |name: &str| {
        name.starts_with("golang-") && !NEEDLESS.iter().any(|part| name.starts_with(part))
    };
    let packages = apt.closure(&[SOURCE, COMPILER], is_wanted)?;
    let root = place.path().join("root");
    apt.unpack(&packages, &root)?;
    let program = folder().join("collector");
    build(place.path(), &root, &program)?;
    files::write(&folder().join("version"), version)?;
    // Last, so that a build that broke off is not taken for one.
    files::write(&folder().join("main.go"), MAIN)
}

/// Builds with the compiler in `root` from the packages there.
fn build(place: &Path, root: &Path, program: &Path) -> Result<()> {
    let source = place.join("source");
    files::make_folder(&source)?;
    files::write(&source.join("main.go"), MAIN)?;
    let compilers = files::list(&root.join("usr/lib"))?;
    let is_go = |path: &&PathBuf| path.join("bin/go").is_file();
    let home = compilers.iter().find(is_go).context("the packages hold no compiler of Go")?;
    let mut go = shell::command(home.join("bin/go"), ["build", "-trimpath", "-ldflags=-s -w"]);
    go.arg("-o").arg(program).arg("main.go").current_dir(&source);
    go.env("GOROOT", home).env("GOPATH", root.join("usr/share/gocode"));
    go.env("GOCACHE", place.join("cache")).env("HOME", place);
    for (name, value) in [
        ("GO111MODULE", "off"),
        ("GOTOOLCHAIN", "local"),
        ("GOENV", "off"),
        ("GOFLAGS", ""),
        ("CGO_ENABLED", "0"),
    ] {
        go.env(name, value);
    }
    shell::quietly("Building", "the OpenTelemetry Collector, which takes about a minute", &mut go)
}
