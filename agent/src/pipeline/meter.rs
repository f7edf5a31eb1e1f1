//! Everything that counts, owned by one thread: sensors, cgroup table, accounts.
//!
//! A collection is: read the kernel, charge each cgroup's owner, save, give the
//! slots of the dead back. It never waits for a network or a client.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustix::time::{ClockId, clock_gettime};

use super::PipelineError;
use crate::{
    config::{Config, Detection},
    identity::Registry,
    kernel::{EventOptions, Events, Options, Sensors, events::CgroupPaths},
    telemetry::{LossCause, ProcessMeter},
    usage::{
        accounts::{Accounts, Limits},
        reading::{Reading, Slot},
        state_file,
        tenant::{AgentUsage, NodeUsage},
    },
};

/// Saved at least this often: what a crash costs is at most the figures of the
/// cgroups' own files that ended meanwhile; the kernel's counters lose nothing.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// How long the counters live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Pinned, where the configuration allows it: they outlive the agent.
    Pinned,
    /// They end with this process.
    Process,
}

/// What rules ask of the sensors of events.
#[must_use]
pub fn event_options(detection: &Detection) -> EventOptions {
    EventOptions {
        calls_ring_bytes: detection.buffer_bytes,
        lifecycle_ring_bytes: detection.buffer_bytes,
        rate: detection.rate,
        burst: detection.rate,
        wake_bytes: u64::from(detection.buffer_bytes / 8),
    }
}

/// The node's meter.
pub struct Meter {
    sensors: Sensors,
    registry: Registry,
    accounts: Accounts,
    process: ProcessMeter,
    /// Where totals are saved; `None` when the counters do not outlive us either.
    state: Option<PathBuf>,
    saved: Instant,
    /// Dead cgroups' slots that the sensors no longer find: their last counts are
    /// in the next collection.
    retired: BTreeSet<Slot>,
    live: u64,
    /// When the last reading began.
    read_at: SystemTime,
}

impl Meter {
    /// Starts the sensors, continues where the last agent stopped, and collects
    /// once.
    ///
    /// # Errors
    ///
    /// When the sensors cannot be started or read.
    pub fn start(config: &Config, lifetime: Lifetime) -> Result<Self, PipelineError> {
        let pins = config.pin.clone().filter(|_| lifetime == Lifetime::Pinned);
        let state = pins.is_some().then(|| config.state.clone());
        let events = config.detection.as_ref().map(event_options);
        let options = Options { pins, max_cgroups: config.max_cgroups, events };
        let sensors = Sensors::start(&options)?;
        let limits = Limits {
            max_tenants: config.max_tenants as usize,
            max_wait_causes: config.max_wait_causes as usize,
        };
        let accounts = restore(&sensors, state.as_ref(), limits);
        let mut meter = Self {
            sensors,
            registry: Registry::new(config.tenants.clone(), Registry::NODE_CAPACITY),
            accounts,
            process: ProcessMeter::new().map_err(PipelineError::io("own process"))?,
            state,
            saved: Instant::now(),
            retired: BTreeSet::new(),
            live: 0,
            read_at: UNIX_EPOCH,
        };
        meter.collect()?;
        meter.save()?;
        Ok(meter)
    }

    /// The kernel's events and the way to the cgroups' paths, once.
    pub fn take_events(&mut self) -> Option<(Events, Arc<CgroupPaths>)> {
        let events = self.sensors.take_events()?;
        let cgroups = events.cgroups();
        Some((events, cgroups))
    }

    /// Reads everything that was counted up to now.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a read.
    pub fn collect(&mut self) -> Result<NodeUsage, PipelineError> {
        let reading = self.read()?;
        Ok(self.usage(&reading))
    }

    /// As [`Self::collect`], and cleans up after the dead.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a read or a map operation.
    pub fn tick(&mut self) -> Result<NodeUsage, PipelineError> {
        let reading = self.read()?;
        let usage = self.usage(&reading);
        // Before slots are given back: the reading also has those, and a slot that
        // somebody else has taken meanwhile must not be retired.
        let dead = self.newly_dead(&reading);
        self.release_retired();
        for slot in dead {
            self.sensors.retire(slot)?;
            self.retired.insert(slot);
        }
        self.sensors.recycle_pages()?;
        self.registry.sweep(monotonic_ns());
        if self.saved.elapsed() >= SAVE_EVERY {
            self.save_or_count();
        }
        Ok(usage)
    }

    /// Collects a last time and saves.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a read, or the state cannot be written.
    pub fn stop(&mut self) -> Result<(), PipelineError> {
        self.read()?;
        self.save()
    }

    /// Number of tenants seen so far.
    #[must_use]
    pub fn tenants(&self) -> usize {
        self.accounts.node_usage(0, AgentUsage::default()).tenants.len()
    }

    fn read(&mut self) -> Result<Reading, PipelineError> {
        // Before anything is read: what happened until then is in the figures.
        self.read_at = SystemTime::now();
        let reading = self.sensors.collect(true)?;
        let registry = &mut self.registry;
        self.accounts.observe(&reading, &mut |cgroup| {
            let path = cgroup.path.as_deref();
            let owner =
                registry.observe(cgroup.id, cgroup.slot, path, cgroup.born_ns, cgroup.alive);
            Arc::from(owner.as_str())
        });
        self.live = reading.cgroups.iter().filter(|cgroup| cgroup.alive).count() as u64;
        Ok(reading)
    }

    /// Gives back slots that were retired before the last reading: it has their
    /// last counts. They are saved first, so that a crash between the two finds
    /// them in the state file or in the kernel, and in one of them only.
    fn release_retired(&mut self) {
        if self.retired.is_empty() || !self.save_or_count() {
            return;
        }
        match self.sensors.release(&self.retired) {
            Ok(released) => {
                for slot in released {
                    self.accounts.release(slot);
                    self.retired.remove(&slot);
                }
            }
            Err(error) => tracing::warn!(%error, "cannot give slots back; trying again"),
        }
    }

    /// Slots of cgroups that were dead when read and are not retired yet. The
    /// overflow's slot is nobody's and stays.
    fn newly_dead(&self, reading: &Reading) -> Vec<Slot> {
        let dead = reading.cgroups.iter().filter(|cgroup| !cgroup.alive && cgroup.slot.0 != 0);
        dead.map(|cgroup| cgroup.slot).filter(|slot| !self.retired.contains(slot)).collect()
    }

    fn save(&mut self) -> Result<(), PipelineError> {
        if let Some(path) = &self.state {
            let bytes = self.accounts.to_bytes(self.sensors.epoch().id)?;
            state_file::write(path, &bytes)?;
        }
        self.saved = Instant::now();
        Ok(())
    }

    /// True when everything is saved.
    fn save_or_count(&mut self) -> bool {
        match self.save() {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "cannot save totals; ended cgroups stay in the kernel's maps");
                self.accounts.count_loss(LossCause::StateUnwritten, 1);
                false
            }
        }
    }

    fn usage(&self, reading: &Reading) -> NodeUsage {
        let features = self.sensors.features().iter();
        let process = self.process.read().unwrap_or_else(|error| {
            tracing::debug!(%error, "cannot read own process figures");
            Default::default()
        });
        let agent = AgentUsage {
            lost_total: reading
                .lost
                .iter()
                .map(|(cause, count)| (cause.label().to_owned(), *count))
                .collect(),
            cgroups: self.live,
            map_memory_bytes: self.sensors.map_memory_bytes(),
            epoch_start_time_seconds: self.sensors.epoch().started_unix_ns as f64 / 1e9,
            features: features.map(|(feature, on)| (feature.label().to_owned(), *on)).collect(),
            process,
            detection: None,
        };
        let now = self.read_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.accounts.node_usage(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), agent)
    }
}

/// The totals of the last agent, when its counters are still there.
fn restore(sensors: &Sensors, state: Option<&PathBuf>, limits: Limits) -> Accounts {
    let epoch = sensors.epoch();
    let Some(path) = state.filter(|_| epoch.resumed) else { return Accounts::new(limits) };
    let restored = match state_file::read(path) {
        Ok(Some(bytes)) => {
            Accounts::from_bytes(&bytes, epoch.id, limits).map_err(|error| error.to_string())
        }
        Ok(None) => Err("it is gone".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    match restored {
        Ok(accounts) => {
            tracing::info!(state = %path.display(), "continuing the counters of the last agent");
            accounts
        }
        Err(reason) => {
            tracing::warn!(
                state = %path.display(),
                reason,
                "cannot continue saved totals: what ended cgroups had used is lost; \
                 living ones are counted from the kernel's maps"
            );
            Accounts::new(limits)
        }
    }
}

/// `CLOCK_MONOTONIC`, the clock of births and deaths.
fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}
