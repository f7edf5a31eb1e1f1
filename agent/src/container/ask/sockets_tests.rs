use std::{collections::HashMap, time::Instant};

use super::*;
use crate::container::{
    ask::server::{Script, Server},
    files::tests::Host,
    recorded::{
        AGENT, AGENT_STATUS, DOCKER_WEB, IMAGE, IMAGE_ID, PODMAN_WEB, SANDBOX, SANDBOX_STATUS, WEB,
        WEB_STATUS, recorded,
    },
};

/// Methods of containerd 1.6, in one version of the interface.
pub(in super::super) fn containerd(version: &str) -> Script {
    let method = |name: &str| format!("/runtime.{version}.RuntimeService/{name}");
    let mut told: HashMap<(String, String), Result<Vec<u8>, u32>> = HashMap::new();
    told.insert((method("ContainerStatus"), WEB.to_owned()), Ok(WEB_STATUS.to_vec()));
    told.insert((method("ContainerStatus"), AGENT.to_owned()), Ok(AGENT_STATUS.to_vec()));
    told.insert((method("PodSandboxStatus"), SANDBOX.to_owned()), Ok(SANDBOX_STATUS.to_vec()));
    if version != "v1" {
        for id in [WEB, AGENT, SANDBOX, "unknown"] {
            for name in ["ContainerStatus", "PodSandboxStatus"] {
                let newer = format!("/runtime.v1.RuntimeService/{name}");
                told.insert((newer, id.to_owned()), Err(12));
            }
        }
    }
    Script::Grpc(told)
}

/// Answers of Docker and Podman.
pub(in super::super) fn engine(id: &str, container: &str, image: &str) -> Script {
    let body = |text: &str| (200, text.as_bytes().to_vec());
    Script::Http(HashMap::from([
        (format!("/containers/{id}/json"), body(container)),
        (format!("/images/sha256:{IMAGE_ID}/json"), body(image)),
    ]))
}

/// Asks those that are wanted.
fn ask_all(
    host: &Host,
    hint: Option<Runtime>,
    id: &str,
) -> (Outcome, crate::container::LookupCounts) {
    let files = Files::open(host.sources()).expect("a root");
    let places = wanted(&files, hint, None);
    let counts = Counters::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.expect("a runtime").block_on(ask(&places, id, None, &counts));
    (outcome, counts.read())
}

#[test]
fn containerd_is_asked_in_either_version() {
    for version in VERSIONS {
        let host = Host::new();
        let _server =
            Server::start(&host.path("run/containerd/containerd.sock"), containerd(version));
        let web = ask_all(&host, Some(Runtime::Containerd), WEB).0.facts.expect("facts");
        assert_eq!((web.runtime.as_str(), web.image.as_deref()), ("containerd", Some(IMAGE)));
        assert_eq!((web.host_network, web.probes.len()), (Some(true), 2));
        assert_eq!(web.pod_labels.get("app").map(String::as_str), Some("web"));
        let sandbox = ask_all(&host, None, SANDBOX).0.facts.expect("facts");
        assert!(sandbox.is_sandbox());
        let (unknown, counts) = ask_all(&host, None, "unknown");
        assert!(unknown.facts.is_none() && !unknown.is_enough);
        assert_eq!(counts, Default::default());
    }
}

#[test]
fn docker_and_podman_are_asked() {
    let host = Host::new();
    let docker = engine(
        DOCKER_WEB,
        recorded!("docker/web/inspect.json"),
        recorded!("docker/web/image.json"),
    );
    let podman = engine(
        PODMAN_WEB,
        recorded!("podman/web/inspect.json"),
        recorded!("podman/web/image.json"),
    );
    let _docker = Server::start(&host.path("run/docker.sock"), docker);
    let _podman = Server::start(&host.path("run/podman/podman.sock"), podman);
    let facts = ask_all(&host, Some(Runtime::Docker), DOCKER_WEB).0.facts.expect("facts");
    assert_eq!((facts.runtime.as_str(), facts.image_digest()), ("docker", None));
    let facts = ask_all(&host, None, PODMAN_WEB).0.facts.expect("facts");
    assert_eq!(facts.runtime, "podman");
    assert!(facts.image_digest().is_some_and(|digest| digest.starts_with("sha256:b438802f")));
    // Who is known not to have started it is not asked.
    assert!(ask_all(&host, Some(Runtime::Docker), PODMAN_WEB).0.facts.is_none());
}

#[test]
fn what_goes_wrong_is_counted() {
    let check = |script: Script, unreachable, malformed, oversized| {
        let host = Host::new();
        let _server = Server::start(&host.path("run/docker.sock"), script);
        let (outcome, counts) = ask_all(&host, None, DOCKER_WEB);
        assert!(outcome.facts.is_none());
        let found = (counts.unreachable, counts.malformed, counts.oversized);
        assert_eq!(found, (unreachable, malformed, oversized));
    };
    let answer = |status, body: &[u8]| {
        let path = format!("/containers/{DOCKER_WEB}/json");
        Script::Http(HashMap::from([(path, (status, body.to_vec()))]))
    };
    check(answer(404, b"{}"), 0, 0, 0);
    check(answer(500, b"{}"), 1, 0, 0);
    check(answer(200, b"{\"Id\":"), 0, 1, 0);
    check(answer(200, b"[]"), 0, 1, 0);
    // About another container.
    check(answer(200, recorded!("docker/root/inspect.json").as_bytes()), 0, 1, 0);
    check(answer(200, &vec![b' '; 5 << 20]), 0, 0, 1);
    check(Script::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), 1, 0, 0);
    check(Script::Bytes(Vec::new()), 1, 0, 0);
}

#[test]
fn what_goes_wrong_with_grpc_is_counted() {
    let check = |script: Script, unreachable, malformed, oversized| {
        let host = Host::new();
        let _server = Server::start(&host.path("run/crio/crio.sock"), script);
        let (outcome, counts) = ask_all(&host, None, WEB);
        assert!(outcome.facts.is_none());
        let found = (counts.unreachable, counts.malformed, counts.oversized);
        assert_eq!(found, (unreachable, malformed, oversized));
    };
    let answer = |told: Result<&[u8], u32>| {
        let method = "/runtime.v1.RuntimeService/ContainerStatus".to_owned();
        Script::Grpc(HashMap::from([((method, WEB.to_owned()), told.map(<[u8]>::to_vec))]))
    };
    check(answer(Err(2)), 0, 0, 0);
    check(answer(Err(14)), 1, 0, 0);
    check(answer(Ok(b"")), 0, 1, 0);
    check(answer(Ok(b"\xff\xff\xff")), 0, 1, 0);
    check(answer(Ok(AGENT_STATUS)), 0, 1, 0);
    check(answer(Ok(&vec![0; 5 << 20])), 0, 0, 1);
    check(Script::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), 1, 0, 0);
}

#[test]
fn a_silent_runtime_is_given_up() {
    let host = Host::new();
    let _server = Server::start(&host.path("run/docker.sock"), Script::Silence);
    let begin = Instant::now();
    let (outcome, counts) = ask_all(&host, None, DOCKER_WEB);
    assert!(outcome.facts.is_none() && begin.elapsed() < 3 * PATIENCE);
    assert_eq!(counts.unreachable, 1);
}

#[test]
fn one_socket_by_two_names_is_asked_once() {
    let host = Host::new();
    let server = Server::start(&host.path("run/docker.sock"), Script::Http(HashMap::new()));
    std::os::unix::fs::symlink("/run", host.path("var/run")).expect("a link");
    assert!(ask_all(&host, None, DOCKER_WEB).0.facts.is_none());
    assert_eq!(server.asked(), 1);
}

#[test]
fn only_those_are_asked_who_may_know() {
    let check = |hint, known: Option<&str>, expected: &[Protocol]| {
        let all = [Protocol::Docker, Protocol::Podman, Protocol::Cri];
        let found: Vec<_> =
            all.into_iter().filter(|protocol| may_know(*protocol, hint, known)).collect();
        assert_eq!(found, expected, "{hint:?} {known:?}");
    };
    use Protocol::{Cri, Docker, Podman};
    check(None, None, &[Docker, Podman, Cri]);
    check(Some(Runtime::Oci), None, &[Docker, Podman, Cri]);
    check(Some(Runtime::Oci), Some("docker"), &[Docker]);
    check(Some(Runtime::Oci), Some("cri-o"), &[Cri]);
    check(Some(Runtime::Oci), Some("runc"), &[]);
    check(None, Some("crun"), &[]);
    check(Some(Runtime::Docker), Some("runc"), &[Docker]);
    check(Some(Runtime::Crio), None, &[Cri]);
    check(Some(Runtime::Podman), Some(""), &[Podman]);
    check(Some(Runtime::Lxc), None, &[]);
}
