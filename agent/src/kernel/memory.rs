//! What the maps cost in kernel memory.

use landlord_ebpf::abi;

use super::{
    events::EventOptions,
    layout::{SYSCALL_TOTALS, TASK_ACCOUNTS, WAIT_TOTALS},
};

/// Bytes that one entry of a preallocated hash table takes beside key and value:
/// the element's header and its share of the bucket heads (kernel/bpf/hashtab.c).
const HASH_OVERHEAD: u64 = 48 + 16;

/// Bytes that a record is made in, and what is kept beside it.
const SCRATCH_BYTES: u64 = 46 * 1024;
/// Pages of a ring beside its data: the positions of both ends, and the kernel's own.
const RING_PAGES: u64 = 3;

/// Bytes of kernel memory that all maps take on a node with `cpus` possible CPUs
/// and room for `max_cgroups` cgroups, with or without events.
#[must_use]
pub fn map_bytes(cpus: u32, max_cgroups: u32, events: Option<&EventOptions>) -> u64 {
    let events = events.map_or(0, |options| event_bytes(cpus, max_cgroups, options));
    let cpus = u64::from(cpus);
    let slots = u64::from(max_cgroups);
    let record = |size: usize| size as u64;
    let per_cpu = record(size_of::<abi::CpuState>())
        + slots * record(size_of::<abi::RunUsage>() + size_of::<abi::NetUsage>())
        + u64::from(abi::PAGES_PER_CPU) * record(size_of::<abi::SyscallPage>());
    let shared = slots * record(size_of::<abi::SlotInfo>())
        + u64::from(abi::HINTS) * 8
        + u64::from(TASK_ACCOUNTS) * record(size_of::<abi::TaskAccount>())
        + slots * (16 + HASH_OVERHEAD)
        + slots * 4
        + u64::from(SYSCALL_TOTALS) * (16 + HASH_OVERHEAD)
        + u64::from(WAIT_TOTALS) * (16 + HASH_OVERHEAD);
    cpus * per_cpu + shared + events
}

fn event_bytes(cpus: u32, max_cgroups: u32, options: &EventOptions) -> u64 {
    let record = |size: usize| size as u64;
    let page = record(rustix::param::page_size());
    let rings: u64 = options.rings().map(|bytes| u64::from(bytes) + RING_PAGES * page).iter().sum();
    let per_cpu = record(size_of::<abi::EventCounts>()) + 2 * SCRATCH_BYTES;
    let per_slot = record(size_of::<abi::Allowance>()) + 8;
    let connections = if options.connections { u64::from(abi::CONNECTIONS) } else { 1 };
    let plans = u64::from(abi::GENERATIONS * abi::PLANS) * record(size_of::<abi::Plan>());
    rings
        + u64::from(cpus) * per_cpu
        + u64::from(max_cgroups) * per_slot
        + plans
        + record(size_of::<abi::Wanted>())
        + u64::from(abi::VERDICTS) * record(size_of::<abi::Verdict>())
        + connections * (8 + record(size_of::<abi::Begun>()) + HASH_OVERHEAD)
        + u64::from(abi::DROPS) * (record(size_of::<abi::DropKey>()) + 8 + HASH_OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::{EventOptions, map_bytes};

    #[test]
    fn a_node_of_128_cpus_and_250_pods_stays_within_64_mib() {
        // 250 pods have some 800 cgroups; 2048 slots are the default.
        let mib = |events| map_bytes(128, 2048, events) as f64 / f64::from(1 << 20);
        assert!(mib(None) <= 64.0, "{:.1} MiB", mib(None));
        let options = EventOptions::default();
        let events = mib(Some(&options));
        assert!(events <= 96.0, "{events:.1} MiB");
        let connections = EventOptions { connections: true, ..options };
        let more = mib(Some(&connections)) - events;
        assert!((1.0..6.0).contains(&more), "{more:.1} MiB");
    }
}
