//! What the page says, and how long it takes to make it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{encode, encode_with_exemplars};
use crate::identity::CgroupId;
use crate::usage::accounts::{Accounts, Limits};
use crate::usage::api::{ApiRequests, ApiUsage};
use crate::usage::catalogue::metrics;
use crate::usage::pod::{AddressUsage, Amounts, IdentityUsage, PodUsage, SourceUsage, TenantFacts};
use crate::usage::reading::{
    CgroupReading, FileFigures, NetworkReading, Reading, Slot, SyscallNumber, Traffic, WaitReading,
};
use crate::usage::sinks::SinkUsage;
use crate::usage::tenant::{
    AgentUsage, AlertTrace, AlertUsage, ByDirection, ByDiskDirection, ByFamily, DetectionUsage,
    Drops, MetricsWays, NodeUsage, ProcessUsage, RuleUsage, TenantUsage,
};

/// A node where everything has a value.
fn node() -> NodeUsage {
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

#[test]
fn single_pods_are_told_of_where_that_is_asked_for() {
    let samples = |pod_metrics| {
        let mut node = node();
        node.agent.pod_metrics = pod_metrics;
        let page = encode(Arc::new(node)).unwrap();
        page.lines().filter(|line| line.contains("pod=\"web\"")).count()
    };
    assert_eq!((samples(false), samples(true)), (0, 10));
}

#[test]
fn exemplars_are_told_to_who_knows_them() {
    let mut node = node();
    let alerts = &mut node.agent.detection.as_mut().unwrap().alerts;
    alerts[0].count = 3;
    alerts[0].trace = Some(AlertTrace {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        time_unix_ns: 1_700_000_000_250_000_000,
    });
    let node = Arc::new(node);
    let line = |page: String| {
        let mut lines = page.lines().filter(|line| line.starts_with("landlord_alerts_total"));
        lines.next().unwrap().rsplit_once("} 3").unwrap().1.to_owned()
    };
    assert_eq!(line(encode(Arc::clone(&node)).unwrap()), "");
    let exemplar = " # {trace_id=\"0123456789abcdef0123456789abcdef\"} 1.0 1700000000.25";
    assert_eq!(line(encode_with_exemplars(node).unwrap()), exemplar);
}

#[test]
fn the_whole_page() {
    let page = encode(Arc::new(node())).unwrap();
    let page = page.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let samples: Vec<&str> = page.lines().filter(|line| !line.starts_with("# HELP")).collect();
    let samples = samples.join("\n").replace(std::env::consts::ARCH, "ARCH");
    insta::assert_snapshot!(samples, @r#"
    # TYPE landlord_tenant_cpu_seconds counter
    # UNIT landlord_tenant_cpu_seconds seconds
    landlord_tenant_cpu_seconds_total{tenant="a\"b\\c\nd"} 1.5
    # TYPE landlord_tenant_cpu_wait_seconds counter
    # UNIT landlord_tenant_cpu_wait_seconds seconds
    landlord_tenant_cpu_wait_seconds_total{tenant="a\"b\\c\nd"} 1e-9
    # TYPE landlord_tenant_cpu_wait_caused_seconds counter
    # UNIT landlord_tenant_cpu_wait_caused_seconds seconds
    landlord_tenant_cpu_wait_caused_seconds_total{tenant="a\"b\\c\nd",by="host"} 0.25
    # TYPE landlord_tenant_cpu_throttled_seconds counter
    # UNIT landlord_tenant_cpu_throttled_seconds seconds
    landlord_tenant_cpu_throttled_seconds_total{tenant="a\"b\\c\nd"} 0.0
    # TYPE landlord_tenant_cpu_limit_cores gauge
    # UNIT landlord_tenant_cpu_limit_cores cores
    landlord_tenant_cpu_limit_cores{tenant="a\"b\\c\nd"} 0.5
    # TYPE landlord_tenant_syscalls counter
    landlord_tenant_syscalls_total{tenant="a\"b\\c\nd",syscall="read"} 18446744073709551615
    # TYPE landlord_tenant_network_bytes counter
    # UNIT landlord_tenant_network_bytes bytes
    landlord_tenant_network_bytes_total{tenant="a\"b\\c\nd",direction="transmit",family="ipv4"} 100
    landlord_tenant_network_bytes_total{tenant="a\"b\\c\nd",direction="transmit",family="ipv6"} 101
    landlord_tenant_network_bytes_total{tenant="a\"b\\c\nd",direction="receive",family="ipv4"} 102
    landlord_tenant_network_bytes_total{tenant="a\"b\\c\nd",direction="receive",family="ipv6"} 103
    # TYPE landlord_tenant_network_packets counter
    landlord_tenant_network_packets_total{tenant="a\"b\\c\nd",direction="transmit",family="ipv4"} 1
    landlord_tenant_network_packets_total{tenant="a\"b\\c\nd",direction="transmit",family="ipv6"} 2
    landlord_tenant_network_packets_total{tenant="a\"b\\c\nd",direction="receive",family="ipv4"} 3
    landlord_tenant_network_packets_total{tenant="a\"b\\c\nd",direction="receive",family="ipv6"} 4
    # TYPE landlord_tenant_memory_bytes gauge
    # UNIT landlord_tenant_memory_bytes bytes
    landlord_tenant_memory_bytes{tenant="a\"b\\c\nd"} 4096
    # TYPE landlord_tenant_memory_peak_bytes gauge
    # UNIT landlord_tenant_memory_peak_bytes bytes
    landlord_tenant_memory_peak_bytes{tenant="a\"b\\c\nd"} 8192
    # TYPE landlord_tenant_memory_limit_bytes gauge
    # UNIT landlord_tenant_memory_limit_bytes bytes
    landlord_tenant_memory_limit_bytes{tenant="a\"b\\c\nd"} 1099511627776
    # TYPE landlord_tenant_oom_kills counter
    landlord_tenant_oom_kills_total{tenant="a\"b\\c\nd"} 2
    # TYPE landlord_tenant_disk_bytes counter
    # UNIT landlord_tenant_disk_bytes bytes
    landlord_tenant_disk_bytes_total{tenant="a\"b\\c\nd",direction="read"} 5
    landlord_tenant_disk_bytes_total{tenant="a\"b\\c\nd",direction="write"} 6
    # TYPE landlord_tenant_cgroups gauge
    landlord_tenant_cgroups{tenant="a\"b\\c\nd"} 3
    # TYPE landlord_tenant_ephemeral_storage_bytes gauge
    # UNIT landlord_tenant_ephemeral_storage_bytes bytes
    landlord_tenant_ephemeral_storage_bytes{tenant="a\"b\\c\nd"} 20
    # TYPE landlord_tenant_ephemeral_storage_byte_seconds counter
    # UNIT landlord_tenant_ephemeral_storage_byte_seconds byte_seconds
    landlord_tenant_ephemeral_storage_byte_seconds_total{tenant="a\"b\\c\nd"} 21.5
    # TYPE landlord_tenant_volume_bytes gauge
    # UNIT landlord_tenant_volume_bytes bytes
    landlord_tenant_volume_bytes{tenant="a\"b\\c\nd"} 22
    # TYPE landlord_tenant_volume_byte_seconds counter
    # UNIT landlord_tenant_volume_byte_seconds byte_seconds
    landlord_tenant_volume_byte_seconds_total{tenant="a\"b\\c\nd"} 23.5
    # TYPE landlord_tenant_volume_capacity_bytes gauge
    # UNIT landlord_tenant_volume_capacity_bytes bytes
    landlord_tenant_volume_capacity_bytes{tenant="a\"b\\c\nd"} 24
    # TYPE landlord_tenant_volume_capacity_byte_seconds counter
    # UNIT landlord_tenant_volume_capacity_byte_seconds byte_seconds
    landlord_tenant_volume_capacity_byte_seconds_total{tenant="a\"b\\c\nd"} 25.5
    # TYPE landlord_pods gauge
    landlord_pods{tenant="a\"b\\c\nd",qos="Burstable"} 2
    # TYPE landlord_pod_restarts gauge
    landlord_pod_restarts{tenant="a\"b\\c\nd"} 3
    # TYPE landlord_pod_requests_cpu_cores gauge
    # UNIT landlord_pod_requests_cpu_cores cores
    landlord_pod_requests_cpu_cores{tenant="a\"b\\c\nd"} 0.25
    # TYPE landlord_pod_requests_memory_bytes gauge
    # UNIT landlord_pod_requests_memory_bytes bytes
    landlord_pod_requests_memory_bytes{tenant="a\"b\\c\nd"} 1048576
    # TYPE landlord_pod_requests_ephemeral_storage_bytes gauge
    # UNIT landlord_pod_requests_ephemeral_storage_bytes bytes
    landlord_pod_requests_ephemeral_storage_bytes{tenant="a\"b\\c\nd"} 1073741824
    # TYPE landlord_pod_limits_cpu_cores gauge
    # UNIT landlord_pod_limits_cpu_cores cores
    landlord_pod_limits_cpu_cores{tenant="a\"b\\c\nd"} 0.25
    # TYPE landlord_pod_limits_memory_bytes gauge
    # UNIT landlord_pod_limits_memory_bytes bytes
    landlord_pod_limits_memory_bytes{tenant="a\"b\\c\nd"} 1048576
    # TYPE landlord_pod_limits_ephemeral_storage_bytes gauge
    # UNIT landlord_pod_limits_ephemeral_storage_bytes bytes
    landlord_pod_limits_ephemeral_storage_bytes{tenant="a\"b\\c\nd"} 1073741824
    # TYPE landlord_quota_hard gauge
    landlord_quota_hard{tenant="a\"b\\c\nd",resource="requests.cpu"} 2.0
    # TYPE landlord_quota_used gauge
    landlord_quota_used{tenant="a\"b\\c\nd",resource="requests.cpu"} 0.5
    # TYPE landlord_pod_cpu_seconds counter
    # UNIT landlord_pod_cpu_seconds seconds
    landlord_pod_cpu_seconds_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2"} 1.5
    # TYPE landlord_pod_cpu_wait_seconds counter
    # UNIT landlord_pod_cpu_wait_seconds seconds
    landlord_pod_cpu_wait_seconds_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2"} 1e-9
    # TYPE landlord_pod_memory_bytes gauge
    # UNIT landlord_pod_memory_bytes bytes
    landlord_pod_memory_bytes{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2"} 4096
    # TYPE landlord_pod_syscalls counter
    landlord_pod_syscalls_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2"} 18446744073709551615
    # TYPE landlord_pod_network_bytes counter
    # UNIT landlord_pod_network_bytes bytes
    landlord_pod_network_bytes_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2",direction="transmit"} 201
    landlord_pod_network_bytes_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2",direction="receive"} 205
    # TYPE landlord_pod_disk_bytes counter
    # UNIT landlord_pod_disk_bytes bytes
    landlord_pod_disk_bytes_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2",direction="read"} 5
    landlord_pod_disk_bytes_total{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2",direction="write"} 6
    # TYPE landlord_pod_ephemeral_storage_bytes gauge
    # UNIT landlord_pod_ephemeral_storage_bytes bytes
    landlord_pod_ephemeral_storage_bytes{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2"} 20
    # TYPE landlord_pod_volume_bytes gauge
    # UNIT landlord_pod_volume_bytes bytes
    landlord_pod_volume_bytes{tenant="a\"b\\c\nd",namespace="shop",pod="web",uid="1-2"} 22
    # TYPE landlord_lost counter
    landlord_lost_total{cause="slots_exhausted"} 0
    # TYPE landlord_feature_enabled gauge
    landlord_feature_enabled{feature="disk"} 0
    landlord_feature_enabled{feature="sched"} 1
    # TYPE landlord_cgroups gauge
    landlord_cgroups 4
    # TYPE landlord_map_memory_bytes gauge
    # UNIT landlord_map_memory_bytes bytes
    landlord_map_memory_bytes 1048576
    # TYPE landlord_counters_start_time_seconds gauge
    # UNIT landlord_counters_start_time_seconds seconds
    landlord_counters_start_time_seconds 1700000000.5
    # TYPE landlord_config_reloads counter
    landlord_config_reloads_total{outcome="failed"} 3
    # TYPE landlord_build info
    landlord_build_info{version="VERSION",architecture="ARCH"} 1
    # TYPE process_cpu_seconds counter
    # UNIT process_cpu_seconds seconds
    process_cpu_seconds_total 0.125
    # TYPE process_resident_memory_bytes gauge
    # UNIT process_resident_memory_bytes bytes
    process_resident_memory_bytes 16777216
    # TYPE process_start_time_seconds gauge
    # UNIT process_start_time_seconds seconds
    process_start_time_seconds 1700000001.0
    # TYPE landlord_metrics_way_used gauge
    landlord_metrics_way_used{way="export"} 0
    landlord_metrics_way_used{way="scrape"} 1
    # TYPE landlord_api_requests counter
    landlord_api_requests_total{page="/metrics",status="401"} 3
    # TYPE landlord_api_connections gauge
    landlord_api_connections 1
    # TYPE landlord_api_client_faults counter
    landlord_api_client_faults_total{cause="slow"} 2
    # TYPE landlord_events_calls counter
    landlord_events_calls_total{outcome="sent"} 8
    # TYPE landlord_events_lifecycle counter
    landlord_events_lifecycle_total 0
    # TYPE landlord_events_requests counter
    landlord_events_requests_total 0
    # TYPE landlord_events_dropped counter
    landlord_events_dropped_total{tenant="acme",event="openat",cause="ring_full"} 2
    # TYPE landlord_events_lost counter
    landlord_events_lost_total{cause="alert_unwritten"} 1
    # TYPE landlord_events_evaluated counter
    landlord_events_evaluated_total 0
    # TYPE landlord_alerts counter
    landlord_alerts_total{tenant="acme",rule="A \"rule\"",priority="Warning"} 8
    # TYPE landlord_alerts_repeated counter
    landlord_alerts_repeated_total 0
    # TYPE landlord_alert_peers counter
    landlord_alert_peers_total{kind="pod",certain="true"} 7
    # TYPE landlord_processes gauge
    landlord_processes 0
    # TYPE landlord_process_table_bytes gauge
    # UNIT landlord_process_table_bytes bytes
    landlord_process_table_bytes 0
    # TYPE landlord_process_reads counter
    landlord_process_reads_total{outcome="vanished"} 3
    # TYPE landlord_container_lookups counter
    landlord_container_lookups_total{outcome="found"} 4
    # TYPE landlord_container_failures counter
    landlord_container_failures_total{cause="evicted"} 5
    # TYPE landlord_name_failures counter
    landlord_name_failures_total{cause="cut"} 6
    # TYPE landlord_trace_acts_forgotten counter
    landlord_trace_acts_forgotten_total{cause="memory"} 8
    # TYPE landlord_rules_reloads counter
    landlord_rules_reloads_total{outcome="ok"} 1
    # TYPE landlord_rule_kernel_passes counter
    landlord_rule_kernel_passes_total{rule="A \"rule\""} 0
    # TYPE landlord_rule_evaluations counter
    landlord_rule_evaluations_total{rule="A \"rule\""} 0
    # TYPE landlord_rule_matches counter
    landlord_rule_matches_total{rule="A \"rule\""} 0
    # TYPE landlord_rule_evaluation_seconds counter
    # UNIT landlord_rule_evaluation_seconds seconds
    landlord_rule_evaluation_seconds_total{rule="A \"rule\""} 0.0
    # TYPE landlord_sink_delivered counter
    landlord_sink_delivered_total{sink="pager"} 7
    # TYPE landlord_sink_refused counter
    landlord_sink_refused_total{sink="pager"} 0
    # TYPE landlord_sink_unwritten counter
    landlord_sink_unwritten_total{sink="pager"} 0
    # TYPE landlord_sink_unsampled counter
    landlord_sink_unsampled_total{sink="pager"} 0
    # TYPE landlord_sink_dropped counter
    landlord_sink_dropped_total{sink="pager",priority="debug"} 2
    # TYPE landlord_sink_failures counter
    landlord_sink_failures_total{sink="pager",cause="connect"} 3
    # TYPE landlord_sink_deliveries counter
    landlord_sink_deliveries_total{sink="pager"} 10
    # TYPE landlord_sink_delivery_seconds counter
    # UNIT landlord_sink_delivery_seconds seconds
    landlord_sink_delivery_seconds_total{sink="pager"} 0.5
    # TYPE landlord_sink_waiting gauge
    landlord_sink_waiting{sink="pager"} 1
    # TYPE landlord_sink_disk_bytes gauge
    # UNIT landlord_sink_disk_bytes bytes
    landlord_sink_disk_bytes{sink="pager"} 1048576
    # TYPE landlord_sink_damaged_files counter
    landlord_sink_damaged_files_total{sink="pager"} 0
    # TYPE landlord_sink_last_delivery_time_seconds gauge
    # UNIT landlord_sink_last_delivery_time_seconds seconds
    landlord_sink_last_delivery_time_seconds{sink="pager"} 1700000000.0
    # TYPE landlord_identity_pending_owners gauge
    landlord_identity_pending_owners 0
    # TYPE landlord_identity_pending_cpu_seconds gauge
    # UNIT landlord_identity_pending_cpu_seconds seconds
    landlord_identity_pending_cpu_seconds 0.0
    # TYPE landlord_identity_unresolved counter
    landlord_identity_unresolved_total{reason="never_told"} 7
    # TYPE landlord_identity_cgroups gauge
    landlord_identity_cgroups{provenance="informer"} 7
    # TYPE landlord_identity_objects gauge
    landlord_identity_objects{source="pods"} 7
    # TYPE landlord_identity_objects_refused counter
    landlord_identity_objects_refused_total 0
    # TYPE landlord_identity_objects_forgotten counter
    landlord_identity_objects_forgotten_total 0
    # TYPE landlord_identity_source_synced gauge
    landlord_identity_source_synced{source="pods"} 0
    # TYPE landlord_identity_source_trouble info
    landlord_identity_source_trouble_info{source="pods",reason="forbidden"} 1
    # TYPE landlord_identity_source_interruptions counter
    landlord_identity_source_interruptions_total{source="pods",reason="forbidden"} 7
    # TYPE landlord_identity_source_told_time_seconds gauge
    # UNIT landlord_identity_source_told_time_seconds seconds
    landlord_identity_source_told_time_seconds{source="pods"} 1700000002.0
    # TYPE landlord_identity_address_holders gauge
    landlord_identity_address_holders 0
    # TYPE landlord_identity_addresses gauge
    landlord_identity_addresses 7
    # TYPE landlord_identity_addresses_past gauge
    landlord_identity_addresses_past 0
    # TYPE landlord_identity_addresses_forgotten counter
    landlord_identity_addresses_forgotten_total 0
    # TYPE landlord_identity_addresses_refused counter
    landlord_identity_addresses_refused_total 0
    # EOF
    "#);
}

#[test]
fn names_are_exactly_those_of_the_catalogue() {
    let page = encode(Arc::new(node())).unwrap();
    let shown: BTreeSet<&str> = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let listed: BTreeSet<&str> = metrics().map(|metric| metric.name).collect();
    assert_eq!(shown, listed);
}

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

#[test]
fn absent_levels_have_no_sample() {
    let tenant = TenantUsage { tenant: "a".to_owned(), ..TenantUsage::default() };
    let node = NodeUsage { tenants: vec![tenant], ..NodeUsage::default() };
    let page = encode(Arc::new(node)).unwrap();
    for absent in ["memory_bytes", "memory_peak_bytes", "memory_limit_bytes", "cpu_limit_cores"] {
        assert!(!page.contains(&format!("\nlandlord_tenant_{absent}{{")), "{absent}");
    }
    assert!(page.ends_with("# EOF\n"));
}
