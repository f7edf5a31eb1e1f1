//! What a slice says.

use serde_json::{Value, json};

use super::*;

fn told(object: Value) -> EndpointSlice {
    slice(serde_json::from_value(object).unwrap()).unwrap()
}

#[test]
fn addresses_of_what_is_no_pod() {
    let check = |kind: &str, endpoints: Value, expected: &[&str]| {
        let told = told(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"namespace": "shop", "name": "db-1",
                "labels": {"kubernetes.io/service-name": "db"}},
            "addressType": kind, "endpoints": endpoints, "ports": [{"port": 5432}],
        }));
        let expected: Vec<IpAddr> = expected.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(told.ips, expected, "{kind}");
        assert_eq!((&*told.namespace, &*told.name), ("shop", "db-1"));
        assert_eq!(told.service.as_deref(), Some("db"));
    };
    let of = |addresses: &[&str]| json!([{"addresses": addresses}]);
    check("IPv4", of(&["192.0.2.8"]), &["192.0.2.8"]);
    check("IPv6", of(&["2001:db8::8"]), &["2001:db8::8"]);
    check("FQDN", of(&["db.example", "192.0.2.8"]), &[]);
    check("IPv4", json!(null), &[]);
    check("IPv4", json!([{"conditions": {"ready": false}}]), &[]);
    let several = json!([
        {"addresses": ["192.0.2.9", "192.0.2.8"], "conditions": {"ready": false}},
        {"addresses": ["192.0.2.9"], "targetRef": {"kind": "VirtualMachine"}},
        {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "db-0"}},
    ]);
    check("IPv4", several, &["192.0.2.8", "192.0.2.9"]);
    let nobodys = ["127.0.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "x"];
    check("IPv4", of(&nobodys), &[]);
    check("IPv6", of(&["::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1"]), &[]);
}

#[test]
fn a_slice_may_be_of_no_service() {
    let check = |labels: Value| {
        let told = told(json!({
            "metadata": {"namespace": "shop", "name": "x", "labels": labels},
            "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.8"]}],
        }));
        assert_eq!(told.service, None);
    };
    check(json!(null));
    check(json!({"app": "db"}));
    check(json!({"kubernetes.io/service-name": ""}));
}
