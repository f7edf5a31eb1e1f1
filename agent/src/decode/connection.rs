//! Bytes of the end of a connection → [`Connection`].

use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use landlord_ebpf::abi::{self, connection_side};

use super::{DecodeError, array, u16_at, u32_at, u64_at};
use crate::event::{Connection, Side};

/// Reads the end of a connection; `None` of records of another kind.
///
/// # Errors
///
/// When the bytes are not a whole one of this version.
#[must_use]
pub fn connection(bytes: &[u8]) -> Option<Result<Connection, DecodeError>> {
    let kind = u16_at(bytes, offset_of!(abi::Connection, kind))?;
    let short = DecodeError::Short { have: bytes.len(), need: size_of::<abi::Connection>() };
    (kind == abi::CONNECTION).then(|| ended(bytes).ok_or(short))
}

fn ended(bytes: &[u8]) -> Option<Connection> {
    let (half, word) = (|at| u32_at(bytes, at), |at| u64_at(bytes, at));
    let short = |at| u16_at(bytes, at);
    let family = short(offset_of!(abi::Connection, family))?;
    let end = |address, port| {
        let address: [u8; 16] = array(bytes, address)?;
        Some(SocketAddr::new(ip(family, address), short(port)?))
    };
    let side = match short(offset_of!(abi::Connection, side))? {
        connection_side::CLIENT => Some(Side::Client),
        connection_side::SERVER => Some(Side::Server),
        _ => None,
    };
    // The last word is there, too.
    half(offset_of!(abi::Connection, padding))?;
    Some(Connection {
        cgroup: word(offset_of!(abi::Connection, cgroup))?,
        side,
        start_ns: word(offset_of!(abi::Connection, start_ns))?,
        end_ns: word(offset_of!(abi::Connection, time_ns))?,
        local: end(offset_of!(abi::Connection, local), offset_of!(abi::Connection, local_port))?,
        remote: end(offset_of!(abi::Connection, remote), offset_of!(abi::Connection, remote_port))?,
        sent: word(offset_of!(abi::Connection, sent))?,
        received: word(offset_of!(abi::Connection, received))?,
        local_isn: half(offset_of!(abi::Connection, local_isn))?,
        remote_isn: half(offset_of!(abi::Connection, remote_isn))?,
        error: half(offset_of!(abi::Connection, error))?,
    })
}

/// An address as the kernel has it; IPv4 in the clothes of IPv6 is IPv4.
fn ip(family: u16, address: [u8; 16]) -> IpAddr {
    /// `AF_INET6`.
    const IPV6: u16 = 10;
    if family == IPV6 {
        return Ipv6Addr::from(address).to_canonical();
    }
    let [a, b, c, d, ..] = address;
    Ipv4Addr::new(a, b, c, d).into()
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use landlord_ebpf::abi::{self, Head, RecordKind, connection_side};

    use super::connection;
    use crate::decode::DecodeError;
    use crate::event::{Connection, Side};

    const BYTES: usize = size_of::<abi::Connection>();

    /// A record with these words in their places.
    fn bytes(family: u16, local: [u8; 16], remote: [u8; 16], side: u16) -> Vec<u8> {
        let mut bytes = vec![0; BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(offset_of!(abi::Connection, len), &u32::try_from(BYTES).unwrap().to_ne_bytes());
        put(offset_of!(abi::Connection, kind), &abi::CONNECTION.to_ne_bytes());
        put(offset_of!(abi::Connection, time_ns), &9_u64.to_ne_bytes());
        put(offset_of!(abi::Connection, cgroup), &7_u64.to_ne_bytes());
        put(offset_of!(abi::Connection, start_ns), &5_u64.to_ne_bytes());
        put(offset_of!(abi::Connection, sent), &(1_u64 << 40).to_ne_bytes());
        put(offset_of!(abi::Connection, received), &3_u64.to_ne_bytes());
        put(offset_of!(abi::Connection, local), &local);
        put(offset_of!(abi::Connection, remote), &remote);
        put(offset_of!(abi::Connection, local_isn), &11_u32.to_ne_bytes());
        put(offset_of!(abi::Connection, remote_isn), &u32::MAX.to_ne_bytes());
        put(offset_of!(abi::Connection, family), &family.to_ne_bytes());
        put(offset_of!(abi::Connection, local_port), &80_u16.to_ne_bytes());
        put(offset_of!(abi::Connection, remote_port), &40_000_u16.to_ne_bytes());
        put(offset_of!(abi::Connection, side), &side.to_ne_bytes());
        put(offset_of!(abi::Connection, error), &104_u32.to_ne_bytes());
        bytes
    }

    fn address(start: &[u8]) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..start.len()].copy_from_slice(start);
        bytes
    }

    #[test]
    fn every_word_has_its_place() {
        let found = bytes(2, address(&[10, 0, 0, 1]), address(&[10, 0, 0, 2]), 2);
        let expected = Connection {
            cgroup: 7,
            side: Some(Side::Server),
            start_ns: 5,
            end_ns: 9,
            local: "10.0.0.1:80".parse().unwrap(),
            remote: "10.0.0.2:40000".parse().unwrap(),
            sent: 1 << 40,
            received: 3,
            local_isn: 11,
            remote_isn: u32::MAX,
            error: 104,
        };
        assert_eq!(connection(&found), Some(Ok(expected)));
    }

    #[test]
    fn addresses_of_both_families() {
        let check = |family, address, expected: &str| {
            let found = connection(&bytes(family, address, address, 1)).unwrap().unwrap();
            assert_eq!(found.local.ip().to_string(), expected);
            assert_eq!(found.remote.ip(), found.local.ip());
        };
        check(2, address(&[192, 0, 2, 7]), "192.0.2.7");
        check(10, address(&[0xfd, 0x77]), "fd77::");
        // A socket of IPv6 that speaks IPv4.
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7];
        check(10, mapped, "192.0.2.7");
    }

    #[test]
    fn both_ends_know_the_same_numbers() {
        let check = |side, expected: Option<(u32, u32)>| {
            let found = connection(&bytes(2, [1; 16], [2; 16], side)).unwrap().unwrap();
            assert_eq!(found.numbers(), expected, "{side}");
        };
        check(connection_side::CLIENT, Some((11, u32::MAX)));
        check(connection_side::SERVER, Some((u32::MAX, 11)));
        check(connection_side::UNKNOWN, None);
        check(99, None);
    }

    #[test]
    fn what_is_not_one_is_left_to_others_and_what_is_cut_short_is_told() {
        let whole = bytes(2, [1; 16], [2; 16], 1);
        for len in 0..BYTES {
            let expected = (len >= 6).then_some(Err(DecodeError::Short { have: len, need: BYTES }));
            assert_eq!(connection(&whole[..len]), expected, "{len}");
        }
        let mut other = whole;
        for kind in [RecordKind::Syscall, RecordKind::Exit, RecordKind::IoUring] {
            let at = offset_of!(Head, kind);
            other[at..at + 2].copy_from_slice(&(kind as u16).to_ne_bytes());
            assert_eq!(connection(&other), None, "{kind:?}");
        }
    }
}
