//! The real agent binary: started, asked, stopped, and cleaned up after.
//!
//! Each agent has a port, a pin folder and a state file of its own, so that
//! several can follow one another on the same machine, and beside an agent that
//! runs there for real. It knows the agent only from outside: its flags, its
//! HTTP answers and its exit code.

pub mod http;
mod process;
mod running;
mod usage;
pub mod watch;

pub use self::running::Agent;
pub use self::usage::Usage;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use self::http::Secured;
use crate::daemon::free_address;
use crate::pod::Pod;
use crate::workload::beside_us;

/// Environment variable with the path of the `landlord` binary.
pub const BINARY: &str = "LANDLORD_BIN";

const PAUSE: Duration = Duration::from_millis(20);
/// The folder of pins, and how those of the lab begin: the process id follows.
const BPF_FS: &str = "/sys/fs/bpf";
const PIN_PREFIX: &str = "landlord-test-";
/// Name of the configuration file.
const FILE: &str = "landlord.yaml";
/// A configuration that says what is the default anyway.
const NO_CHANGE: &str = "interval: 5s\n";
/// For how long equal alerts are counted instead of written.
const REPEATS: &str = "--alerts-repeats";
/// How much of the agent's log an error message repeats.
const LOG_LINES: usize = 20;

/// Tells apart the agents of one process.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A home for an agent: port, pin folder, state file and configuration. Agents
/// that live in it one after another find each other's counters.
///
/// Dropping it detaches what the last agent left pinned.
#[derive(Debug)]
pub struct Home {
    binary: PathBuf,
    directory: TempDir,
    address: SocketAddr,
    pin: PathBuf,
    pod: Option<Pod>,
    secured: Option<Secured>,
}

impl Home {
    /// Makes a home with `configuration` (YAML) added to what a home decides itself;
    /// an empty one leaves everything else at its default.
    ///
    /// # Errors
    ///
    /// The binary is not found, or no temporary directory can be made.
    pub fn new(configuration: &str) -> Result<Self> {
        let binary = beside_us(BINARY, "landlord")?;
        let directory = tempfile::Builder::new()
            .prefix("landlord-test-")
            .tempdir()
            .context("cannot make a home for the agent")?;
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let own = std::process::id();
        let pin = Path::new(BPF_FS).join(format!("{PIN_PREFIX}{own}-{serial}"));
        let home =
            Self { binary, directory, address: free_address()?, pin, pod: None, secured: None };
        home.configure(configuration)?;
        home.sweep();
        Ok(home)
    }

    /// Makes a home whose agents run in the chart's pod, with the chart's configuration.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn in_pod(pod: Pod) -> Result<Self> {
        let mut home = Self::new("")?;
        home.address = pod.address();
        home.pod = Some(pod);
        Ok(home)
    }

    /// Asks agents by TLS from now on; what is configured has to be so.
    pub fn secure(&mut self, secured: Secured) {
        self.secured = Some(secured);
    }

    /// The pod that agents run in, if it is one.
    #[must_use]
    pub fn pod(&self) -> Option<&Pod> {
        self.pod.as_ref()
    }

    /// Copies a file to where agents of this home see it, and tells where that is.
    ///
    /// # Errors
    ///
    /// It cannot be copied.
    pub fn keep(&self, file: &Path) -> Result<PathBuf> {
        let kept = self.directory.path().join(file.file_name().context("a file has a name")?);
        fs::copy(file, &kept).with_context(|| format!("cannot copy {}", file.display()))?;
        Ok(kept)
    }

    /// A command of the agent's with its arguments, in the pod if agents run in one.
    ///
    /// # Errors
    ///
    /// The pod's container cannot be made.
    pub fn command_of(&self, arguments: &[impl AsRef<OsStr>]) -> Result<Command> {
        let Some(pod) = &self.pod else {
            let mut command = self.command();
            command.args(arguments);
            return Ok(command);
        };
        pod.command(&self.binary, arguments, self.directory.path(), &self.pin)
    }

    /// Uses another binary from the next start on, such as another version.
    pub fn install(&mut self, binary: impl Into<PathBuf>) {
        self.binary = binary.into();
    }

    /// Replaces the added configuration (YAML); the next agent reads it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn configure(&self, configuration: &str) -> Result<()> {
        // The agent refuses a file that says nothing at all.
        let text = if configuration.trim().is_empty() { NO_CHANGE } else { configuration };
        fs::write(self.configuration_file(), text).context("cannot write a configuration")
    }

    /// The same as the kubelet brings a changed `ConfigMap`: the file is a symbolic link
    /// through a folder that is swapped. `version` is unlike those of the times before.
    ///
    /// # Errors
    ///
    /// Something cannot be written.
    pub fn swap(&self, configuration: &str, version: u32) -> Result<()> {
        let at = |name: &str| self.directory.path().join(name);
        let folder = format!("..version_{version}");
        fs::create_dir(at(&folder)).context("cannot make a version")?;
        fs::write(at(&folder).join(FILE), configuration).context("cannot write a version")?;
        symlink(&folder, at("..data_tmp")).context("cannot make a link")?;
        fs::rename(at("..data_tmp"), at("..data")).context("cannot swap the folder")?;
        if !self.configuration_file().is_symlink() {
            fs::remove_file(self.configuration_file()).context("cannot remove the file")?;
            symlink(Path::new("..data").join(FILE), self.configuration_file())
                .context("cannot make a link")?;
        }
        Ok(())
    }

    /// Where the agent answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder where the agent pins its maps.
    #[must_use]
    pub fn pin(&self) -> &Path {
        &self.pin
    }

    /// The agent's state file.
    #[must_use]
    pub fn state_file(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// A command of the agent's binary, without arguments.
    #[must_use]
    pub fn command(&self) -> Command {
        Command::new(&self.binary)
    }

    /// The command that runs an agent on this machine, which watches or only meters. Its
    /// log is not redirected yet.
    #[must_use]
    pub fn run_command(&self, watches: bool) -> Command {
        let mut command = self.command();
        command.args(self.arguments(watches));
        command
    }

    /// Arguments of an agent. In a pod it has what else it needs from the chart.
    fn arguments(&self, watches: bool) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["run".into()];
        if self.pod.is_none() {
            arguments.extend(["--listen".into(), self.address.to_string().into()]);
            arguments.extend(["--config".into(), self.configuration_file().into()]);
            arguments.extend(["--pin-path".into(), self.pin.clone().into()]);
            arguments.extend(["--state".into(), self.state_file().into()]);
        }
        arguments.extend(["--rules-enabled".into(), watches.to_string().into()]);
        arguments
    }

    /// Asks the agent, from within its network.
    fn get(&self, path: &str) -> Result<String> {
        let address = self.address;
        match (&self.pod, &self.secured) {
            (None, None) => http::get(address, path),
            (None, Some(secured)) => http::get_secured(address, path, secured),
            (Some(pod), _) => pod.namespace().inside(|| http::get(address, path)),
        }
    }

    /// Starts an agent that only meters and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It ended, or is not ready in time; the message has the end of its log.
    pub fn start(&self) -> Result<Agent<'_>> {
        let log = File::create(self.log_file()).context("cannot make the agent's log")?;
        let alerts = log.try_clone().context("cannot share the agent's log")?;
        self.started(&self.arguments(false), alerts.into(), log)
    }

    /// Starts an agent that watches with these rules, or its own of none, and waits
    /// until it is ready. Nobody reads its alerts.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_watching(&self, rules: &[PathBuf]) -> Result<Agent<'_>> {
        let log = File::create(self.log_file()).context("cannot make the agent's log")?;
        let mut arguments = self.arguments(true);
        if !rules.is_empty() {
            arguments.push("--rules".into());
            arguments.extend(rules.iter().map(Into::into));
        }
        self.started(&arguments, Stdio::null(), log)
    }

    fn started(&self, arguments: &[OsString], alerts: Stdio, log: File) -> Result<Agent<'_>> {
        let child = self
            .command_of(arguments)?
            .stdin(Stdio::null())
            .stdout(alerts)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let mut agent = Agent { home: self, child, ended: false };
        agent.wait_until_ready()?;
        Ok(agent)
    }

    /// Starts an agent that only meters is what [`start`](Self::start) does; this one
    /// watches, too, with these rules, and writes its alerts where the value that comes
    /// back finds them. `more` are further arguments; without `--alerts-repeats` among
    /// them, every alert is written.
    ///
    /// # Errors
    ///
    /// It ended, or is not ready in time; the message has the end of its log.
    pub fn watch(&self, rules: &[PathBuf], more: &[&str]) -> Result<watch::Watch<'_>> {
        let alerts = self.directory.path().join("alerts");
        let marker = self.directory.path().join("marker.yaml");
        fs::write(&marker, watch::marker_rule(self.directory.path()))
            .context("cannot write the marker's rule")?;
        let log = File::create(self.log_file()).context("cannot make the agent's log")?;
        let mut arguments = self.arguments(true);
        arguments.extend(["--alerts-format", "json", "--rules-match", "all"].map(Into::into));
        if !more.contains(&REPEATS) {
            arguments.extend([REPEATS, "0s"].map(Into::into));
        }
        arguments.extend(more.iter().map(Into::into));
        arguments.push("--rules".into());
        arguments.extend(rules.iter().chain([&marker]).map(Into::into));
        let alerts_file = File::create(&alerts).context("cannot make the file of alerts")?;
        let agent = self.started(&arguments, alerts_file.into(), log)?;
        Ok(watch::Watch::new(agent, alerts, self.directory.path().to_owned()))
    }

    /// The end of the log of the agent that was started last.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].iter().fold(
            String::new(),
            |mut text, line| {
                // Writing to a string cannot fail.
                writeln!(text, "    {line}").ok();
                text
            },
        )
    }

    /// Detaches what is pinned here. Nothing happens when nothing is.
    ///
    /// # Errors
    ///
    /// The agent's `detach` failed; the message has what it said.
    pub fn detach(&self) -> Result<()> {
        self.detach_at(&self.pin)
    }

    /// Detaches what the lab of a process that was killed has left pinned.
    fn sweep(&self) {
        let Ok(pins) = fs::read_dir(BPF_FS) else { return };
        for pin in pins.flatten().map(|entry| entry.path()) {
            let owner = pin.file_name().and_then(|name| owner(name.to_str()?));
            if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
                && let Err(error) = self.detach_at(&pin)
            {
                crate::complain(&error);
            }
        }
    }

    fn detach_at(&self, pin: &Path) -> Result<()> {
        if !pin.exists() {
            return Ok(());
        }
        let output = self
            .command()
            .arg("detach")
            .arg("--pin-path")
            .arg(pin)
            .stdin(Stdio::null())
            .output()
            .context("cannot run `landlord detach`")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`landlord detach`: {}: {}", output.status, said.trim());
        }
        Ok(())
    }

    /// The agent's configuration.
    #[must_use]
    pub fn configuration_file(&self) -> PathBuf {
        self.directory.path().join(FILE)
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = self.detach() {
            crate::complain(&error);
        }
    }
}

/// Process id in the name of a pin folder of the lab.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PIN_PREFIX)?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn only_pins_of_the_lab_have_an_owner() {
        assert_eq!(owner("landlord-test-123-0"), Some(123));
        assert_eq!(owner("landlord-test-123"), None);
        assert_eq!(owner("landlord-test-x-0"), None);
        assert_eq!(owner("landlord"), None);
    }
}
