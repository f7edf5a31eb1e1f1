//! Builds the eBPF programs for their own target and leaves the objects in
//! `OUT_DIR`, where `kernel::load` embeds them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result};
use aya_build::{Package, Toolchain};

/// `core` has to be built for the eBPF target, which the pinned stable
/// toolchain does only under this variable.
const BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// Cargo's own variable. The programs are never built incrementally: the compiler would
/// cut them into other pieces, which verifiers of old kernels find too long.
const INCREMENTAL: &str = "CARGO_INCREMENTAL";

/// How cargo names the compiler of the workspace's own crates, if it is not rustc.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
/// What the eBPF build makes.
const OBJECTS: [&str; 2] = ["sensors", "floor"];

fn main() -> Result<ExitCode> {
    let wrapper = std::env::var_os(WRAPPER).unwrap_or_default();
    if Path::new(&wrapper).file_stem().is_some_and(|name| name == "clippy-driver") {
        // Cargo shares nothing between lints and builds; lints are the same for any programs.
        let out = std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?;
        for object in OBJECTS {
            std::fs::write(Path::new(&out).join(object), "").context("writing to OUT_DIR")?;
        }
        println!("cargo:rerun-if-changed=build.rs");
        return Ok(ExitCode::SUCCESS);
    }
    if std::env::var_os(BOOTSTRAP).is_some_and(|value| value == "1") {
        let root_dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent-ebpf");
        let package = Package {
            name: "landlord-ebpf",
            root_dir,
            no_default_features: false,
            features: &["programs"],
        };
        let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "1.95.0".to_owned());
        aya_build::build_ebpf([package], Toolchain::Custom(&toolchain))?;
        return Ok(ExitCode::SUCCESS);
    }
    // Set for this one build only, not for the whole workspace: other crates'
    // build scripts would take it for a nightly compiler.
    let this = std::env::current_exe().context("own path")?;
    let mut build = Command::new(this)
        .env(BOOTSTRAP, "1")
        .env_remove(INCREMENTAL)
        .stdout(Stdio::piped())
        .spawn()
        .context("eBPF build")?;
    let output = build.stdout.take().context("standard output is a pipe")?;
    let mut told = std::io::stdout().lock();
    for line in BufReader::new(output).lines() {
        let line = line.context("reading the eBPF build")?;
        // Progress is told as warnings, and would be repeated at every build.
        let progress = line.strip_prefix("cargo:warning=").is_some_and(|text| {
            let word = text.trim_start();
            word.starts_with("Compiling ") || word.starts_with("Finished ")
        });
        if !progress {
            writeln!(told, "{line}").context("telling cargo")?;
        }
    }
    if !build.wait().context("eBPF build")?.success() {
        return Ok(ExitCode::FAILURE);
    }
    // Who switches it off builds once: `core` and all else that only the next build of the
    // programs would use, 270 MB, is not kept.
    if std::env::var_os(INCREMENTAL).is_some_and(|value| value == "0") {
        let out = std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?;
        std::fs::remove_dir_all(Path::new(&out).join("aya-build"))
            .context("removing what the eBPF build left")?;
    }
    Ok(ExitCode::SUCCESS)
}
