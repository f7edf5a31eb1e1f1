//! Who has an address, and who had it when: remote ends of connections.
//!
//! Intervals, not a map: an address is given to another pod within a second. Where
//! what the API server tells leaves a doubt about a moment, nobody has the address
//! then. A new holder cannot have used it before its first container started, an old
//! one no longer when its end was told; what lies between may be either's and is given
//! to neither. So ask late, when news of the moment has come in: a second is enough.
//!
//! Starts are told in whole seconds, and a pod that lived for less than one may never be
//! told of. So in the second of its start a holder is likely, not certain.
//!
//! Pods in their node's network never have an address: it is the node's, and the
//! answer [`Owner::Host`], never a tenant. Pods tell their own addresses; of what is
//! behind a Service beyond them `endpoints` knows.
//!
//! The local end of a connection is found by its cgroup, never here.

mod doubt;
mod endpoints;
mod holder;
mod past;
mod ranges;
mod shared;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::change::{AddressChange, Health, Source, Trouble, Update};
use super::object::{Labels, Node, RemotePod, Service};

use endpoints::Endpoints;
use holder::{Bits, Kind, bits};
pub use holder::{Name, Owner};
use ranges::Ranges;
use table::Table;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many addresses that somebody has at most; what finds no room is counted.
    pub addresses: usize,
    /// The same of those that are behind Services and are no pod's.
    pub endpoints: usize,
    /// How long after its end an interval is remembered, nanoseconds.
    pub keep_ns: u64,
    /// How many of them at most; the oldest are forgotten first, and counted.
    pub intervals: usize,
}

impl Default for Limits {
    /// A cluster of the greatest size, 150,000 pods, with two addresses each, and 65,536
    /// addresses that are behind Services and no pod's; ten minutes, 16,384 intervals.
    fn default() -> Self {
        Self {
            addresses: 400_000,
            endpoints: 65_536,
            keep_ns: 600 * 1_000_000_000,
            intervals: 16_384,
        }
    }
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Who has the address.
    pub owner: Owner<'a>,
    /// `false`: another may have it. The API server could not be asked at that time, or
    /// it is in the second in which this one started, or in which another one did.
    pub is_certain: bool,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Pods, nodes, Services and EndpointSlices that have addresses.
    pub holders: usize,
    /// Addresses that somebody has.
    pub addresses: usize,
    /// Intervals that have ended and are remembered.
    pub past: usize,
    /// Intervals that were forgotten for want of room.
    pub forgotten: u64,
    /// Addresses that found no room, each time they were told.
    pub refused: u64,
}

/// Who has and had which address.
#[derive(Debug)]
pub struct Addresses {
    table: Table,
    /// Addresses of this node.
    local: BTreeSet<Bits>,
    /// Outer addresses of Services, which may share them.
    outer: BTreeSet<(Bits, u32)>,
    /// IP protocol and port on every node.
    node_ports: BTreeSet<(u8, u16, u32)>,
    ranges: Ranges,
    endpoints: Endpoints,
    limits: Limits,
    /// Outer addresses that found no room.
    refused: u64,
}

impl Addresses {
    /// Nobody has any.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            table: Table::new(limits),
            local: BTreeSet::new(),
            outer: BTreeSet::new(),
            node_ports: BTreeSet::new(),
            ranges: Ranges::default(),
            endpoints: Endpoints::new(limits),
            limits,
            refused: 0,
        }
    }

    /// Takes news that came at `now_ns`, nanoseconds since 1970.
    pub fn apply(&mut self, change: &AddressChange, now_ns: u64) {
        self.table.expire(now_ns);
        self.endpoints.expire(now_ns);
        match change {
            AddressChange::Pods(update) => self.update(update, now_ns),
            // What is kept of a pod is what is told of it.
            AddressChange::PodLabels(_) => {}
            AddressChange::Nodes(update) => {
                self.ranges.apply(update);
                self.update(update, now_ns);
            }
            AddressChange::Services(update) => self.update(update, now_ns),
            AddressChange::EndpointSlices(update) => {
                let end_ns = self.table.doubts.certain_until(Kind::Endpoint, now_ns);
                self.endpoints.apply(update, end_ns, now_ns);
            }
        }
    }

    /// Notes since when a source cannot be asked, or that it can be, again or at last.
    pub fn health(&mut self, source: Source, health: &Health, now_ns: u64) {
        let kind = match source {
            Source::RemotePods => Kind::Pod,
            Source::Nodes => Kind::Node,
            Source::Services => Kind::Service,
            Source::EndpointSlices => {
                // Without them all is as in a cluster that has none.
                let never = matches!(
                    health,
                    Health::Interrupted(Trouble::Forbidden(_) | Trouble::Missing(_))
                );
                self.table.doubts.excuse(Kind::Endpoint, never);
                Kind::Endpoint
            }
            _ => return,
        };
        self.table.doubts.note(kind, *health != Health::Synced, now_ns);
    }

    /// Sets the addresses of this node's own interfaces.
    pub fn set_local(&mut self, addresses: &[IpAddr]) {
        self.local = addresses.iter().copied().map(bits).collect();
    }

    /// Who had the address at that time, nanoseconds since 1970; `None` if that is not
    /// known, or not certain.
    #[must_use]
    pub fn owner(&self, address: IpAddr, at_ns: u64) -> Option<Found<'_>> {
        let bits = bits(address);
        if self.local.contains(&bits) {
            // Where a node itself sends on what is sent to Services, it has their
            // addresses as its own.
            return self
                .table
                .at(bits, Kind::Service, at_ns)
                .or(Some(Found { owner: Owner::Host { node: None }, is_certain: true }));
        }
        let found = [Kind::Node, Kind::Pod, Kind::Service]
            .into_iter()
            .find_map(|kind| self.table.at(bits, kind, at_ns));
        found.or_else(|| self.service_at(bits, at_ns)).or_else(|| self.endpoint_at(bits, at_ns))
    }

    /// Whether nobody in the cluster had the address at that time: all that has
    /// addresses was told of, and nobody had it lately or could get it.
    ///
    /// Where neither this holds nor there is an [`Self::owner`], it is not known.
    #[must_use]
    pub fn is_outside(&self, address: IpAddr, at_ns: u64) -> bool {
        let bits = bits(address);
        self.is_complete(at_ns)
            && !self.local.contains(&bits)
            && !self.is_somebodys(bits)
            && !self.endpoints.is_remembered(bits)
    }

    /// Whether all that has addresses had been told of by then.
    fn is_complete(&self, at_ns: u64) -> bool {
        self.table.doubts.was_told_all(at_ns) && self.figures().refused == 0
    }

    /// Whether a pod, a node or a Service has it or had it lately, or a pod may get it.
    fn is_somebodys(&self, bits: Bits) -> bool {
        let is_outer = || self.outer.range((bits, 0)..=(bits, u32::MAX)).next().is_some();
        self.ranges.contains(bits) || is_outer() || self.table.is_remembered(bits)
    }

    /// The Service that every node's port leads to; `None` if there is none.
    #[must_use]
    pub fn behind(&self, protocol: u8, port: u16) -> Option<Owner<'_>> {
        let range = (protocol, port, 0)..=(protocol, port, u32::MAX);
        let (_, _, id) = self.node_ports.range(range).next()?;
        Some(self.table.owner(*id))
    }

    /// How much there is.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let of_table = self.table.figures();
        let behind = self.endpoints.figures();
        Figures {
            holders: of_table.holders + behind.holders,
            addresses: of_table.addresses + behind.addresses,
            past: of_table.past + behind.past,
            forgotten: of_table.forgotten + behind.forgotten,
            refused: of_table.refused + behind.refused + self.refused,
        }
    }

    /// Of an outer address that Services of several namespaces share, only the port
    /// would tell whose it is.
    fn service_at(&self, bits: Bits, at_ns: u64) -> Option<Found<'_>> {
        let sharing = self.outer.range((bits, 0)..=(bits, u32::MAX)).map(|(_, id)| *id);
        let owner = holder::common(sharing.map(|id| self.table.owner(id)))?;
        let is_certain = self.table.doubts.is_certain(Kind::Service, at_ns);
        Some(Found { owner, is_certain })
    }

    /// Whoever has an address of its own tells that itself, and may be late with it: a
    /// slice may name it, too, and not be true any more.
    fn endpoint_at(&self, bits: Bits, at_ns: u64) -> Option<Found<'_>> {
        let owner = self.endpoints.at(bits, at_ns).filter(|_| !self.is_somebodys(bits))?;
        let is_certain =
            self.is_complete(at_ns) && self.table.doubts.is_certain(Kind::Endpoint, at_ns);
        Some(Found { owner, is_certain })
    }

    fn update<T: Holds>(&mut self, update: &Update<T>, now_ns: u64) {
        match update {
            Update::Put(object) => {
                let claim = object.claim();
                self.table.give_up(&claim, now_ns);
                self.take(object, now_ns);
                self.table.settle(now_ns);
            }
            Update::Gone(object) => {
                let claim = object.claim();
                self.drop_outer(self.table.find(&claim));
                self.table.remove(&claim, now_ns);
                self.table.settle(now_ns);
            }
            Update::All(all) => {
                // What is no longer had first: another of the list may have it now.
                let mut known = BTreeSet::new();
                for object in all {
                    let claim = object.claim();
                    self.table.give_up(&claim, now_ns);
                    known.extend(self.table.find(&claim));
                }
                for id in self.table.others(T::KIND, &known) {
                    self.drop_outer(Some(id));
                    self.table.remove_all(id, now_ns);
                }
                for object in all {
                    self.take(object, now_ns);
                }
                self.table.settle(now_ns);
            }
        }
    }

    fn take<T: Holds>(&mut self, object: &T, now_ns: u64) {
        let claim = object.claim();
        self.drop_outer(self.table.find(&claim));
        let (outer, ports) = object.outer();
        if claim.addresses.is_empty() && outer.is_empty() && ports.is_empty() {
            self.table.remove(&claim, now_ns);
        } else {
            let id = self.table.put(&claim, !outer.is_empty() || !ports.is_empty(), now_ns);
            for address in outer {
                if self.outer.len() < self.limits.addresses {
                    self.outer.insert((bits(*address), id));
                } else {
                    self.refused += 1;
                }
            }
            self.node_ports.extend(ports.iter().map(|(protocol, port)| (*protocol, *port, id)));
        }
    }

    fn drop_outer(&mut self, id: Option<u32>) {
        let Some(id) = id.filter(|id| self.table.has_outer(*id)) else { return };
        self.outer.retain(|(_, of)| *of != id);
        self.node_ports.retain(|(_, _, of)| *of != id);
        self.table.set_outer(id, false);
    }
}

/// What an object says of its addresses.
struct Claim<'a> {
    kind: Kind,
    namespace: &'a str,
    name: &'a str,
    labels: &'a Labels,
    addresses: &'a [IpAddr],
    /// It had none before.
    started_unix_s: Option<i64>,
}

static NO_LABELS: Labels = Labels::new();

/// Addresses and ports that are not its own alone.
type Outer<'a> = (&'a [IpAddr], &'a [(u8, u16)]);

trait Holds {
    const KIND: Kind;

    fn claim(&self) -> Claim<'_>;

    fn outer(&self) -> Outer<'_> {
        (&[], &[])
    }
}

impl Holds for RemotePod {
    const KIND: Kind = Kind::Pod;

    fn claim(&self) -> Claim<'_> {
        Claim {
            kind: Self::KIND,
            namespace: &self.namespace,
            name: &self.name,
            labels: &self.labels,
            addresses: &self.ips,
            started_unix_s: self.started_unix_s,
        }
    }
}

impl Holds for Node {
    const KIND: Kind = Kind::Node;

    fn claim(&self) -> Claim<'_> {
        Claim {
            kind: Self::KIND,
            namespace: "",
            name: &self.name,
            labels: &NO_LABELS,
            addresses: &self.ips,
            started_unix_s: self.created_unix_s,
        }
    }
}

impl Holds for Service {
    const KIND: Kind = Kind::Service;

    fn claim(&self) -> Claim<'_> {
        Claim {
            kind: Self::KIND,
            namespace: &self.namespace,
            name: &self.name,
            labels: &NO_LABELS,
            addresses: &self.cluster_ips,
            started_unix_s: self.created_unix_s,
        }
    }

    fn outer(&self) -> Outer<'_> {
        (&self.outer_ips, &self.node_ports)
    }
}
