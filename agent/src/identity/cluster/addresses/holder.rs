//! What can have an address, stored small.

use std::fmt;
use std::net::IpAddr;

use super::shared::{Shared, Symbol};
use crate::identity::cluster::object::Labels;

/// An address as IPv6, IPv4 mapped into it.
pub(super) type Bits = [u8; 16];

/// Stands for no cell.
pub(super) const NONE: u32 = u32::MAX;

/// The same address is the same, however it is written.
pub(super) fn bits(address: IpAddr) -> Bits {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// What can have an address. They have no address in common, except that a Service's
/// outer address may be a node's, and what is behind it anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Node,
    Pod,
    Service,
    /// What is behind a Service and is no pod.
    Endpoint,
}

/// An object: its name is kept in two parts, as all pods of a ReplicaSet begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Who {
    pub(super) kind: Kind,
    pub(super) namespace: Symbol,
    stem: Symbol,
    end: [u8; 8],
    pub(super) labels: Symbol,
}

impl Who {
    /// What tells it from all others: all but its labels.
    pub(super) fn key(&self) -> impl PartialEq + std::hash::Hash + use<> {
        (self.kind, self.namespace, self.stem, self.end)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// The texts of all [`Who`]s.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) names: Shared<Box<str>>,
    pub(super) labels: Shared<Labels>,
}

impl Texts {
    /// Holds the texts of an object.
    pub(super) fn take(&mut self, kind: Kind, namespace: &str, name: &str, labels: &Labels) -> Who {
        let (stem, end) = split(name);
        Who {
            kind,
            namespace: self.names.take(namespace, |text| text.into()),
            stem: self.names.take(stem, |text| text.into()),
            end,
            labels: self.labels.take(labels, Clone::clone),
        }
    }

    /// Whoever is known by this name; its labels are any.
    pub(super) fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<Who> {
        let (stem, end) = split(name);
        let namespace = self.names.find(namespace)?;
        let stem = self.names.find(stem)?;
        Some(Who { kind, namespace, stem, end, labels: namespace })
    }

    /// Holds the texts once more.
    pub(super) fn hold(&mut self, who: &Who) -> Who {
        self.names.hold(who.namespace);
        self.names.hold(who.stem);
        self.labels.hold(who.labels);
        *who
    }

    /// Holds the texts once less.
    pub(super) fn release(&mut self, who: &Who) {
        self.names.release(who.namespace);
        self.names.release(who.stem);
        self.labels.release(who.labels);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len() + self.labels.len()
    }

    pub(super) fn owner(&self, who: &Who) -> Owner<'_> {
        let namespace = self.names.value(who.namespace);
        let name = Name { stem: self.names.value(who.stem), end: who.end };
        match who.kind {
            Kind::Node => Owner::Host { node: Some(name) },
            Kind::Pod => Owner::Pod { namespace, name, labels: self.labels.value(who.labels) },
            Kind::Service | Kind::Endpoint => Owner::Service { namespace, name: Some(name) },
        }
    }
}

/// Who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A pod, of its own.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: Name<'a>,
        /// Those of its labels that were asked for.
        labels: &'a Labels,
    },
    /// A Service: whoever answers for it.
    Service {
        /// Its namespace.
        namespace: &'a str,
        /// Its name; `None`: it may be any of several in that namespace.
        name: Option<Name<'a>>,
    },
    /// A node, or a pod that uses its node's network.
    Host {
        /// Its name; `None`: this node.
        node: Option<Name<'a>>,
    },
}

impl Owner<'_> {
    /// The namespace, if it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Pod { namespace, .. } | Self::Service { namespace, .. } => Some(namespace),
            Self::Host { .. } => None,
        }
    }
}

/// The one that several Services have in common: their namespace, and the name if it is
/// the same. `None` if there are none, or of several namespaces.
pub(super) fn common<'a>(mut owners: impl Iterator<Item = Owner<'a>>) -> Option<Owner<'a>> {
    let first = owners.next()?;
    owners.try_fold(first, |all, next| match (all, next) {
        _ if all == next => Some(all),
        (Owner::Service { namespace, .. }, Owner::Service { namespace: other, .. }) => {
            (namespace == other).then_some(Owner::Service { namespace, name: None })
        }
        _ => None,
    })
}

/// The name of an object; displayed, it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    stem: &'a str,
    end: [u8; 8],
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end.split(|byte| *byte == 0).next().unwrap_or_default();
        f.write_str(self.stem)?;
        f.write_str(str::from_utf8(end).unwrap_or_default())
    }
}

/// `web-5d4f8-x2k4q` → `web-5d4f8-` and `x2k4q`; a name without a short end is whole.
fn split(name: &str) -> (&str, [u8; 8]) {
    let mut end = [0; 8];
    let cut = name.rfind('-').map_or(name.len(), |dash| dash + 1);
    let (stem, rest) = name.split_at(cut);
    match end.get_mut(..rest.len()) {
        Some(room) if !rest.contains('\0') => {
            room.copy_from_slice(rest.as_bytes());
            (stem, end)
        }
        _ => (name, [0; 8]),
    }
}
