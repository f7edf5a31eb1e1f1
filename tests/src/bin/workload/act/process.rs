//! Programs, and what one process does to another.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use nix::sys::ptrace;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::thread::set_thread_uid;

use crate::amount::duration;
use crate::process::waiting_child;

/// What ptrace is used for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Request {
    /// To attach to a child
    Attach,
    /// To be traced by the parent
    Traceme,
    /// To read a word of a process that is not traced
    Peek,
}

pub(super) fn run(words: &[OsString]) -> Result<()> {
    let (program, arguments) = words.split_first().context("a program is needed")?;
    // How it ends is no matter of this action.
    Command::new(program).args(arguments).status().context("cannot start the program")?;
    Ok(())
}

pub(super) fn memfd(words: &[OsString]) -> Result<()> {
    let (program, arguments) = words.split_first().context("a program is needed")?;
    let bytes = std::fs::read(program).context("cannot read the program")?;
    // It stays open: a script in memory could not be read otherwise.
    let memory = memfd_create("lab", MemfdFlags::empty()).context("no memory file")?;
    let mut memory = File::from(memory);
    memory.write_all(&bytes).context("cannot copy the program")?;
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    Err(Command::new(path).arg0(program).args(arguments).exec()).context("cannot run the copy")
}

pub(super) fn read(after: f64, file: &Path) -> Result<()> {
    std::thread::sleep(duration(after)?);
    File::open(file).context("cannot open the file")?;
    Ok(())
}

pub(super) fn ptrace(request: Request) -> Result<()> {
    match request {
        Request::Attach => attach(),
        Request::Traceme => ptrace::traceme().context("cannot be traced"),
        Request::Peek => {
            // Nothing can be read of a process that is not traced: the call is made, and fails.
            ptrace::read(Pid::this(), std::ptr::null_mut()).ok();
            Ok(())
        }
    }
}

fn attach() -> Result<()> {
    let mut child = waiting_child()?;
    let pid = Pid::from_raw(i32::try_from(child.id()).context("a process id")?);
    let attached = ptrace::attach(pid)
        .and_then(|()| waitpid(pid, None))
        .and_then(|_| ptrace::detach(pid, None));
    child.kill().context("cannot end the child")?;
    child.wait().context("cannot wait for the child")?;
    attached.context("cannot attach")
}

pub(super) fn setuid(uid: u32) -> Result<()> {
    // Whether the kernel allows it is no matter of this action.
    set_thread_uid(rustix::process::Uid::from_raw(uid)).ok();
    Ok(())
}
