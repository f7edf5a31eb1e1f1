//! The agent at rest: many cgroups, nothing going on in them.

use std::time::{Duration, Instant};

use anyhow::Result;
use landlord_tests::agent::Home;
use landlord_tests::cgroup::{Cgroup, Hierarchy};
use serde::Serialize;

use crate::lab::Interrupt;
use crate::report::Step;

/// As many as a busy node's pods have.
pub(crate) const CGROUPS: u32 = 250;
/// Start-up is over after this time.
const SETTLE: Duration = Duration::from_secs(2);
/// Most of a core that the agent may take, in percent.
pub(crate) const CPU_TARGET_PERCENT: f64 = 0.5;
/// Most memory that the agent may have resident, in MiB.
pub(crate) const RESIDENT_TARGET_MIB: f64 = 40.0;

/// What the agent takes at rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Idle {
    /// Cgroups on the machine that were made for this.
    pub(crate) cgroups: u32,
    /// Seconds that were watched.
    pub(crate) seconds: f64,
    /// Processor time of the agent's process, in percent of a core.
    pub(crate) cpu_percent: f64,
    /// Memory that the agent's process has resident, in MiB.
    pub(crate) resident_mib: f64,
    /// Most processor time it may take, in percent of a core.
    pub(crate) cpu_target_percent: f64,
    /// Most memory it may have resident, in MiB.
    pub(crate) resident_target_mib: f64,
    /// Whether both targets are met.
    pub(crate) met: bool,
}

/// Watches the agent for `time`.
pub(crate) fn measure(
    hierarchy: &Hierarchy,
    home: &Home,
    time: Duration,
    interrupt: &Interrupt,
) -> Result<Idle> {
    let _step = Step::begin("Measuring", format_args!("the agent at rest, {} s", time.as_secs()));
    let _cgroups: Vec<Cgroup> = (0..CGROUPS)
        .map(|number| hierarchy.create(&format!("landlord-bench-idle-{number}.slice")))
        .collect::<Result<_>>()?;
    let agent = home.start()?;
    interrupt.sleep(SETTLE)?;
    let (began, before) = (Instant::now(), agent.cpu_seconds()?);
    interrupt.sleep(time)?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu_percent = (agent.cpu_seconds()? - before) / seconds * 100.0;
    let resident_mib = mebibytes(agent.resident_bytes()?);
    agent.terminate()?;
    home.detach()?;
    Ok(Idle {
        cgroups: CGROUPS,
        seconds,
        cpu_percent,
        resident_mib,
        cpu_target_percent: CPU_TARGET_PERCENT,
        resident_target_mib: RESIDENT_TARGET_MIB,
        met: cpu_percent <= CPU_TARGET_PERCENT && resident_mib <= RESIDENT_TARGET_MIB,
    })
}

/// Bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    // Exact: no process has 2^53 bytes resident.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let bytes = bytes as f64;
    bytes / f64::from(1 << 20)
}
