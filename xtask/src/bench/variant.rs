//! What runs beside a workload while it is measured: nothing, empty programs, or
//! Landlord.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use landlord_tests::agent::{Agent, BINARY, Home};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::watching::Official;
use super::workloads::{ALL_HOOKS, Workload};

/// A configuration that tells of connections, where nobody listens.
const CONNECTIONS: &str = "otlp: { endpoint: 'http://127.0.0.1:9', metrics: false, logs: false, \
                           connections: all }\n";

/// What runs beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Variant {
    /// Nothing.
    Nothing,
    /// Nothing, again: what differs from the first is noise.
    NothingAgain,
    /// Empty programs on the hooks that the workload passes.
    Floor,
    /// Empty programs on all hooks of the sensors.
    FloorAll,
    /// The agent with all its meters.
    Landlord,
    /// The agent that watches, too, by its own rules.
    DefaultRules,
    /// The agent that watches by all of Falco's rules.
    OfficialRules,
    /// The agent that watches by its own rules and tells of connections.
    Connections,
}

impl Variant {
    /// In the order of even rounds; odd rounds go backwards.
    pub(crate) const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Floor,
        Self::FloorAll,
        Self::Landlord,
        Self::DefaultRules,
        Self::OfficialRules,
        Self::Connections,
        Self::NothingAgain,
    ];

    /// Whether it is an agent.
    pub(crate) const fn is_agent(self) -> bool {
        matches!(self, Self::Landlord) || self.watches()
    }

    /// Whether it is an agent that watches.
    pub(crate) const fn watches(self) -> bool {
        matches!(self, Self::DefaultRules | Self::OfficialRules | Self::Connections)
    }

    /// Starts what runs beside; it runs as long as the answer lives.
    pub(crate) fn begin<'home>(
        self,
        workload: &Workload,
        home: &'home Home,
        official: Option<&Official>,
    ) -> Result<Beside<'home>> {
        home.configure(if self == Self::Connections { CONNECTIONS } else { "" })?;
        Ok(match self {
            Self::Nothing | Self::NothingAgain => Beside::Nothing,
            Self::Floor => Beside::Floor(Floor::attach(workload.floor)?),
            Self::FloorAll => Beside::Floor(Floor::attach(&ALL_HOOKS)?),
            Self::Landlord => Beside::of(home.start()?, home)?,
            Self::DefaultRules | Self::Connections => Beside::of(home.start_watching(&[])?, home)?,
            Self::OfficialRules => {
                let rules = official.context("there are no rules of Falco's")?;
                Beside::of(home.start_watching(&rules.files())?, home)?
            }
        })
    }
}

/// What runs beside, while it does.
pub(crate) enum Beside<'home> {
    /// Nothing.
    Nothing,
    /// Empty programs.
    Floor(Floor),
    /// The agent.
    Landlord { agent: Agent<'home>, home: &'home Home, cpu_at_start: f64, began: Instant },
}

/// What the agent's own process took while a workload ran.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Own {
    /// Seconds of CPU.
    pub(crate) cpu_seconds: f64,
    /// Seconds that passed.
    pub(crate) elapsed_seconds: f64,
    /// Resident bytes at the end.
    pub(crate) resident_bytes: u64,
}

impl<'home> Beside<'home> {
    fn of(agent: Agent<'home>, home: &'home Home) -> Result<Self> {
        let cpu_at_start = agent.cpu_seconds()?;
        Ok(Self::Landlord { agent, home, cpu_at_start, began: Instant::now() })
    }

    /// What it took so far does not count.
    pub(crate) fn begin_anew(&mut self) -> Result<()> {
        if let Self::Landlord { agent, cpu_at_start, began, .. } = self {
            *cpu_at_start = agent.cpu_seconds()?;
            *began = Instant::now();
        }
        Ok(())
    }

    /// Ends it, and tells what it took; only the agent takes anything.
    pub(crate) fn end(self) -> Result<Option<Own>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Floor(floor) => floor.detach().map(|()| None),
            Self::Landlord { agent, home, cpu_at_start, began } => {
                let own = Own {
                    cpu_seconds: agent.cpu_seconds()? - cpu_at_start,
                    elapsed_seconds: began.elapsed().as_secs_f64(),
                    resident_bytes: agent.resident_bytes()?,
                };
                agent.terminate()?;
                // The counters outlive the agent; here they must not.
                home.detach()?;
                Ok(Some(own))
            }
        }
    }
}

/// A process that holds empty programs; dropping it kills it, and they go with it.
pub(crate) struct Floor {
    child: Child,
    ended: bool,
}

impl Floor {
    fn attach(hooks: &[&str]) -> Result<Self> {
        let binary = std::env::var_os(BINARY).context("the agent's binary is not named")?;
        let child = Command::new(binary)
            .args(["floor", "--hooks", &hooks.join(",")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `landlord floor`")?;
        let mut floor = Self { child, ended: false };
        let mut line = String::new();
        let stdout = floor.child.stdout.take().context("standard output is a pipe")?;
        BufReader::new(stdout).read_line(&mut line).context("cannot hear `landlord floor`")?;
        ensure!(line == "ready\n", "`landlord floor` cannot attach to {}", hooks.join(", "));
        Ok(floor)
    }

    fn detach(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a child has a process id")?, Signal::TERM)
            .context("cannot signal `landlord floor`")?;
        let status = self.child.wait().context("cannot wait for `landlord floor`")?;
        self.ended = true;
        ensure!(status.success(), "`landlord floor`: {status}");
        Ok(())
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        if !self.ended {
            // Both fail only when it has already ended.
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}
