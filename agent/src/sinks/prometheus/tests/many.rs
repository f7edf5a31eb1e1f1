//! How long it takes to make a page of a crowded node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::encode;
use crate::identity::CgroupId;
use crate::usage::accounts::{Accounts, Limits};
use crate::usage::reading::{
    CgroupReading, FileFigures, NetworkReading, Reading, Slot, SyscallNumber, Traffic, WaitReading,
};
use crate::usage::tenant::AgentUsage;

/// Every tenant with 40 system calls and 10 causes of waiting: a full page of a
/// crowded node, from the accounts to the text.
#[test]
fn five_hundred_tenants_are_a_matter_of_milliseconds() {
    let mut accounts = Accounts::new(Limits::default());
    let reading = Reading {
        cgroups: (0..500).map(busy_cgroup).collect(),
        waits: (0..500).flat_map(|victim| (0..10).map(move |by| wait(victim, by))).collect(),
        lost: Vec::new(),
    };
    accounts.observe(&reading, &mut |cgroup| Arc::from(format!("tenant-{}", cgroup.slot.0)));
    let (time, page) = (0..5)
        .map(|_| {
            let start = Instant::now();
            let page = encode(Arc::new(accounts.node_usage(0, AgentUsage::default()))).unwrap();
            (start.elapsed(), page)
        })
        .min_by_key(|(time, _)| *time)
        .unwrap();
    let samples = page.lines().filter(|line| line.starts_with("landlord_tenant_")).count();
    println!("{samples} samples, {} bytes: {time:?}", page.len());
    assert_eq!(samples, 500 * (40 + 10 + 4 + 4 + 2 + 9));
    // Unoptimised code is no measure of the agent, but still of its algorithm.
    let bound = if cfg!(debug_assertions) { 1000 } else { 50 };
    assert!(time < Duration::from_millis(bound), "{time:?}");
}

fn busy_cgroup(slot: u32) -> CgroupReading {
    let traffic = Traffic { bytes: 1 << 40, packets: 1 << 30 };
    CgroupReading {
        slot: Slot(slot),
        id: CgroupId(u64::from(slot)),
        path: Some(format!("/tenants.slice/tenant-{slot}")),
        born_ns: 1,
        alive: true,
        cpu_ns: 123_456_789_012_345 + u64::from(slot),
        wait_ns: 12_345_678_901,
        network: NetworkReading {
            transmit_ipv4: traffic,
            transmit_ipv6: traffic,
            receive_ipv4: traffic,
            receive_ipv6: traffic,
        },
        syscalls: (0..40).map(|nr| (SyscallNumber { nr, compat: false }, 1_000_000_000)).collect(),
        files: Some(FileFigures {
            memory_current: Some(1 << 33),
            memory_peak: Some(1 << 34),
            memory_limit: Some(1 << 35),
            cpu_limit_millis: Some(1500),
            ..FileFigures::default()
        }),
    }
}

fn wait(victim: u32, by: u32) -> WaitReading {
    WaitReading { victim: Slot(victim), culprit: Some(Slot(by)), wait_ns: 987_654_321 }
}
