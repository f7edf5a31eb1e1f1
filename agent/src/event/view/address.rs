//! Socket addresses as calls are given them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `AF_UNIX`.
pub(super) const UNIX: u16 = 1;
/// `AF_INET`.
pub(super) const INET: u16 = 2;
/// `AF_INET6`.
pub(super) const INET6: u16 = 10;
/// `AF_NETLINK`.
pub(super) const NETLINK: u16 = 16;

/// One end of a connection.
pub(super) type End = (IpAddr, u16);

/// The family of a `sockaddr`.
pub(super) fn family(address: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(array(address, 0)?))
}

/// Address and port of a `sockaddr_in` or `sockaddr_in6`.
pub(super) fn end(address: &[u8]) -> Option<End> {
    let port = || Some(u16::from_be_bytes(array(address, 2)?));
    let ip = match family(address)? {
        INET => IpAddr::V4(Ipv4Addr::from(array::<4>(address, 4)?)),
        INET6 => plain(Ipv6Addr::from(array::<16>(address, 8)?)),
        _ => return None,
    };
    Some((ip, port()?))
}

/// Path of a `sockaddr_un`; one that is no path in the file system starts with a zero.
pub(super) fn unix_path(address: &[u8]) -> Option<&[u8]> {
    (family(address)? == UNIX).then(|| &address[2..]).filter(|path| !path.is_empty())
}

/// An address of the kernel's, by its family.
pub(super) fn ip(family: u16, bytes: &[u8; 16]) -> Option<IpAddr> {
    match family {
        INET => Some(IpAddr::V4(Ipv4Addr::from(array::<4>(bytes, 0)?))),
        INET6 => Some(plain(Ipv6Addr::from(*bytes))),
        _ => None,
    }
}

/// An IPv4 address in the form of IPv6 is told as IPv4.
fn plain(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
