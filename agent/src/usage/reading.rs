//! What one collection of the kernel's counters says, keyed by cgroup.
//!
//! All figures are cumulative since the cgroup's slot was taken, so that a
//! reading can be lost, or taken twice, without changing any total.

use serde::{Deserialize, Serialize};

use crate::identity::CgroupId;
use crate::telemetry::LossCause;

/// Index of a cgroup's counters in the kernel's maps.
///
/// A slot is given to one cgroup at a time; the pair (slot, [`CgroupReading::born_ns`])
/// names one owner of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(pub u32);

/// A system call number together with the table it indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SyscallNumber {
    /// The number as the kernel saw it; at most 511 for known calls.
    pub nr: u32,
    /// True for calls through the 32-bit table (x86 `int 0x80` and ia32 programs,
    /// aarch32), whose numbers mean other calls.
    pub compat: bool,
}

/// Bytes and packets of one direction and address family.
///
/// Bytes are counted at layer 3: the IP header included, link-layer headers not.
/// A packet is one socket buffer: an aggregate made by segmentation offload
/// counts once, as it does in the counters of a veth interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Layer 3 bytes.
    pub bytes: u64,
    /// Socket buffers.
    pub packets: u64,
}

/// A cgroup's traffic; `transmit` leaves its sockets, `receive` reaches them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkReading {
    /// IPv4 out.
    pub transmit_ipv4: Traffic,
    /// IPv6 out.
    pub transmit_ipv6: Traffic,
    /// IPv4 in.
    pub receive_ipv4: Traffic,
    /// IPv6 in.
    pub receive_ipv6: Traffic,
}

/// Figures that the cgroup keeps in its own files. `None` where this system's
/// hierarchy has no such file for this cgroup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFigures {
    /// `memory.current`, bytes now.
    pub memory_current: Option<u64>,
    /// `memory.peak`, bytes at the highest (kernel 5.19).
    pub memory_peak: Option<u64>,
    /// `memory.max`, bytes; `None` also when the cgroup has no limit.
    pub memory_limit: Option<u64>,
    /// `oom_kill` of `memory.events.local`: processes killed, cumulative.
    pub oom_kills: Option<u64>,
    /// `throttled_usec` of `cpu.stat`, nanoseconds, cumulative.
    pub throttled_ns: Option<u64>,
    /// `cpu.max` as thousandths of a CPU; `None` also when there is no limit.
    pub cpu_limit_millis: Option<u64>,
    /// Sum of `rbytes` over devices in `io.stat`, cumulative.
    pub disk_read_bytes: Option<u64>,
    /// Sum of `wbytes` over devices in `io.stat`, cumulative.
    pub disk_write_bytes: Option<u64>,
}

/// Everything the kernel counted for one cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupReading {
    /// Where the kernel keeps the counters.
    pub slot: Slot,
    /// The cgroup's id: the inode number of its v2 directory.
    pub id: CgroupId,
    /// Path below the v2 mount, `/` for the root. `None` when the cgroup was
    /// gone before anything could tell its path.
    pub path: Option<String>,
    /// `CLOCK_MONOTONIC` nanoseconds when the slot was taken.
    pub born_ns: u64,
    /// False once the cgroup's directory was removed.
    pub alive: bool,
    /// Time on a CPU, nanoseconds.
    pub cpu_ns: u64,
    /// Time runnable but not running, nanoseconds.
    pub wait_ns: u64,
    /// Traffic of the cgroup's sockets.
    pub network: NetworkReading,
    /// Calls by number; only numbers that were called.
    pub syscalls: Vec<(SyscallNumber, u64)>,
    /// The cgroup's own files; `None` when it is dead or was not read this time.
    pub files: Option<FileFigures>,
}

/// How long one cgroup waited while another ran on its CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitReading {
    /// Who waited.
    pub victim: Slot,
    /// Who ran; `None` when it was longer ago than the kernel side remembers.
    pub culprit: Option<Slot>,
    /// Nanoseconds, cumulative for this pair.
    pub wait_ns: u64,
}

/// One collection.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// One entry per taken slot.
    pub cgroups: Vec<CgroupReading>,
    /// One entry per pair that ever met.
    pub waits: Vec<WaitReading>,
    /// Cumulative losses counted in the kernel.
    pub lost: Vec<(LossCause, u64)>,
}
