//! One tenant's sums, in the kernel's integer units.
//!
//! Floating point seconds appear only in [`Totals::usage`], on the way out, so
//! that a sum never depends on the order or number of its parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mark::Deltas;
use super::reading::{NetworkReading, SyscallNumber, Traffic};
use super::storage::{StorageLevels, StorageSums};
use super::tenant::{ByDirection, ByDiskDirection, ByFamily, TenantUsage};
use crate::syscalls;

/// What a tenant used since the counters began, and its levels now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// Number of the last observation in which it had a cgroup.
    pub(super) last_seen: u64,
    pub(super) cpu_ns: u64,
    pub(super) wait_ns: u64,
    /// Nanoseconds of wait by the tenant that ran meanwhile.
    pub(super) wait_caused_ns: BTreeMap<Arc<str>, u64>,
    pub(super) network: NetworkReading,
    pub(super) syscalls: BTreeMap<SyscallNumber, u64>,
    pub(super) oom_kills: u64,
    pub(super) throttled_ns: u64,
    pub(super) disk_read_bytes: u64,
    pub(super) disk_write_bytes: u64,
    /// Saved beside the others, which may be older than it.
    #[serde(skip)]
    pub(super) storage: StorageSums,
    /// Of the last observation only, so it is not saved.
    #[serde(skip)]
    pub(super) levels: Levels,
}

/// Figures that go up and down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) cgroups: u64,
    pub(super) memory_bytes: Option<u64>,
    pub(super) memory_peak_bytes: Option<u64>,
    pub(super) memory_limit_bytes: Option<u64>,
    pub(super) cpu_limit_millis: Option<u64>,
    pub(super) storage: StorageLevels,
}

impl Totals {
    /// Adds what one cgroup used. Sums saturate: 2^64 ns are 584 years on a CPU.
    pub(super) fn add(&mut self, deltas: &Deltas) {
        add(&mut self.cpu_ns, deltas.cpu_ns);
        add(&mut self.wait_ns, deltas.wait_ns);
        add_network(&mut self.network, &deltas.network);
        for &(call, count) in &deltas.syscalls {
            add(self.syscalls.entry(call).or_default(), count);
        }
    }

    /// Adds another tenant's sums, leaving out its levels and who caused its waits.
    pub(super) fn absorb(&mut self, other: Self) {
        add(&mut self.cpu_ns, other.cpu_ns);
        add(&mut self.wait_ns, other.wait_ns);
        add_network(&mut self.network, &other.network);
        for (call, count) in other.syscalls {
            add(self.syscalls.entry(call).or_default(), count);
        }
        add(&mut self.oom_kills, other.oom_kills);
        add(&mut self.throttled_ns, other.throttled_ns);
        add(&mut self.disk_read_bytes, other.disk_read_bytes);
        add(&mut self.disk_write_bytes, other.disk_write_bytes);
        self.storage.absorb(&other.storage);
    }

    /// The sums in the units of the metrics.
    pub(super) fn usage(&self, tenant: &str) -> TenantUsage {
        let mut syscalls_total = BTreeMap::new();
        for (&call, &count) in &self.syscalls {
            add(syscalls_total.entry(syscalls::name(call).into_owned()).or_default(), count);
        }
        let traffic = |figure: fn(&Traffic) -> u64| ByDirection {
            transmit: ByFamily {
                ipv4: figure(&self.network.transmit_ipv4),
                ipv6: figure(&self.network.transmit_ipv6),
            },
            receive: ByFamily {
                ipv4: figure(&self.network.receive_ipv4),
                ipv6: figure(&self.network.receive_ipv6),
            },
        };
        let mut usage = TenantUsage {
            tenant: tenant.to_owned(),
            cgroups: self.levels.cgroups,
            cpu_seconds_total: seconds(self.cpu_ns),
            cpu_wait_seconds_total: seconds(self.wait_ns),
            cpu_wait_caused_seconds_total: self
                .wait_caused_ns
                .iter()
                // Who is still to be told has no name yet.
                .filter(|(culprit, _)| !culprit.starts_with(char::is_control))
                .map(|(culprit, &wait_ns)| (culprit.to_string(), seconds(wait_ns)))
                .collect(),
            cpu_throttled_seconds_total: seconds(self.throttled_ns),
            cpu_limit_cores: self.levels.cpu_limit_millis.map(|millis| millis as f64 / 1e3),
            syscalls_total,
            network_bytes_total: traffic(|traffic| traffic.bytes),
            network_packets_total: traffic(|traffic| traffic.packets),
            memory_bytes: self.levels.memory_bytes,
            memory_peak_bytes: self.levels.memory_peak_bytes,
            memory_limit_bytes: self.levels.memory_limit_bytes,
            oom_kills_total: self.oom_kills,
            disk_bytes_total: ByDiskDirection {
                read: self.disk_read_bytes,
                write: self.disk_write_bytes,
            },
            ..TenantUsage::default()
        };
        self.storage.tell(&self.levels.storage, &mut usage);
        usage
    }
}

/// Adds to a sum, which stays at its highest value rather than wrap.
pub(super) fn add(sum: &mut u64, part: u64) {
    *sum = sum.saturating_add(part);
}

/// Adds to a level that may be absent.
pub(super) fn add_level(level: &mut Option<u64>, part: u64) {
    add(level.get_or_insert(0), part);
}

fn add_network(sum: &mut NetworkReading, part: &NetworkReading) {
    for (sum, part) in [
        (&mut sum.transmit_ipv4, part.transmit_ipv4),
        (&mut sum.transmit_ipv6, part.transmit_ipv6),
        (&mut sum.receive_ipv4, part.receive_ipv4),
        (&mut sum.receive_ipv6, part.receive_ipv6),
    ] {
        add(&mut sum.bytes, part.bytes);
        add(&mut sum.packets, part.packets);
    }
}

/// Bytes of both directions and families.
pub(super) fn network_bytes(reading: &NetworkReading) -> u64 {
    let parts =
        [reading.transmit_ipv4, reading.transmit_ipv6, reading.receive_ipv4, reading.receive_ipv6];
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
}

/// Exact to the nanosecond up to 104 days, to a part in 10^15 beyond.
pub(super) fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
