//! Children: started, ended by themselves, or killed.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
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

/// An ELF program of one page that only exits: its head, its one segment, its code.
#[cfg(target_arch = "x86_64")]
const TINY: Tiny = Tiny { machine: 62, code: &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05] };
/// An ELF program of one page that only exits: its head, its one segment, its code.
#[cfg(target_arch = "aarch64")]
const TINY: Tiny =
    Tiny { machine: 183, code: &[0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 1, 0, 0, 0xd4] };

struct Tiny {
    machine: u16,
    /// `exit(0)`.
    code: &'static [u8],
}

impl Tiny {
    fn elf(&self) -> Vec<u8> {
        const BASE: u64 = 0x40_0000;
        const HEADS: u16 = 64 + 56;
        let bytes = u64::from(HEADS) + u64::try_from(self.code.len()).unwrap_or(0);
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let half = |elf: &mut Vec<u8>, values: &[u16]| {
            elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        };
        let word = |elf: &mut Vec<u8>, values: &[u64]| {
            elf.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        };
        // Executable, version 1; where it begins and where the segment is told.
        half(&mut elf, &[2, self.machine, 1, 0]);
        word(&mut elf, &[BASE + u64::from(HEADS), 64, 0]);
        half(&mut elf, &[0, 0, 64, 56, 1, 64, 0, 0]);
        // All of it is loaded, to be read and executed.
        half(&mut elf, &[1, 0, 5, 0]);
        word(&mut elf, &[0, BASE, BASE, bytes, bytes, 4096]);
        elf.extend(self.code);
        elf
    }
}

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
    let mut truth = children("exit-storm", &own_program()?, args.count, gate)?;
    truth.syscalls = calls([("exit_group", args.count + 1)]);
    Ok(truth)
}

/// Children that run a tiny program, which only exits; one operation is one child.
pub(crate) fn forkexec(args: &CountArgs, gate: Gate) -> Result<Truth> {
    // Rules watch what is executed in folders where everybody may write.
    let own = own_program()?;
    let folder = own.parent().context("a program is in a folder")?;
    let program = tempfile::Builder::new()
        .prefix("workload-")
        .permissions(Permissions::from_mode(0o700))
        .tempfile_in(folder)
        .context("cannot make a program")?;
    program.as_file().write_all(&TINY.elf()).context("cannot write a program")?;
    // What is open for writing cannot be executed.
    let program = program.into_temp_path();
    children("forkexec", &program, args.count, gate)
}

fn children(name: &str, program: &Path, count: u64, gate: Gate) -> Result<Truth> {
    let watch = gate.pass()?;
    for _ in 0..count {
        let status = Command::new(program).arg(EXIT).status().context("cannot start a child")?;
        ensure!(status.success(), "a child ended with {status}");
    }
    watch.stop(name, count)
}

/// Children that are killed while they wait in a system call.
pub(crate) fn killed(args: &CountArgs, gate: Gate) -> Result<Truth> {
    let watch = gate.pass()?;
    for _ in 0..args.count {
        let mut child = waiting_child()?;
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

/// A child that waits to be killed.
pub(crate) fn waiting_child() -> Result<Child> {
    Command::new(own_program()?)
        .arg(WAIT)
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start a child")
}

fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot tell the own path")
}
