use std::{fs, os::unix::fs::symlink, path::PathBuf};

use super::*;
use crate::container::recorded::{
    DOCKER_ROOT, DOCKER_WEB, IMAGE, PODMAN_WEB, SANDBOX, WEB, recorded,
};

/// A host in a directory.
pub(in super::super) struct Host {
    pub(in super::super) directory: tempfile::TempDir,
}

impl Host {
    pub(in super::super) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    pub(in super::super) fn path(&self, path: &str) -> PathBuf {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        path
    }

    pub(in super::super) fn write(&self, path: &str, content: &str) {
        fs::write(self.path(path), content).expect("a file");
    }

    pub(in super::super) fn sources(&self) -> Sources {
        Sources::under(self.directory.path())
    }

    fn gather(&self, id: &str, pid: Option<u32>) -> Gathered {
        Files::open(self.sources()).expect("a root").gather(id, pid)
    }

    fn facts(&self, id: &str) -> ContainerFacts {
        let gathered = self.gather(id, None);
        assert_eq!((gathered.malformed, gathered.oversized), (0, 0));
        gathered.facts.expect("facts")
    }
}

const TASKS: &str = "run/containerd/io.containerd.runtime.v2.task";

/// The files of containerd's container.
pub(in super::super) fn with_containerd(host: &Host) {
    host.write(
        &format!("{TASKS}/k8s.io/{WEB}/config.json"),
        recorded!("containerd/web.config.json"),
    );
    host.write(
        &format!("run/containerd/runc/k8s.io/{WEB}/state.json"),
        recorded!("containerd/web.state.json"),
    );
}

#[test]
fn containerd() {
    let host = Host::new();
    fs::create_dir_all(host.path(&format!("{TASKS}/moby"))).expect("a directory");
    with_containerd(&host);
    let facts = host.facts(WEB);
    assert_eq!((facts.runtime.as_str(), facts.name.as_deref()), ("containerd", Some("web")));
    assert_eq!(facts.pod_sandbox_id.as_deref(), Some(SANDBOX));
    assert_eq!(facts.started_unix_ns, Some(1_795_253_157_336_985_053));
    assert_eq!(facts.root, Some(format!("/{TASKS}/k8s.io/{WEB}/rootfs")));
    assert!(host.gather(SANDBOX, None).facts.is_none());
}

#[test]
fn docker() {
    let host = Host::new();
    host.write(
        &format!("{TASKS}/moby/{DOCKER_WEB}/config.json"),
        recorded!("docker/web/config.json"),
    );
    host.write(
        &format!("run/docker/runtime-runc/moby/{DOCKER_WEB}/state.json"),
        recorded!("docker/web/state.json"),
    );
    let bundle_only = host.facts(DOCKER_WEB);
    assert_eq!((bundle_only.image, bundle_only.host_pid), (None, Some(true)));

    let directory = format!("var/lib/docker/containers/{DOCKER_WEB}");
    host.write(&format!("{directory}/config.v2.json"), recorded!("docker/web/config.v2.json"));
    host.write(&format!("{directory}/hostconfig.json"), recorded!("docker/web/hostconfig.json"));
    let facts = host.facts(DOCKER_WEB);
    assert_eq!((facts.runtime.as_str(), facts.name.as_deref()), ("docker", Some("web")));
    assert_eq!((facts.image.as_deref(), facts.privileged), (Some(IMAGE), Some(false)));
    assert_eq!(facts.mounts.len(), 2);
    assert!(facts.root.is_some_and(|root| root.starts_with("/var/lib/docker/vfs/dir/")));

    // Without the host's part, what it would tell is not known.
    let directory = format!("var/lib/docker/containers/{DOCKER_ROOT}");
    host.write(&format!("{directory}/config.v2.json"), recorded!("docker/root/config.v2.json"));
    assert_eq!(host.facts(DOCKER_ROOT).privileged, None);
}

#[test]
fn podman() {
    let host = Host::new();
    let storage = "var/lib/containers/storage/vfs-containers";
    let userdata = format!("{storage}/{PODMAN_WEB}/userdata");
    host.write(&format!("{userdata}/config.json"), recorded!("podman/web/config.json"));
    host.write(&format!("run/runc/{PODMAN_WEB}/state.json"), recorded!("podman/web/state.json"));
    host.write(&format!("{storage}/containers.json"), recorded!("podman/containers.json"));
    let facts = host.facts(PODMAN_WEB);
    assert_eq!((facts.runtime.as_str(), facts.name.as_deref()), ("podman", Some("web")));
    assert_eq!((facts.image.as_deref(), facts.host_network), (Some(IMAGE), Some(true)));
    assert!(facts.started_unix_ns.is_some());
}

#[test]
fn runc_and_crun() {
    let check = |state: &str, content: &str, config: (&str, &str), root: &str, started: u64| {
        let host = Host::new();
        host.write(state, content);
        host.write(config.0, config.1);
        let facts = host.facts("plain");
        let runtime = if state.contains("crun") { "crun" } else { "runc" };
        assert_eq!((facts.runtime.as_str(), facts.image.as_deref()), (runtime, None));
        assert_eq!((facts.privileged, facts.mounts.len()), (Some(false), 1));
        assert_eq!((facts.root.as_deref(), facts.started_unix_ns), (Some(root), Some(started)));
    };
    check(
        "run/runc/plain/state.json",
        recorded!("runc/state.json"),
        ("srv/bundle/config.json", recorded!("runc/config.json")),
        "/srv/bundle/rootfs",
        1_795_253_732_512_929_502,
    );
    check(
        "run/crun/plain/status",
        recorded!("crun/status"),
        ("srv/bundle2/config.json", recorded!("crun/config.json")),
        "/srv/bundle2/rootfs",
        1_795_253_732_804_266_000,
    );
}

#[test]
fn links_lead_where_they_do_on_the_host() {
    let host = Host::new();
    host.write(
        &format!("data/docker/containers/{DOCKER_WEB}/config.v2.json"),
        recorded!("docker/web/config.v2.json"),
    );
    symlink("/data/docker", host.path("var/lib/docker")).expect("a link");
    assert_eq!(host.facts(DOCKER_WEB).image.as_deref(), Some(IMAGE));
}

#[test]
fn nothing_outside_the_root_is_read() {
    let outside = Host::new();
    outside.write("config.v2.json", recorded!("docker/web/config.v2.json"));
    let host = Host::new();
    let link = host.path(&format!("var/lib/docker/containers/{DOCKER_WEB}"));
    symlink(outside.directory.path(), link).expect("a link");
    assert!(host.gather(DOCKER_WEB, None).facts.is_none());
}

#[test]
fn what_is_wrong_is_counted() {
    let check = |content: &str, expected: (u32, u32)| {
        let host = Host::new();
        host.write(&format!("var/lib/docker/containers/{DOCKER_WEB}/config.v2.json"), content);
        let gathered = host.gather(DOCKER_WEB, None);
        assert_eq!((gathered.malformed, gathered.oversized), expected);
        assert!(gathered.facts.is_none());
    };
    let whole = recorded!("docker/web/config.v2.json");
    check("", (1, 0));
    check(&whole[..whole.len() / 2], (1, 0));
    check("[1,2]", (1, 0));
    // Of another container.
    check(recorded!("docker/root/config.v2.json"), (1, 0));
    check(&" ".repeat(5 << 20), (0, 1));
    check(&"[".repeat(1 << 20), (1, 0));
}

#[test]
fn a_pipe_does_not_hold_anybody_up() {
    let host = Host::new();
    let path = host.path(&format!("{TASKS}/k8s.io/{WEB}/config.json"));
    rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .expect("a pipe");
    assert_eq!(host.gather(WEB, None).malformed, 1);
}

#[test]
fn the_process_that_watches_leads_to_the_bundle() {
    let host = Host::new();
    host.write(&format!("opt/odd/{WEB}/config.json"), recorded!("containerd/web.config.json"));
    // Namespaces are compared as files are.
    host.write("proc/1/ns/mnt", "host");
    let share =
        |from: &str, to: &str| fs::hard_link(host.path(from), host.path(to)).expect("a link");
    for (pid, parent, command) in [
        (20, 12, "sleep\0".to_owned()),
        (12, 10, format!("shim\0-id\0{WEB}\0")),
        (10, 1, format!("containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0{WEB}\0")),
    ] {
        host.write(&format!("proc/{pid}/stat"), &format!("{pid} (a ) b) S {parent} 1 1"));
        host.write(&format!("proc/{pid}/cmdline"), &command);
    }
    share("proc/1/ns/mnt", "proc/10/ns/mnt");
    // One within the container that looks the same is passed by.
    host.write("proc/12/ns/mnt", "other");
    symlink("/opt/fake", host.path("proc/12/cwd")).expect("a link");
    symlink(format!("/opt/odd/{WEB}"), host.path("proc/10/cwd")).expect("a link");
    let gathered = host.gather(WEB, Some(20));
    // Only root's processes are believed.
    let expected = rustix::process::geteuid().is_root().then_some("acme");
    assert_eq!(gathered.facts.and_then(|facts| facts.pod_namespace).as_deref(), expected);
    assert!(host.gather(WEB, Some(21)).facts.is_none());
    assert!(host.gather(SANDBOX, Some(20)).facts.is_none());
    // conmon is told the bundle.
    host.write("proc/10/cmdline", &format!("conmon\0-c\0{WEB}\0-b\0/opt/none\0"));
    assert!(host.gather(WEB, Some(20)).facts.is_none());
}

#[test]
fn joined_namespaces_are_compared_with_the_hosts() {
    let host = Host::new();
    with_containerd(&host);
    assert_eq!(host.facts(WEB).host_network, None);
    host.write("proc/1/ns/net", "host");
    host.write("proc/1/ns/ipc", "host");
    fs::create_dir_all(host.path("proc/16816/ns")).expect("a directory");
    fs::hard_link(host.path("proc/1/ns/net"), host.path("proc/16816/ns/net")).expect("a link");
    host.write("proc/16816/ns/ipc", "own");
    let facts = host.facts(WEB);
    assert_eq!((facts.host_network, facts.host_ipc), (Some(true), Some(false)));
}

#[test]
fn a_pattern_is_tried_in_every_directory() {
    let host = Host::new();
    host.write("a/x/f", "");
    host.write("a/y/f", "");
    host.write("a/.z/f", "");
    host.write("a/file", "");
    let files = Files::open(host.sources()).expect("a root");
    assert_eq!(files.expand("a/*/{id}.json", "i"), ["a/x/i.json", "a/y/i.json"]);
    assert_eq!(files.expand("b/*/{id}", "i"), [""; 0]);
    assert_eq!(files.expand("b/{id}", "i"), ["b/i"]);
}
