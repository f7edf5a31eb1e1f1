//! Events as a busy node has them: what a web shop, its databases, the kubelet and
//! cron do all day, and now and then something that a rule is after.

use std::net::IpAddr;

use landlord::rules::event::{Argument, Event, FieldRef};
use landlord::rules::event_type::EventType;
use landlord::rules::field::FieldId;
use landlord::rules::value::Value;

/// An event with the fields that rules for its type ask for.
#[derive(Debug)]
pub(crate) struct NodeEvent {
    event_type: EventType,
    process: &'static Process,
    path: String,
    directory: usize,
    flags: &'static str,
    descriptor: i64,
    result: i64,
    open: Option<Open>,
    socket: Option<Socket>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Open {
    read: bool,
    write: bool,
    exec: bool,
}

#[derive(Clone, Copy, Debug)]
struct Socket {
    client: (IpAddr, u16),
    server: (IpAddr, u16),
    protocol: &'static str,
}

#[derive(Debug)]
struct Process {
    name: &'static str,
    exe: &'static str,
    command: &'static str,
    arguments: &'static str,
    ancestors: &'static [&'static str],
    container: &'static str,
    image: &'static str,
    uid: u64,
    user: &'static str,
    terminal: u64,
}

const WORK: &[Process] = &[
    Process {
        name: "nginx",
        exe: "/usr/sbin/nginx",
        command: "nginx -g daemon off;",
        arguments: "-g daemon off;",
        ancestors: &["nginx", "containerd-shim", "systemd"],
        container: "3ad7b26ded6d",
        image: "docker.io/library/nginx",
        uid: 101,
        user: "nginx",
        terminal: 0,
    },
    Process {
        name: "java",
        exe: "/opt/java/openjdk/bin/java",
        command: "java -Xmx4g -XX:+UseG1GC -Dspring.profiles.active=prod -jar /app/shop.jar",
        arguments: "-Xmx4g -XX:+UseG1GC -Dspring.profiles.active=prod -jar /app/shop.jar",
        ancestors: &["sh", "containerd-shim", "systemd"],
        container: "a1f3d9b0c2e4",
        image: "registry.example.com/shop/backend",
        uid: 1000,
        user: "app",
        terminal: 0,
    },
    Process {
        name: "postgres",
        exe: "/usr/lib/postgresql/16/bin/postgres",
        command: "postgres: shop shop 10.42.1.17(51344) SELECT",
        arguments: "shop shop 10.42.1.17(51344) SELECT",
        ancestors: &["postgres", "containerd-shim", "systemd"],
        container: "77c0ffee1234",
        image: "docker.io/library/postgres",
        uid: 999,
        user: "postgres",
        terminal: 0,
    },
    Process {
        name: "kubelet",
        exe: "/usr/bin/kubelet",
        command: "kubelet --config=/var/lib/kubelet/config.yaml --container-runtime-endpoint=unix:///run/containerd/containerd.sock",
        arguments: "--config=/var/lib/kubelet/config.yaml --container-runtime-endpoint=unix:///run/containerd/containerd.sock",
        ancestors: &["systemd"],
        container: "host",
        image: "",
        uid: 0,
        user: "root",
        terminal: 0,
    },
    Process {
        name: "node_exporter",
        exe: "/bin/node_exporter",
        command: "node_exporter --path.rootfs=/host --collector.systemd",
        arguments: "--path.rootfs=/host --collector.systemd",
        ancestors: &["containerd-shim", "systemd"],
        container: "d00df00d4711",
        image: "quay.io/prometheus/node-exporter",
        uid: 65534,
        user: "nobody",
        terminal: 0,
    },
    Process {
        name: "python3",
        exe: "/usr/local/bin/python3.12",
        command: "python3 -m celery -A shop.tasks worker --loglevel=info --concurrency=4",
        arguments: "-m celery -A shop.tasks worker --loglevel=info --concurrency=4",
        ancestors: &["python3", "tini", "containerd-shim", "systemd"],
        container: "5ca1ab1e0042",
        image: "registry.example.com/shop/worker",
        uid: 1000,
        user: "app",
        terminal: 0,
    },
];

/// Whom rules are after.
const INTRUDER: Process = Process {
    name: "perl",
    exe: "/usr/bin/perl",
    command: "perl -e print 1",
    arguments: "-e print 1",
    ancestors: &["bash", "runc", "containerd-shim", "systemd"],
    container: "3ad7b26ded6d",
    image: "docker.io/library/nginx",
    uid: 0,
    user: "root",
    terminal: 34816,
};

const READ: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/libssl.so.3",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/proc/self/stat",
    "/proc/1834/cgroup",
    "/proc/meminfo",
    "/sys/fs/cgroup/kubepods.slice/memory.current",
    "/sys/class/net/eth0/statistics/rx_bytes",
    "/app/static/css/main.8f2c1b.css",
    "/app/BOOT-INF/classes/application.yml",
    "/usr/share/zoneinfo/Europe/Berlin",
    "/var/www/html/index.html",
    "/usr/local/lib/python3.12/site-packages/celery/app/base.py",
];

const WRITTEN: &[&str] = &[
    "/var/log/nginx/access.log",
    "/var/lib/postgresql/data/pg_wal/000000010000000000000042",
    "/tmp/hsperfdata_app/1",
    "/var/lib/kubelet/pods/1f2e/volumes/kubernetes.io~empty-dir/cache/x.tmp",
    "/app/uploads/2026/11/20/9f8a7b6c.jpg",
    "/dev/null",
];

/// The same numbers every time.
struct Numbers(u64);

impl Numbers {
    /// Below `end`.
    fn next(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from((self.0 >> 33) % end).unwrap_or_default()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next(all.len())]
    }
}

/// So many events; always the same.
pub(crate) fn events(number: usize) -> Vec<NodeEvent> {
    let mut numbers = Numbers(42);
    (0..number).map(|_| event(&mut numbers)).collect()
}

fn event(numbers: &mut Numbers) -> NodeEvent {
    let process = &WORK[numbers.next(WORK.len())];
    match numbers.next(100) {
        0..51 => file("openat", process, numbers.of(READ), reading()),
        51..60 => file("openat", process, numbers.of(WRITTEN), writing()),
        // What rules are after.
        60 if numbers.next(2) == 0 => file("openat", &INTRUDER, "/etc/cron.d/job", writing()),
        60 => file("openat", &INTRUDER, "/etc/shadow", reading()),
        61..67 => socket("connect", process, numbers, "tcp"),
        67..71 => socket("accept4", process, numbers, "tcp"),
        71..74 => file("execve", process, process.exe, None),
        74..79 => file("dup2", process, "/dev/null", None),
        79..85 => socket("sendto", process, numbers, "tcp"),
        85..89 => socket("recvfrom", process, numbers, "tcp"),
        89..93 => file("unlinkat", process, numbers.of(WRITTEN), None),
        93..96 => file("renameat2", process, numbers.of(WRITTEN), None),
        96..98 => file("fchmodat", process, numbers.of(WRITTEN), None),
        _ => file("mkdirat", process, numbers.of(WRITTEN), None),
    }
}

const fn reading() -> Option<Open> {
    Some(Open { read: true, write: false, exec: false })
}

const fn writing() -> Option<Open> {
    Some(Open { read: false, write: true, exec: false })
}

fn file(name: &str, process: &'static Process, path: &str, open: Option<Open>) -> NodeEvent {
    let flags = if open.is_some_and(|open| open.write) {
        "O_CREAT|O_WRONLY|O_APPEND|O_CLOEXEC"
    } else {
        "O_RDONLY|O_CLOEXEC"
    };
    let (descriptor, result) = if open.is_some() { (12, 12) } else { (3, 0) };
    NodeEvent {
        event_type: EventType::named(name).expect("a type of event"),
        process,
        path: path.to_owned(),
        directory: path.rfind('/').unwrap_or_default(),
        flags,
        descriptor,
        result,
        open,
        socket: None,
    }
}

fn socket(
    name: &str,
    process: &'static Process,
    numbers: &mut Numbers,
    protocol: &'static str,
) -> NodeEvent {
    let byte = |number: usize| u8::try_from(number).unwrap_or_default();
    let client = IpAddr::from([10, 42, 1, byte(numbers.next(250))]);
    let server = IpAddr::from([10, 43, byte(numbers.next(4)), byte(numbers.next(250))]);
    let socket = Socket {
        client: (client, 51_344),
        server: (server, numbers.of(&[80, 443, 5432, 6379, 8080, 9100])),
        protocol,
    };
    let path = format!("{client}:{}->{server}:{}", socket.client.1, socket.server.1);
    let event = file(name, process, &path, None);
    NodeEvent { descriptor: 9, socket: Some(socket), ..event }
}

impl Event for NodeEvent {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        let process = self.process;
        let text = |text: &'static str| Some(Value::Text(text.as_bytes()));
        let of_ancestor = |nth: usize| process.ancestors.get(nth).and_then(|name| text(name));
        let file = || self.socket.is_none();
        // Of what has one value, nobody asks for a second.
        match field.id {
            FieldId::ProcAname | FieldId::ProcAexe | FieldId::ProcAexepath => {
                match field.argument {
                    Argument::Index(index) => {
                        of_ancestor(usize::try_from(index).ok()?.checked_sub(1)?)
                    }
                    _ => of_ancestor(nth),
                }
            }
            FieldId::FdIp | FieldId::FdNet => match (&self.socket, nth) {
                (Some(socket), 0) => Some(Value::Ip(socket.client.0)),
                (Some(socket), 1) => Some(Value::Ip(socket.server.0)),
                _ => None,
            },
            FieldId::FdPort => match (&self.socket, nth) {
                (Some(socket), 0) => Some(Value::Uint(socket.client.1.into())),
                (Some(socket), 1) => Some(Value::Uint(socket.server.1.into())),
                _ => None,
            },
            FieldId::EvtType | FieldId::SyscallType => text(self.event_type.name()),
            FieldId::EvtDir => text("<"),
            FieldId::EvtNum => Some(Value::Uint(1)),
            FieldId::EvtRawres => Some(Value::Int(self.result)),
            FieldId::EvtRes => text("SUCCESS"),
            FieldId::EvtFailed => Some(Value::Bool(self.result < 0)),
            FieldId::EvtIsOpenRead => self.open.map(|open| Value::Bool(open.read)),
            FieldId::EvtIsOpenWrite => self.open.map(|open| Value::Bool(open.write)),
            FieldId::EvtIsOpenExec => self.open.map(|open| Value::Bool(open.exec)),
            FieldId::EvtArg => match &field.argument {
                Argument::Param(param) => match param.name() {
                    "flags" => text(self.flags),
                    "name" | "path" | "newpath" | "oldpath" if file() => {
                        Some(Value::Text(self.path.as_bytes()))
                    }
                    _ => None,
                },
                _ => None,
            },
            FieldId::FdName => Some(Value::Text(self.path.as_bytes())),
            FieldId::FdNameraw if file() => Some(Value::Text(self.path.as_bytes())),
            FieldId::FdDirectory if file() => {
                Some(Value::Text(&self.path.as_bytes()[..self.directory]))
            }
            FieldId::FdFilename if file() => {
                Some(Value::Text(&self.path.as_bytes()[self.directory + 1..]))
            }
            FieldId::FdNum => Some(Value::Int(self.descriptor)),
            FieldId::FdTypechar => text(if file() { "f" } else { "4" }),
            FieldId::FdType => text(if file() { "file" } else { "ipv4" }),
            FieldId::FdSockfamily => self.socket.as_ref().and_then(|_| text("ip")),
            FieldId::FdL4proto => self.socket.as_ref().and_then(|socket| text(socket.protocol)),
            FieldId::FdCip => self.socket.as_ref().map(|socket| Value::Ip(socket.client.0)),
            FieldId::FdSip | FieldId::FdSnet => {
                self.socket.as_ref().map(|socket| Value::Ip(socket.server.0))
            }
            FieldId::FdCport => {
                self.socket.as_ref().map(|socket| Value::Uint(socket.client.1.into()))
            }
            FieldId::FdSport => {
                self.socket.as_ref().map(|socket| Value::Uint(socket.server.1.into()))
            }
            FieldId::FdConnected => self.socket.as_ref().map(|_| Value::Bool(true)),
            FieldId::FdNameChanged => Some(Value::Bool(false)),
            FieldId::ProcName => text(process.name),
            FieldId::ProcPname => of_ancestor(0),
            FieldId::ProcExe => text(process.name),
            FieldId::ProcPexe => of_ancestor(0),
            FieldId::ProcExepath => text(process.exe),
            FieldId::ProcCmdline => text(process.command),
            FieldId::ProcArgs => text(process.arguments),
            FieldId::ProcPcmdline => of_ancestor(0),
            FieldId::ProcCwd => text("/"),
            FieldId::ProcSname => of_ancestor(0),
            FieldId::ProcTty => Some(Value::Uint(process.terminal)),
            FieldId::ProcVpid => Some(Value::Int(17)),
            FieldId::ProcIsExeUpperLayer | FieldId::ProcIsExeFromMemfd => Some(Value::Bool(false)),
            FieldId::ThreadCapPermitted | FieldId::ThreadCapEffective => text(""),
            FieldId::UserUid => Some(Value::Uint(process.uid)),
            FieldId::UserName => text(process.user),
            FieldId::UserLoginuid => Some(Value::Int(-1)),
            FieldId::ContainerId => text(process.container),
            FieldId::ContainerImageRepository if process.container != "host" => text(process.image),
            FieldId::ContainerPrivileged if process.container != "host" => Some(Value::Bool(false)),
            FieldId::K8sNsName if process.container != "host" => text("shop"),
            _ => None,
        }
    }
}
