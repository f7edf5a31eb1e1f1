//! Sets of addresses: single ones and networks, as ranges that do not touch.
//!
//! As in Falco an IPv4 address is never in an IPv6 network, nor the other way
//! round: an IPv4 address that is written as an IPv6 one is an IPv6 address.

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// First and last address of each range, sorted.
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Addresses {
    /// Whether an address is among them. Takes logarithmic time.
    pub(crate) fn contains(&self, address: &IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => holds(&self.v4, address.to_bits()),
            IpAddr::V6(address) => holds(&self.v6, address.to_bits()),
        }
    }
}

impl<'sets> FromIterator<&'sets Addresses> for Addresses {
    /// Those that are in one of the sets.
    fn from_iter<I: IntoIterator<Item = &'sets Self>>(sets: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for set in sets {
            v4.extend_from_slice(&set.v4);
            v6.extend_from_slice(&set.v6);
        }
        Self { v4: merged(v4), v6: merged(v6) }
    }
}

impl FromIterator<IpNet> for Addresses {
    fn from_iter<I: IntoIterator<Item = IpNet>>(nets: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in nets {
            match net {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        Self { v4: merged(v4), v6: merged(v6) }
    }
}

impl FromIterator<IpAddr> for Addresses {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        addresses.into_iter().map(IpNet::from).collect()
    }
}

/// Sorts ranges and joins those that overlap.
fn merged<T: Copy + Ord>(mut ranges: Vec<(T, T)>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlap = next.0 <= kept.1;
        if overlap {
            kept.1 = kept.1.max(next.1);
        }
        overlap
    });
    ranges.into()
}

fn holds<T: Copy + Ord>(ranges: &[(T, T)], address: T) -> bool {
    let behind = ranges.partition_point(|(first, _)| *first <= address);
    behind > 0 && address <= ranges[behind - 1].1
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    fn check(nets: &[&str], address: &str, expected: bool) {
        let set: Addresses = nets
            .iter()
            .filter_map(|net| net.parse().ok())
            .collect::<Vec<ipnet::IpNet>>()
            .into_iter()
            .collect();
        assert_eq!(set.contains(&address.parse().unwrap()), expected, "{address} in {nets:?}");
    }

    #[test]
    fn an_address_is_in_a_set_if_it_is_in_one_of_its_networks() {
        check(&[], "10.0.0.1", false);
        check(&["10.0.0.0/8"], "10.255.255.255", true);
        check(&["10.0.0.0/8"], "11.0.0.0", false);
        check(&["10.1.0.0/16", "10.0.0.0/8", "192.168.0.1/32"], "10.2.0.0", true);
        check(&["10.1.0.0/16", "10.0.0.0/8", "192.168.0.1/32"], "192.168.0.1", true);
        check(&["10.1.0.0/16", "10.0.0.0/8", "192.168.0.1/32"], "192.168.0.2", false);
        check(&["0.0.0.0/0"], "255.255.255.255", true);
        // The bits of a network's address that are not in its prefix do not count.
        check(&["10.1.2.3/8"], "10.0.0.0", true);
        check(&["fe80::/10"], "fe80::1", true);
        check(&["fe80::/10"], "fec0::1", false);
        check(&["::/0"], "10.0.0.1", false);
        check(&["0.0.0.0/0"], "::ffff:10.0.0.1", false);
    }
}
