//! Sockets: ends, roles and names.

use std::net::IpAddr;

use landlord_ebpf::abi::{Section, SocketFacts, section_flag};

use super::check;
use super::draft::Draft;

pub(super) const TCP: u16 = 6;
pub(super) const UDP: u16 = 17;

fn bytes(ip: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    match ip.parse().unwrap() {
        IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes = ip.octets(),
    }
    bytes
}

pub(super) fn socket(
    protocol: u16,
    state: u16,
    local: (&str, u16),
    remote: (&str, u16),
) -> SocketFacts {
    SocketFacts {
        ino: 99,
        family: if local.0.contains(':') { 10 } else { 2 },
        kind: if protocol == TCP { 1 } else { 2 },
        protocol,
        state,
        local_port: local.1,
        remote_port: remote.1,
        padding: 0,
        local: bytes(local.0),
        remote: bytes(remote.0),
    }
}

pub(super) fn address(draft: Draft, ip: &str, port: u16) -> Draft {
    let mut address = Vec::new();
    let is_v6 = ip.contains(':');
    address.extend_from_slice(&(if is_v6 { 10_u16 } else { 2 }).to_ne_bytes());
    address.extend_from_slice(&port.to_be_bytes());
    if is_v6 {
        address.extend_from_slice(&[0; 4]);
        address.extend_from_slice(&bytes(ip));
    } else {
        address.extend_from_slice(&bytes(ip)[..4]);
        address.extend_from_slice(&[0; 8]);
    }
    draft.section(Section::Address, section_flag::USER, &address)
}

#[test]
fn a_client() {
    let facts = socket(TCP, 1, ("10.0.0.1", 4711), ("10.0.0.2", 443));
    check(
        &address(Draft::call("connect").args(&[3]).socket(&facts), "10.9.9.9", 443),
        &[
            ("fd.num", "3"),
            ("fd.name", "10.0.0.1:4711->10.0.0.2:443"),
            ("fd.type", "ipv4"),
            ("fd.typechar", "4"),
            ("fd.sockfamily", "ip"),
            ("fd.l4proto", "tcp"),
            ("fd.cip", "10.0.0.1"),
            ("fd.cport", "4711"),
            ("fd.sip", "10.0.0.2"),
            ("fd.sport", "443"),
            ("fd.sproto", "443"),
            ("fd.cproto", "4711"),
            ("fd.lip", "10.0.0.1"),
            ("fd.lport", "4711"),
            ("fd.rip", "10.0.0.2"),
            ("fd.rport", "443"),
            ("fd.ip", "10.0.0.1,10.0.0.2"),
            ("fd.net", "10.0.0.1,10.0.0.2"),
            ("fd.port", "4711,443"),
            ("fd.proto", "4711,443"),
            ("fd.cnet", "10.0.0.1"),
            ("fd.snet", "10.0.0.2"),
            ("fd.lnet", "10.0.0.1"),
            ("fd.rnet", "10.0.0.2"),
            ("fd.sip.name", "-"),
            ("fd.is_server", "false"),
            ("fd.connected", "true"),
            ("fd.name_changed", "true"),
            ("fd.ino", "99"),
            ("fd.directory", "-"),
            ("evt.category", "net"),
            // The address in memory may have changed; that of the kernel counts.
            ("evt.unverified", "false"),
        ],
    );
}

#[test]
fn a_server() {
    let facts = socket(TCP, 1, ("10.0.0.2", 8080), ("10.0.0.1", 80));
    let draft = Draft::call("accept4").result(9).socket(&facts);
    check(
        &draft,
        &[
            ("fd.num", "9"),
            ("fd.name", "10.0.0.1:80->10.0.0.2:8080"),
            ("fd.is_server", "true"),
            ("fd.lip", "10.0.0.2"),
            ("fd.rport", "80"),
            ("fd.name_changed", "false"),
            ("evt.unverified", "false"),
        ],
    );
    let listens = socket(TCP, 10, ("0.0.0.0", 8080), ("0.0.0.0", 0));
    let only = [
        ("fd.name", "0.0.0.0:8080"),
        ("fd.sip", "0.0.0.0"),
        ("fd.sport", "8080"),
        ("fd.cip", "-"),
        ("fd.lport", "8080"),
        ("fd.rip", "-"),
        ("fd.ip", "0.0.0.0"),
        ("fd.port", "8080"),
        ("fd.is_server", "true"),
        ("fd.connected", "false"),
    ];
    check(&Draft::call("listen").socket(&listens), &only);
    let bound = socket(TCP, 7, ("0.0.0.0", 8080), ("0.0.0.0", 0));
    check(&address(Draft::call("bind").socket(&bound), "0.0.0.0", 8080), &only);
    // It was refused the address.
    let unbound = socket(TCP, 7, ("0.0.0.0", 0), ("0.0.0.0", 0));
    let refused = address(Draft::call("bind").result(-98).socket(&unbound), "0.0.0.0", 8080);
    check(&refused, &only);
}

#[test]
fn connections_that_fail() {
    let none = socket(TCP, 7, ("10.0.0.1", 4711), ("0.0.0.0", 0));
    let refused = address(Draft::call("connect").result(-111).socket(&none), "10.0.0.2", 443);
    check(
        &refused,
        &[
            ("fd.name", "10.0.0.1:4711->10.0.0.2:443"),
            ("fd.sport", "443"),
            ("fd.connected", "false"),
            ("fd.name_changed", "false"),
            ("evt.res", "ECONNREFUSED"),
            ("evt.count.error.net", "1"),
            ("evt.unverified", "true"),
        ],
    );
    let made = socket(TCP, 2, ("10.0.0.1", 4711), ("10.0.0.2", 443));
    check(
        &Draft::call("connect").result(-115).socket(&made),
        &[("fd.sip", "10.0.0.2"), ("fd.connected", "false"), ("fd.name_changed", "true")],
    );
    // Nothing is known of the socket.
    let bare = address(Draft::call("connect").result(-9), "10.0.0.2", 443);
    check(&bare, &[("fd.name", "10.0.0.2:443"), ("fd.lip", "-"), ("fd.typechar", "4")]);
    // An address of no family that has ports.
    let odd = Draft::call("connect").result(-97).section(Section::Address, 2, &[9, 0, 1]);
    check(&odd, &[("fd.name", "-"), ("fd.typechar", "o"), ("fd.ip", "-")]);
}

#[test]
fn datagrams() {
    let free = socket(UDP, 7, ("10.0.0.1", 40_000), ("0.0.0.0", 0));
    let sent = address(Draft::call("sendto").result(5).socket(&free), "8.8.8.8", 53);
    check(
        &sent,
        &[
            ("fd.name", "10.0.0.1:40000->8.8.8.8:53"),
            ("fd.l4proto", "udp"),
            ("fd.is_server", "false"),
            ("fd.connected", "false"),
            ("fd.name_changed", "true"),
            ("evt.buflen.net.out", "5"),
        ],
    );
    let server = socket(UDP, 7, ("10.0.0.1", 53), ("0.0.0.0", 0));
    let received = address(Draft::call("recvfrom").result(5).socket(&server), "10.0.0.7", 40_000);
    check(
        &received,
        &[
            ("fd.name", "10.0.0.7:40000->10.0.0.1:53"),
            ("fd.is_server", "true"),
            ("fd.rip", "10.0.0.7"),
            ("evt.unverified", "true"),
        ],
    );
    // Connected: the address that is given does not count.
    let tied = socket(UDP, 1, ("10.0.0.1", 40_000), ("1.1.1.1", 53));
    let sent = address(Draft::call("sendto").socket(&tied), "8.8.8.8", 53);
    check(&sent, &[("fd.sip", "1.1.1.1"), ("fd.connected", "true"), ("fd.name_changed", "false")]);
    // Without ports.
    let raw = SocketFacts { kind: 3, ..socket(1, 7, ("0.0.0.0", 0), ("0.0.0.0", 0)) };
    let ping = address(Draft::call("sendto").socket(&raw), "8.8.8.8", 0);
    check(&ping, &[("fd.rip", "8.8.8.8"), ("fd.l4proto", "raw"), ("fd.is_server", "false")]);
}

#[test]
fn version_6_and_version_4_in_it() {
    let six = socket(TCP, 1, ("::1", 4711), ("2001:db8::2", 443));
    check(
        &Draft::call("connect").socket(&six),
        &[
            ("fd.name", "::1:4711->2001:db8::2:443"),
            ("fd.type", "ipv6"),
            ("fd.typechar", "6"),
            ("fd.rip", "2001:db8::2"),
        ],
    );
    let mapped = socket(TCP, 1, ("::ffff:10.0.0.1", 4711), ("::ffff:10.0.0.2", 443));
    check(
        &Draft::call("connect").socket(&mapped),
        &[("fd.name", "10.0.0.1:4711->10.0.0.2:443"), ("fd.type", "ipv4")],
    );
    let longest = "1111:2222:3333:4444:5555:6666:7777:8888";
    let long = socket(TCP, 1, (longest, 65_535), (longest, 65_535));
    let name = format!("{longest}:65535->{longest}:65535");
    check(&Draft::call("connect").socket(&long), &[("fd.name", &name)]);
}

#[test]
fn unix_sockets() {
    let facts = SocketFacts { family: 1, kind: 1, state: 1, ..SocketFacts::default() };
    let connect = || Draft::call("connect").socket(&facts);
    check(
        &connect().kernel(Section::UnixPeerPath, "/run/docker.sock\0"),
        &[
            ("fd.name", "/run/docker.sock"),
            ("fd.type", "unix"),
            ("fd.typechar", "u"),
            ("fd.sockfamily", "unix"),
            ("fd.ip", "-"),
            ("fd.l4proto", "-"),
            ("fd.connected", "true"),
            ("evt.category", "net"),
        ],
    );
    check(&connect().kernel(Section::UnixPeerPath, "\0x11/\0a"), &[("fd.name", "@x11/@a")]);
    let given = connect().section(Section::Address, 2, b"\x01\0/tmp/a\0garbage");
    check(&given, &[("fd.name", "/tmp/a"), ("evt.unverified", "true")]);
    let accepted = Draft::call("accept").result(4).socket(&facts);
    check(&accepted.kernel(Section::UnixPath, "/run/a"), &[("fd.name", "/run/a")]);
    check(&connect(), &[("fd.name", "-")]);
}

#[test]
fn sockets_that_are_made() {
    let made =
        |family, kind, protocol| Draft::call("socket").result(3).args(&[family, kind, protocol]);
    check(&made(2, 1, 0), &[("fd.typechar", "4"), ("fd.l4proto", "tcp"), ("fd.name", "-")]);
    check(&made(2, 0o2_000_002, 0), &[("fd.l4proto", "udp"), ("fd.is_server", "false")]);
    check(&made(10, 3, 58), &[("fd.typechar", "6"), ("fd.l4proto", "raw")]);
    check(&made(1, 1, 0), &[("fd.typechar", "u"), ("fd.l4proto", "-")]);
    check(&made(16, 3, 0), &[("fd.type", "netlink"), ("fd.typechar", "n")]);
    check(&made(17, 3, 0), &[("fd.type", "-"), ("fd.typechar", "o")]);
}
