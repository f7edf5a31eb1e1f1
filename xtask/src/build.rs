//! `cargo xtask build`: the agent with its sensors inside, if wanted as one
//! file that needs nothing of the machine it runs on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::setup::{self, Purpose};
use crate::{files, report, shell, workspace};

/// The target of static binaries.
#[cfg(target_arch = "x86_64")]
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";
#[cfg(target_arch = "aarch64")]
pub(crate) const MUSL: &str = "aarch64-unknown-linux-musl";

/// What is taken if the toolchain does not have the musl target.
#[cfg(target_arch = "x86_64")]
const GNU: (&str, &str) =
    ("x86_64-unknown-linux-gnu", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS");
#[cfg(target_arch = "aarch64")]
const GNU: (&str, &str) =
    ("aarch64-unknown-linux-gnu", "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS");

/// What the build can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Optimise
    #[arg(long)]
    release: bool,
    /// Link everything into the binary
    #[arg(long = "static")]
    fully_static: bool,
}

/// How something is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build {
    pub(crate) release: bool,
    pub(crate) fully_static: bool,
}

/// What demo, benchmark and end-to-end tests run.
pub(crate) struct Programs {
    /// The agent.
    pub(crate) agent: PathBuf,
    /// One known workload a run.
    pub(crate) workload: PathBuf,
}

/// A program that cargo has built.
pub(crate) struct Artifact {
    /// The folder of its package, relative to the workspace: `agent`, `tests`…
    pub(crate) package: PathBuf,
    /// The target's name within the package.
    pub(crate) name: String,
    /// The target's kind: `lib`, `bin`, `test`…
    pub(crate) kind: String,
    /// Built with the test harness.
    pub(crate) is_test: bool,
    pub(crate) file: PathBuf,
}

impl Artifact {
    /// Whether it belongs to the end-to-end tests, which want to be alone on a
    /// machine.
    fn is_end_to_end(&self) -> bool {
        self.package == Path::new("tests") && self.kind == "test"
    }
}

/// Builds the agent and tells where it is.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Purpose::Build)?;
    let build = Build { release: args.release, fully_static: args.fully_static };
    let agent = build.agent()?;
    let elf = files::read(&agent)?;
    let size = elf.len();
    let linked = if is_static(&elf) { "static" } else { "dynamic" };
    ensure!(!args.fully_static || linked == "static", "{} is not static", agent.display());
    let mebibytes = f64::from(u32::try_from(size / 1024)?) / 1024.0;
    report::result(format_args!("{} ({mebibytes:.1} MiB, {linked})", agent.display()));
    Ok(())
}

impl Build {
    /// Builds the agent and returns its path.
    pub(crate) fn agent(self) -> Result<PathBuf> {
        let mut cargo = self.cargo("build");
        cargo.args(["-p", "landlord", "--bin", "landlord"]);
        program(&artifacts(&mut cargo)?, "landlord")
    }

    /// Builds the agent and the workload it meters.
    pub(crate) fn programs(self) -> Result<Programs> {
        // The whole workspace, here and below: with fewer packages cargo may
        // choose other features and build the dependencies once more.
        let mut cargo = self.cargo("build");
        cargo.args(["--workspace", "--bin", "landlord", "--bin", "workload"]);
        let built = artifacts(&mut cargo)?;
        Ok(Programs { agent: program(&built, "landlord")?, workload: program(&built, "workload")? })
    }

    /// What tests are made of: static, so that the same programs run here and in
    /// a guest, and everything is built once.
    pub(crate) fn tested(release: bool) -> Self {
        Self { release, fully_static: true }
    }

    /// Builds the end-to-end tests, which run [`Programs`].
    pub(crate) fn end_to_end(self) -> Result<Vec<Artifact>> {
        let mut tests = self.test_programs(&["--test", "*"])?;
        tests.retain(Artifact::is_end_to_end);
        ensure!(!tests.is_empty(), "the package landlord-tests has no end-to-end tests");
        Ok(tests)
    }

    /// Builds the unit and property tests.
    pub(crate) fn unit(self) -> Result<Vec<Artifact>> {
        let mut programs = self.test_programs(&[])?;
        programs.retain(|program| !program.is_end_to_end());
        Ok(programs)
    }

    /// The examples in the documentation, ready to run.
    pub(crate) fn examples(self) -> Command {
        let mut cargo = self.cargo("test");
        cargo.args(["--workspace", "--doc", "--quiet"]);
        cargo
    }

    fn test_programs(self, which: &[&str]) -> Result<Vec<Artifact>> {
        let mut cargo = self.cargo("test");
        cargo.args(["--workspace", "--no-run"]).args(which);
        let mut programs = artifacts(&mut cargo)?;
        programs.retain(|program| program.is_test);
        Ok(programs)
    }

    /// Cargo with a subcommand, so that what it makes is shared with all other builds of
    /// this kind.
    pub(crate) fn cargo(self, subcommand: &str) -> Command {
        let mut cargo = workspace::cargo();
        cargo.arg(subcommand);
        if self.release {
            cargo.arg("--release");
        }
        if self.fully_static {
            if musl_target().is_some() {
                cargo.args(["--target", MUSL]);
                // Where the machine's own architecture is not x86, nothing would
                // find it by its name.
                let variable = format!("CC_{}", MUSL.replace('-', "_"));
                if std::env::var_os(&variable).is_none() {
                    cargo.env(variable, "musl-gcc");
                }
            } else {
                let (triple, flags) = GNU;
                cargo.args(["--target", triple]).env(flags, "-C target-feature=+crt-static");
            }
            // Function names are enough for a backtrace, and a guest has to
            // hold these binaries in its memory.
            cargo.env("CARGO_PROFILE_DEV_STRIP", "debuginfo");
        }
        cargo
    }
}

/// Where the toolchain keeps the libraries of [`MUSL`], if it has them.
pub(crate) fn musl_target() -> Option<String> {
    let mut rustc = workspace::tool("rustc");
    let folder = shell::capture(rustc.args(["--print", "target-libdir", "--target", MUSL])).ok()?;
    // The path is told even if the target is not installed.
    let folder = folder.trim();
    Path::new(folder).is_dir().then(|| folder.to_owned())
}

/// Runs cargo and returns the programs it built; cargo's progress and the
/// compiler's messages are shown.
pub(crate) fn artifacts(cargo: &mut Command) -> Result<Vec<Artifact>> {
    cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let (status, messages) = shell::stream(cargo, |_| ())?;
    if !status.success() {
        bail!("the build failed");
    }
    Ok(messages.lines().filter_map(artifact).collect())
}

/// The program that one of cargo's messages tells of.
fn artifact(message: &str) -> Option<Artifact> {
    let message: Value = serde_json::from_str(message).ok()?;
    let target = message.get("target")?;
    let manifest = Path::new(message.get("manifest_path")?.as_str()?);
    Some(Artifact {
        package: manifest.parent()?.file_name()?.into(),
        name: target.get("name")?.as_str()?.to_owned(),
        kind: target.get("kind")?.get(0)?.as_str()?.to_owned(),
        is_test: message.get("profile")?.get("test")?.as_bool()?,
        file: message.get("executable")?.as_str()?.into(),
    })
}

fn program(artifacts: &[Artifact], name: &str) -> Result<PathBuf> {
    let is_it = |artifact: &&Artifact| artifact.name == name && !artifact.is_test;
    let found = artifacts.iter().find(is_it);
    Ok(found.with_context(|| format!("cargo built no {name}"))?.file.clone())
}

/// Whether a 64-bit ELF file names no program interpreter, and so is loaded by
/// the kernel alone.
fn is_static(elf: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let u16_at = |at: usize| Some(u16::from_le_bytes(elf.get(at..at + 2)?.try_into().ok()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(elf.get(at..at + 4)?.try_into().ok()?));
    let segments = || {
        let start = usize::try_from(u32_at(0x20)?).ok()?;
        let size = usize::from(u16_at(0x36)?);
        (0..usize::from(u16_at(0x38)?))
            .map(|n| u32_at(start + n * size))
            .collect::<Option<Vec<_>>>()
    };
    elf.starts_with(b"\x7fELF\x02\x01")
        && segments().is_some_and(|kinds| !kinds.contains(&INTERPRETER))
}

#[cfg(test)]
mod tests {
    use super::{artifact, is_static};

    /// An ELF header and program headers of these kinds.
    fn elf(kinds: &[u32]) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[0x20] = 64;
        file[0x36] = 56;
        file[0x38] = u8::try_from(kinds.len()).unwrap();
        for kind in kinds {
            file.extend(kind.to_le_bytes());
            file.extend([0; 52]);
        }
        file
    }

    #[test]
    fn an_interpreter_makes_it_dynamic() {
        let check = |file: &[u8], expected| assert_eq!(is_static(file), expected);
        check(&elf(&[6, 3, 1]), false);
        check(&elf(&[1, 1, 2]), true);
        check(&elf(&[1, 1])[..100], false);
        check(b"#!/bin/sh", false);
        check(&std::fs::read("/proc/self/exe").unwrap(), cfg!(target_feature = "crt-static"));
    }

    #[test]
    fn programs_are_told_from_libraries() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/w/tests/Cargo.toml",
            "target":{"kind":["test"],"name":"e2e"},"profile":{"test":true},
            "executable":"/w/target/debug/deps/e2e-1"}"#;
        let program = artifact(message).unwrap();
        assert_eq!(program.package.to_str(), Some("tests"));
        assert_eq!((program.name.as_str(), program.kind.as_str()), ("e2e", "test"));
        assert!(program.is_test);
        assert!(artifact(&message.replace("\"/w/target/debug/deps/e2e-1\"", "null")).is_none());
        assert!(artifact("{\"reason\":\"build-finished\",\"success\":true}").is_none());
        assert!(artifact("not json").is_none());
    }
}
