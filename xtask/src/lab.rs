//! What the demo and the benchmark share: release builds, root, and a clean end
//! on Ctrl-C.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use landlord_tests::{agent, workload};

use crate::build::{Build, Programs};
use crate::root;
use crate::setup::{self, Purpose};

const PAUSE: Duration = Duration::from_millis(50);

/// Returns only as root and with the release binaries named by the environment,
/// where the lab looks for them. Otherwise it sets up the machine, builds, and
/// becomes the same command again, with sudo when not root.
///
/// Nobody builds as root who did not start as root, and binaries that the
/// environment names already are taken as they are.
pub(crate) fn enter() -> Result<()> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    let programs = match (named(agent::BINARY), named(workload::BINARY)) {
        (Some(_), Some(_)) if root::is_root() => return Ok(()),
        (Some(agent), Some(workload)) => Programs { agent, workload },
        (agent, workload) => {
            setup::ensure(Purpose::Build)?;
            let built = Build { release: true, fully_static: false }.programs()?;
            Programs {
                agent: agent.unwrap_or(built.agent),
                workload: workload.unwrap_or(built.workload),
            }
        }
    };
    let own = std::env::current_exe().context("cannot tell the own path")?;
    let environment = [(agent::BINARY, &*programs.agent), (workload::BINARY, &*programs.workload)];
    let mut again = root::command(&own, &environment)?;
    Err(again.args(std::env::args_os().skip(1)).exec()).context("cannot start again as root")
}

/// Whether the user wants to stop. From [`Interrupt::arm`] on, Ctrl-C and SIGTERM
/// no longer end this process; it ends by the error of [`Interrupt::check`], and
/// all that it made is cleaned up on the way.
#[derive(Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn arm() -> Result<Self> {
        let wanted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&wanted))
                .context("cannot listen for Ctrl-C")?;
        }
        Ok(Self(wanted))
    }

    /// Fails when the user wants to stop.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(!self.0.load(Ordering::Relaxed), "interrupted; all is cleaned up");
        Ok(())
    }

    /// Sleeps, unless the user wants to stop.
    pub(crate) fn sleep(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.check()?;
            std::thread::sleep(PAUSE.min(end.saturating_duration_since(Instant::now())));
        }
        self.check()
    }

    /// The reason why something failed: when the user wanted to stop, that is why.
    pub(crate) fn explain<T>(&self, outcome: Result<T>) -> Result<T> {
        self.check()?;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use anyhow::anyhow;

    use super::Interrupt;

    fn check(wanted: bool, outcome: Result<(), &str>, expected: Option<&str>) {
        let interrupt = Interrupt(Arc::new(AtomicBool::new(wanted)));
        let outcome = interrupt.explain(outcome.map_err(|text| anyhow!("{text}")));
        assert_eq!(outcome.err().map(|error| error.to_string()).as_deref(), expected);
        assert_eq!(interrupt.sleep(Duration::from_millis(1)).is_err(), wanted);
    }

    #[test]
    fn the_wish_to_stop_explains_every_failure() {
        check(false, Ok(()), None);
        check(false, Err("broken"), Some("broken"));
        check(true, Err("broken"), Some("interrupted; all is cleaned up"));
        check(true, Ok(()), Some("interrupted; all is cleaned up"));
    }
}
