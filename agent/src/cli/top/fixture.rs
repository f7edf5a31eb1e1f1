//! A made-up node for tests: eight tenants, a hog that starves a shop, one that
//! is at its limits, one that is gone.

use std::collections::BTreeMap;

use crate::usage::tenant::{ByDirection, ByDiskDirection, ByFamily, NodeUsage, TenantUsage};

/// When the first reading was made, milliseconds since 1970.
pub(crate) const START_MS: u64 = 1_800_000_000_000;

const MIB: u64 = 1 << 20;

/// One tenant's use per second.
struct Habit {
    name: &'static str,
    cpu: f64,
    cpu_limit: Option<f64>,
    waits_for: &'static [(&'static str, f64)],
    memory_mib: Option<u64>,
    memory_limit_mib: Option<u64>,
    received: (u64, u64),
    sent: (u64, u64),
    calls: &'static [(&'static str, u64)],
    disk: (u64, u64),
}

const IDLE: Habit = Habit {
    name: "",
    cpu: 0.0,
    cpu_limit: None,
    waits_for: &[],
    memory_mib: None,
    memory_limit_mib: None,
    received: (0, 0),
    sent: (0, 0),
    calls: &[],
    disk: (0, 0),
};

const HABITS: [Habit; 8] = [
    Habit {
        name: "batch-night",
        cpu: 3.871,
        waits_for: &[("batch-night", 0.911), ("shop-eu", 0.064)],
        memory_mib: Some(6_421),
        calls: &[("futex", 812), ("sched_yield", 97)],
        disk: (0, 48 * MIB),
        ..IDLE
    },
    Habit {
        name: "docker-3f9a1c2b7d4e",
        cpu: 0.498,
        cpu_limit: Some(0.5),
        waits_for: &[("batch-night", 0.032), ("host", 0.011)],
        memory_mib: Some(488),
        memory_limit_mib: Some(512),
        received: (1_204, 0),
        sent: (981, 0),
        calls: &[("read", 12_411), ("write", 12_399), ("epoll_wait", 6_204)],
        ..IDLE
    },
    Habit {
        name: "host",
        cpu: 0.041,
        waits_for: &[("batch-night", 0.004)],
        received: (0, 96),
        ..IDLE
    },
    Habit {
        name: "pod-0b1c7a44-5d0e-4c56-9d2a-8f1f0a2b3c4d",
        cpu: 0.127,
        cpu_limit: Some(2.0),
        waits_for: &[("shop-eu", 0.018)],
        memory_mib: Some(212),
        memory_limit_mib: Some(1024),
        received: (8_412, 122_880),
        sent: (3_902, 1_400_320),
        calls: &[("recvmsg", 2_210), ("sendmsg", 2_208)],
        ..IDLE
    },
    Habit {
        name: "shop-eu",
        cpu: 1.204,
        waits_for: &[("batch-night", 1.318), ("shop-eu", 0.102), ("host", 0.02)],
        memory_mib: Some(1_877),
        received: (12 * MIB, 310_000),
        sent: (87 * MIB, 2_400_000),
        calls: &[
            ("epoll_wait", 41_202),
            ("read", 88_120),
            ("write", 87_980),
            ("accept4", 1_204),
            ("close", 1_203),
            ("futex", 30_411),
            ("clock_nanosleep", 12),
            ("openat", 3),
        ],
        disk: (3 * MIB, 120_000),
        ..IDLE
    },
    Habit { name: "system", cpu: 0.012, memory_mib: Some(141), calls: &[("read", 40)], ..IDLE },
    Habit { name: "unknown", ..IDLE },
    Habit { name: "user", cpu: 0.003, memory_mib: Some(77), calls: &[("ppoll", 4)], ..IDLE },
];

/// The node `seconds` after [`START_MS`]; use grows evenly, except that the night
/// batch swings, so that its history has a shape.
pub(crate) fn node(seconds: f64) -> NodeUsage {
    let millis = format!("{:.0}", seconds * 1e3).parse::<u64>().unwrap();
    let mut node = NodeUsage { read_at_unix_ms: START_MS + millis, ..NodeUsage::default() };
    node.agent.cgroups = 41;
    node.agent.epoch_start_time_seconds = 1.0;
    node.tenants = HABITS.iter().map(|habit| tenant(habit, seconds)).collect();
    node
}

fn tenant(habit: &Habit, seconds: f64) -> TenantUsage {
    let grown = |rate: u64| format!("{:.0}", rate as f64 * seconds).parse::<u64>().unwrap();
    let family = |rate: (u64, u64)| ByFamily { ipv4: grown(rate.0), ipv6: grown(rate.1) };
    let swing = if habit.name == "batch-night" { (seconds / 4.0).sin() * 6.0 } else { 0.0 };
    let caused: BTreeMap<String, f64> =
        habit.waits_for.iter().map(|&(by, rate)| (by.to_owned(), rate * seconds)).collect();
    TenantUsage {
        tenant: habit.name.to_owned(),
        cgroups: u64::from(habit.name != "unknown"),
        cpu_seconds_total: habit.cpu * seconds + swing,
        cpu_wait_seconds_total: caused.values().sum(),
        cpu_wait_caused_seconds_total: caused,
        cpu_throttled_seconds_total: habit.cpu_limit.map_or(0.0, |_| seconds * 0.021),
        cpu_limit_cores: habit.cpu_limit,
        syscalls_total: habit
            .calls
            .iter()
            .map(|&(name, rate)| (name.to_owned(), grown(rate)))
            .collect(),
        network_bytes_total: ByDirection {
            transmit: family(habit.sent),
            receive: family(habit.received),
        },
        memory_bytes: habit.memory_mib.map(|mib| mib * MIB),
        memory_peak_bytes: habit.memory_mib.map(|mib| mib * MIB * 5 / 4),
        memory_limit_bytes: habit.memory_limit_mib.map(|mib| mib * MIB),
        oom_kills_total: 0,
        disk_bytes_total: ByDiskDirection { read: grown(habit.disk.0), write: grown(habit.disk.1) },
        ..TenantUsage::default()
    }
}
