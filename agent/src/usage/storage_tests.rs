//! Sums over time, and what survives the agent.

use std::sync::Arc;

use super::StorageLevels;
use crate::usage::accounts::{Accounts, Limits};
use crate::usage::reading::Reading;
use crate::usage::tenant::{AgentUsage, TenantUsage};

const SECOND: u64 = 1_000_000_000;

fn levels(ephemeral: Option<u64>, volumes: Option<u64>, capacity: Option<u64>) -> StorageLevels {
    StorageLevels { ephemeral, volumes, capacity }
}

fn usage(accounts: &Accounts, tenant: &str) -> TenantUsage {
    let tenants = accounts.node_usage(0, AgentUsage::default()).tenants;
    tenants.into_iter().find(|it| it.tenant == tenant).unwrap_or_default()
}

fn sums(accounts: &Accounts, tenant: &str) -> (f64, f64, f64) {
    let usage = usage(accounts, tenant);
    (
        usage.ephemeral_storage_byte_seconds_total,
        usage.volume_byte_seconds_total,
        usage.volume_capacity_byte_seconds_total,
    )
}

#[test]
fn bytes_times_seconds() {
    let mut accounts = Accounts::new(Limits::default());
    let acme: Arc<str> = "acme".into();
    accounts.charge_storage(&acme, &levels(Some(100), Some(7), Some(50)), 10 * SECOND);
    accounts.charge_storage(&acme, &levels(None, Some(1), Some(50)), SECOND / 2);
    assert_eq!(sums(&accounts, "acme"), (1000.0, 70.5, 525.0));
    // However often it is added to.
    let mut often = Accounts::new(Limits::default());
    for _ in 0..1000 {
        often.charge_storage(&acme, &levels(Some(3), None, None), SECOND / 1000);
    }
    assert_eq!(sums(&often, "acme"), (3.0, 0.0, 0.0));
    // A petabyte for a hundred years, and more than there can be.
    let century = 100 * 365 * 24 * 3600 * SECOND;
    let mut large = Accounts::new(Limits::default());
    large.charge_storage(&acme, &levels(Some(1 << 50), None, None), century);
    let expected = (1_u64 << 50) as f64 * (century / SECOND) as f64;
    assert!((sums(&large, "acme").0 / expected - 1.0).abs() < 1e-12);
    large.charge_storage(&acme, &levels(Some(u64::MAX), None, None), u64::MAX);
    large.charge_storage(&acme, &levels(Some(u64::MAX), None, None), u64::MAX);
    assert!(sums(&large, "acme").0.is_finite());
}

#[test]
fn levels_are_of_the_last_observation_only() {
    let mut accounts = Accounts::new(Limits::default());
    let acme: Arc<str> = "acme".into();
    let both = (None, None);
    let is = |accounts: &Accounts| {
        let usage = usage(accounts, "acme");
        (usage.ephemeral_storage_bytes, usage.volume_bytes)
    };
    accounts.show_storage(&acme, &levels(Some(5), None, None));
    assert_eq!(is(&accounts), (Some(5), None));
    accounts.show_storage(&acme, &levels(Some(u64::MAX), Some(0), None));
    assert_eq!(is(&accounts), (Some(u64::MAX), Some(0)));
    accounts.observe(&Reading::default(), &mut |_| "acme".into());
    assert_eq!(is(&accounts), both);
}

#[test]
fn sums_outlive_the_agent() {
    let mut accounts = Accounts::new(Limits::default());
    let pending = Accounts::pending_label("a pod");
    accounts.charge_storage(&"acme".into(), &levels(Some(100), Some(7), None), SECOND);
    accounts.charge_storage(&pending, &levels(Some(11), None, None), SECOND);
    let bytes = accounts.to_bytes(7).unwrap();
    let mut restored = Accounts::from_bytes(&bytes, 7, Limits::default()).unwrap();
    assert_eq!(sums(&restored, "acme"), (100.0, 7.0, 0.0));
    // What was held is the owner's when it is told.
    assert!(restored.settle("a pod", &"oil".into()));
    assert_eq!(sums(&restored, "oil"), (11.0, 0.0, 0.0));
}

#[test]
fn totals_of_an_agent_that_knew_no_storage_go_on() {
    let mut accounts = Accounts::new(Limits::default());
    accounts.observe(&Reading::default(), &mut |_| "acme".into());
    let mut bytes = accounts.to_bytes(7).unwrap();
    // The last byte says that nobody has any storage; formats are at 8, checksums at 20.
    assert_eq!(bytes.pop(), Some(0));
    bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..20]);
    hasher.update(&bytes[24..]);
    bytes[20..24].copy_from_slice(&hasher.finalize().to_le_bytes());
    assert_eq!(Accounts::from_bytes(&bytes, 7, Limits::default()), Ok(accounts));
}

#[test]
fn who_finds_no_room_shares_a_name() {
    let limits = Limits { max_tenants: 1, max_wait_causes: 1 };
    let mut accounts = Accounts::new(limits);
    accounts.charge_storage(&"acme".into(), &levels(Some(1), None, None), SECOND);
    accounts.charge_storage(&"oil".into(), &levels(Some(2), None, None), SECOND);
    let total: f64 = ["acme", "oil", "other"].iter().map(|it| sums(&accounts, it).0).sum();
    assert_eq!(total, 3.0);
    assert_eq!(usage(&accounts, "oil"), TenantUsage::default());
}
