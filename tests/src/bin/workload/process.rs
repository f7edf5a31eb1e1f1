//! Children: started, ended by themselves, or killed.

use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use landlord_tests::truth::Truth;
use rustix::process::{Pid, Signal, kill_process};

use crate::gate::{Gate, calls};

/// How a child is told its role: no argument parser is paid for a child.
const EXIT: &str = "child-exits";
const WAIT: &str = "child-waits";

/// The call in which a child waits: its name, and its number in `/proc/PID/syscall`.
#[cfg(target_arch = "x86_64")]
const WAITING: (&str, &str) = ("pause", "34");
/// The call in which a child waits: its name, and its number in `/proc/PID/syscall`.
#[cfg(target_arch = "aarch64")]
const WAITING: (&str, &str) = ("ppoll", "73");

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct CountArgs {
    /// How many children, one after another
    #[arg(long)]
    count: u64,
}

/// What a child of a workload does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Nothing.
    Exit,
    /// It waits to be killed.
    Wait,
}

impl Role {
    /// Does it.
    pub(crate) fn play(self) -> ExitCode {
        if let Self::Wait = self {
            rustix::event::pause();
        }
        ExitCode::SUCCESS
    }
}

/// The role of this process, if it is the child of a workload.
pub(crate) fn child_role() -> Option<Role> {
    match std::env::args().nth(1)?.as_str() {
        EXIT => Some(Role::Exit),
        WAIT => Some(Role::Wait),
        _ => None,
    }
}

/// Children that only exit. Each makes one `exit_group`, and so does the
/// workload itself at its end.
pub(crate) fn exit_storm(args: &CountArgs, gate: Gate) -> Result<Truth> {
    let mut truth = children("exit-storm", args.count, gate)?;
    truth.syscalls = calls([("exit_group", args.count + 1)]);
    Ok(truth)
}

/// Children that only exit; one operation is one child.
pub(crate) fn forkexec(args: &CountArgs, gate: Gate) -> Result<Truth> {
    children("forkexec", args.count, gate)
}

fn children(name: &str, count: u64, gate: Gate) -> Result<Truth> {
    let program = own_program()?;
    let watch = gate.pass()?;
    for _ in 0..count {
        let status = Command::new(&program).arg(EXIT).status().context("cannot start a child")?;
        ensure!(status.success(), "a child ended with {status}");
    }
    watch.stop(name, count)
}

/// Children that are killed while they wait in a system call.
pub(crate) fn killed(args: &CountArgs, gate: Gate) -> Result<Truth> {
    let program = own_program()?;
    let watch = gate.pass()?;
    for _ in 0..args.count {
        let mut child = Command::new(&program)
            .arg(WAIT)
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start a child")?;
        let waiting = wait_until_it_waits(&child);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a child has a process id")?, Signal::KILL)
            .context("cannot kill a child")?;
        child.wait().context("cannot wait for a child")?;
        waiting?;
    }
    let mut truth = watch.stop("killed", args.count)?;
    truth.syscalls = calls([(WAITING.0, args.count), ("kill", args.count)]);
    Ok(truth)
}

fn wait_until_it_waits(child: &Child) -> Result<()> {
    let file = format!("/proc/{}/syscall", child.id());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let call = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        if call.split(' ').next() == Some(WAITING.1) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "a child does not wait in {}", WAITING.0);
        std::thread::yield_now();
    }
}

fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot tell the own path")
}
