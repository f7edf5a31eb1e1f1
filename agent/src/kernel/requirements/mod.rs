//! What this machine and these privileges allow, found out before anything is
//! loaded: `landlord run` refuses with these words, `landlord doctor` prints them.
//!
//! It only reads files: it never loads a program, never mounts and never changes
//! a setting. Rows that need a trial (do the sensors load? is another agent
//! there?) are added by the caller, from [`sensors`] and [`other_agent`].

mod cgroups;
mod memory;
mod mounts;
mod pins;
mod privileges;
mod report;
mod system;

use std::io;
use std::path::{Path, PathBuf};

use super::events::EventOptions;

pub use self::mounts::{Mount, Mounts};
pub use self::report::{Check, Report, Status};
pub use self::system::{KernelVersion, MINIMUM_KERNEL};

/// Where to look: the running machine, or a folder that stands for one in tests.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Folder that holds `proc` and `sys`; `/` on a running machine.
    pub root: PathBuf,
    /// Name of the processor architecture as rustc spells it.
    pub architecture: &'static str,
}

impl Machine {
    /// The machine this process runs on.
    #[must_use]
    pub fn here() -> Self {
        Self { root: PathBuf::from("/"), architecture: std::env::consts::ARCH }
    }

    /// Where an absolute path of the machine lies below [`Self::root`].
    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A small text file without the white space around it.
    fn read(&self, path: impl AsRef<Path>) -> io::Result<String> {
        Ok(std::fs::read_to_string(self.at(path))?.trim().to_owned())
    }
}

/// What the configuration asks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Folder on bpffs that shall hold the pinned maps; `None` when pinning is off.
    pub pin_path: Option<&'a Path>,
    /// Slots in the kernel's maps.
    pub max_cgroups: u32,
    /// Events for rules; `None` when only meters are wanted.
    pub events: Option<EventOptions>,
}

/// Looks at the machine. It cannot fail: what cannot be read is a row that says so.
#[must_use]
pub fn probe(machine: &Machine, wanted: &Wanted<'_>) -> Report {
    let kernel = system::kernel_version(machine);
    let mounts = Mounts::of(machine);
    let held = privileges::held(machine);

    let mut report = Report::default();
    report.add(system::kernel(kernel.as_ref()));
    report.add(system::architecture(machine.architecture));
    report.add(privileges::capabilities(&held));
    if wanted.events.is_some() {
        report.extend(privileges::for_rules(&held));
    }
    report.extend(privileges::locked_memory(machine, &held, kernel.as_ref()));
    report.add(system::btf(machine));
    report.add(system::jit(machine));
    report.add(system::lockdown(machine));
    report.add(cgroups::hierarchy(machine, mounts.as_ref()));
    report.extend(cgroups::figures(machine, mounts.as_ref()));
    report.add(pins::counters(machine, mounts.as_ref(), &held, wanted.pin_path));
    report.add(system::lsm(machine));
    report.add(memory::here(machine, wanted.max_cgroups, wanted.events.as_ref()));
    report.add(memory::large_node());
    report
}

/// The row about this process's privileges alone.
#[must_use]
pub fn privileges(machine: &Machine) -> Check {
    privileges::capabilities(&privileges::held(machine))
}

/// The row for a trial load of all sensors; `outcome` holds the kernel's refusal.
#[must_use]
pub fn sensors(outcome: Result<(), String>) -> Check {
    let row = Check::new("sensors", "every figure");
    match outcome {
        Ok(()) => row.ok("all programs load"),
        Err(refusal) => row
            .missing("the kernel refused a program", refusal)
            .remedy("report it with the output of `landlord doctor --log-level debug`"),
    }
}

/// The row for a trial load of the sensors of events; `outcome` as of [`sensors`].
#[must_use]
pub fn event_sensors(outcome: Result<(), String>) -> Check {
    let row = Check::new("event sensors", "rules; metering goes on without");
    match outcome {
        Ok(()) => row.ok("all programs load"),
        Err(refusal) => row
            .degraded("the kernel refused a program", refusal)
            .remedy("report it with the output of `landlord doctor --log-level debug`"),
    }
}

/// The row for a trial load of the sensor of connections; `outcome` as of [`sensors`].
#[must_use]
pub fn connection_sensor(outcome: Result<(), String>) -> Check {
    let row = Check::new("connection sensor", "`otlp.connections`; all else goes on without");
    match outcome {
        Ok(()) => row.ok("the program loads"),
        Err(refusal) => row
            .degraded("the kernel refused the program", refusal)
            .remedy("report it with the output of `landlord doctor --log-level debug`"),
    }
}

/// The row for an agent that already runs on this machine, by its lock on the pin
/// folder; none when nothing can tell.
#[must_use]
pub fn other_agent(machine: &Machine, pin_path: &Path) -> Option<Check> {
    let row = Check::new("other agent", "starting `landlord run`");
    Some(if pins::is_held(machine, pin_path)? {
        row.info(format!("one runs, on {}", pin_path.display()))
    } else {
        row.ok("none runs")
    })
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
