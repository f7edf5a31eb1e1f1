//! The maps as a whole: how large they are, when their counters began, and whether
//! pinned ones can be carried on.

use std::{
    mem::offset_of,
    time::{SystemTime, UNIX_EPOCH},
};

use aya::{
    Ebpf,
    maps::{HashMap as BpfHashMap, Map, MapData, Queue},
};
use landlord_ebpf::abi::{self, CpuState, LAYOUT, Meta, PAGES_PER_CPU};

use super::{KernelError, counters::Counters, pins::Pins, shared::Shared, slots::Slots};

/// One life of the counters, from zero on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Random; other counters have another.
    pub id: u64,
    /// Nanoseconds since 1970 when they began at zero.
    pub started_unix_ns: u64,
    /// True when they were found pinned.
    pub resumed: bool,
}

/// Sizes and age of the counters that are started.
pub(super) struct Plan {
    pub(super) cpus: u32,
    pub(super) slots: u32,
    /// `CLOCK_MONOTONIC` nanoseconds when they began at zero.
    pub(super) started_ns: u64,
    pub(super) resumed: bool,
}

/// The maps that the agent reads.
pub(super) struct Maps {
    pub(super) counters: Counters,
    pub(super) slots: Slots,
    pub(super) cpu_states: Shared,
    meta: Shared,
}

impl Maps {
    pub(super) fn take(ebpf: &mut Ebpf, cpus: u32, slots: u32) -> Result<Self, KernelError> {
        let mut take =
            |name: &'static str| ebpf.take_map(name).ok_or(KernelError::Incomplete(name));
        let counters = Counters {
            run: Shared::new("RUN", take("RUN")?, size_of::<abi::RunUsage>(), cpus * slots)?,
            net: Shared::new("NET", take("NET")?, size_of::<abi::NetUsage>(), cpus * slots)?,
            pages: Shared::new(
                "PAGES",
                take("PAGES")?,
                size_of::<abi::SyscallPage>(),
                cpus * PAGES_PER_CPU,
            )?,
            lost: Shared::new("LOST", take("LOST")?, 8, abi::Loss::COUNT)?,
            syscalls: BpfHashMap::try_from(take("SYSCALLS")?)
                .map_err(KernelError::map("SYSCALLS"))?,
            waits: BpfHashMap::try_from(take("WAITS")?).map_err(KernelError::map("WAITS"))?,
            cpus,
            slots,
        };
        let slots = Slots {
            info: Shared::new("SLOTS", take("SLOTS")?, size_of::<abi::SlotInfo>(), slots)?,
            hints: Shared::new("HINT", take("HINT")?, 8, abi::HINTS)?,
            slot_of: BpfHashMap::try_from(take("SLOT_OF")?).map_err(KernelError::map("SLOT_OF"))?,
            free: Queue::try_from(take("FREE")?).map_err(KernelError::map("FREE"))?,
        };
        let cpu_states = Shared::new("CPUS", take("CPUS")?, size_of::<CpuState>(), cpus)?;
        let meta = Shared::new("META", take("META")?, size_of::<Meta>(), 1)?;
        Ok(Self { counters, slots, cpu_states, meta })
    }

    /// The life of the counters in these maps.
    pub(super) fn epoch(&self, resumed: bool) -> Epoch {
        Epoch {
            id: self.meta.word(0, offset_of!(Meta, epoch) / 8),
            started_unix_ns: self.meta.word(0, offset_of!(Meta, started_unix_ns) / 8),
            resumed,
        }
    }

    /// Starts the counters of new maps. The layout is written last: maps without
    /// it were never completed.
    pub(super) fn begin(&mut self, plan: &Plan) -> Result<(), KernelError> {
        self.slots.fill()?;
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| KernelError::io("getrandom", error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.meta.set_word(0, offset_of!(Meta, epoch) / 8, u64::from_ne_bytes(random));
        self.meta.set_word(0, offset_of!(Meta, started_unix_ns) / 8, now);
        self.meta.set_word(0, offset_of!(Meta, started_ns) / 8, plan.started_ns);
        let sizes = u64::from(plan.slots) << 32 | u64::from(plan.cpus);
        self.meta.set_word(0, offset_of!(Meta, cpus) / 8, sizes);
        self.meta.set_word(0, offset_of!(Meta, layout) / 8, LAYOUT);
        Ok(())
    }
}

/// When the pinned counters began, if they can be carried on; removes them when
/// they cannot.
pub(super) fn resumable(pins: &Pins, cpus: u32, slots: u32) -> Result<Option<u64>, KernelError> {
    if pins.is_empty()? {
        return Ok(None);
    }
    let difference = match pins.difference(cpus, slots) {
        Some(difference) => difference,
        None => {
            let meta = MapData::from_pin(pins.map("META")).map_err(KernelError::map("META"))?;
            let meta = Shared::new("META", Map::Array(meta), size_of::<Meta>(), 1)?;
            let layout = meta.word(0, offset_of!(Meta, layout) / 8);
            if layout == LAYOUT {
                return Ok(Some(meta.word(0, offset_of!(Meta, started_ns) / 8)));
            }
            format!("layout {layout:#x}, not {LAYOUT:#x}")
        }
    };
    tracing::warn!(
        difference,
        "pinned counters have another layout: they are not read, and counting starts anew"
    );
    pins.clear()?;
    Ok(None)
}

/// Highest possible CPU number plus one: CPUs may come online later.
pub(super) fn possible_cpus() -> Result<u32, KernelError> {
    const PATH: &str = "/sys/devices/system/cpu/possible";
    let text = std::fs::read_to_string(PATH).map_err(|error| KernelError::io(PATH, error))?;
    text.trim()
        .rsplit([',', '-'])
        .next()
        .and_then(|last| last.parse::<u32>().ok())
        .map(|last| last + 1)
        .ok_or_else(|| KernelError::io(PATH, std::io::Error::other("no list of CPUs")))
}

/// `CLOCK_MONOTONIC`, the clock of the sensors.
pub(super) fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}
