//! Running a program on a terminal that nobody sits at.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};

pub(super) fn run(mut command: Command, log: &Path, patience: Duration) -> Result<ExitStatus> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .context("no terminal")?;
    unlockpt(&ours).context("cannot unlock the terminal")?;
    let name = ptsname(&ours, Vec::new()).context("the terminal has no name")?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = File::from(rustix::fs::open(&name, flags, Mode::empty()).context("no terminal")?);
    let mut log = File::create(log).context("cannot make a log")?;
    let mut ours = File::from(ours);
    // The terminal holds little: it has to be read while the program runs. The read fails when
    // the last one has closed its side.
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = ours.read(&mut bytes) {
            log.write_all(&bytes[..length]).ok();
        }
    });
    command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
    let child = command.spawn().context("cannot start runc")?;
    // It holds the other side, too.
    drop(command);
    let status = super::wait(child, patience);
    reader.join().ok().context("the reader of the terminal broke")?;
    status
}
