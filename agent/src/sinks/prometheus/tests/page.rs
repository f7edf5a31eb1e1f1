//! What the page says, line by line.

use std::sync::Arc;

use super::super::encode;
use super::node::node;

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
    # TYPE landlord_connections counter
    landlord_connections_total{outcome="told"} 9
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
