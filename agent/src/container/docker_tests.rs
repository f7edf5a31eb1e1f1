use serde_json::{Value, json};

use super::*;
use crate::container::recorded::{
    self, DOCKER_ROOT, DOCKER_WEB, IMAGE, IMAGE_ID, PODMAN_NONE, PODMAN_ROOT, PODMAN_WEB, recorded,
};

fn of_file(config: &str, host: &str) -> ContainerFacts {
    let (config, host) = (recorded::json(config), recorded::json(host));
    facts(Doc::new(&config), Doc::new(&host), "docker").expect("a container")
}

fn of_answer(answer: &str, runtime: &str) -> ContainerFacts {
    let answer = recorded::json(answer);
    let answer = Doc::new(&answer);
    facts(answer, answer.get("HostConfig"), runtime).expect("a container")
}

#[test]
fn files_and_answers_of_docker_tell_the_same() {
    let file =
        of_file(recorded!("docker/web/config.v2.json"), recorded!("docker/web/hostconfig.json"));
    assert_eq!(file, of_answer(recorded!("docker/web/inspect.json"), "docker"));
    assert_eq!((file.id.as_str(), file.name.as_deref()), (DOCKER_WEB, Some("web")));
    assert_eq!((file.image.as_deref(), file.image_id.as_deref()), (Some(IMAGE), Some(IMAGE_ID)));
    assert_eq!(file.privileged, Some(false));
    assert_eq!(
        (file.host_pid, file.host_network, file.host_ipc),
        (Some(true), Some(true), Some(false))
    );
    assert_eq!(file.probes, [(Probe::Healthcheck, "/bin/sh -c cat /tmp/alive".to_owned())]);
    assert_eq!(file.labels.get("org.example.tier").map(String::as_str), Some("front"));
    let mounts: Vec<_> = file
        .mounts
        .iter()
        .map(|m| (&*m.source, &*m.destination, &*m.mode, m.writable, &*m.propagation))
        .collect();
    assert_eq!(
        mounts,
        [
            ("/srv/data", "/data", "ro", false, "rprivate"),
            ("/var/lib/docker/volumes/named/_data", "/named", "z", true, ""),
        ]
    );

    let root =
        of_file(recorded!("docker/root/config.v2.json"), recorded!("docker/root/hostconfig.json"));
    assert_eq!(root, of_answer(recorded!("docker/root/inspect.json"), "docker"));
    assert_eq!((root.id.as_str(), root.privileged), (DOCKER_ROOT, Some(true)));
    // It never came to start.
    assert!(root.started_unix_ns.is_some());
}

#[test]
fn podman_answers_like_docker() {
    let web = of_answer(recorded!("podman/web/inspect.json"), "podman");
    assert_eq!((web.id.as_str(), web.runtime.as_str()), (PODMAN_WEB, "podman"));
    assert_eq!((web.image.as_deref(), web.image_id.as_deref()), (Some(IMAGE), Some(IMAGE_ID)));
    assert_eq!((web.host_network, web.mounts.len()), (Some(true), 1));
    let root = of_answer(recorded!("podman/root/inspect.json"), "podman");
    assert_eq!((root.id.as_str(), root.privileged), (PODMAN_ROOT, Some(true)));
    let none = of_answer(recorded!("podman/none/inspect.json"), "podman");
    assert_eq!((none.host_pid, none.mounts.len()), (Some(true), 0));
}

#[test]
fn storage_knows_names_and_images() {
    let list = recorded::json(recorded!("podman/containers.json"));
    let none = storage_facts(PODMAN_NONE, Doc::new(&list)).expect("an entry");
    assert_eq!((none.runtime.as_str(), none.name.as_deref()), ("podman", Some("none")));
    assert_eq!((none.image.as_deref(), none.image_id.as_deref()), (Some(IMAGE), Some(IMAGE_ID)));
    assert_eq!(storage_facts("0", Doc::new(&list)), None);
    // CRI-O's entries are named by pod and attempt.
    let list = json!([{
        "id": "c0",
        "names": ["k8s_web_web-1_acme_uid_0"],
        "image": "aa",
        "metadata": "{\"pod-name\":\"web-1\",\"container-name\":\"web\",\"image-name\":\"q/web:2\"}",
    }, 3]);
    let web = storage_facts("c0", Doc::new(&list)).expect("an entry");
    assert_eq!((web.runtime.as_str(), web.name), ("cri-o", None));
    assert_eq!((web.image.as_deref(), web.image_id.as_deref()), (Some("q/web:2"), Some("aa")));
}

#[test]
fn pods_of_a_kubelet_on_docker() {
    let value = json!({"Id": "d0", "Config": {"Labels": {
        "io.kubernetes.pod.name": "web-1",
        "io.kubernetes.pod.namespace": "acme",
        "io.kubernetes.docker.type": "podsandbox",
    }}});
    let facts = facts(Doc::new(&value), Doc::new(&Value::Null), "docker").expect("a container");
    assert!(facts.is_sandbox());
    assert_eq!(facts.pod_namespace.as_deref(), Some("acme"));
}

#[test]
fn digest_is_of_the_repository_asked_for() {
    let check = |digests: Value, repository: Option<&str>, expected: Option<&str>| {
        let image = json!({"RepoDigests": digests});
        let found = image_digest(Doc::new(&image), repository);
        assert_eq!(found.as_deref(), expected, "{image}");
    };
    let two = json!(["a/other@sha256:1", "docker.io/library/web@sha256:2"]);
    check(two.clone(), Some("web"), Some("sha256:2"));
    check(two.clone(), Some("a/other"), Some("sha256:1"));
    check(two.clone(), Some("b"), None);
    check(two, None, None);
    check(json!(["a@sha256:1"]), Some("b"), Some("sha256:1"));
    check(json!(["a@sha256:1", "b@sha256:1"]), None, Some("sha256:1"));
    check(json!(["a", 3]), Some("a"), None);
    check(json!({}), Some("a"), None);
    let real = recorded::json(recorded!("podman/web/image.json"));
    let found = image_digest(Doc::new(&real), Some("registry.test:5000/team/web"));
    assert!(found.is_some_and(|digest| digest.starts_with("sha256:b438802f")));
}

#[test]
fn health_checks() {
    let check = |test: Value, expected: Option<&str>| {
        let value = json!({"Test": test});
        let found = healthcheck(Doc::new(&value)).map(|(_, command)| command);
        assert_eq!(found.as_deref(), expected, "{value}");
    };
    check(json!(["CMD", "curl", "-f", "x"]), Some("curl -f x"));
    check(json!(["CMD-SHELL", "a && b"]), Some("/bin/sh -c a && b"));
    check(json!(["CMD"]), None);
    check(json!(["CMD-SHELL"]), None);
    check(json!(["NONE"]), None);
    check(json!([]), None);
    check(json!("CMD x"), None);
}

#[test]
fn what_is_no_container_is_none() {
    for value in [json!(null), json!([]), json!({"Name": "/x"}), json!({"Id": 3})] {
        assert_eq!(facts(Doc::new(&value), Doc::new(&Value::Null), "docker"), None, "{value}");
    }
    let bare = json!({"Id": "d0", "Mounts": 3, "Config": [], "State": "x", "Name": 1});
    let facts = facts(Doc::new(&bare), Doc::new(&json!("host")), "docker").expect("a container");
    assert_eq!((facts.name, facts.privileged), (None, None));
}
