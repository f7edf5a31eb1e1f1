//! Addresses of sockets as text.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use landlord_ebpf::abi::plan_flag;

use super::Call;
use crate::event::Record;

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// One end of a connection.
type End = (IpAddr, u16);

/// Writes a socket address as the call was given it: `127.0.0.1:80`, the path of a unix
/// socket (`@` before a name without a file), else `family N`.
pub(super) fn address(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(family) = pair(bytes, 0).map(u16::from_ne_bytes) else { return false };
    if family == AF_UNIX {
        unix(bytes.get(2..).unwrap_or_default(), out);
        return true;
    }
    let written = match end(bytes) {
        Some((ip, port)) => write!(out, "{ip}:{port}"),
        None => write!(out, "family {family}"),
    };
    written.is_ok()
}

/// Writes both ends of a connection, the client's first: `10.0.0.1:4000->10.0.0.2:80`.
/// A server's end is this one where the plan says so, else the other. Where the socket
/// is not connected, the address that the call was given stands for the other end.
pub(super) fn tuple(call: &Call, record: &Record<'_>, out: &mut Vec<u8>) -> bool {
    if let Some((local, remote)) = ends(record) {
        let is_server = call.plan.flags & plan_flag::SERVER != 0;
        let (client, server) = if is_server { (remote, local) } else { (local, remote) };
        return write!(out, "{}:{}->{}:{}", client.0, client.1, server.0, server.1).is_ok();
    }
    let given =
        record.address.and_then(|address| address.bytes.strip_prefix(&AF_UNIX.to_ne_bytes()));
    let kernel = [record.unix_peer_path, record.unix_path];
    let kernel = kernel.into_iter().flatten().map(|part| part.bytes).find(|path| !path.is_empty());
    let Some(path) = kernel.or(given) else { return false };
    // In place of the kernel's addresses of both sockets, which are nobody's business.
    out.extend_from_slice(b"0->0 ");
    unix(path, out);
    true
}

fn ends(record: &Record<'_>) -> Option<(End, End)> {
    let given = record.address.and_then(|address| end(address.bytes));
    let Some(socket) = record.socket else {
        return given.map(|remote| (nowhere(remote), remote));
    };
    let local = (ip(socket.family, socket.local)?, socket.local_port);
    let remote = if socket.remote_port == 0 {
        given?
    } else {
        (ip(socket.family, socket.remote)?, socket.remote_port)
    };
    Some((local, remote))
}

/// An end of which nothing is known but its family.
fn nowhere(other: End) -> End {
    match other.0 {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), 0),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), 0),
    }
}

fn ip(family: u16, bytes: [u8; 16]) -> Option<IpAddr> {
    let [a, b, c, d, ..] = bytes;
    match family {
        AF_INET => Some(Ipv4Addr::new(a, b, c, d).into()),
        AF_INET6 => Some(IpAddr::from(bytes).to_canonical()),
        _ => None,
    }
}

/// The address and port in a `sockaddr_in` or `sockaddr_in6`.
fn end(bytes: &[u8]) -> Option<End> {
    let family = u16::from_ne_bytes(pair(bytes, 0)?);
    let port = u16::from_be_bytes(pair(bytes, 2)?);
    let ip = match family {
        AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).into(),
        AF_INET6 => IpAddr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).to_canonical(),
        _ => return None,
    };
    Some((ip, port))
}

/// A unix socket's path up to its zero; a name without a file has its zero first.
fn unix(path: &[u8], out: &mut Vec<u8>) {
    let (mark, name): (&[u8], _) = match path {
        [0, name @ ..] => (b"@", name),
        name => (b"", name),
    };
    out.extend_from_slice(mark);
    out.extend(name.iter().take_while(|byte| **byte != 0));
}

fn pair(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    bytes.get(at..at + 2)?.try_into().ok()
}
