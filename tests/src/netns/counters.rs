//! Byte counters of an interface and of the IP layers, parsed and brought to layer 3.

use std::collections::BTreeMap;
use std::ops::Sub;

/// Length of the link-layer header that an Ethernet interface adds to each packet.
const ETHERNET_HEADER: u64 = 14;

/// Bytes and packets of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes at layer 3: IP header included, link-layer header not.
    pub bytes: u64,
    /// Socket buffers: an aggregate of segmentation offload counts once.
    pub packets: u64,
}

/// Both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Out of the namespace.
    pub transmit: Traffic,
    /// Into the namespace.
    pub receive: Traffic,
}

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { bytes: self.bytes - before.bytes, packets: self.packets - before.packets }
    }
}

impl Sub for Counters {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { transmit: self.transmit - before.transmit, receive: self.receive - before.receive }
    }
}

/// One interface's row in the text of `/proc/net/dev`, less the Ethernet headers.
pub(super) fn of_interface(table: &str, interface: &str) -> Option<Counters> {
    let row = table.lines().find_map(|line| {
        let (name, figures) = line.split_once(':')?;
        (name.trim() == interface).then_some(figures)
    })?;
    let figures: Vec<u64> =
        row.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    // Eight columns of receive, then eight of transmit; bytes and packets lead each.
    let traffic = |first: usize| {
        let (bytes, packets) = (*figures.get(first)?, *figures.get(first + 1)?);
        Some(Traffic { bytes: bytes.checked_sub(ETHERNET_HEADER * packets)?, packets })
    };
    Some(Counters { receive: traffic(0)?, transmit: traffic(8)? })
}

/// The sum of both IP versions out of the texts of `/proc/net/netstat` and
/// `/proc/net/snmp6`.
pub(super) fn of_ip_layers(netstat: &str, snmp6: &str) -> Option<Counters> {
    let ipv4 = paired_lines(netstat, "IpExt:")?;
    let ipv6: BTreeMap<&str, u64> = snmp6
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            Some((fields.next()?, fields.next()?.parse().ok()?))
        })
        .collect();
    // IPv4 counts its packets per kind of mark (NoECT and the rest), on receipt only.
    let received_v4 = ["InNoECTPkts", "InECT1Pkts", "InECT0Pkts", "InCEPkts"];
    let packets_in: u64 = received_v4.iter().filter_map(|key| ipv4.get(key)).sum();
    Some(Counters {
        receive: Traffic {
            bytes: ipv4.get("InOctets")? + ipv6.get("Ip6InOctets")?,
            packets: packets_in + ipv6.get("Ip6InReceives")?,
        },
        transmit: Traffic { bytes: ipv4.get("OutOctets")? + ipv6.get("Ip6OutOctets")?, packets: 0 },
    })
}

/// A line of names and a line of values after it, both beginning with `title`.
fn paired_lines<'a>(text: &'a str, title: &str) -> Option<BTreeMap<&'a str, u64>> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(title));
    let (names, values) = (lines.next()?, lines.next()?);
    let pairs = names.split_whitespace().zip(values.split_whitespace());
    Some(pairs.filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect())
}

#[cfg(test)]
mod tests {
    use super::{Counters, Traffic, of_interface, of_ip_layers};

    const DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  lab0:    1140      10    0    0    0     0          0         0     2280      20    0    0    0     0       0          0
  lab1:      13       1    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  lab2:  garbage
";

    fn check(interface: &str, expected: Option<(Traffic, Traffic)>) {
        let expected = expected.map(|(transmit, receive)| Counters { transmit, receive });
        assert_eq!(of_interface(DEV, interface), expected, "{interface}");
    }

    #[test]
    fn an_interface_counts_at_layer_3() {
        let traffic = |bytes, packets| Traffic { bytes, packets };
        check("lab0", Some((traffic(2000, 20), traffic(1000, 10))));
        check("lo", Some((traffic(0, 0), traffic(0, 0))));
        check("lab", None);
        check("lab2", None);
        // Less than its own header: not an Ethernet interface.
        check("lab1", None);
    }

    #[test]
    fn the_ip_layers_are_summed() {
        let netstat = "TcpExt: A B\nTcpExt: 1 2\n\
            IpExt: InNoRoutes InOctets OutOctets InNoECTPkts InECT0Pkts\n\
            IpExt: 0 100 200 3 1\n";
        let snmp6 = "Ip6InReceives 2\nIp6InOctets 10\nIp6OutOctets 20\n";
        let expected = Counters {
            transmit: Traffic { bytes: 220, packets: 0 },
            receive: Traffic { bytes: 110, packets: 6 },
        };
        assert_eq!(of_ip_layers(netstat, snmp6), Some(expected));
        assert_eq!(of_ip_layers("", snmp6), None);
    }

    #[test]
    fn a_difference_is_taken_per_figure() {
        let after = Traffic { bytes: 10, packets: 3 };
        let before = Traffic { bytes: 4, packets: 1 };
        assert_eq!(after - before, Traffic { bytes: 6, packets: 2 });
    }
}
