//! Addresses that are behind Services and are no pod's: a database outside of the
//! cluster, pods of another cluster, whatever somebody wrote into a slice.
//!
//! A slice says that an address belongs to a Service, not that nobody else has it.
//! Several Services may name the same one, so claims stand beside each other, and
//! where they differ nobody has it.

use std::collections::{BTreeMap, BTreeSet};

use super::holder::{Bits, Kind, Owner, Texts, Who, bits, common};
use super::past::{Interval, Past};
use super::shared::Slots;
use super::{Figures, Limits, NO_LABELS};
use crate::identity::cluster::change::Update;
use crate::identity::cluster::object::EndpointSlice;

/// Namespace and name of a slice.
type Key = (Box<str>, Box<str>);

/// A slice that has addresses.
#[derive(Debug)]
struct Slice {
    service: Who,
    addresses: Box<[Bits]>,
}

/// All slices, and what they say of addresses.
#[derive(Debug)]
pub(super) struct Endpoints {
    texts: Texts,
    slices: Slots<Slice>,
    by_name: BTreeMap<Key, u32>,
    /// Address and slice → since when it is known to say so.
    claims: BTreeMap<(Bits, u32), u64>,
    past: Past,
    limits: Limits,
    forgotten: u64,
    refused: u64,
}

impl Endpoints {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            texts: Texts::default(),
            slices: Slots::default(),
            by_name: BTreeMap::new(),
            claims: BTreeMap::new(),
            past: Past::default(),
            limits,
            forgotten: 0,
            refused: 0,
        }
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            holders: self.by_name.len(),
            addresses: self.claims.len(),
            past: self.past.len(),
            forgotten: self.forgotten,
            refused: self.refused,
        }
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> usize {
        self.texts.len()
    }

    /// Takes news that came at `now_ns`; what has ended did so at `end_ns` at the
    /// earliest.
    pub(super) fn apply(&mut self, update: &Update<EndpointSlice>, end_ns: u64, now_ns: u64) {
        match update {
            Update::Put(slice) => self.put(slice, end_ns, now_ns),
            Update::Gone(slice) => self.remove(&key(slice), end_ns, now_ns),
            Update::All(all) => {
                let staying: BTreeSet<_> = all.iter().map(key).collect();
                let known = self.by_name.keys();
                let gone: Vec<_> = known.filter(|key| !staying.contains(*key)).cloned().collect();
                for key in gone {
                    self.remove(&key, end_ns, now_ns);
                }
                for slice in all {
                    self.put(slice, end_ns, now_ns);
                }
            }
        }
    }

    /// The Service behind which the address was then; `None` if there was none, or
    /// several of different namespaces.
    pub(super) fn at(&self, address: Bits, at_ns: u64) -> Option<Owner<'_>> {
        let now = self.of(address).filter(|(_, from_ns)| *from_ns <= at_ns);
        let now = now.map(|(id, _)| &self.slices[id].service);
        let past = self.past.all_at(address, Kind::Endpoint, at_ns).map(|then| &then.who);
        common(now.chain(past).map(|who| self.texts.owner(who)))
    }

    /// Whether it is behind a Service, or is remembered to have been.
    pub(super) fn is_remembered(&self, address: Bits) -> bool {
        self.of(address).next().is_some() || self.past.has(address, Kind::Endpoint)
    }

    pub(super) fn expire(&mut self, now_ns: u64) {
        let before_ns = now_ns.saturating_sub(self.limits.keep_ns);
        while let Some((who, for_room)) = self.past.forget(before_ns, self.limits.intervals) {
            self.forgotten += u64::from(for_room);
            self.texts.release(&who);
        }
    }

    /// Slices that claim it, and since when.
    fn of(&self, address: Bits) -> impl Iterator<Item = (u32, u64)> {
        let claims = self.claims.range((address, 0)..=(address, u32::MAX));
        claims.map(|((_, id), from_ns)| (*id, *from_ns))
    }

    fn put(&mut self, slice: &EndpointSlice, end_ns: u64, now_ns: u64) {
        let key = key(slice);
        let Some(service) = slice.service.as_deref().filter(|_| !slice.ips.is_empty()) else {
            return self.remove(&key, end_ns, now_ns);
        };
        let service = self.texts.take(Kind::Endpoint, &slice.namespace, service, &NO_LABELS);
        let wanted: Vec<Bits> = slice.ips.iter().copied().map(bits).collect();
        let mut kept = Vec::new();
        if let Some(id) = self.by_name.remove(&key) {
            let before = self.slices.remove(id);
            let is_same = before.service == service;
            for address in &before.addresses {
                let Some(from_ns) = self.claims.remove(&(*address, id)) else { continue };
                if is_same && wanted.contains(address) {
                    kept.push((*address, from_ns));
                } else {
                    self.close(*address, &before.service, from_ns, end_ns, now_ns);
                }
            }
            self.texts.release(&before.service);
        }
        let room = self.limits.endpoints.saturating_sub(self.claims.len());
        let mut claims: BTreeMap<Bits, u64> = kept.into_iter().collect();
        for address in wanted {
            if claims.len() < room {
                claims.entry(address).or_insert(now_ns);
            } else if !claims.contains_key(&address) {
                self.refused += 1;
            }
        }
        if claims.is_empty() {
            return self.texts.release(&service);
        }
        let id = self.slices.add(Slice { service, addresses: claims.keys().copied().collect() });
        self.claims.extend(claims.into_iter().map(|(address, from_ns)| ((address, id), from_ns)));
        self.by_name.insert(key, id);
    }

    fn remove(&mut self, key: &Key, end_ns: u64, now_ns: u64) {
        let Some(id) = self.by_name.remove(key) else { return };
        let Slice { service, addresses } = self.slices.remove(id);
        for address in addresses {
            if let Some(from_ns) = self.claims.remove(&(address, id)) {
                self.close(address, &service, from_ns, end_ns, now_ns);
            }
        }
        self.texts.release(&service);
    }

    fn close(&mut self, address: Bits, service: &Who, from_ns: u64, end_ns: u64, now_ns: u64) {
        let who = self.texts.hold(service);
        let until_ns = end_ns.max(from_ns);
        let interval = Interval { from_ns, certain_ns: from_ns, until_ns, told_ns: now_ns, who };
        self.past.add(address, interval);
    }
}

fn key(slice: &EndpointSlice) -> Key {
    (slice.namespace.clone(), slice.name.clone())
}
