//! The clock of the kernel's records, and what it is on the wall.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::identity::Moment;

/// `CLOCK_BOOTTIME`, nanoseconds.
pub(super) fn boottime_ns() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

/// `CLOCK_MONOTONIC`, nanoseconds: the clock of births and deaths of cgroups, and of
/// what is known of the cluster.
pub(super) fn monotonic_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0))
}

/// This moment, as the identity of things is kept by.
pub(super) fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
    Moment { monotonic_ns: monotonic_ns(), unix_ns }
}

/// Nanoseconds since 1970 at which `CLOCK_BOOTTIME` was 0, as the wall clock is now.
pub(super) fn boot_unix_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX).saturating_sub(boottime_ns())
}
