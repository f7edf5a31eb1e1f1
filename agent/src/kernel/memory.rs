//! What the maps cost in kernel memory.

use landlord_ebpf::abi;

use super::layout::{SYSCALL_TOTALS, TASK_ACCOUNTS, WAIT_TOTALS};

/// Bytes that one entry of a preallocated hash table takes beside key and value:
/// the element's header and its share of the bucket heads (kernel/bpf/hashtab.c).
const HASH_OVERHEAD: u64 = 48 + 16;

/// Bytes of kernel memory that all maps take on a node with `cpus` possible CPUs
/// and room for `max_cgroups` cgroups.
#[must_use]
pub fn map_bytes(cpus: u32, max_cgroups: u32) -> u64 {
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
    cpus * per_cpu + shared
}

#[cfg(test)]
mod tests {
    use super::map_bytes;

    #[test]
    fn a_node_of_128_cpus_and_250_pods_stays_within_64_mib() {
        // 250 pods have some 800 cgroups; 2048 slots are the default.
        let mib = map_bytes(128, 2048) as f64 / f64::from(1 << 20);
        assert!(mib <= 64.0, "{mib:.1} MiB");
    }
}
