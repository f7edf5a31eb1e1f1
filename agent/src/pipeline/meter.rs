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

use super::{
    PipelineError, clock, clock::monotonic_ns, cluster, heard::Heard, roster, settling::Settling,
    stored::Stored,
};
use crate::{
    config::Config,
    identity::{
        HOST, Known, Registry, TenantRules, UNKNOWN,
        assignment::GaveUp,
        cluster::Change,
        registry::{Owner, Sighting},
    },
    kernel::{EventOptions, Events, Options, Sensors, events::CgroupPaths},
    sinks::otlp::connections::Scope,
    telemetry::{LossCause, ProcessMeter},
    usage::{
        accounts::{Accounts, Limits},
        pod::IdentityUsage,
        reading::{CgroupReading, Reading, Slot},
        state_file,
        tenant::{AgentUsage, NodeUsage},
    },
};

/// Saved at least this often: what a crash costs is at most the figures of the
/// cgroups' own files that ended meanwhile; the kernel's counters lose nothing.
const SAVE_EVERY: Duration = Duration::from_secs(60);

/// Pods told apart, living and ended ones; those gone for longest share one name.
const MAX_PODS: usize = 2048;

/// How long the counters live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Pinned, where the configuration allows it: they outlive the agent.
    Pinned,
    /// They end with this process.
    Process,
}

/// What is asked of the sensors of events; `None` without rules.
#[must_use]
pub fn event_options(config: &Config) -> Option<EventOptions> {
    let detection = config.detection.as_ref()?;
    let otlp = config.sinks.otlp.as_ref();
    Some(EventOptions {
        calls_ring_bytes: detection.buffer_bytes,
        lifecycle_ring_bytes: detection.buffer_bytes,
        rate: detection.rate,
        burst: detection.rate,
        wake_bytes: u64::from(detection.buffer_bytes / 8),
        connections: otlp.is_some_and(|otlp| otlp.connections != Scope::None),
    })
}

/// Where totals are saved.
struct State {
    tenants: PathBuf,
    pods: PathBuf,
}

/// The node's meter.
pub struct Meter {
    sensors: Sensors,
    known: Arc<Known>,
    /// The cluster, when there is one.
    node: Option<cluster::Node>,
    registry: Registry,
    accounts: Accounts,
    /// What each pod used, by its UID; nothing without a cluster.
    pods: Accounts,
    settling: Settling,
    heard: Heard,
    stored: Stored,
    /// Whether metrics tell of each pod.
    pod_metrics: bool,
    process: ProcessMeter,
    /// Where totals are saved; `None` when the counters do not outlive us either.
    state: Option<State>,
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
        Self::of_node(config, lifetime, None)
    }

    /// The same, on a node of a cluster.
    pub(super) fn of_node(
        config: &Config,
        lifetime: Lifetime,
        node: Option<cluster::Node>,
    ) -> Result<Self, PipelineError> {
        let pins = config.pin.clone().filter(|_| lifetime == Lifetime::Pinned);
        let state = pins.is_some().then(|| State {
            tenants: config.state.clone(),
            pods: config.state.with_added_extension("pods"),
        });
        // Of connections nothing is recorded.
        let events = event_options(config).map(|options| EventOptions {
            connections: options.connections && lifetime == Lifetime::Pinned,
            ..options
        });
        let options = Options { pins, max_cgroups: config.max_cgroups, events };
        let sensors = Sensors::start(&options)?;
        let limits = Limits {
            max_tenants: config.max_tenants as usize,
            max_wait_causes: config.max_wait_causes as usize,
        };
        let tenants = state.as_ref().map(|state| &state.tenants);
        let accounts = restore(&sensors, tenants, limits);
        let pods = state.as_ref().map(|state| &state.pods).filter(|_| node.is_some());
        let pods = restore(&sensors, pods, Limits { max_tenants: MAX_PODS, max_wait_causes: 1 });
        let mut meter = Self {
            sensors,
            known: cluster::known(config, node.as_ref()),
            node,
            registry: Registry::new(Registry::NODE_CAPACITY),
            accounts,
            pods,
            settling: Settling::default(),
            heard: Heard::default(),
            stored: Stored::new(config.kubelet.interval),
            pod_metrics: config.pod_metrics,
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

    /// What is known of the cluster and of containers.
    #[must_use]
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known)
    }

    /// Takes news of the cluster. What was used until now is read before whose it is
    /// changes.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a read; the news is taken all the same.
    pub fn change(&mut self, change: Change) -> Result<(), PipelineError> {
        self.heard.note(&change, SystemTime::now());
        if let Change::Storage(pods) = change {
            let now_ns = monotonic_ns();
            self.count_storage(now_ns);
            self.stored.take(pods, now_ns);
            return Ok(());
        }
        let read = match self.known.would_change_tenants(&change) {
            true => self.close(),
            false => Ok(()),
        };
        self.known.apply(change, clock::now());
        read
    }

    /// Takes other rules of tenants, as [`Self::change`] does news.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a read; the rules are taken all the same.
    pub fn set_rules(&mut self, rules: TenantRules) -> Result<(), PipelineError> {
        let read = self.close();
        self.known.set_rules(rules);
        read
    }

    /// Reads what was used until now and saves it, so that the next agent, too, knows
    /// whose it was.
    fn close(&mut self) -> Result<(), PipelineError> {
        self.read()?;
        self.save_or_count();
        Ok(())
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
        let now_ns = monotonic_ns();
        self.registry.sweep(now_ns);
        self.known.expire(now_ns);
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
        let owners: Vec<Owner> = self.known.ask(monotonic_ns(), |knowledge| {
            let cgroups = reading.cgroups.iter();
            cgroups.map(|cgroup| registry.observe(&sighting(cgroup), knowledge)).collect()
        });
        let mut of_tenants = owners.iter().map(tenant_label);
        let unknown: Arc<str> = UNKNOWN.into();
        self.accounts
            .observe(&reading, &mut |_| of_tenants.next().unwrap_or_else(|| Arc::clone(&unknown)));
        if self.node.is_some() {
            let host: Arc<str> = HOST.into();
            let mut of_pods = owners.iter().map(|owner| owner.pod.clone());
            self.pods.observe(&reading, &mut |_| {
                of_pods.next().flatten().unwrap_or_else(|| Arc::clone(&host))
            });
        }
        self.count_storage(monotonic_ns());
        self.settling.turn(&mut self.registry, &mut self.accounts, &self.known, monotonic_ns());
        self.live = reading.cgroups.iter().filter(|cgroup| cgroup.alive).count() as u64;
        Ok(reading)
    }

    /// Charges what is kept on disks until now to whose it is.
    fn count_storage(&mut self, now_ns: u64) {
        if self.stored.is_empty() {
            return;
        }
        let seen = self.registry.pods();
        self.known.ask(now_ns, |knowledge| {
            let (tenants, pods) = (&mut self.accounts, &mut self.pods);
            self.stored.turn(now_ns, &seen, knowledge.directory, tenants, pods);
        });
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
                    self.pods.release(slot);
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
        if let Some(state) = &self.state {
            let epoch = self.sensors.epoch().id;
            state_file::write(&state.tenants, &self.accounts.to_bytes(epoch)?)?;
            if self.node.is_some() {
                state_file::write(&state.pods, &self.pods.to_bytes(epoch)?)?;
            }
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
            pod_metrics: self.pod_metrics,
            ..AgentUsage::default()
        };
        let now = self.read_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let mut usage = self.accounts.node_usage(now_ms, agent);
        if let Some(node) = &self.node {
            self.add_cluster(node, &mut usage);
        }
        usage
    }

    /// Adds what is known of the cluster.
    fn add_cluster(&self, node: &cluster::Node, usage: &mut NodeUsage) {
        let used = self.pods.node_usage(0, AgentUsage::default()).tenants;
        let used = used.into_iter().map(|used| (used.tenant.clone(), used)).collect();
        let seen = self.registry.pods();
        let label = |(name, count): (&'static str, u64)| (name.to_owned(), count);
        let mut unresolved = self.settling.given_up().clone();
        for (reason, count) in self.registry.given_up() {
            *unresolved.entry(*reason).or_default() += count;
        }
        let reasons = GaveUp::ALL.iter();
        let identity = IdentityUsage {
            node: node.name.to_string(),
            cgroups: self.registry.provenance().into_iter().map(label).collect(),
            unresolved_total: reasons
                .map(|it| (it.label().to_owned(), unresolved.get(it).copied().unwrap_or(0)))
                .collect(),
            ..IdentityUsage::default()
        };
        self.known.ask(monotonic_ns(), |knowledge| {
            let directory = knowledge.directory;
            usage.pods = roster::pods(&seen, directory, used);
            self.stored.add(&mut usage.pods);
            usage.owners = roster::owners(&seen, directory);
            usage.quotas = roster::quotas(&seen, directory);
            let mut sources = roster::sources(&node.watched, directory);
            self.heard.add(&node.watched, &mut sources);
            let counts = directory.counts();
            let objects = roster::objects(directory);
            let addresses = self.known.address_figures().map(roster::addresses);
            usage.identity = Some(IdentityUsage {
                sources,
                objects,
                addresses,
                refused_total: counts.refused,
                forgotten_total: counts.forgotten,
                ..identity
            });
        });
    }
}

fn sighting(cgroup: &CgroupReading) -> Sighting<'_> {
    Sighting {
        id: cgroup.id,
        slot: cgroup.slot,
        path: cgroup.path.as_deref(),
        born_ns: cgroup.born_ns,
        alive: cgroup.alive,
    }
}

/// What the use of a cgroup is booked under.
fn tenant_label(owner: &Owner) -> Arc<str> {
    match (&owner.tenant, &owner.pod) {
        (Some(tenant), _) => Arc::clone(tenant),
        (None, Some(pod)) => Accounts::pending_label(pod),
        (None, None) => UNKNOWN.into(),
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
