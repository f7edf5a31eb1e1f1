//! Starts the `workload` binary in a place, gives it the word and hears what it did.
//!
//! The process puts itself into its cgroup and namespace, says `ready`, waits for
//! `go` and only then works, so that several start together and a meter that
//! begins at `ready` sees all of the work. It ends when its standard input ends:
//! no workload outlives the test that started it.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::cgroup::Cgroup;
use crate::netns::Namespace;
use crate::truth::Truth;

/// Environment variable with the path of the `workload` binary.
pub const BINARY: &str = "LANDLORD_WORKLOAD";

/// How long a workload may take to say `ready`.
const READY_PATIENCE: Duration = Duration::from_secs(20);

/// A workload to be started: its subcommand with arguments, and its place.
#[derive(Clone, Debug)]
pub struct Order {
    place: Vec<OsString>,
    work: Vec<OsString>,
}

impl Order {
    /// The subcommand and its arguments, such as `["syscalls", "--count", "1000"]`.
    #[must_use]
    pub fn new<S: Into<OsString>>(work: impl IntoIterator<Item = S>) -> Self {
        Self { place: Vec::new(), work: work.into_iter().map(Into::into).collect() }
    }

    /// Runs it inside `cgroup`.
    #[must_use]
    pub fn inside(mut self, cgroup: &Cgroup) -> Self {
        self.place.extend(["--cgroup".into(), cgroup.directory().into()]);
        self
    }

    /// Runs it in the network namespace.
    #[must_use]
    pub fn networked(mut self, namespace: &Namespace) -> Self {
        self.place.extend(["--netns".into(), namespace.path().into()]);
        self
    }

    /// Runs all its threads and children on one CPU.
    #[must_use]
    pub fn on_cpu(mut self, cpu: usize) -> Self {
        self.place.extend(["--cpu".into(), cpu.to_string().into()]);
        self
    }

    /// Starts it and waits until it says `ready`.
    ///
    /// # Errors
    ///
    /// The binary is missing, or it cannot take its place; what it said on
    /// standard error went to ours.
    pub fn start(&self) -> Result<Running> {
        let binary = binary()?;
        let mut child = Command::new(&binary)
            .args(&self.place)
            .args(&self.work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("standard output is a pipe")?;
        let (sender, lines) = channel();
        // The thread ends with the process: its pipe ends then.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let name = self.work.first().map(|name| name.to_string_lossy().into_owned());
        let mut running =
            Running { name: name.unwrap_or_default(), child, stdin, lines, finished: false };
        match running.line(READY_PATIENCE)?.as_str() {
            "ready" => Ok(running),
            other => bail!("{}: said `{other}` instead of `ready`", running.name),
        }
    }

    /// Starts it, gives it the word and waits for the end.
    ///
    /// # Errors
    ///
    /// As [`Order::start`] and [`Running::wait`].
    pub fn run(&self, patience: Duration) -> Result<Truth> {
        let mut running = self.start()?;
        running.go()?;
        running.wait(patience)
    }
}

/// A workload in its place; dropping it ends it.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    finished: bool,
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives the word: the work begins.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn go(&mut self) -> Result<()> {
        let name = &self.name;
        let stdin = self.stdin.as_mut().context("it was told to end")?;
        stdin.write_all(b"go\n").with_context(|| format!("{name} is gone before its work"))
    }

    /// Waits until the work is done and the process has ended, at most `patience`.
    ///
    /// # Errors
    ///
    /// It failed, was killed, or is not done in time.
    pub fn wait(&mut self, patience: Duration) -> Result<Truth> {
        let line = self.line(patience)?;
        let truth = serde_json::from_str(&line)
            .with_context(|| format!("{}: `{line}` is no truth", self.name))?;
        let status = self.child.wait().context("cannot wait for a workload")?;
        self.finished = true;
        if !status.success() {
            bail!("{}: {status}", self.name);
        }
        Ok(truth)
    }

    /// Whether the process has ended, in whatever way.
    ///
    /// # Errors
    ///
    /// The process cannot be waited for.
    pub fn has_ended(&mut self) -> Result<bool> {
        let ended = self.child.try_wait().context("cannot wait for a workload")?.is_some();
        self.finished |= ended;
        Ok(ended)
    }

    fn line(&mut self, patience: Duration) -> Result<String> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                bail!("{}: silent for {} s", self.name, patience.as_secs_f64())
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().context("cannot wait for a workload")?;
                self.finished = true;
                bail!("{}: ended without a word: {status}", self.name)
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.finished {
            // Both fail only when it has already ended.
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// The `workload` binary: from the environment, else beside this executable or
/// in the directory above it, where cargo puts it for tests.
///
/// # Errors
///
/// It is in none of these places.
pub fn binary() -> Result<PathBuf> {
    beside_us(BINARY, "workload")
}

/// A binary named by the environment variable, else found near this executable.
pub(crate) fn beside_us(variable: &str, name: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let here = std::env::current_exe().context("cannot tell the own path")?;
    let near = here.ancestors().skip(1).take(2).map(|directory| directory.join(name));
    near.into_iter().find(|path| path.is_file()).with_context(|| {
        let place = here.parent().unwrap_or(Path::new("/")).display();
        format!("no `{name}` in {place} or above it; build it or set {variable}")
    })
}
