//! Networks that nodes take their pods' addresses from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::holder::{Bits, bits};
use crate::identity::cluster::change::Update;
use crate::identity::cluster::object::Node;

/// How many bits an IPv4 address has before it as an IPv6 one.
const MAPPED_BITS: u8 = 96;

/// The networks of all nodes, which do not overlap.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// First address → length of the prefix, node.
    by_first: BTreeMap<Bits, (u8, Box<str>)>,
}

impl Ranges {
    pub(super) fn apply(&mut self, update: &Update<Node>) {
        match update {
            Update::Put(node) => self.put(node),
            Update::Gone(node) => self.by_first.retain(|_, (_, of)| *of != node.name),
            Update::All(all) => {
                let staying: BTreeSet<&str> = all.iter().map(|node| &*node.name).collect();
                self.by_first.retain(|_, (_, of)| staying.contains(&**of));
                for node in all {
                    self.put(node);
                }
            }
        }
    }

    /// Whether an address is of one of the networks.
    pub(super) fn contains(&self, address: Bits) -> bool {
        self.by_first.range(..=address).next_back().is_some_and(|(first, (length, _))| {
            let differing = u128::from_be_bytes(*first) ^ u128::from_be_bytes(address);
            differing.leading_zeros() >= u32::from(*length)
        })
    }

    /// Nodes are told of every few seconds, and keep their networks for life.
    fn put(&mut self, node: &Node) {
        let wanted: Vec<_> = node.pod_ranges.iter().map(mapped).collect();
        let has = |(first, length): &(Bits, u8)| {
            self.by_first.get(first).is_some_and(|(of, name)| of == length && *name == node.name)
        };
        if !wanted.is_empty() && wanted.iter().all(has) {
            return;
        }
        self.by_first.retain(|_, (_, of)| *of != node.name);
        let named = |(first, length)| (first, (length, node.name.clone()));
        self.by_first.extend(wanted.into_iter().map(named));
    }
}

fn mapped(range: &IpNet) -> (Bits, u8) {
    let before = if matches!(range.network(), IpAddr::V4(_)) { MAPPED_BITS } else { 0 };
    (bits(range.network()), before + range.prefix_len())
}
