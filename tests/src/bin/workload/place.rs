//! Where a workload runs: cgroup, network namespace, CPU.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};
use rustix::thread::{CpuSet, LinkNameSpaceType, move_into_link_name_space, sched_setaffinity};

/// A place; what is not named stays as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Directory of the cgroup to run in
    #[arg(long, value_name = "DIR")]
    cgroup: Option<PathBuf>,
    /// File of the network namespace to run in
    #[arg(long, value_name = "FILE")]
    netns: Option<PathBuf>,
    /// The only CPU to run on
    #[arg(long, value_name = "N")]
    cpu: Option<usize>,
}

impl Place {
    /// Goes there. It must come before any thread is started.
    pub(crate) fn take(&self) -> Result<()> {
        if let Some(cgroup) = &self.cgroup {
            let file = cgroup.join("cgroup.procs");
            fs::write(&file, std::process::id().to_string())
                .with_context(|| format!("cannot join by {}", file.display()))?;
        }
        if let Some(netns) = &self.netns {
            let file = File::open(netns).with_context(|| format!("no {}", netns.display()))?;
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .with_context(|| format!("cannot enter {}", netns.display()))?;
        }
        if let Some(cpu) = self.cpu {
            let mut only = CpuSet::new();
            only.set(cpu);
            sched_setaffinity(None, &only).with_context(|| format!("cannot run on CPU {cpu}"))?;
        }
        Ok(())
    }
}

/// Leaves for a new network namespace that has only a loopback, which is down.
pub(crate) fn leave_network() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")
}
