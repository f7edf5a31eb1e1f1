//! Sizes of the event maps, what the sensors of events have to know, and their start.

use std::{fs::File, sync::Arc};

use aya::{Btf, Ebpf, EbpfLoader, maps::HashMap as BpfHashMap};
use landlord_ebpf::abi::{
    CONNECTIONS, DROPS, EventCounts, GENERATIONS, PLANS, Plan, VERDICTS, Verdict, Wanted,
};

use super::{
    Events,
    cgroups::{CgroupPaths, Copies},
    counts::Drops,
    kallsyms,
    plans::Plans,
    programs::{self, CALLS, EXECS},
    reader::Reader,
    ring::Ring,
    verdicts::Verdicts,
};
use crate::kernel::{KernelError, cgroupfs::Hierarchies, layout::Entries, shared::Shared};

/// How the sensors of events are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventOptions {
    /// Room for records of calls, bytes; made a power of two, and a page at least.
    pub calls_ring_bytes: u32,
    /// Room for records of processes, likewise.
    pub lifecycle_ring_bytes: u32,
    /// Records of calls per second that one cgroup may send; 0: any number.
    pub rate: u64,
    /// Records that a cgroup may send at once beyond its rate.
    pub burst: u64,
    /// Bytes waiting in a ring from which on the reader is woken at once.
    pub wake_bytes: u64,
    /// Also tell of each TCP connection when it ends.
    pub connections: bool,
}

impl Default for EventOptions {
    fn default() -> Self {
        Self {
            calls_ring_bytes: 8 << 20,
            lifecycle_ring_bytes: 2 << 20,
            rate: 0,
            burst: 0,
            wake_bytes: 1 << 19,
            connections: false,
        }
    }
}

impl EventOptions {
    /// Bytes of both rings as they are made: calls, processes.
    pub(in crate::kernel) fn rings(&self) -> [u32; 2] {
        // The largest power of two that a ring can have is far below what is given
        // in earnest; a page is not.
        let page = u32::try_from(rustix::param::page_size()).unwrap_or(1 << 16);
        [self.calls_ring_bytes, self.lifecycle_ring_bytes]
            .map(|bytes| bytes.clamp(page, 1 << 29).next_power_of_two())
    }
}

/// Maps of events, all of them of one agent only; with sizes where they depend on
/// the node. Rings have sizes of their own.
pub(in crate::kernel) const MAPS: &[(&str, Entries)] = &[
    ("PLANS", Entries::Declared(GENERATIONS * PLANS)),
    ("VERDICTS", Entries::Declared(VERDICTS)),
    ("DROPS", Entries::Declared(DROPS)),
    ("EVENT_COUNTS", Entries::Cpus),
    ("SCRATCH", Entries::Cpus),
    ("LIFECYCLE_SCRATCH", Entries::Cpus),
    ("ALLOWANCES", Entries::Slots),
    ("PLACES", Entries::Slots),
];
/// The map of connections that last; as small as can be where nobody asks for them.
const BEGUN: &str = "BEGUN";
const CALLS_RING: &str = "CALLS_RING";
const LIFECYCLE_RING: &str = "LIFECYCLE_RING";

/// Tells the loader how large the maps are: as small as can be without `options`.
pub(in crate::kernel) fn entries(
    loader: &mut EbpfLoader<'_>,
    options: Option<&EventOptions>,
    cpus: u32,
    slots: u32,
) {
    for (name, entries) in MAPS {
        let count = options.map_or(1, |_| entries.count(cpus, slots));
        loader.map_max_entries(name, count);
    }
    let smallest =
        EventOptions { calls_ring_bytes: 0, lifecycle_ring_bytes: 0, ..EventOptions::default() };
    let [calls, processes] = options.unwrap_or(&smallest).rings();
    let told = options.is_some_and(|options| options.connections);
    loader.map_max_entries(BEGUN, if told { CONNECTIONS } else { 1 });
    loader.map_max_entries(CALLS_RING, calls);
    loader.map_max_entries(LIFECYCLE_RING, processes);
}

/// Gives back what only events need, when there are none. The meters look at what
/// is wanted, and at the table of programs; both stay.
pub(in crate::kernel) fn leave(ebpf: &mut Ebpf) {
    for (name, _) in MAPS {
        drop(ebpf.take_map(name));
    }
    drop(ebpf.take_map(BEGUN));
    drop(ebpf.take_map(CALLS_RING));
    drop(ebpf.take_map(LIFECYCLE_RING));
}

/// Words that differ from start to start.
pub(in crate::kernel) struct Seeds {
    verdicts: [u64; 2],
    rename_lock: u64,
}

impl Seeds {
    /// Random words; of the kernel only what is `wanted`, because its list is long.
    pub(in crate::kernel) fn find(wanted: bool) -> Result<Self, KernelError> {
        let random = || {
            let mut word = [0; 8];
            rustix::rand::getrandom(&mut word, rustix::rand::GetRandomFlags::empty())
                .map_err(|error| KernelError::io("getrandom", error))?;
            Ok::<_, KernelError>(u64::from_ne_bytes(word))
        };
        let verdicts = [random()?, random()?];
        let rename_lock = if wanted { kallsyms::address("rename_lock") } else { 0 };
        Ok(Self { verdicts, rename_lock })
    }

    /// Hands the words to the loader.
    pub(in crate::kernel) fn apply<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        loader.override_global("VERDICT_SEED0", &self.verdicts[0], true);
        loader.override_global("VERDICT_SEED1", &self.verdicts[1], true);
        loader.override_global("RENAME_LOCK", &self.rename_lock, true);
    }
}

/// What a start needs of the meters.
pub(in crate::kernel) struct Ground<'a> {
    pub(in crate::kernel) btf: &'a Btf,
    /// The root of the cgroup v2 mount.
    pub(in crate::kernel) root: &'a File,
    pub(in crate::kernel) hierarchies: &'a Hierarchies,
    pub(in crate::kernel) copies: Copies,
    pub(in crate::kernel) cpus: u32,
    pub(in crate::kernel) slots: u32,
    /// The member without which connections cannot be told, if this kernel lacks it.
    pub(in crate::kernel) connection_gap: Option<&'static str>,
}

impl Events {
    /// Starts the sensors of events in an object whose meters run.
    pub(in crate::kernel) fn start(
        ebpf: &mut Ebpf,
        options: &EventOptions,
        ground: Ground<'_>,
    ) -> Result<Self, KernelError> {
        let Ground { btf, root, hierarchies, copies, cpus, slots, connection_gap } = ground;
        let mut take =
            |name: &'static str| ebpf.take_map(name).ok_or(KernelError::Incomplete(name));
        let mut shared = |name: &'static str, size: usize, records: u32| {
            Shared::new(name, take(name)?, size, records)
        };
        let plans = Plans {
            wanted: shared("WANTED", size_of::<Wanted>(), 1)?,
            plans: shared("PLANS", size_of::<Plan>(), GENERATIONS * PLANS)?,
            switched: None,
        };
        let verdicts = Verdicts { table: shared("VERDICTS", size_of::<Verdict>(), VERDICTS)? };
        let counts = shared("EVENT_COUNTS", size_of::<EventCounts>(), cpus)?;
        let places = shared("PLACES", 8, slots)?;
        let cgroups = CgroupPaths::new(hierarchies.clone(), copies, places)?;
        let drops = BpfHashMap::try_from(take("DROPS")?).map_err(KernelError::map("DROPS"))?;
        let [calls, processes] = options.rings();
        let calls = Ring::new(CALLS_RING, take(CALLS_RING)?, calls)?;
        let processes = Ring::new(LIFECYCLE_RING, take(LIFECYCLE_RING)?, processes)?;
        plans.set_rate(options.rate, options.burst);
        plans.set_wake_bytes(options.wake_bytes);
        let mut links = programs::start(ebpf, btf, root)?;
        let connections = options.connections.then(|| match connection_gap {
            Some(member) => Err(KernelError::NoMember(member)),
            None => programs::start_connections(ebpf, btf, root).map(|link| links.push(link)),
        });
        if let Some(Err(error)) = &connections {
            tracing::error!(%error, "connections are not told: this kernel refuses their sensor");
        }
        let tables = [CALLS, EXECS]
            .map(|name| ebpf.take_map(name).ok_or(KernelError::Incomplete(name)))
            .into_iter()
            .collect::<Result<_, _>>()?;
        Ok(Self {
            plans,
            reader: Reader::new(processes, calls)?,
            verdicts: Arc::new(verdicts),
            cgroups: Arc::new(cgroups),
            counts,
            drops: Drops::new(drops),
            connections,
            _links: links,
            _tables: tables,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::EventOptions;
    use crate::kernel::{
        btf::{KERNEL_BTF, KernelBtf},
        event_offsets::EventOffsets,
        sensors::OBJECT,
    };

    #[test]
    fn rings_are_powers_of_two_of_a_page_at_least() {
        let page = u32::try_from(rustix::param::page_size()).unwrap();
        let check = |bytes, expected| {
            let options = EventOptions { calls_ring_bytes: bytes, ..EventOptions::default() };
            assert_eq!(options.rings()[0], expected, "{bytes}");
        };
        check(0, page);
        check(8 << 20, 8 << 20);
        check((8 << 20) + 1, 16 << 20);
        check(u32::MAX, 1 << 29);
    }

    #[test]
    fn the_sensors_have_every_word() {
        let Ok(btf) = KernelBtf::load(Path::new(KERNEL_BTF)) else { return };
        let names: HashSet<&[u8]> = OBJECT.split(|byte| *byte == 0).collect();
        for (word, _) in EventOffsets::resolve(&btf).values {
            assert!(names.contains(word.as_bytes()), "{word}");
        }
    }
}
