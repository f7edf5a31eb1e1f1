use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::container::{
    privilege::tests::privileged_spec,
    recorded::{self, AGENT, POD_UID, PODMAN_NONE, PODMAN_WEB, SANDBOX, WEB, recorded},
};

fn read(id: &str, spec: &Value) -> ContainerFacts {
    facts(id, Doc::new(spec), "caller")
}

#[test]
fn containerd_tells_pod_and_image() {
    let web = read(WEB, &recorded::json(recorded!("containerd/web.config.json")));
    assert_eq!(web.runtime, "containerd");
    assert_eq!(web.name.as_deref(), Some("web"));
    assert_eq!(web.image_repository(), Some("registry.test:5000/other/name"));
    assert_eq!(web.pod_name.as_deref(), Some("web-7d4b9c-x2x5z"));
    assert_eq!(web.pod_namespace.as_deref(), Some("acme"));
    assert_eq!(web.pod_uid.as_deref(), Some(POD_UID));
    assert_eq!(web.pod_sandbox_id.as_deref(), Some(SANDBOX));
    assert!(!web.is_sandbox());
    assert_eq!(web.privileged, Some(false));
    // Its pod's network is joined, whichever that is.
    assert_eq!((web.host_pid, web.host_network, web.host_ipc), (Some(false), None, None));
    let data = web.mounts.iter().find(|mount| mount.destination == "/data");
    let expected = Mount {
        source: "/srv/data".to_owned(),
        destination: "/data".to_owned(),
        mode: String::new(),
        writable: false,
        propagation: "rslave".to_owned(),
    };
    assert_eq!(data, Some(&expected));
    assert!(web.mounts.iter().all(|mount| mount.source.starts_with('/')), "{:?}", web.mounts);
}

#[test]
fn containerd_privileged_and_sandbox() {
    let agent = read(AGENT, &recorded::json(recorded!("containerd/agent.config.json")));
    assert_eq!(agent.privileged, Some(true));
    let sandbox = read(SANDBOX, &recorded::json(recorded!("containerd/sandbox.config.json")));
    assert!(sandbox.is_sandbox());
    assert_eq!((sandbox.name.as_deref(), sandbox.host_network), (None, Some(true)));
    assert_eq!(sandbox.pod_name.as_deref(), Some("web-7d4b9c-x2x5z"));
}

#[test]
fn podman_marks_its_own() {
    let web = read(PODMAN_WEB, &recorded::json(recorded!("podman/web/config.json")));
    assert_eq!((web.runtime.as_str(), web.privileged), ("podman", Some(false)));
    assert_eq!((web.host_network, web.host_pid), (Some(true), Some(false)));
    assert_eq!((web.pod_name, web.image), (None, None));
    assert!(web.root.is_some_and(|root| root.starts_with("/var/lib/containers/storage/")));
    let none = read(PODMAN_NONE, &recorded::json(recorded!("podman/none/config.json")));
    assert_eq!((none.host_network, none.host_pid), (Some(false), Some(true)));
}

#[test]
fn who_started_it_unmarked_is_the_caller() {
    for spec in [recorded!("runc/config.json"), recorded!("crun/config.json")] {
        let plain = read("plain", &recorded::json(spec));
        assert_eq!((plain.runtime.as_str(), plain.privileged), ("caller", Some(false)));
        assert_eq!((plain.name, plain.image, plain.root), (None, None, None));
        assert_eq!(plain.mounts.len(), 1);
    }
}

/// As CRI-O writes it.
fn crio(kind: &str) -> Value {
    let mut spec = privileged_spec();
    spec["annotations"] = json!({
        "io.container.manager": "cri-o",
        "io.kubernetes.cri-o.ContainerType": kind,
        "io.kubernetes.cri-o.ImageName": "quay.io/acme/web:2",
        "io.kubernetes.cri-o.Image": "6f7e2741b66b6f7e2741b66b6f7e2741b66b6f7e2741b66b6f7e2741b66b6f7e",
        "io.kubernetes.cri-o.Labels": "{\"app\":\"web\",\"n\":1}",
        "io.kubernetes.cri-o.SandboxID": "5a",
        "io.kubernetes.cri-o.IP.0": "10.1.2.3",
        "io.kubernetes.container.name": if kind == "sandbox" { "POD" } else { "web" },
        "io.kubernetes.pod.name": "web-1",
        "io.kubernetes.pod.namespace": "acme",
        "io.kubernetes.pod.uid": POD_UID,
    });
    spec
}

#[test]
fn crio_tells_all() {
    let web = read("c0", &crio("container"));
    assert_eq!(web.runtime, "cri-o");
    assert_eq!(web.image.as_deref(), Some("quay.io/acme/web:2"));
    assert_eq!(web.labels.get("app").map(String::as_str), Some("web"));
    assert_eq!(web.pod_sandbox_id.as_deref(), Some("5a"));
    assert_eq!((web.privileged, web.ip.as_deref()), (Some(true), Some("10.1.2.3")));
    assert_eq!((web.host_pid, web.pod_labels.len()), (Some(true), 0));
    let sandbox = read("5a", &crio("sandbox"));
    assert!(sandbox.is_sandbox() && sandbox.name.is_none() && sandbox.labels.is_empty());
    assert_eq!(sandbox.pod_labels.get("app").map(String::as_str), Some("web"));
    // Without the name there is at least nothing wrong.
    let mut unnamed = crio("container");
    unnamed["annotations"]["io.kubernetes.cri-o.ImageName"] = json!(null);
    assert_eq!(read("c0", &unnamed).image, None);
}

#[test]
fn joined_namespaces_are_named() {
    let check = |namespaces: Value, path: Option<&str>, host: Option<bool>| {
        let spec = json!({"linux": {"namespaces": namespaces, "x": 1}});
        let spec = Doc::new(&spec);
        let found = (joined_namespace(spec, "network"), shares_host(spec, "network"));
        assert_eq!(found, (path, host), "{spec:?}");
    };
    check(json!([]), None, Some(true));
    check(json!([{"type": "network"}]), None, Some(false));
    check(json!([{"type": "network", "path": ""}]), None, Some(false));
    check(json!([{"type": "network", "path": "/n"}]), Some("/n"), None);
    check(json!([{"type": "pid", "path": "/n"}, 3, null]), None, Some(true));
    check(json!({"type": "network"}), None, Some(true));
}

#[test]
fn wrong_types_leave_the_rest() {
    let check = |pointer: &str, value: Value| {
        let mut spec = recorded::json(recorded!("containerd/web.config.json"));
        *spec.pointer_mut(pointer).expect("a place in the document") = value;
        let facts = read(WEB, &spec);
        assert_eq!(facts.pod_namespace.as_deref(), Some("acme"), "{pointer}");
    };
    for value in [json!(null), json!(7), json!("x"), json!([1, []]), json!({"a": {}})] {
        check("/mounts", value.clone());
        check("/mounts/0", value.clone());
        check("/linux", value.clone());
        check("/linux/namespaces", value.clone());
        check("/process", value.clone());
        check("/process/capabilities", value.clone());
        check("/root", value.clone());
        check("/annotations/io.kubernetes.cri.container-name", value);
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("linux".to_owned()),
        Just("mounts".to_owned()),
        Just("annotations".to_owned()),
        Just("process".to_owned()),
        Just("namespaces".to_owned()),
        Just("options".to_owned()),
        Just("destination".to_owned()),
        "[a-z]{1,4}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z/.:@]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_is_read(value in anything()) {
        let facts = read("id", &value);
        prop_assert_eq!(facts.id, "id");
        prop_assert!(facts.mounts.len() <= MAX_MOUNTS);
    }
}
