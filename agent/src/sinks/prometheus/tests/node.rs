//! A node for tests.

use std::collections::BTreeMap;

use crate::usage::api::{ApiRequests, ApiUsage};
use crate::usage::pod::{AddressUsage, Amounts, IdentityUsage, PodUsage, SourceUsage, TenantFacts};
use crate::usage::sinks::SinkUsage;
use crate::usage::tenant::{
    AgentUsage, AlertUsage, ByDirection, ByDiskDirection, ByFamily, DetectionUsage, Drops,
    MetricsWays, NodeUsage, ProcessUsage, RuleUsage, TenantUsage,
};

/// A node where everything has a value.
pub(super) fn node() -> NodeUsage {
    let by_direction = |first: u64| ByDirection {
        transmit: ByFamily { ipv4: first, ipv6: first + 1 },
        receive: ByFamily { ipv4: first + 2, ipv6: first + 3 },
    };
    let tenant = TenantUsage {
        tenant: "a\"b\\c\nd".to_owned(),
        cgroups: 3,
        cpu_seconds_total: 1.5,
        cpu_wait_seconds_total: 0.000_000_001,
        cpu_wait_caused_seconds_total: BTreeMap::from([("host".to_owned(), 0.25)]),
        cpu_throttled_seconds_total: 0.0,
        cpu_limit_cores: Some(0.5),
        syscalls_total: BTreeMap::from([("read".to_owned(), u64::MAX)]),
        network_bytes_total: by_direction(100),
        network_packets_total: by_direction(1),
        memory_bytes: Some(4096),
        memory_peak_bytes: Some(8192),
        memory_limit_bytes: Some(1 << 40),
        oom_kills_total: 2,
        disk_bytes_total: ByDiskDirection { read: 5, write: 6 },
        ephemeral_storage_bytes: Some(20),
        ephemeral_storage_byte_seconds_total: 21.5,
        volume_bytes: Some(22),
        volume_byte_seconds_total: 23.5,
        volume_capacity_bytes: Some(24),
        volume_capacity_byte_seconds_total: 25.5,
    };
    let amounts = Amounts {
        cpu_cores: Some(0.25),
        memory_bytes: Some(1 << 20),
        ephemeral_storage_bytes: Some(1 << 30),
    };
    let owner = TenantFacts {
        tenant: tenant.tenant.clone(),
        pods: 2,
        qos: BTreeMap::from([("Burstable".to_owned(), 2)]),
        restarts: 3,
        requests: amounts,
        limits: amounts,
        quotas: BTreeMap::from([
            ("example.com/gpu".to_owned(), (1.0, 0.0)),
            ("requests.cpu".to_owned(), (2.0, 0.5)),
        ]),
        ..TenantFacts::default()
    };
    // Of whom nothing is here, or who has no name among the metrics.
    let others = ["elsewhere", "folded"].map(|name| TenantFacts {
        tenant: name.to_owned(),
        pods: u64::from(name == "folded"),
        ..TenantFacts::default()
    });
    let agent = AgentUsage {
        pod_metrics: true,
        metrics_ways: MetricsWays { scrape: true, export: false },
        api: ApiUsage {
            connections: 1,
            faults_total: BTreeMap::from([("slow".to_owned(), 2)]),
            requests: vec![ApiRequests { page: "/metrics".to_owned(), status: 401, count: 3 }],
        },
        lost_total: BTreeMap::from([("slots_exhausted".to_owned(), 0)]),
        cgroups: 4,
        map_memory_bytes: 1 << 20,
        epoch_start_time_seconds: 1_700_000_000.5,
        features: BTreeMap::from([("disk".to_owned(), false), ("sched".to_owned(), true)]),
        config_reloads_total: BTreeMap::from([("failed".to_owned(), 3)]),
        sinks: vec![SinkUsage {
            sink: "pager".to_owned(),
            delivered_total: 7,
            dropped_total: [("debug".to_owned(), 2)].into(),
            failures_total: [("connect".to_owned(), 3)].into(),
            deliveries_total: 10,
            delivery_seconds_total: 0.5,
            waiting: 1,
            disk_bytes: 1 << 20,
            last_delivery_time_seconds: Some(1.7e9),
            ..SinkUsage::default()
        }],
        detection: Some(DetectionUsage {
            calls_total: BTreeMap::from([("sent".to_owned(), 8)]),
            drops: vec![Drops {
                tenant: "acme".to_owned(),
                event: "openat".to_owned(),
                cause: "ring_full".to_owned(),
                count: 2,
            }],
            lost_total: BTreeMap::from([("alert_unwritten".to_owned(), 1)]),
            process_reads_total: BTreeMap::from([("vanished".to_owned(), 3)]),
            container_lookups_total: BTreeMap::from([("found".to_owned(), 4)]),
            container_failures_total: BTreeMap::from([("evicted".to_owned(), 5)]),
            name_failures_total: BTreeMap::from([("cut".to_owned(), 6)]),
            acts_forgotten_total: BTreeMap::from([("memory".to_owned(), 8)]),
            peers_total: vec![("pod".to_owned(), true, 7)],
            connections_total: BTreeMap::from([("told".to_owned(), 9)]),
            alerts: vec![AlertUsage {
                tenant: "acme".to_owned(),
                rule: "A \"rule\"".to_owned(),
                priority: "Warning".to_owned(),
                count: 8,
                trace: None,
            }],
            reloads_total: BTreeMap::from([("ok".to_owned(), 1)]),
            by_rule: vec![RuleUsage { rule: "A \"rule\"".to_owned(), ..RuleUsage::default() }],
            ..DetectionUsage::default()
        }),
        process: ProcessUsage {
            cpu_seconds_total: 0.125,
            resident_memory_bytes: 1 << 24,
            start_time_seconds: 1_700_000_001.0,
        },
    };
    let of = |name: &str| BTreeMap::from([(name.to_owned(), 7)]);
    let identity = IdentityUsage {
        sources: vec![SourceUsage {
            source: "pods".to_owned(),
            reason: "forbidden".to_owned(),
            interruptions_total: of("forbidden"),
            told_time_seconds: Some(1_700_000_002.0),
            ..SourceUsage::default()
        }],
        cgroups: of("informer"),
        unresolved_total: of("never_told"),
        objects: of("pods"),
        addresses: Some(AddressUsage { addresses: 7, ..AddressUsage::default() }),
        ..IdentityUsage::default()
    };
    let pod = PodUsage {
        uid: "1-2".to_owned(),
        namespace: "shop".to_owned(),
        pod: "web".to_owned(),
        used: tenant.clone(),
        ..PodUsage::default()
    };
    NodeUsage {
        agent,
        tenants: vec![tenant],
        pods: vec![pod],
        owners: [owner].into_iter().chain(others).collect(),
        identity: Some(identity),
        ..NodeUsage::default()
    }
}
