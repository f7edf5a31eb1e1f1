//! What stands around the events of these tests: a shell's child in a container.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::container::{ContainerFacts, Mount, Probe};
use crate::event::{FileFacts, Names, Node, Place, Record, Surroundings, TaskFacts};
use crate::identity::cgroup_path::Runtime;
use crate::process::{Limits, ProcessFacts, Table};

/// Id of the container.
pub(super) const ID: &str = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e";

pub(super) struct World {
    pub(super) table: Table,
    pub(super) place: Place,
    pub(super) node: Node,
    pub(super) peer: Option<&'static str>,
}

impl Names for World {
    fn user_name(&self, container: Option<&str>, uid: u32) -> Option<&str> {
        match (container, uid) {
            (_, 0) => Some("root"),
            (None, 1000) => Some("alice"),
            (Some(_), 1000) => Some("app"),
            _ => None,
        }
    }

    fn home(&self, _: Option<&str>, uid: u32) -> Option<&str> {
        (uid == 1000).then_some("/home/app")
    }

    fn shell(&self, _: Option<&str>, uid: u32) -> Option<&str> {
        (uid == 1000).then_some("/bin/false")
    }

    fn group_name(&self, _: Option<&str>, gid: u32) -> Option<&str> {
        (gid == 100).then_some("users")
    }
}

impl Default for World {
    /// A container with the processes 10 (`sh`), 100 (`bash`) and 200 (`cat`).
    fn default() -> Self {
        let mut table = Table::new(Limits::default());
        table.insert(process(1, 0, 1_000, "init", &["/sbin/init"]));
        table.insert(process(10, 1, 1_000_000_000, "sh", &["/bin/sh", "-c", "serve"]));
        table.insert(process(100, 10, 2_000_000_000, "bash", &["-bash"]));
        table.insert(process(200, 100, 5_000_000_000, "cat", &["cat", "-n", "/etc/shadow"]));
        let facts = ContainerFacts {
            id: ID.to_owned(),
            runtime: "containerd".to_owned(),
            name: Some("web".to_owned()),
            image: Some("registry.example:5000/team/web:1.2".to_owned()),
            privileged: Some(true),
            mounts: vec![mount("/etc", "/host/etc", false), mount("/var/lib/a", "/data", true)],
            labels: map(&[("team", "red"), ("tier", "1")]),
            started_unix_ns: Some(500_000_000_900),
            probes: vec![(Probe::Liveness, "/bin/sh -c serve".to_owned())],
            pod_name: Some("web-0".to_owned()),
            pod_uid: Some("b2e1".to_owned()),
            pod_namespace: Some("shop".to_owned()),
            pod_sandbox_id: Some(ID.replace('3', "4")),
            pod_labels: map(&[("app", "web"), ("app.kubernetes.io/part-of", "shop")]),
            ip: Some("10.1.2.3".to_owned()),
            ..ContainerFacts::default()
        };
        let place = Place {
            cgroup_path: "/kubepods.slice/web".into(),
            container_id: Some(ID.into()),
            runtime: Some(Runtime::Containerd),
            pod_uid: Some("b2e1".into()),
            facts: Some(Arc::new(facts)),
            tenant: "shop".into(),
            tenant_labels: Arc::new(map(&[("team", "blue")])),
            ..Place::default()
        };
        let node = Node {
            hostname: "node-1".into(),
            boot_unix_ns: 500_000_000_000,
            agent_started_ns: 3_000_000_000,
            zone: TimeZone::UTC,
        };
        Self { table, place, node, peer: None }
    }
}

impl World {
    /// The same on the host.
    pub(super) fn host() -> Self {
        let place = Place {
            cgroup_path: "/system.slice/ssh.service".into(),
            tenant: "host".into(),
            ..Place::default()
        };
        Self { place, ..Self::default() }
    }

    /// The same where no process is known.
    pub(super) fn unknown() -> Self {
        Self { table: Table::new(Limits::default()), ..Self::default() }
    }

    pub(super) fn around(&self, record: &Record<'_>) -> Surroundings<'_> {
        Surroundings {
            process: self.table.get(record.head.tgid, record.head.start_ns),
            processes: &self.table,
            place: &self.place,
            names: self,
            node: &self.node,
            number: 42,
            previous_ns: 5_500_000_000,
            peer: self.peer,
        }
    }
}

pub(super) fn process(
    pid: u32,
    parent: u32,
    start_ns: u64,
    comm: &str,
    argv: &[&str],
) -> ProcessFacts {
    let mut words = argv.join("\0").into_bytes();
    words.push(0);
    let is_inside = pid >= 10;
    ProcessFacts {
        pid,
        start_ns,
        parent,
        exec_ns: start_ns,
        comm: comm.as_bytes().into(),
        argv: words.into(),
        envp: format!("PID={pid}\0HOME=/root\0").into_bytes().into(),
        exe: format!("/usr/bin/{comm}").into_bytes().into(),
        exe_deleted: false,
        cwd: b"/work".as_slice().into(),
        uid: 1000,
        gid: 100,
        loginuid: u32::MAX,
        cgroup: if is_inside { 7 } else { 1 },
        file: Some(FileFacts {
            ino: 77,
            ctime_ns: 503_000_000_000,
            mtime_ns: 402_000_000_000,
            layer: 1,
            ..FileFacts::default()
        }),
        task: TaskFacts {
            sid: if is_inside { 10 } else { 1 },
            pgid: pid,
            vpid: if is_inside { pid / 10 } else { pid },
            vtid: if is_inside { pid / 10 } else { pid },
            vsid: 1,
            vpgid: if is_inside { pid / 10 } else { pid },
            tty: 34816,
            pid_namespace: if is_inside { 4_026_532_000 } else { 4_026_531_836 },
            mount_namespace: 0,
            exec_flags: 1,
        },
    }
}

fn mount(source: &str, destination: &str, writable: bool) -> Mount {
    Mount {
        source: source.to_owned(),
        destination: destination.to_owned(),
        mode: if writable { "rw" } else { "ro" }.to_owned(),
        writable,
        propagation: "rprivate".to_owned(),
    }
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
