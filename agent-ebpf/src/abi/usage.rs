//! Counters.

/// Syscall pages a CPU keeps: the cgroups that can run on it in turn without
/// counting their calls through a hash table.
pub const PAGES_PER_CPU: u32 = 64;
/// Numbers that a page has room for, a power of two; kernel 6.18 gives out
/// numbers up to 470.
pub const SYSCALLS_PER_PAGE: u32 = 512;

/// Marks a call through the 32-bit table in a [`syscall_key`].
pub const COMPAT_BIT: u32 = 1 << 31;

/// Key of the syscall totals: slot, and number with [`COMPAT_BIT`].
#[inline(always)]
#[must_use]
pub const fn syscall_key(slot: u32, number: u32) -> u64 {
    (slot as u64) << 32 | number as u64
}

/// Key of the wait totals: who waited, and who ran (`u32::MAX`: not remembered).
#[inline(always)]
#[must_use]
pub const fn wait_key(victim: u32, culprit: u32) -> u64 {
    (victim as u64) << 32 | culprit as u64
}

/// Calls of one cgroup on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SyscallPage {
    /// Slot of the cgroup, plus one; 0 when the page is free.
    pub owner: u64,
    /// Calls by number.
    pub counts: [u64; SYSCALLS_PER_PAGE as usize],
}

const _: () = assert!(size_of::<SyscallPage>() == 8 + SYSCALLS_PER_PAGE as usize * 8);

/// Scheduling of one cgroup on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct RunUsage {
    /// Time on the CPU, nanoseconds, as the kernel's own accounting has it.
    pub cpu_ns: u64,
    /// Time in the run queue, nanoseconds.
    pub wait_ns: u64,
}

const _: () = assert!(size_of::<RunUsage>() == 16);

/// Bytes and packets of one direction and family.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Layer 3 bytes.
    pub bytes: u64,
    /// Socket buffers.
    pub packets: u64,
}

/// Traffic of one cgroup on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NetUsage {
    /// IPv4 out.
    pub transmit_ipv4: Traffic,
    /// IPv6 out.
    pub transmit_ipv6: Traffic,
    /// IPv4 in.
    pub receive_ipv4: Traffic,
    /// IPv6 in.
    pub receive_ipv6: Traffic,
}

const _: () = assert!(size_of::<NetUsage>() == 64);
