//! What is kept on disks: amounts that stand for a while, and their sums over time.
//!
//! A sum is bytes × nanoseconds in integers, so that it does not depend on how often it
//! was added to; seconds appear on the way out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::accounts::Accounts;
use super::tenant::TenantUsage;

/// What a pod or a tenant keeps at one time, bytes; `None`: not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageLevels {
    /// On the node's own disks: writable layers, logs and local volumes.
    pub ephemeral: Option<u64>,
    /// In persistent volumes.
    pub volumes: Option<u64>,
    /// What these persistent volumes could hold.
    pub capacity: Option<u64>,
}

/// Sums over time, bytes × nanoseconds: 10^15 bytes for 10,000 years fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StorageSums {
    ephemeral: u128,
    volumes: u128,
    capacity: u128,
}

impl StorageLevels {
    /// Adds what somebody else keeps; what neither has measured stays unknown.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in [
            (&mut self.ephemeral, other.ephemeral),
            (&mut self.volumes, other.volumes),
            (&mut self.capacity, other.capacity),
        ] {
            if let Some(part) = part {
                *sum = Some(sum.unwrap_or(0).saturating_add(part));
            }
        }
    }
}

impl StorageSums {
    /// Adds what was kept for a time.
    fn charge(&mut self, levels: &StorageLevels, elapsed_ns: u64) {
        let area = |level: Option<u64>| u128::from(level.unwrap_or(0)) * u128::from(elapsed_ns);
        self.absorb(&Self {
            ephemeral: area(levels.ephemeral),
            volumes: area(levels.volumes),
            capacity: area(levels.capacity),
        });
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.ephemeral = self.ephemeral.saturating_add(other.ephemeral);
        self.volumes = self.volumes.saturating_add(other.volumes);
        self.capacity = self.capacity.saturating_add(other.capacity);
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Adds both to the figures of a tenant, in the units of the metrics.
    pub(super) fn tell(&self, levels: &StorageLevels, usage: &mut TenantUsage) {
        usage.ephemeral_storage_bytes = levels.ephemeral;
        usage.volume_bytes = levels.volumes;
        usage.volume_capacity_bytes = levels.capacity;
        usage.ephemeral_storage_byte_seconds_total = byte_seconds(self.ephemeral);
        usage.volume_byte_seconds_total = byte_seconds(self.volumes);
        usage.volume_capacity_byte_seconds_total = byte_seconds(self.capacity);
    }
}

impl Accounts {
    /// Adds what an owner kept for a time until now. An owner that is still to be told is
    /// named by [`Self::pending_label`].
    pub fn charge_storage(&mut self, owner: &Arc<str>, levels: &StorageLevels, elapsed_ns: u64) {
        self.totals_of(owner).storage.charge(levels, elapsed_ns);
    }

    /// Says that an owner keeps this now, beside what was said of it since the last
    /// observation.
    pub fn show_storage(&mut self, owner: &Arc<str>, levels: &StorageLevels) {
        self.totals_of(owner).levels.storage.add(levels);
    }
}

fn byte_seconds(byte_ns: u128) -> f64 {
    byte_ns as f64 / 1e9
}

#[cfg(test)]
#[path = "storage_tests.rs"]
mod tests;
