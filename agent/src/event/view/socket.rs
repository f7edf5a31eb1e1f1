//! Both ends of an internet socket, and who of them is the server.

use std::io::Write as _;

use landlord_ebpf::abi::SocketFacts;

use super::View;
use super::act::Act;
use super::address::{self, End};
use crate::event::{Initiator, RemoteEnd};

/// `TCP_ESTABLISHED`, which connected sockets of other protocols are in, too.
const ESTABLISHED: u16 = 1;
/// `TCP_LISTEN`.
const LISTENS: u16 = 10;
/// `EINPROGRESS`: the connection is being made.
const IN_PROGRESS: i64 = 115;

/// What is known of the ends of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// This end.
    pub(super) local: Option<End>,
    /// The other end.
    pub(super) remote: Option<End>,
    /// This end is the server's.
    pub(super) is_server: bool,
    /// The event gave the socket another end.
    pub(super) is_new: bool,
    /// One of the ends is what the call was given, not what the kernel has.
    pub(super) is_given: bool,
}

impl Connection {
    /// The ends of the socket that an event is about; nothing when it is about none.
    pub(super) fn of(view: &View<'_>) -> Option<Self> {
        let (record, act) = (view.record, view.act);
        if !view.is_call() {
            return None;
        }
        let given = record.address.and_then(|part| address::end(part.bytes));
        let Some(socket) = record.socket else {
            return Self::of_address(view, given?);
        };
        let mut local = Some((address::ip(socket.family, &socket.local)?, socket.local_port));
        if act == Act::Bind && socket.local_port == 0 {
            local = given.or(local);
        }
        let listens = matches!(act, Act::Bind | Act::Listen) || socket.state == LISTENS;
        let known = remote_of(&socket).filter(|_| !listens);
        let remote = match act {
            Act::Connect | Act::Send | Act::Receive if !listens => known.or(given),
            _ => known,
        };
        let is_server = match act {
            Act::Connect => false,
            Act::Accept => true,
            _ if listens => true,
            _ => guess(socket.local_port, remote),
        };
        let is_new = match act {
            Act::Connect => view.error().is_none_or(|error| error == IN_PROGRESS),
            Act::Send | Act::Receive => known.is_none() && remote.is_some(),
            _ => false,
        };
        let is_given = remote != known || (act == Act::Bind && socket.local_port == 0);
        Some(Self { local, remote, is_server, is_new, is_given })
    }

    /// The ends where an address is all that is known.
    fn of_address(view: &View<'_>, given: End) -> Option<Self> {
        let is_new = view.error().is_none();
        let none = Self { local: None, remote: None, is_server: false, is_new, is_given: true };
        match view.act {
            Act::Bind => Some(Self { local: Some(given), is_server: true, ..none }),
            Act::Connect | Act::Send | Act::Receive => Some(Self { remote: Some(given), ..none }),
            _ => None,
        }
    }

    /// The client's end.
    pub(super) fn client(&self) -> Option<End> {
        if self.is_server { self.remote } else { self.local.filter(|_| self.remote.is_some()) }
    }

    /// The server's end.
    pub(super) fn server(&self) -> Option<End> {
        if self.is_server { self.local } else { self.remote }
    }

    /// Those that are known, the client's first.
    pub(super) fn ends(&self) -> impl Iterator<Item = End> {
        [self.client(), self.server()].into_iter().flatten()
    }
}

/// True when the socket has another end for good.
pub(super) const fn is_connected(socket: &SocketFacts) -> bool {
    socket.state == ESTABLISHED
}

/// The other end as the kernel has it. Sockets without ports have an address alone.
fn remote_of(socket: &SocketFacts) -> Option<End> {
    let ip = address::ip(socket.family, &socket.remote)?;
    (socket.remote_port != 0 || !ip.is_unspecified()).then_some((ip, socket.remote_port))
}

/// Where nothing tells it, the smaller port is taken for the server's.
fn guess(local_port: u16, remote: Option<End>) -> bool {
    local_port != 0 && remote.is_none_or(|(_, port)| local_port < port)
}

/// Longest text: two addresses of version 6 with their ports.
const NAME_BYTES: usize = 96;

/// The text of the ends, `10.0.0.1:4711->10.0.0.2:443`, or of the one that is known.
pub(super) struct Name {
    bytes: [u8; NAME_BYTES],
    len: usize,
}

impl Name {
    /// The name of a socket with these ends; nothing when none is known.
    pub(super) fn of(connection: &Connection) -> Option<Self> {
        let mut bytes = [0; NAME_BYTES];
        let mut rest = bytes.as_mut_slice();
        let written = match (connection.client(), connection.server()) {
            (Some((client, from)), Some((server, to))) => {
                write!(rest, "{client}:{from}->{server}:{to}")
            }
            (Some((ip, port)), None) | (None, Some((ip, port))) => write!(rest, "{ip}:{port}"),
            (None, None) => return None,
        };
        let left = rest.len();
        written.ok().map(|()| Self { bytes, len: NAME_BYTES - left })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl<'a> View<'a> {
    /// The ends of the socket that the event is about.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.get_or_init(|| Connection::of(self)).as_ref()
    }

    /// The other end of the socket that the event is about, as far as there is one.
    #[must_use]
    pub fn remote_end(&self) -> Option<RemoteEnd> {
        let (address, port) = self.connection()?.remote?;
        let protocol = match self.protocol() {
            Some("tcp") => Some(6),
            Some("udp") => Some(17),
            _ => None,
        };
        let initiator = match self.act {
            Act::Connect => Initiator::Local,
            Act::Accept => Initiator::Remote,
            _ => Initiator::Unknown,
        };
        Some(RemoteEnd { address, port, protocol, initiator })
    }

    /// They as text.
    pub(super) fn socket_name(&self) -> Option<&[u8]> {
        let name = || self.connection().and_then(Name::of);
        self.socket_name.get_or_init(name).as_ref().map(Name::as_bytes)
    }

    /// Path of the unix socket at the end that the event is about; a name that is no
    /// path starts with a zero.
    pub(super) fn unix_path(&self) -> Option<&'a [u8]> {
        let record = self.record;
        let bytes = |part: Option<super::super::Part<'a>>| {
            part.map(|part| part.bytes).filter(|bytes| !bytes.is_empty())
        };
        let given = record.address.and_then(|part| address::unix_path(part.bytes));
        let (own, peer) = (bytes(record.unix_path), bytes(record.unix_peer_path));
        let path = match self.act {
            Act::Connect | Act::Send => peer.or(given).or(own),
            Act::Bind => own.or(given),
            _ => own.or(peer).or(given),
        }?;
        let is_path = path.first() != Some(&0);
        let end = path.iter().position(|byte| *byte == 0 && is_path).unwrap_or(path.len());
        Some(&path[..end])
    }
}
