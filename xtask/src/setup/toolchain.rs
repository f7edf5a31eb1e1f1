//! What the Rust toolchain has to have: the source of `core` for the eBPF
//! target, clippy, rustfmt, and the target of static binaries.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::Requirement;
use super::apt::Apt;
use crate::build::{MUSL, musl_target};
use crate::{files, shell, workspace};

/// Where Debian's own builds of the compiler's source are found.
const RUST_SRC_REPOSITORY: &str = "http://deb.debian.org/debian trixie-backports";

pub(super) fn requirements() -> Vec<Requirement> {
    vec![
        Requirement::new("rust-src", "to build core for the eBPF target", rust_src, add_rust_src),
        component("clippy", "cargo-clippy"),
        component("rustfmt", "cargo-fmt"),
        Requirement::new(MUSL, "for static binaries without glibc", musl_target, || {
            shell::quietly("Adding", MUSL, workspace::tool("rustup").args(["target", "add", MUSL]))
        })
        .optional(),
    ]
}

fn component(name: &'static str, program: &'static str) -> Requirement {
    let find = move || {
        let version = shell::capture(workspace::tool(program).arg("--version")).ok()?;
        Some(version.trim().to_owned())
    };
    let install = move || {
        let mut add = workspace::tool("rustup");
        shell::quietly("Adding", name, add.args(["component", "add", name]))
    };
    Requirement::new(name, "by `cargo xtask tidy`", find, install)
}

/// The folder of the toolchain that the workspace uses.
pub(super) fn sysroot() -> Result<PathBuf> {
    let path = shell::capture(workspace::tool("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(path.trim()))
}

fn rust_src() -> Option<String> {
    let library = sysroot().ok()?.join("lib/rustlib/src/rust/library");
    library.join("core/src/lib.rs").is_file().then(|| library.display().to_string())
}

fn add_rust_src() -> Result<()> {
    let mut add = workspace::tool("rustup");
    let outcome = shell::quietly("Adding", "rust-src", add.args(["component", "add", "rust-src"]));
    if outcome.is_ok() && rust_src().is_some() {
        return Ok(());
    }
    if let Err(error) = outcome {
        shell::warn(format_args!("rustup cannot add rust-src: {error:#}"));
    }
    debian_rust_src()
}

/// Debian's package of the same version, for toolchains that rustup does not
/// rule.
fn debian_rust_src() -> Result<()> {
    let folder = workspace::cache().join("rust-src");
    let apt = Apt::private(&folder.join("apt"), RUST_SRC_REPOSITORY)?;
    let pinned = workspace::pinned_toolchain()?;
    let versions = apt.versions("rust-src")?;
    let Some(version) = versions.iter().find(|version| version.starts_with(&format!("{pinned}+")))
    else {
        bail!("{RUST_SRC_REPOSITORY} has no rust-src {pinned}, only {}", versions.join(", "));
    };
    apt.unpack(&[format!("rust-src={version}")], &folder)?;
    let link = sysroot()?.join("lib/rustlib/src/rust");
    let source = folder.join("usr/src").join(format!("rustc-{pinned}"));
    files::make_folder(link.parent().context("the sysroot is a folder")?)?;
    if link.is_symlink() {
        // It leads to a cache folder that is gone.
        files::remove(&link)?;
    }
    symlink(&source, &link).with_context(|| format!("{} -> {}", link.display(), source.display()))
}
