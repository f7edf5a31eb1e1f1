//! What comes from apt: the tools of a build, and the programs that only tests
//! use.

use std::path::PathBuf;

use anyhow::Result;

use super::{Requirement, apt, linker};
use crate::{shell, workspace};

pub(super) fn for_build() -> Vec<Requirement> {
    vec![
        program("cc", "gcc", "by rustc, to link"),
        program("musl-gcc", "musl-tools", "to compile the C of TLS for static binaries"),
        linker::requirement(),
        program("ip", "iproute2", "to make network namespaces"),
    ]
}

pub(super) fn for_tests() -> Vec<Requirement> {
    let why = "by the test that scrapes the agent";
    let find = || prometheus().map(|program| program.display().to_string());
    let mut all =
        vec![Requirement::new("prometheus", why, find, || unpack("prometheus")).optional()];
    let why = "by the tests of rules, to make containers";
    let find = || runc().map(|program| program.display().to_string());
    all.push(Requirement::new("runc", why, find, || unpack("runc")).optional());
    let why = "by the tests of identity, to make pods";
    let find = || containerd().map(|folder| folder.join("containerd").display().to_string());
    all.push(Requirement::new("containerd", why, find, || unpack("containerd")).optional());
    let find = || busybox().map(|program| program.display().to_string());
    let why = "by the tests of rules, as what runs in containers";
    all.push(Requirement::new("busybox", why, find, || unpack("busybox-static")).optional());
    all
}

pub(super) fn for_boot() -> Vec<Requirement> {
    let find = || busybox().map(|program| program.display().to_string());
    vec![
        program("qemu-system-x86_64", "qemu-system-x86", "to emulate a machine"),
        Requirement::new("busybox", "as the guest's userland", find, || unpack("busybox-static")),
    ]
}

/// A static busybox, if it was fetched.
pub(crate) fn busybox() -> Option<PathBuf> {
    let folder = workspace::cache().join("busybox-static");
    ["bin/busybox", "usr/bin/busybox"]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|p| p.is_file())
}

/// A runc, from the cache or the machine.
pub(crate) fn runc() -> Option<PathBuf> {
    let folder = workspace::cache().join("runc/usr");
    let fetched = ["sbin/runc", "bin/runc"].map(|name| folder.join(name));
    fetched.into_iter().find(|file| file.is_file()).or_else(|| shell::find("runc"))
}

/// The programs that make up a containerd which runs containers by [`runc`].
pub(crate) const CONTAINERD: [&str; 3] = ["containerd", "containerd-shim-runc-v2", "ctr"];

/// The folder of [`CONTAINERD`], in the cache or on the machine.
pub(crate) fn containerd() -> Option<PathBuf> {
    let fetched = workspace::cache().join("containerd/usr/bin");
    let found = shell::find("containerd").and_then(|file| Some(file.parent()?.to_owned()));
    let is_whole = |folder: &PathBuf| CONTAINERD.iter().all(|name| folder.join(name).is_file());
    [Some(fetched), found].into_iter().flatten().find(is_whole)
}

/// Falco's own rule files, if they are here.
pub(crate) fn falco_rules() -> Option<PathBuf> {
    let named = std::env::var_os("LANDLORD_FALCO_RULES").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| workspace::root().join("../shared/falco-rules"));
    folder.is_dir().then_some(folder)
}

/// A Prometheus server, from the cache or the machine.
pub(crate) fn prometheus() -> Option<PathBuf> {
    test_tool("prometheus")
}

/// Prometheus' own linter, from the cache or the machine.
pub(crate) fn promtool() -> Option<PathBuf> {
    test_tool("promtool")
}

fn test_tool(program: &str) -> Option<PathBuf> {
    let fetched = workspace::cache().join("prometheus/usr/bin").join(program);
    if fetched.is_file() { Some(fetched) } else { shell::find(program) }
}

/// Unpacks a package into the cache: nothing is configured and no service starts.
fn unpack(package: &str) -> Result<()> {
    apt::unpack(package, &workspace::cache().join(package))
}

fn program(name: &'static str, package: &'static str, why: &'static str) -> Requirement {
    let find = move || shell::find(name).map(|file| file.display().to_string());
    let label = if name == package { name.to_owned() } else { format!("{name} ({package})") };
    Requirement::new(label, why, find, move || apt::install(&[package]))
}
