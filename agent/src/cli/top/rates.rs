//! Two readings of the node → what each tenant used in the time between them.
//!
//! Pure: it never waits, asks or draws. A figure that two readings cannot tell
//! (the counters began anew, or no time passed) is absent, never zero.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::usage::tenant::{ByFamily, NodeUsage, TenantUsage};

/// Another tenant, and how much of one's waiting it caused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Neighbour {
    /// The tenant that ran meanwhile.
    pub(crate) tenant: String,
    /// Its part of all waiting in the window, 0..=1.
    pub(crate) share: f64,
}

/// One tenant's use per second of the window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Rates {
    /// Seconds between the two readings.
    pub(crate) window_seconds: f64,
    /// CPU seconds per second.
    pub(crate) cpu_cores: f64,
    /// `cpu_cores` as a part of the tenant's limit; absent without a limit.
    pub(crate) cpu_limit_ratio: Option<f64>,
    /// Seconds waited per second, over all threads: may exceed 1.
    pub(crate) cpu_wait_ratio: f64,
    /// Seconds held back by a CPU limit, per second.
    pub(crate) cpu_throttled_ratio: f64,
    /// The other tenant that caused most of the waiting; absent when nobody did.
    pub(crate) worst_neighbour: Option<Neighbour>,
    /// Layer 3 bytes in per second.
    pub(crate) network_receive_bytes_per_second: f64,
    /// Layer 3 bytes out per second.
    pub(crate) network_transmit_bytes_per_second: f64,
    /// System calls per second.
    pub(crate) syscalls_per_second: f64,
    /// Bytes read from block devices per second.
    pub(crate) disk_read_bytes_per_second: f64,
    /// Bytes written to block devices per second.
    pub(crate) disk_write_bytes_per_second: f64,
}

/// One tenant as tables show it and as `top --once -o json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// The later reading.
    #[serde(flatten)]
    pub(crate) usage: TenantUsage,
    /// The difference to the earlier one, where it says anything.
    pub(crate) rates: Option<Rates>,
}

/// A time in which counters only grew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    before: &'a NodeUsage,
    seconds: f64,
}

impl<'a> Window<'a> {
    /// The time from `before` to `after`; `None` when the counters began anew in
    /// between, or no time passed.
    pub(crate) fn between(before: &'a NodeUsage, after: &NodeUsage) -> Option<Self> {
        let same_epoch =
            before.agent.epoch_start_time_seconds == after.agent.epoch_start_time_seconds;
        let millis = after.read_at_unix_ms.checked_sub(before.read_at_unix_ms)?;
        let millis = u32::try_from(millis).ok().filter(|&millis| same_epoch && millis > 0)?;
        Some(Self { before, seconds: f64::from(millis) / 1e3 })
    }

    /// Seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Growth per second of a cumulative figure. A fall (a tenant whose counters
    /// began anew) counts as no growth.
    pub(crate) fn per_second(&self, before: f64, after: f64) -> f64 {
        (after - before).max(0.0) / self.seconds
    }

    /// The tenant in the earlier reading. A tenant that was not there yet began
    /// at zero.
    pub(crate) fn earlier(&self, tenant: &str) -> TenantUsage {
        let found = self.before.tenants.iter().find(|usage| usage.tenant == tenant);
        found.cloned().unwrap_or_default()
    }
}

/// A row for every tenant of `after`, in its order.
pub(crate) fn rows(before: Option<&NodeUsage>, after: &NodeUsage) -> Vec<Row> {
    let window = before.and_then(|before| Window::between(before, after));
    let row = |usage: &TenantUsage| Row {
        usage: usage.clone(),
        rates: window.map(|window| rates(&window, &window.earlier(&usage.tenant), usage)),
    };
    after.tenants.iter().map(row).collect()
}

/// Sum of both address families.
pub(crate) fn families(figure: ByFamily<u64>) -> f64 {
    figure.ipv4 as f64 + figure.ipv6 as f64
}

/// System calls of all kinds.
pub(crate) fn syscalls(usage: &TenantUsage) -> f64 {
    usage.syscalls_total.values().map(|&count| count as f64).sum()
}

fn rates(window: &Window<'_>, before: &TenantUsage, after: &TenantUsage) -> Rates {
    let bytes = |usage: &TenantUsage| usage.network_bytes_total;
    let disk = |usage: &TenantUsage| usage.disk_bytes_total;
    let cpu_cores = window.per_second(before.cpu_seconds_total, after.cpu_seconds_total);
    Rates {
        window_seconds: window.seconds,
        cpu_cores,
        cpu_limit_ratio: after
            .cpu_limit_cores
            .filter(|&limit| limit > 0.0)
            .map(|limit| cpu_cores / limit),
        cpu_wait_ratio: window
            .per_second(before.cpu_wait_seconds_total, after.cpu_wait_seconds_total),
        cpu_throttled_ratio: window
            .per_second(before.cpu_throttled_seconds_total, after.cpu_throttled_seconds_total),
        worst_neighbour: worst_neighbour(before, after),
        network_receive_bytes_per_second: window
            .per_second(families(bytes(before).receive), families(bytes(after).receive)),
        network_transmit_bytes_per_second: window
            .per_second(families(bytes(before).transmit), families(bytes(after).transmit)),
        syscalls_per_second: window.per_second(syscalls(before), syscalls(after)),
        disk_read_bytes_per_second: window
            .per_second(disk(before).read as f64, disk(after).read as f64),
        disk_write_bytes_per_second: window
            .per_second(disk(before).write as f64, disk(after).write as f64),
    }
}

/// Who caused how many seconds of waiting in the window, the tenant itself
/// included; only causes that did.
pub(crate) fn wait_causes(before: &TenantUsage, after: &TenantUsage) -> BTreeMap<String, f64> {
    let earlier = &before.cpu_wait_caused_seconds_total;
    after
        .cpu_wait_caused_seconds_total
        .iter()
        .map(|(by, total)| (by.clone(), total - earlier.get(by).unwrap_or(&0.0)))
        .filter(|&(_, grown)| grown > 0.0)
        .collect()
}

fn worst_neighbour(before: &TenantUsage, after: &TenantUsage) -> Option<Neighbour> {
    let causes = wait_causes(before, after);
    // The sum of the causes, and not the wait itself: both are read at slightly
    // different moments, and a share above one would be nonsense.
    let all: f64 = causes.values().sum();
    let (tenant, seconds) = causes
        .into_iter()
        .filter(|(by, _)| *by != after.tenant)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    Some(Neighbour { tenant, share: seconds / all })
}

#[cfg(test)]
mod tests;
