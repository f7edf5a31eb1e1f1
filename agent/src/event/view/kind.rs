//! What a descriptor stands for: `fd.type`.

use std::sync::LazyLock;

use super::View;
use super::act::Act;
use super::address;
use crate::event::FileFacts;
use crate::rules::event_type::EventType;

/// `S_IFMT`.
const TYPE: u32 = 0o170_000;
/// `S_IFDIR`.
const DIRECTORY: u32 = 0o040_000;

/// Kinds of file systems that are not in the tree of files: `s_magic`.
const PIPE_FS: u32 = 0x5049_5045;
const SOCK_FS: u32 = 0x534f_434b;
const ANON_INODE_FS: u32 = 0x0904_1934;
const PID_FS: u32 = 0x5049_4446;

/// The kind of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Ipv4,
    Ipv6,
    Unix,
    Pipe,
    Event,
    Signal,
    Epoll,
    Inotify,
    Timer,
    Netlink,
    Bpf,
    Userfault,
    Ring,
    Memory,
    Process,
    Unknown,
}

/// Beginnings of the names that anonymous inodes have.
const ANONYMOUS: [(&[u8], Kind); 10] = [
    (b"eventpoll", Kind::Epoll),
    (b"eventfd", Kind::Event),
    (b"signalfd", Kind::Signal),
    (b"inotify", Kind::Inotify),
    (b"timerfd", Kind::Timer),
    (b"userfaultfd", Kind::Userfault),
    (b"bpf", Kind::Bpf),
    (b"io_uring", Kind::Ring),
    (b"iouring", Kind::Ring),
    (b"pidfd", Kind::Process),
];

/// Calls that make a descriptor of one kind, whether it was found or not.
const MAKERS: [(Kind, &[&str]); 10] = [
    (Kind::Pipe, &["pipe", "pipe2"]),
    (Kind::Event, &["eventfd", "eventfd2"]),
    (Kind::Signal, &["signalfd", "signalfd4"]),
    (Kind::Epoll, &["epoll_create", "epoll_create1"]),
    (Kind::Inotify, &["inotify_init", "inotify_init1"]),
    (Kind::Timer, &["timerfd_create"]),
    (Kind::Userfault, &["userfaultfd"]),
    (Kind::Ring, &["io_uring_setup"]),
    (Kind::Memory, &["memfd_create"]),
    (Kind::Process, &["pidfd_open"]),
];

/// The kind that calls of a type make.
fn made(event_type: EventType) -> Option<Kind> {
    static MADE: LazyLock<Box<[Option<Kind>]>> = LazyLock::new(|| {
        let kind = |name: &str| {
            MAKERS.iter().find(|(_, names)| names.contains(&name)).map(|(kind, _)| *kind)
        };
        EventType::all().map(|event_type| kind(event_type.name())).collect()
    });
    MADE.get(event_type.index()).copied().flatten()
}

impl Kind {
    /// `fd.type`; nothing for what Falco has no name for.
    pub(super) const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Unix => "unix",
            Self::Pipe => "pipe",
            Self::Event => "event",
            Self::Signal => "signalfd",
            Self::Epoll => "eventpoll",
            Self::Inotify => "inotify",
            Self::Timer => "timerfd",
            Self::Netlink => "netlink",
            Self::Bpf => "bpf",
            Self::Userfault => "userfaultfd",
            Self::Ring => "io_uring",
            Self::Memory => "memfd",
            Self::Process => "pidfd",
            Self::Unknown => return None,
        })
    }

    /// `fd.typechar`.
    pub(super) const fn letter(self) -> &'static str {
        match self {
            Self::File => "f",
            Self::Directory => "d",
            Self::Ipv4 => "4",
            Self::Ipv6 => "6",
            Self::Unix | Self::Userfault => "u",
            Self::Pipe => "p",
            Self::Event => "e",
            Self::Signal => "s",
            Self::Epoll => "l",
            Self::Inotify => "i",
            Self::Timer => "t",
            Self::Netlink => "n",
            Self::Bpf => "b",
            Self::Ring => "r",
            Self::Memory => "m",
            Self::Process => "P",
            Self::Unknown => "o",
        }
    }

    pub(super) const fn is_ip(self) -> bool {
        matches!(self, Self::Ipv4 | Self::Ipv6)
    }

    pub(super) const fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Directory)
    }
}

impl View<'_> {
    /// The kind of the descriptor that the event is about; nothing when there is none.
    pub(super) fn kind(&self) -> Option<Kind> {
        if !self.is_call() {
            return None;
        }
        if let Some(socket) = self.record.socket {
            return Some(self.of_family(socket.family));
        }
        if let Some(file) = self.record.file {
            return Some(of_file(&file, self.record.path.map(|path| path.bytes)));
        }
        match self.act {
            // The call failed, or what it made is not known.
            Act::Open | Act::OpenHandle | Act::Create => Some(Kind::File),
            Act::Socket => Some(self.of_family(u16::try_from(self.register(0)?).ok()?)),
            Act::Connect | Act::Bind | Act::Send | Act::Receive => {
                Some(self.of_family(address::family(self.record.address?.bytes)?))
            }
            _ => self.record.path.map(|_| Kind::File).or_else(|| made(self.event_type)),
        }
    }

    fn of_family(&self, family: u16) -> Kind {
        match family {
            address::UNIX => Kind::Unix,
            address::INET => Kind::Ipv4,
            address::INET6 if self.speaks_v4() => Kind::Ipv4,
            address::INET6 => Kind::Ipv6,
            address::NETLINK => Kind::Netlink,
            _ => Kind::Unknown,
        }
    }
}

impl View<'_> {
    /// True for a socket of version 6 with an end of version 4. Only what the kernel
    /// has counts: the kind is not to change with every address that is sent to.
    fn speaks_v4(&self) -> bool {
        self.record.socket.is_some_and(|socket| {
            let remote = address::ip(socket.family, &socket.remote);
            let local = address::ip(socket.family, &socket.local);
            remote.into_iter().chain(local).any(|ip| ip.is_ipv4())
        })
    }
}

fn of_file(file: &FileFacts, path: Option<&[u8]>) -> Kind {
    let name = path.unwrap_or_default();
    match file.magic {
        PIPE_FS => Kind::Pipe,
        SOCK_FS => Kind::Unknown,
        PID_FS => Kind::Process,
        ANON_INODE_FS => {
            let name = name.strip_prefix(b"anon_inode:").unwrap_or(name);
            let name = name.strip_prefix(b"[").unwrap_or(name);
            let row = ANONYMOUS.iter().find(|(begin, _)| name.starts_with(begin));
            row.map_or(Kind::Unknown, |(_, kind)| *kind)
        }
        _ if name.starts_with(b"/memfd:") => Kind::Memory,
        _ if file.mode & TYPE == DIRECTORY => Kind::Directory,
        _ => Kind::File,
    }
}
