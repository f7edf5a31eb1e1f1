//! Starts a guest and waits for its end, without root and without KVM.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::files;
use crate::report::Step;

/// How often the guest is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// What the guest has, all its files and a containerd that runs in it included.
const MEMORY_MIB: &str = "2048";

/// `panic=-1` and `oops=panic`: whatever goes wrong in the kernel ends the guest
/// at once instead of being survived unseen.
const COMMAND_LINE: &str = "console=ttyS0 loglevel=4 panic=-1 oops=panic";

/// A machine to be started.
pub(super) struct Guest<'a> {
    pub(super) image: &'a Path,
    pub(super) initramfs: &'a Path,
    /// What the kernel says is written here.
    pub(super) console: PathBuf,
    /// What the tests say is written here.
    pub(super) results: PathBuf,
    pub(super) limit: Duration,
}

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The tests ended with this code, said twice.
    Exit(i32),
    /// The guest did not end within its limit.
    Timeout,
    /// Anything else, such as a kernel panic.
    Broken(String),
}

impl Guest<'_> {
    /// Runs the guest; `step` shows the last line of its results.
    pub(super) fn run(&self, step: &Step, label: &str) -> Result<End> {
        let started = Instant::now();
        let mut qemu = Running(self.command().spawn().context("starting qemu")?);
        loop {
            if let Some(status) = qemu.0.try_wait()? {
                return Ok(end(status, &self.results()));
            }
            if started.elapsed() > self.limit {
                return Ok(End::Timeout);
            }
            if let Some(line) = self.results().lines().rfind(|line| line.starts_with("test ")) {
                step.note(format_args!("{label}: {line}"));
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// What the tests have said so far.
    pub(super) fn results(&self) -> String {
        text(&self.results)
    }

    /// What the kernel and qemu have said so far.
    pub(super) fn console(&self) -> String {
        text(&self.console) + &text(&self.complaints())
    }

    /// Removes all that was written of a guest.
    pub(super) fn forget(&self) -> Result<()> {
        [&self.console, &self.results, &self.complaints()]
            .into_iter()
            .try_for_each(|file| files::remove(file))
    }

    fn complaints(&self) -> PathBuf {
        self.console.with_extension("qemu")
    }

    fn command(&self) -> Command {
        let mut qemu = Command::new("qemu-system-x86_64");
        let serial = |file: &Path| format!("file:{}", file.display());
        qemu.args(["-nodefaults", "-no-reboot", "-display", "none", "-monitor", "none"]);
        qemu.args(["-smp", "2", "-m", MEMORY_MIB, "-accel", "tcg,thread=multi"]);
        qemu.arg("-kernel").arg(self.image).arg("-initrd").arg(self.initramfs);
        qemu.args(["-append", COMMAND_LINE]);
        qemu.args(["-serial", &serial(&self.console), "-serial", &serial(&self.results)]);
        qemu.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]);
        // A disk that forgets what is written: enough to count bytes.
        qemu.args(["-drive", "driver=null-co,size=64M,read-zeroes=on,if=virtio"]);
        let complaints =
            File::create(self.complaints()).map_or_else(|_| Stdio::null(), Stdio::from);
        qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints);
        qemu
    }
}

/// A qemu that does not outlive its launcher's interest in it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

/// A serial port's file without the carriage returns of a terminal.
fn text(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).replace('\r', "")
}

/// The code told by the exit device (qemu doubles it and adds one; the guest
/// adds 16), if the results tell the same.
fn end(status: ExitStatus, results: &str) -> End {
    let device = status.code().filter(|code| code & 1 == 1).map(|code| (code >> 1) - 16);
    let line = results.lines().rev().find_map(|line| line.strip_prefix("EXIT "));
    match (device, line.and_then(|code| code.trim().parse::<i32>().ok())) {
        (Some(device), Some(code)) if device == code.min(111) => End::Exit(code),
        (_, Some(code)) => {
            End::Broken(format!("the tests ended with {code}, but qemu ended with {status}"))
        }
        (_, None) => End::Broken(format!("the guest died before the tests ended, qemu: {status}")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::{End, end};

    #[test]
    fn success_has_to_be_said_twice() {
        let check = |code: i32, results: &str, expected: Option<i32>| {
            let end = end(ExitStatus::from_raw(code << 8), results);
            match expected {
                Some(code) => assert_eq!(end, End::Exit(code)),
                None => assert!(matches!(end, End::Broken(_)), "{code} {results}: {end:?}"),
            }
        };
        check(33, "test a ... ok\nEXIT 0\n", Some(0));
        check(235, "EXIT 101\n", Some(101));
        check(255, "EXIT 137\n", Some(137));
        // A panic ends qemu with 0, a wrong argument with 1.
        check(0, "test a ... ok\n", None);
        check(1, "", None);
        check(33, "test a ... ok\n", None);
        check(33, "EXIT 1\n", None);
        check(0, "EXIT 0\n", None);
    }
}
