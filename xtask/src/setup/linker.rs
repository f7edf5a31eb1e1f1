//! bpf-linker, which links the sensors: built here, because it has to use the
//! same LLVM as the compiler whose output it links.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Requirement, apt, toolchain};
use crate::{files, shell, workspace};

const VERSION: &str = "^0.13";
/// The LLVM of the pinned compiler, as bpf-linker calls it.
const FEATURE: &str = "llvm-22";
/// What rustup ships that LLVM as, beside the compiler.
const SHARED_LIBRARY: &str = "libLLVM.so.22";

/// For a compiler that comes without its LLVM: where Debian puts the same one.
const SYSTEM_PREFIX: &str = "/usr/lib/llvm-22";
const SYSTEM_PACKAGES: [&str; 5] =
    ["llvm-22-dev", "libpolly-22-dev", "libzstd-dev", "zlib1g-dev", "g++"];

pub(super) fn requirement() -> Requirement {
    Requirement::new("bpf-linker", "to link the sensors", version, build)
}

fn version() -> Option<String> {
    let version = shell::capture(Command::new("bpf-linker").arg("--version")).ok()?;
    Some(version.trim().to_owned())
}

/// Builds it in about a minute, best against the compiler's own LLVM, which is
/// there already and is the right one whatever the system has.
fn build() -> Result<()> {
    let library_folder = toolchain::sysroot()?.join("lib");
    let mut install = workspace::cargo();
    if let Some(library) = shared_library(&library_folder)? {
        install.env("LLVM_PREFIX", prefix_of(&library)?);
        let search = format!("-C link-arg=-Wl,-rpath,{}", library_folder.display());
        install.env("RUSTFLAGS", search);
    } else {
        install_llvm()?;
        install.env("LLVM_PREFIX", SYSTEM_PREFIX);
    }
    // By force: one that is installed but does not start is to be replaced.
    install.args(["install", "bpf-linker", "--version", VERSION, "--locked", "--force"]);
    install.args(["--no-default-features", "--features", FEATURE]);
    shell::quietly("Building", "bpf-linker, which takes about a minute", &mut install)
}

fn shared_library(folder: &Path) -> Result<Option<PathBuf>> {
    let is_it = |file: &PathBuf| {
        file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(SHARED_LIBRARY))
    };
    Ok(files::list(folder)?.into_iter().find(is_it))
}

/// A folder that has the library where, and under the name by which, it is
/// looked for when linking.
fn prefix_of(library: &Path) -> Result<PathBuf> {
    let prefix = workspace::cache().join("llvm");
    files::remove_folder(&prefix)?;
    files::make_folder(&prefix.join("lib"))?;
    let link = prefix.join("lib/libLLVM.so");
    symlink(library, &link).with_context(|| link.display().to_string())?;
    Ok(prefix)
}

fn install_llvm() -> Result<()> {
    let missing: Vec<&str> =
        SYSTEM_PACKAGES.into_iter().filter(|package| apt::installed(package).is_none()).collect();
    if missing.is_empty() { Ok(()) } else { apt::install(&missing) }
}
