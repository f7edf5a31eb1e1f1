//! The running sensors: start, collect, give slots back, stop.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    mem::offset_of,
    path::{Path, PathBuf},
    sync::Arc,
};

use aya::{
    Btf, Ebpf, EbpfLoader,
    programs::{Program, RawTracePoint, RawTracePointRunOptions, TestRun as _},
};
use landlord_ebpf::abi::{
    self, CpuState, FLUSH_BUSY, FLUSH_FULL, FLUSH_PAGE, FLUSH_TICK, PAGES_PER_CPU,
};

use super::{
    KernelError,
    btf::{KERNEL_BTF, KernelBtf},
    cgroupfs::Hierarchies,
    counters::{Calls, Counters},
    epoch::{Epoch, Maps, Plan, monotonic_ns, possible_cpus, resumable},
    events::{self, CgroupPaths, Copies, EventOptions, Events, Ground, Seeds},
    hooks::{Feature, HOOKS},
    layout::MAPS,
    memory::map_bytes,
    offsets::Offsets,
    pins::Pins,
    shared::Shared,
    slots::Slots,
    stubs::{Attached, misses},
};
use crate::{
    telemetry::LossCause,
    usage::reading::{CgroupReading, FileFigures, NetworkReading, Reading, Slot},
};

/// The eBPF object, aligned as its reader wants it.
pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sensors"));

/// How to start the sensors.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder on bpffs where counters outlive the agent; `None`: they do not.
    pub pins: Option<PathBuf>,
    /// Cgroups that can be told apart at one time, 64 to 4095.
    pub max_cgroups: u32,
    /// Also make records of events, for rules; `None`: only meter.
    pub events: Option<EventOptions>,
}

/// Attached sensors and their counters.
pub struct Sensors {
    ebpf: Ebpf,
    attached: Vec<Attached>,
    /// Keeps another agent away from the pins.
    _pins: Option<Pins>,
    hierarchies: Hierarchies,
    counters: Counters,
    slots: Slots,
    cpu_states: Shared,
    epoch: Epoch,
    features: Vec<(Feature, bool)>,
    /// Until somebody takes them.
    events: Option<Events>,
    event_options: Option<EventOptions>,
    /// Where events learn of cgroups, which has to forget with us.
    event_cgroups: Option<Arc<CgroupPaths>>,
    /// Why there are no events although they were asked for.
    events_refused: Option<KernelError>,
    online: Vec<u32>,
    /// What each page held, and how often each CPU had wanted one in vain, when
    /// last looked at.
    page_sums: HashMap<u32, u64>,
    conflicts: HashMap<u32, u64>,
    files_lost: u64,
    unseen: u64,
}

impl Sensors {
    /// Loads and attaches everything, or leaves nothing behind.
    ///
    /// # Errors
    ///
    /// When this kernel or these privileges do not allow it, or another agent
    /// holds the pins.
    pub fn start(options: &Options) -> Result<Self, KernelError> {
        let hierarchies = Hierarchies::find()?;
        let kernel = KernelBtf::load(Path::new(KERNEL_BTF))?;
        let cpus = possible_cpus()?;
        let slots = options.max_cgroups + 1;
        let pins = options.pins.as_deref().map(Pins::open).transpose()?;
        let resumable = match &pins {
            Some(pins) => resumable(pins, cpus, slots)?,
            None => None,
        };
        let resumed = resumable.is_some();
        let started_ns = resumable.unwrap_or_else(monotonic_ns);
        let offsets = Offsets::resolve(&kernel, cpus, slots, started_ns)?;
        drop(kernel);
        let plan = Plan { cpus, slots, started_ns, resumed };
        let started = Self::load(&hierarchies, &offsets, pins.as_ref(), &plan, options);
        let (ebpf, attached, maps, events) = match (started, &pins) {
            (Ok(started), _) => started,
            (Err(error), Some(pins)) if !resumed => {
                // The first error tells more than one of the clean-up.
                if let Err(second) = pins.clear() {
                    tracing::warn!(error = %second, "cannot remove pins after a failed start");
                }
                return Err(error);
            }
            (Err(error), _) => return Err(error),
        };
        let epoch = maps.epoch(resumed);
        let Maps { counters, slots, cpu_states, .. } = maps;
        let (events, events_refused) = match events {
            Ok(events) => (events, None),
            Err(error) => (None, Some(error)),
        };
        let mut features = vec![
            (Feature::Cpu, true),
            (Feature::CpuWait, offsets.waits),
            (Feature::Syscalls, true),
            (Feature::Network, true),
            (Feature::Cgroups, true),
            (Feature::Pins, pins.is_some()),
            (Feature::Events, events.is_some()),
        ];
        if options.events.is_some_and(|options| options.connections) {
            let told = events.as_ref().and_then(Events::connections).is_some_and(|it| it.is_ok());
            features.push((Feature::Connections, told));
        }
        let online =
            aya::util::online_cpus().map_err(|(what, error)| KernelError::io(what, error))?;
        let mut sensors = Self {
            ebpf,
            attached,
            _pins: pins,
            hierarchies,
            counters,
            slots,
            cpu_states,
            epoch,
            features,
            event_options: options.events.filter(|_| events.is_some()),
            event_cgroups: events.as_ref().map(Events::cgroups),
            events,
            events_refused,
            online,
            page_sums: HashMap::new(),
            conflicts: HashMap::new(),
            files_lost: 0,
            unseen: 0,
        };
        sensors.register_existing()?;
        // The tasks that run now get their baseline, not their past.
        sensors.tick()?;
        Ok(sensors)
    }

    fn load(
        hierarchies: &Hierarchies,
        offsets: &Offsets,
        pins: Option<&Pins>,
        plan: &Plan,
        options: &Options,
    ) -> Result<Loaded, KernelError> {
        let Plan { cpus, slots, .. } = *plan;
        let btf = Btf::from_sys_fs().map_err(|error| KernelError::Btf {
            path: KERNEL_BTF.into(),
            reason: error.to_string(),
        })?;
        let mut loader = EbpfLoader::new();
        loader.btf(Some(&btf));
        offsets.apply(&mut loader);
        let seeds = Seeds::find(options.events.is_some())?;
        seeds.apply(&mut loader);
        events::entries(&mut loader, options.events.as_ref(), cpus, slots);
        for (name, entries) in MAPS {
            loader.map_max_entries(name, entries.count(cpus, slots));
            if let Some(pins) = pins {
                loader.map_pin_path(name, pins.map(name));
            }
        }
        let mut ebpf = loader.load(OBJECT)?;
        let copies = Copies::of(&ebpf)?;
        let mut maps = Maps::take(&mut ebpf, cpus, slots)?;
        if !plan.resumed {
            maps.begin(plan)?;
        }
        load_flush(&mut ebpf)?;
        let root = File::open(&hierarchies.unified)
            .map_err(|error| KernelError::io("opening the cgroup v2 mount", error))?;
        let mut attached = Vec::new();
        for hook in HOOKS {
            hook.install_meter(&mut ebpf, &btf)?;
            attached.push(Attached::new(hook, &mut ebpf, &btf, &root, pins)?);
        }
        // After the meters, which go on without.
        let events = match &options.events {
            None => Ok(None),
            Some(_) if offsets.event_gap.is_some() => {
                Err(KernelError::NoMember(offsets.event_gap.unwrap_or_default()))
            }
            Some(wanted) => {
                let connection_gap = offsets.connection_gap;
                let btf = &btf;
                let root = &root;
                let ground = Ground { btf, root, hierarchies, copies, cpus, slots, connection_gap };
                Events::start(&mut ebpf, wanted, ground).map(Some)
            }
        };
        if let Err(error) = &events {
            tracing::error!(%error, "no events for rules: this kernel refuses their sensors");
        }
        if !matches!(events, Ok(Some(_))) {
            events::leave(&mut ebpf);
        }
        Ok((ebpf, attached, maps, events))
    }

    /// The life of the counters that are being read.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What this kernel gives.
    #[must_use]
    pub fn features(&self) -> &[(Feature, bool)] {
        &self.features
    }

    /// Kernel memory of all maps, bytes.
    #[must_use]
    pub fn map_memory_bytes(&self) -> u64 {
        map_bytes(self.counters.cpus, self.counters.slots, self.event_options.as_ref())
    }

    /// The sensors of events, for another thread to read; once. They end with the
    /// taken value.
    pub fn take_events(&mut self) -> Option<Events> {
        self.events.take()
    }

    /// Why there are no events although they were asked for.
    #[must_use]
    pub const fn events_refused(&self) -> Option<&KernelError> {
        self.events_refused.as_ref()
    }

    /// Reads everything that was counted up to now. `files`: read the cgroups'
    /// own files too.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a read; nothing is changed then.
    pub fn collect(&mut self, files: bool) -> Result<Reading, KernelError> {
        self.tick()?;
        self.notice_births_and_deaths()?;
        let mut calls = self.counters.calls()?;
        let waits = self.counters.waits()?;
        let taken: Vec<u32> = self.slots.taken().collect();
        let mut cgroups = Vec::with_capacity(taken.len() + 1);
        cgroups.push(self.overflow(&mut calls));
        for slot in taken {
            let path = self.slots.path(slot);
            let alive = self.slots.died_ns(slot) == 0;
            let (cpu_ns, wait_ns) = self.counters.run(slot);
            let figures = path.as_deref().filter(|_| files && alive);
            let figures = figures.map(|path| self.figures(path));
            cgroups.push(CgroupReading {
                slot: Slot(slot),
                id: self.slots.cgroup(slot),
                path,
                born_ns: self.slots.born_ns(slot),
                alive,
                cpu_ns,
                wait_ns,
                network: self.counters.network(slot),
                syscalls: calls.remove(&slot).unwrap_or_default(),
                files: figures,
            });
        }
        let mut lost = self.counters.losses();
        lost.push((LossCause::CgroupFileUnreadable, self.files_lost));
        lost.push((LossCause::BirthUnseen, self.unseen));
        lost.push((
            LossCause::ProgramMissed,
            self.attached.iter().map(|attached| misses(&attached.stub)).sum(),
        ));
        Ok(Reading { cgroups, waits, lost })
    }

    /// The slot of those for whom there was none.
    fn overflow(&self, calls: &mut Calls) -> CgroupReading {
        let slot = abi::OVERFLOW_SLOT;
        let (cpu_ns, wait_ns) = self.counters.run(slot);
        CgroupReading {
            slot: Slot(slot),
            id: crate::identity::CgroupId(0),
            path: None,
            born_ns: 0,
            alive: false,
            cpu_ns,
            wait_ns,
            network: NetworkReading { ..self.counters.network(slot) },
            syscalls: calls.remove(&slot).unwrap_or_default(),
            files: None,
        }
    }

    fn figures(&mut self, path: &str) -> FileFigures {
        let (figures, bad) = self.hierarchies.figures(path);
        self.files_lost += bad;
        figures
    }

    /// Hides a dead cgroup's slot from the sensors: the next collection has its
    /// last counts.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a map operation.
    pub fn retire(&mut self, slot: Slot) -> Result<(), KernelError> {
        self.slots.retire(slot.0)
    }

    /// Gives retired slots back, their counters cleared. Whoever needs their last
    /// counts has to have kept them: call only after that. Returns those that were
    /// given back; a CPU may still hold a page of the others, which are to be tried
    /// again after the next collection.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a map operation.
    pub fn release(&mut self, retired: &BTreeSet<Slot>) -> Result<Vec<Slot>, KernelError> {
        let mut ready = BTreeSet::new();
        for slot in retired {
            let pages: Vec<_> = self.counters.pages_of(slot.0).collect();
            let mut held = false;
            for (cpu, index) in pages {
                held |= !self.flush_page(cpu, index)?;
            }
            if !held {
                ready.insert(slot.0);
            }
        }
        self.counters.clear(&ready)?;
        for slot in &ready {
            if let Some(cgroups) = &self.event_cgroups {
                cgroups.forget_place(*slot);
            }
            self.slots.release(*slot)?;
        }
        Ok(ready.into_iter().map(Slot).collect())
    }

    /// Gives syscall pages that nobody used since the last call to those who want
    /// them. Costs nothing on a CPU where nobody does.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to run the flush.
    pub fn recycle_pages(&mut self) -> Result<(), KernelError> {
        for cpu in 0..self.counters.cpus {
            let wanted = self.cpu_states.word(cpu, offset_of!(CpuState, page_conflicts) / 8);
            let pressed = self.conflicts.insert(cpu, wanted).is_some_and(|before| before != wanted);
            if !pressed {
                continue;
            }
            for index in 0..PAGES_PER_CPU {
                let page = cpu * PAGES_PER_CPU + index;
                if self.counters.owner(page).is_none() {
                    continue;
                }
                let sum = self.counters.page_sum(page);
                if self.page_sums.insert(page, sum) == Some(sum) {
                    self.page_sums.remove(&page);
                    self.flush_page(cpu, index)?;
                }
            }
        }
        Ok(())
    }

    /// Brings every CPU's figures up to date.
    fn tick(&mut self) -> Result<(), KernelError> {
        for cpu in self.online.clone() {
            self.flush(cpu, [FLUSH_TICK, 0])?;
        }
        Ok(())
    }

    fn flush_page(&self, cpu: u32, index: u32) -> Result<bool, KernelError> {
        let result = self.flush(cpu, [FLUSH_PAGE, u64::from(index)])?;
        Ok(!matches!(result, Some(FLUSH_BUSY | FLUSH_FULL)))
    }

    /// Runs the flush program on a CPU; `None` when that CPU is offline.
    fn flush(&self, cpu: u32, [command, argument]: [u64; 2]) -> Result<Option<u32>, KernelError> {
        let Some(Program::RawTracePoint(program)) = self.ebpf.program(FLUSH) else {
            return Err(KernelError::Incomplete(FLUSH));
        };
        let mut options = RawTracePointRunOptions::new();
        options.args[0] = command;
        options.args[1] = argument;
        options.cpu = Some(cpu);
        match program.test_run(options) {
            Ok(result) => Ok(Some(result.return_value)),
            Err(aya::programs::ProgramError::SyscallError(error))
                if error.io_error.raw_os_error()
                    == Some(rustix::io::Errno::NXIO.raw_os_error()) =>
            {
                Ok(None)
            }
            Err(error) => Err(KernelError::program(FLUSH)(error)),
        }
    }

    /// Gives every cgroup that exists a slot with its path.
    fn register_existing(&mut self) -> Result<(), KernelError> {
        let now = monotonic_ns();
        for (id, path) in self.hierarchies.walk() {
            self.slots.register(id, &path, now)?;
        }
        Ok(())
    }

    /// Finds the paths of cgroups whose birth was not seen, and the deaths that
    /// no sensor saw.
    fn notice_births_and_deaths(&mut self) -> Result<(), KernelError> {
        let living: Vec<u32> =
            self.slots.taken().filter(|slot| self.slots.died_ns(*slot) == 0).collect();
        let mut nameless = false;
        for slot in living {
            match self.slots.path(slot) {
                Some(path) if self.hierarchies.id(&path) == Some(self.slots.cgroup(slot)) => {}
                Some(_) => self.slots.set_died(slot, monotonic_ns()),
                None => nameless = true,
            }
        }
        if !nameless {
            return Ok(());
        }
        self.register_existing()?;
        let nameless: Vec<u32> = self
            .slots
            .taken()
            .filter(|slot| self.slots.died_ns(*slot) == 0 && self.slots.path(*slot).is_none())
            .collect();
        for slot in nameless {
            self.unseen += 1;
            self.slots.set_died(slot, monotonic_ns());
        }
        Ok(())
    }
}

/// A loaded object, what is attached of it, and what is read of it.
type Loaded = (Ebpf, Vec<Attached>, Maps, Result<Option<Events>, KernelError>);

/// Name of the program that a CPU runs on request.
const FLUSH: &str = "flush";

fn load_flush(ebpf: &mut Ebpf) -> Result<(), KernelError> {
    let program = ebpf.program_mut(FLUSH).ok_or(KernelError::Incomplete(FLUSH))?;
    <&mut RawTracePoint>::try_from(program)
        .and_then(RawTracePoint::load)
        .map_err(KernelError::program(FLUSH))
}

/// What can be had beside the meters.
#[derive(Debug)]
pub struct Tried {
    /// Events for rules.
    pub events: Result<(), KernelError>,
    /// Ends of connections; `None`: not asked for, or there are no events.
    pub connections: Option<Result<(), KernelError>>,
}

/// Loads and attaches everything for a moment, to see whether it can be done. With
/// `events` those as well; whether these can is what is returned when the meters can.
///
/// # Errors
///
/// As [`Sensors::start`].
pub fn try_load(events: Option<EventOptions>) -> Result<Tried, KernelError> {
    let mut sensors = Sensors::start(&Options { pins: None, max_cgroups: 64, events })?;
    let connections = sensors.take_events().and_then(Events::into_connections);
    Ok(Tried { events: sensors.events_refused.map_or(Ok(()), Err), connections })
}
