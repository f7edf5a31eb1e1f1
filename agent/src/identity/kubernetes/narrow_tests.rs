//! Objects as API servers write them, of which only addresses are wanted.

use std::net::IpAddr;

use serde_json::json;

use super::{NodeAddresses, node, remote_pod, service};

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_pod_owns_its_addresses_while_it_runs_in_its_own_network() {
    let check = |spec: serde_json::Value, status: serde_json::Value, expected: &[&str]| {
        let object = json!({
            "metadata": {"name": "p", "namespace": "n", "resourceVersion": "1"},
            "spec": spec, "status": status,
        });
        let told = remote_pod(serde_json::from_value(object).unwrap(), &[]).unwrap();
        assert_eq!(told.ips, ips(expected));
    };
    let both = json!([{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]);
    let state = |phase: &str| json!({"phase": phase, "podIP": "10.0.0.1", "podIPs": both});
    check(json!({"nodeName": "a"}), state("Running"), &["10.0.0.1", "fd00::1"]);
    check(json!({"hostNetwork": false}), state("Running"), &["10.0.0.1", "fd00::1"]);
    check(json!({"hostNetwork": true}), state("Running"), &[]);
    check(json!({}), state("Succeeded"), &[]);
    check(json!({}), state("Failed"), &[]);
    check(json!({}), json!({"phase": "Running", "podIP": "10.0.0.2"}), &["10.0.0.2"]);
    check(json!({}), json!({"phase": "Pending"}), &[]);
    check(json!({}), json!({"phase": "Running", "podIPs": null}), &[]);
}

#[test]
fn a_pod_has_started_with_its_first_container() {
    let check = |status: serde_json::Value, expected: Option<i64>, has_address: bool| {
        let mut object = json!({"metadata": {"name": "p", "namespace": "n"}, "status": {
            "podIP": "10.0.0.1", "startTime": "1970-01-01T00:00:10Z"}});
        object["status"].as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
        let told = remote_pod(serde_json::from_value(object).unwrap(), &[]).unwrap();
        assert_eq!(
            (told.started_unix_s, !told.ips.is_empty()),
            (expected, has_address),
            "{status}"
        );
    };
    let at = |second: u32| json!({"startedAt": format!("1970-01-01T00:00:{second:02}Z")});
    let containers = |states: &[serde_json::Value]| json!(states);
    check(json!({"phase": "Pending"}), None, false);
    check(
        json!({"phase": "Pending", "containerStatuses": containers(&[
            json!({"state": {"waiting": {"reason": "ContainerCreating"}}, "lastState": {}})])}),
        None,
        false,
    );
    check(
        json!({"phase": "Pending", "initContainerStatuses": containers(&[
            json!({"state": {"running": at(17)}, "lastState": {}})])}),
        Some(17),
        true,
    );
    check(
        json!({"phase": "Running", "initContainerStatuses": containers(&[
                json!({"state": {"terminated": at(15)}, "lastState": {}})]),
            "containerStatuses": containers(&[json!({"state": {"running": at(30)}}),
                json!({"state": {"waiting": {}}, "lastState": {"terminated": at(20)}})])}),
        Some(15),
        true,
    );
    // It could not be started, and never began.
    check(
        json!({"phase": "Pending", "containerStatuses": containers(&[
            json!({"state": {"terminated": {"startedAt": null}},
                   "lastState": {"terminated": at(0)}})])}),
        None,
        false,
    );
    // Nothing is told of containers.
    check(json!({"phase": "Running"}), Some(10), true);
    check(json!({"phase": "Running", "startTime": null}), None, true);
}

#[test]
fn of_a_pod_only_what_was_asked_for_is_kept() {
    let object = json!({
        "metadata": {
            "name": "p", "namespace": "n", "resourceVersion": "7", "uid": "u",
            "labels": {"tenant": "acme", "pod-template-hash": "5d4f"},
            "managedFields": [{"fieldsV1": {"f:metadata": {"f:labels": {}}}}],
        },
        "spec": {"containers": [{"name": "x", "env": [{"name": "A", "value": "b"}]}]},
        "status": {"phase": "Running", "startTime": "1970-01-01T00:01:00Z"},
    });
    let told = remote_pod(serde_json::from_value(object).unwrap(), &["tenant".into()]).unwrap();
    assert_eq!(told.labels.into_iter().collect::<Vec<_>>(), [("tenant".into(), "acme".into())]);
    assert_eq!((&*told.namespace, &*told.name, told.started_unix_s), ("n", "p", Some(60)));
}

#[test]
fn a_node_has_the_addresses_of_its_bridges_and_tunnels_too() {
    let object = json!({
        "metadata": {"name": "node-1", "annotations": {
            "projectcalico.org/IPv4VXLANTunnelAddr": "10.244.1.0",
            "network.cilium.io/ipv4-cilium-host": "10.0.1.17/32",
            "csi.volume.kubernetes.io/nodeid": "{}"}},
        "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24", "fd00:1::/64"]},
        "status": {"addresses": [
            {"type": "InternalIP", "address": "192.0.2.1"}, {"type": "InternalIP", "address": "2001:db8::1"},
            {"type": "ExternalIP", "address": "198.51.100.1"}, {"type": "Hostname", "address": "node-1"}]},
    });
    let told = node(serde_json::from_value::<NodeAddresses>(object).unwrap()).unwrap();
    let expected = ["192.0.2.1", "2001:db8::1", "198.51.100.1", "10.0.1.17", "10.244.1.0"];
    assert_eq!((&*told.name, told.ips), ("node-1", ips(&expected)));
    let ranges: Vec<String> = told.pod_ranges.iter().map(ToString::to_string).collect();
    assert_eq!(ranges, ["10.244.1.0/24", "fd00:1::/64"]);
}

#[test]
fn services_of_every_kind() {
    let check = |spec: serde_json::Value,
                 status: serde_json::Value,
                 cluster: &[&str],
                 outer: &[&str],
                 ports: &[(u8, u16)]| {
        let object =
            json!({"metadata": {"name": "s", "namespace": "n"}, "spec": spec, "status": status});
        let told = service(serde_json::from_value(object).unwrap()).unwrap();
        assert_eq!(
            (told.cluster_ips, told.outer_ips, told.node_ports),
            (ips(cluster), ips(outer), ports.to_vec())
        );
    };
    let none = || json!({"loadBalancer": {}});
    check(
        json!({"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd00::1"]}),
        none(),
        &["10.96.0.1", "fd00::1"],
        &[],
        &[],
    );
    check(json!({"clusterIP": "None", "clusterIPs": ["None"]}), none(), &[], &[], &[]);
    check(json!({"type": "ExternalName", "externalName": "example.com"}), json!({}), &[], &[], &[]);
    let ports = json!([{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP", "nodePort": 30053}, {"port": 1}]);
    check(
        json!({"clusterIP": "10.96.0.2", "type": "NodePort", "ports": ports}),
        none(),
        &["10.96.0.2"],
        &[],
        &[(6, 30080), (17, 30053)],
    );
    let balanced =
        json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}, {"hostname": "lb.example"}]}});
    check(
        json!({"externalIPs": ["198.51.100.7"], "type": "LoadBalancer"}),
        balanced,
        &[],
        &["198.51.100.7", "203.0.113.5"],
        &[],
    );
}
