//! Objects as API servers write them.

use serde_json::json;

use super::{container_id, namespace, pod, quota};
use crate::identity::cgroup_path::Qos;
use crate::identity::cluster::object::{Phase, PodContainer, Resources};

fn read<T: serde::de::DeserializeOwned>(object: serde_json::Value) -> T {
    serde_json::from_value(object).unwrap()
}

#[test]
fn a_pod_is_told_with_all_its_containers() {
    let told = pod(read(json!({
        "metadata": {
            "name": "web-0", "namespace": "shop", "uid": "7c1f", "labels": {"app": "web"},
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "deletionTimestamp": "2026-01-02T03:05:05Z",
            "annotations": {"kubernetes.io/config.hash": "abc", "other": "x"},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1"},
                {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "2", "controller": true},
            ],
            "managedFields": [{"manager": "kubelet", "fieldsV1": {"f:status": {}}}],
        },
        "spec": {
            "initContainers": [{"name": "prepare", "resources": {"limits": {"cpu": "2"}}}],
            "containers": [{"name": "web", "resources": {
                "requests": {"cpu": "250m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
                "limits": {"memory": "128Mi", "nvidia.com/gpu": "1"}}}],
            "ephemeralContainers": [{"name": "debug"}],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}},
                {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
                {"name": "tmp", "emptyDir": {}},
            ],
        },
        "status": {
            "phase": "Running", "qosClass": "Burstable", "podIP": "10.1.2.3",
            "podIPs": [{"ip": "10.1.2.3"}, {"ip": "fd00::3"}],
            "initContainerStatuses": [status("prepare", "containerd://aaa", 0)],
            "containerStatuses": [status("web", "cri-o://bbb", 3)],
            "ephemeralContainerStatuses": [status("debug", "", 0)],
        },
    })));
    let told = told.unwrap();
    assert_eq!((&*told.namespace, &*told.name, &*told.uid), ("shop", "web-0", "7c1f"));
    assert_eq!(told.config_hash.as_deref(), Some("abc"));
    assert_eq!(told.owner, Some(("StatefulSet".into(), "web".into())));
    assert_eq!(
        told.ips,
        ["10.1.2.3".parse::<std::net::IpAddr>().unwrap(), "fd00::3".parse().unwrap()]
    );
    assert_eq!((told.phase, told.qos), (Phase::Running, Some(Qos::Burstable)));
    assert_eq!(
        (told.created_unix_s, told.deleting, told.host_network),
        (1_767_323_045, true, false)
    );
    let claim = |volume: &str, claim: &str| (volume.into(), claim.into());
    assert_eq!(told.claims, [claim("data", "data-web-0"), claim("scratch", "web-0-scratch")]);
    let cpu = |cpu| Resources { cpu_millis: Some(cpu), ..Resources::default() };
    let container = |name: &str, id: Option<&str>, restarts, requests, limits| PodContainer {
        name: name.into(),
        id: id.map(Into::into),
        restarts,
        requests,
        limits,
    };
    let requests = Resources {
        cpu_millis: Some(250),
        memory_bytes: Some(64 << 20),
        ephemeral_storage_bytes: Some(1 << 30),
    };
    let limits = Resources { memory_bytes: Some(128 << 20), ..Resources::default() };
    let nothing = Resources::default();
    assert_eq!(
        told.containers,
        [
            container("prepare", Some("aaa"), 0, nothing, cpu(2000)),
            container("web", Some("bbb"), 3, requests, limits),
            container("debug", None, 0, nothing, nothing),
        ]
    );
}

fn status(name: &str, id: &str, restarts: u32) -> serde_json::Value {
    json!({"name": name, "containerID": id, "restartCount": restarts, "image": "i",
           "imageID": "i", "ready": true})
}

#[test]
fn a_pod_that_was_just_accepted_is_told_too() {
    let told = pod(read(json!({
        "metadata": {"name": "a", "namespace": "b", "uid": "c"},
        "spec": {"containers": [{"name": "x"}], "hostNetwork": true},
    })));
    let told = told.unwrap();
    assert_eq!((told.phase, told.qos, told.host_network), (Phase::Pending, None, true));
    assert!(told.ips.is_empty() && told.containers[0].id.is_none());
    assert!(pod(read(json!({"metadata": {"name": "a", "namespace": "b"}}))).is_none());
}

#[test]
fn phases_end_or_do_not() {
    let check = |phase: &str, expected: Phase, ended: bool| {
        let told = pod(read(json!({"metadata": {"name": "a", "namespace": "b", "uid": "c"},
                                   "status": {"phase": phase}})));
        let phase = told.unwrap().phase;
        assert_eq!((phase, phase.has_ended()), (expected, ended));
    };
    check("Pending", Phase::Pending, false);
    check("Running", Phase::Running, false);
    check("Succeeded", Phase::Succeeded, true);
    check("Failed", Phase::Failed, true);
    check("Unknown", Phase::Unknown, false);
    check("Invented later", Phase::Unknown, false);
}

#[test]
fn a_container_is_named_without_its_runtime() {
    let check =
        |id: &str, expected: Option<&str>| assert_eq!(container_id(id).as_deref(), expected);
    check("containerd://4f", Some("4f"));
    check("docker://4f", Some("4f"));
    check("4f", Some("4f"));
    check("containerd://", None);
    check("", None);
}

#[test]
fn a_namespace_keeps_the_annotations_that_are_asked_for() {
    let told = namespace(
        read(json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": {"name": "shop", "labels": {"team": "a"},
                         "annotations": {"owner": "x", "kubectl.kubernetes.io/last": "{}"}},
        })),
        &["owner".into()],
    );
    let told = told.unwrap();
    assert_eq!((&*told.name, &*told.labels["team"]), ("shop", "a"));
    assert_eq!(told.annotations.into_iter().collect::<Vec<_>>(), [("owner".into(), "x".into())]);
}

#[test]
fn a_quota_is_in_the_units_of_its_resource() {
    let told = quota(read(json!({
        "metadata": {"name": "q", "namespace": "shop"},
        "spec": {"hard": {"pods": "99"}},
        "status": {
            "hard": {"requests.cpu": "4", "limits.memory": "1Gi", "pods": "10", "count/x": "bad"},
            "used": {"requests.cpu": "1500m", "limits.memory": "1Mi"},
        },
    })));
    let told: Vec<_> = told.unwrap().resources.into_iter().collect();
    let expected = [
        ("limits.memory".into(), (1 << 30, 1 << 20)),
        ("pods".into(), (10, 0)),
        ("requests.cpu".into(), (4000, 1500)),
    ];
    assert_eq!(told, expected);
}
