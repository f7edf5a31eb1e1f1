use proptest::prelude::*;
use prost::Message as _;
use serde_json::json;

use super::*;
use crate::container::recorded::{
    AGENT, AGENT_STATUS, IMAGE, POD_UID, SANDBOX, SANDBOX_STATUS, WEB, WEB_STATUS,
};

fn container(bytes: &[u8]) -> ContainerStatusResponse {
    ContainerStatusResponse::decode(bytes).expect("a recorded answer")
}

fn sandbox() -> SandboxStatusResponse {
    SandboxStatusResponse::decode(SANDBOX_STATUS).expect("a recorded answer")
}

#[test]
fn containerd_tells_of_a_container() {
    let web = container_facts(WEB, container(WEB_STATUS)).expect("facts");
    assert_eq!((web.runtime.as_str(), web.name.as_deref()), ("containerd", Some("web")));
    // As it was asked for, although the image has another name as well.
    assert_eq!(web.image.as_deref(), Some(IMAGE));
    assert!(web.image_digest().is_some_and(|digest| digest.starts_with("sha256:dfd547b7")));
    assert_eq!(web.privileged, Some(false));
    assert_eq!(web.pod_uid.as_deref(), Some(POD_UID));
    assert_eq!(web.pod_sandbox_id.as_deref(), Some(SANDBOX));
    assert_eq!(web.labels.get("io.kubernetes.container.name").map(String::as_str), Some("web"));
    let mount = |source: &str, destination: &str, writable, propagation: &str| Mount {
        source: source.to_owned(),
        destination: destination.to_owned(),
        mode: String::new(),
        writable,
        propagation: propagation.to_owned(),
    };
    assert_eq!(web.mounts, [mount("/srv/data", "/data", false, "rslave")]);
    let agent = container_facts(AGENT, container(AGENT_STATUS)).expect("facts");
    assert_eq!((agent.name.as_deref(), agent.privileged), (Some("agent"), Some(true)));
    assert_eq!(agent.mounts, [mount("/srv/data", "/host", true, "rshared")]);
    assert!(agent.started_unix_ns > web.started_unix_ns);
}

#[test]
fn containerd_tells_of_a_sandbox() {
    let pod = pod_facts(SANDBOX, sandbox(), Some("web")).expect("facts");
    assert_eq!(pod.pod_namespace.as_deref(), Some("acme"));
    assert_eq!(pod.pod_labels.get("app").map(String::as_str), Some("web"));
    assert_eq!(
        (pod.host_network, pod.host_pid, pod.host_ipc),
        (Some(true), Some(false), Some(false))
    );
    assert_eq!(
        pod.probes,
        [
            (Probe::Liveness, "/bin/cat /tmp/alive".to_owned()),
            (Probe::Readiness, "/bin/ls".to_owned()),
        ]
    );
    assert!(pod_facts(SANDBOX, sandbox(), Some("agent")).is_some_and(|pod| pod.probes.is_empty()));
    let own = sandbox_facts(SANDBOX, sandbox()).expect("facts");
    assert!(own.is_sandbox());
    assert_eq!((own.image.as_deref(), own.name), (Some("registry.test:5000/pause:3.6"), None));
    assert!(own.started_unix_ns.is_some());
}

#[test]
fn an_answer_about_another_is_none() {
    assert_eq!(container_facts(AGENT, container(WEB_STATUS)), None);
    assert_eq!(sandbox_facts(WEB, sandbox()), None);
    assert_eq!(container_facts("", ContainerStatusResponse::default()), None);
}

#[test]
fn the_name_of_the_image_is_what_was_asked_for() {
    let id = "sha256:8daca3561be848337bc42dc747a6d5dff8009adc1c13eb4f708fd785eb52eeac";
    let check =
        |user: &str, asked: &str, resolved: &str, expected: (Option<&str>, Option<&str>)| {
            let mut answer = container(WEB_STATUS);
            let info = json!({"config": {"image": {"image": asked, "user_specified_image": user}}});
            answer.info.insert("info".to_owned(), info.to_string());
            let status = answer.status.as_mut().expect("a status");
            status.image = Some(ImageSpec { image: resolved.to_owned(), ..ImageSpec::default() });
            status.image_ref = id.to_owned();
            let facts = container_facts(WEB, answer).expect("facts");
            assert_eq!((facts.image.as_deref(), facts.image_id.as_deref()), expected);
            assert_eq!(facts.image_digest(), None);
        };
    let bare = Some(&id[7..]);
    check("web:1", id, "web:2", (Some("web:1"), bare));
    check("", id, "web:2", (Some("web:2"), bare));
    check("", "web:3", "web:2", (Some("web:3"), bare));
    check("", id, id, (None, bare));
    check("", "", "", (None, bare));
}

#[test]
fn privileged_is_the_runtimes_word() {
    let check = |info: Value, expected: Option<bool>| {
        assert_eq!(privileged(Doc::new(&info)), expected, "{info}");
    };
    check(json!({"privileged": true}), Some(true));
    check(json!({"privileged": false, "config": {"a": 1}}), Some(false));
    check(json!({"config": {"linux": {"security_context": {"privileged": true}}}}), Some(true));
    check(json!({"config": {"linux": {}}}), Some(false));
    check(json!({"config": {}}), None);
    check(json!({"privileged": "yes"}), None);
    check(json!(null), None);
}

#[test]
fn without_verbose_information_labels_tell_the_pod() {
    let mut answer = container(WEB_STATUS);
    answer.info.clear();
    let facts = container_facts(WEB, answer).expect("facts");
    assert_eq!((facts.pod_namespace.as_deref(), facts.runtime.as_str()), (Some("acme"), ""));
    assert_eq!((facts.privileged, facts.pod_sandbox_id), (None, None));
    assert_eq!(facts.image.as_deref(), Some("registry.test:5000/other/name:latest"));
}

#[test]
fn probes_that_are_no_commands_are_none() {
    let check = |manifest: &str| assert_eq!(probes(manifest, "web"), [], "{manifest}");
    check("");
    check("{\"spec\":{\"containers\":{}}}");
    check(r#"{"spec":{"containers":[{"name":"web","livenessProbe":{"httpGet":{}}}]}}"#);
    check(r#"{"spec":{"containers":[{"name":"web","livenessProbe":{"exec":{"command":"x"}}}]}}"#);
}

proptest! {
    #[test]
    fn any_bytes_are_taken(mut bytes in prop::collection::vec(any::<u8>(), 0..64), cut in 0..4774_usize) {
        if let Ok(answer) = ContainerStatusResponse::decode(&*bytes) {
            container_facts("id", answer);
        }
        // A real answer with a hole in it.
        let (head, tail) = WEB_STATUS.split_at(cut.min(WEB_STATUS.len()));
        bytes.splice(0..0, head.iter().copied());
        bytes.extend_from_slice(tail);
        if let Ok(answer) = ContainerStatusResponse::decode(&*bytes) {
            container_facts(WEB, answer);
        }
    }
}
