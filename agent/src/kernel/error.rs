//! What can go wrong between the agent and the kernel.

use std::{io, path::PathBuf};

/// An error of the kernel boundary, in words for the node's operator.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// No cgroup v2 hierarchy is mounted.
    #[error(
        "no cgroup v2 hierarchy is mounted; boot with systemd.unified_cgroup_hierarchy=1, \
         or mount one: mount -t cgroup2 none /sys/fs/cgroup"
    )]
    NoCgroup2,
    /// The kernel has no BTF, or it cannot be read.
    #[error("cannot read the kernel's BTF at {path}: {reason}; it needs CONFIG_DEBUG_INFO_BTF=y")]
    Btf {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it could not be used.
        reason: String,
    },
    /// A member that a sensor needs is not in this kernel's structures.
    #[error("this kernel's BTF has no {0}")]
    NoMember(&'static str),
    /// Another agent uses the same pins.
    #[error(
        "another landlord agent is running on this node: it holds {path}; stop it first, or give \
         this one pins of its own with --pin-path"
    )]
    AlreadyRunning {
        /// The locked folder.
        path: PathBuf,
    },
    /// The pin folder cannot be used.
    #[error("cannot use {path} to pin counters: {reason}")]
    Pins {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The kernel refused the object or a map of it.
    #[error("the kernel refused the sensors' maps: {0}")]
    Object(#[from] aya::EbpfError),
    /// The kernel refused a program.
    #[error("the kernel refused the sensor {name}: {reason}")]
    Program {
        /// Its name.
        name: &'static str,
        /// Why: of a verifier's log, the line that says it.
        reason: String,
    },
    /// A map operation failed.
    #[error("map {name}: {source}")]
    Map {
        /// Its name.
        name: &'static str,
        /// Why.
        source: aya::maps::MapError,
    },
    /// The embedded object lacks something: a build error.
    #[error("the embedded sensors lack {0}; this binary was not built completely")]
    Incomplete(&'static str),
    /// Any other failure of the operating system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl KernelError {
    pub(super) fn io(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io { what: what.into(), source: source.into() }
    }

    pub(super) fn map(name: &'static str) -> impl FnOnce(aya::maps::MapError) -> Self {
        move |source| Self::Map { name, source }
    }

    pub(super) fn program(name: &'static str) -> impl FnOnce(aya::programs::ProgramError) -> Self {
        move |error| {
            tracing::debug!(name, %error, "refused");
            Self::Program { name, reason: reason(&error) }
        }
    }
}

/// One line of why a program was refused. The verifier's verdict is the last
/// thing it says before its statistics.
fn reason(error: &aya::programs::ProgramError) -> String {
    let aya::programs::ProgramError::LoadError { io_error, verifier_log } = error else {
        return error.to_string();
    };
    let log = verifier_log.to_string();
    let verdict = log.lines().map(str::trim).rfind(|line| {
        let statistics = ["verification time", "stack depth", "processed "];
        !line.is_empty() && !statistics.iter().any(|start| line.starts_with(start))
    });
    match verdict {
        Some(verdict) => format!("{io_error}: {verdict}"),
        None => io_error.to_string(),
    }
}
