//! The book of addresses as the agent keeps it: who has which address, and which labels
//! of pods that is known with.

use std::net::IpAddr;
use std::sync::Arc;

use crate::identity::cluster::addresses::{Figures, Limits};
use crate::identity::cluster::{AddressChange, Addresses, Directory, Health, Source, Update};
use crate::identity::peer::Peers;

/// See the module.
#[derive(Debug)]
pub struct Book {
    addresses: Addresses,
    /// Keys of the labels that are kept of all pods, and since when, nanoseconds since
    /// 1970.
    kept: Vec<(Box<str>, u64)>,
    /// Those that are kept once all pods were told again.
    coming: Option<Arc<[Box<str>]>>,
}

impl Book {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { addresses: Addresses::new(limits), kept: Vec::new(), coming: None }
    }

    /// Takes news that came at `now_ns`, nanoseconds since 1970.
    pub fn apply(&mut self, change: &AddressChange, now_ns: u64) {
        match change {
            AddressChange::PodLabels(keys) => {
                self.kept.retain(|(kept, _)| keys.contains(kept));
                self.coming = Some(Arc::clone(keys));
            }
            AddressChange::Pods(Update::All(_)) => {
                self.addresses.apply(change, now_ns);
                for key in self.coming.take().iter().flat_map(|keys| keys.iter()) {
                    if self.kept.iter().all(|(kept, _)| kept != key) {
                        self.kept.push((key.clone(), now_ns));
                    }
                }
            }
            _ => self.addresses.apply(change, now_ns),
        }
    }

    /// Notes how a source fares from `now_ns` on, nanoseconds since 1970.
    pub fn health(&mut self, source: Source, health: &Health, now_ns: u64) {
        self.addresses.health(source, health, now_ns);
    }

    /// Sets the addresses of this node's own interfaces.
    pub fn set_local(&mut self, addresses: &[IpAddr]) {
        self.addresses.set_local(addresses);
    }

    /// What peers at that time, nanoseconds since 1970, are found by.
    #[must_use]
    pub fn peers<'a>(&'a self, directory: &'a Directory, at_ns: u64) -> Peers<'a> {
        let kept = |key: &str| {
            self.kept.iter().any(|(kept, since_ns)| **kept == *key && *since_ns <= at_ns)
        };
        Peers::new(&self.addresses, directory, kept)
    }

    /// How much there is.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.addresses.figures()
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
