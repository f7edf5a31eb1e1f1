//! Where things are: the workspace, the cache folder, the pinned toolchain.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Names another place for kernels and tools than `.vm` in the workspace.
const CACHE_VARIABLE: &str = "LANDLORD_VM_DIR";

/// The root of the workspace.
///
/// Asked at run time first: a target folder may be shared by several checkouts.
pub(crate) fn root() -> PathBuf {
    let mut own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.pop();
    own
}

/// Where test kernels and test tools are kept.
pub(crate) fn cache() -> PathBuf {
    // Relative to the workspace, not to where the command was typed.
    root().join(std::env::var_os(CACHE_VARIABLE).unwrap_or_else(|| ".vm".into()))
}

/// Cargo of the pinned toolchain, in the workspace.
///
/// It is not told which package this program is of: build scripts of dependencies ask
/// to run again where that changes, as does all that depends on them, so that each
/// change between `cargo` and `cargo xtask` would build TLS and the agent anew.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    let is_of_package =
        |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|it| name.starts_with(it));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_package) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A program of the pinned toolchain, such as `rustc`, in the workspace.
pub(crate) fn tool(program: &str) -> Command {
    let mut tool = Command::new(program);
    tool.current_dir(root());
    tool
}

/// The version that `rust-toolchain.toml` pins.
pub(crate) fn pinned_toolchain() -> Result<String> {
    let file = root().join("rust-toolchain.toml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    channel(&text).map(str::to_owned).with_context(|| format!("no channel in {}", file.display()))
}

/// The value of `channel = "…"`.
fn channel(toml: &str) -> Option<&str> {
    toml.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "channel")
        .map(|(_, value)| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[test]
    fn pinned_version_is_found() {
        let check = |toml, expected| assert_eq!(channel(toml), expected);
        check("[toolchain]\nchannel = \"1.95.0\"\ncomponents = []\n", Some("1.95.0"));
        check("[toolchain]\nchannel=\"nightly\"\n", Some("nightly"));
        check("[toolchain]\ncomponents = [\"channel\"]\n", None);
    }
}
