//! Calls that change the kernel or this process's view of it, made so that they
//! change nothing.

use std::fs::File;

use anyhow::{Context as _, Result};
use nix::sched::CloneFlags;
use rustix::mm::UserfaultfdFlags;
use rustix::system::init_module;

use crate::raw;

pub(super) fn module() -> Result<()> {
    // No kernel takes this for a module.
    init_module(b"no module", c"").ok();
    Ok(())
}

pub(super) fn bpf(command: u32) -> Result<()> {
    raw::bpf_without_attributes(command);
    Ok(())
}

pub(super) fn setns(kind: &str) -> Result<()> {
    let file = File::open(format!("/proc/self/ns/{kind}")).context("no such namespace")?;
    // Whether the kernel allows it is no matter of this action.
    nix::sched::setns(file, CloneFlags::empty()).ok();
    Ok(())
}

pub(super) fn userfaultfd() -> Result<()> {
    raw::userfaultfd(UserfaultfdFlags::CLOEXEC);
    Ok(())
}
