//! Sockets.

use super::{called, check, check_args, check_raw, check_untold, given};
use crate::event::SocketFacts;
use crate::rules::value::Value;

/// `sockaddr_in` of 127.0.0.1:80.
const INET: [u8; 16] = {
    let mut bytes = [0; 16];
    [bytes[0], bytes[1]] = 2_u16.to_ne_bytes();
    bytes[3] = 80;
    bytes[4] = 127;
    bytes[7] = 1;
    bytes
};

fn inet() -> SocketFacts {
    let mut socket = SocketFacts {
        family: 2,
        kind: 1,
        protocol: 6,
        state: 1,
        local_port: 40000,
        remote_port: 443,
        ..SocketFacts::default()
    };
    socket.local[..4].copy_from_slice(&[10, 0, 0, 1]);
    socket.remote[..4].copy_from_slice(&[10, 0, 0, 2]);
    socket
}

fn unix(path: &[u8]) -> Vec<u8> {
    let mut bytes = 1_u16.to_ne_bytes().to_vec();
    bytes.extend_from_slice(path);
    bytes
}

#[test]
fn a_connection_is_told_from_client_to_server() {
    let mut record = called("connect", &[4, 0, 16], 0);
    record.socket = Some(inet());
    record.address = given(&INET);
    check_args(
        &record,
        "res=0 tuple=10.0.0.1:40000->10.0.0.2:443 fd=4(<4t>1.2.3.4:5->6.7.8.9:10) \
         addr=127.0.0.1:80 ",
    );
    let mut record = called("accept4", &[5, 0, 0, 0o2_000_000], 4);
    record.socket = Some(inet());
    check(&record, &[("tuple", "10.0.0.2:443->10.0.0.1:40000"), ("flags", "SOCK_CLOEXEC")]);
}

#[test]
fn a_connection_that_is_not_there_has_the_address_it_was_to_have() {
    let mut record = called("connect", &[4, 0, 16], -111);
    record.socket = Some(SocketFacts { remote_port: 0, ..inet() });
    check_untold(&record, &["tuple", "addr"]);
    record.address = given(&INET);
    check(&record, &[("tuple", "10.0.0.1:40000->127.0.0.1:80"), ("res", "ECONNREFUSED")]);
    record.socket = None;
    check(&record, &[("tuple", "0.0.0.0:0->127.0.0.1:80")]);
}

#[test]
fn addresses() {
    let check_address = |bytes: &[u8], expected: &str| {
        let mut record = called("bind", &[4, 0, 16], 0);
        record.address = given(bytes);
        check(&record, &[("addr", expected)]);
    };
    check_address(&INET, "127.0.0.1:80");
    check_address(&unix(b"/run/a\0rest"), "/run/a");
    check_address(&unix(b"\0name"), "@name");
    check_address(&unix(b""), "");
    check_address(&16_u16.to_ne_bytes(), "family 16");
    check_address(&INET[..7], "family 2");
    let mut v6 = [0; 28];
    v6[..2].copy_from_slice(&10_u16.to_ne_bytes());
    v6[3] = 53;
    v6[23] = 1;
    check_address(&v6, "::1:53");
    v6[18..24].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
    check_address(&v6, "192.0.2.1:53");
    let mut record = called("bind", &[4, 0, 1], 0);
    record.address = given(&[2]);
    check_untold(&record, &["addr"]);
}

#[test]
fn unix_sockets() {
    let address = unix(b"/run/docker.sock\0");
    let mut record = called("connect", &[4, 0, 110], 0);
    record.address = given(&address);
    check(&record, &[("tuple", "0->0 /run/docker.sock"), ("addr", "/run/docker.sock")]);
    record.unix_peer_path = given(b"/host/run/docker.sock");
    check(&record, &[("tuple", "0->0 /host/run/docker.sock")]);
}

#[test]
fn sockets_that_are_made() {
    let record = called("socket", &[17, 0o2_000_003, 768], 4);
    check(&record, &[("domain", "AF_PACKET"), ("type", "SOCK_RAW|SOCK_CLOEXEC"), ("proto", "768")]);
    check_raw(&record, "domain", Some(Value::Uint(17)));
    check_raw(&record, "type", None);
    check(&called("socket", &[99, 2, 0], -97), &[("domain", "99"), ("fd", "EAFNOSUPPORT")]);
    let mut pair = [0; 8];
    pair[0..4].copy_from_slice(&3_u32.to_ne_bytes());
    pair[4..8].copy_from_slice(&9_u32.to_ne_bytes());
    let mut record = called("socketpair", &[1, 1, 0, 0], 0);
    record.structure = given(&pair);
    check(&record, &[("fd1", "<f>/etc/passwd"), ("fd2", "9"), ("domain", "AF_LOCAL")]);
}

#[test]
fn options() {
    let mut record = called("setsockopt", &[4, 1, 15, 0, 4], 0);
    record.structure = given(&[1, 0, 0, 0]);
    check(&record, &[("level", "SOL_SOCKET"), ("optname", "SO_REUSEPORT"), ("optlen", "4")]);
    check(&called("setsockopt", &[4, 6, 15], 0), &[("level", "SOL_TCP"), ("optname", "15")]);
    check(&called("shutdown", &[4, 1], 0), &[("how", "SHUT_WR")]);
}

#[test]
fn what_is_sent_is_shown_with_dots() {
    let mut record = called("sendto", &[4, 0, 7, 0, 0, 0], 7);
    record.buffer = given(b"GET /\r\n");
    record.socket = Some(inet());
    check(&record, &[("data", "GET /.."), ("size", "7"), ("res", "7")]);
    check_raw(&record, "data", Some(Value::Bytes(b"GET /\r\n")));
}
