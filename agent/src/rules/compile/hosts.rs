//! The hosts whose addresses rules compare with. Rules name them; whoever runs the
//! program finds out their addresses and says so, again and again.

use std::collections::HashMap;
use std::net::IpAddr;

use super::addresses::Addresses;
use super::texts::{at, index};

/// Sets of hosts that rules name, while they are gathered.
#[derive(Debug, Default)]
pub(crate) struct HostSets {
    names: Vec<Box<str>>,
    name_numbers: HashMap<Box<str>, u32>,
    sets: Vec<Box<[u32]>>,
    set_numbers: HashMap<Box<[u32]>, u32>,
}

impl HostSets {
    /// The number of the set of these hosts.
    pub(crate) fn set<'names>(&mut self, names: impl IntoIterator<Item = &'names str>) -> u32 {
        let mut members: Vec<u32> = names.into_iter().map(|name| self.name(name)).collect();
        members.sort_unstable();
        members.dedup();
        if let Some(number) = self.set_numbers.get(members.as_slice()) {
            return *number;
        }
        let number = index(self.sets.len());
        self.sets.push(members.as_slice().into());
        self.set_numbers.insert(members.into(), number);
        number
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(number) = self.name_numbers.get(name) {
            return *number;
        }
        let number = index(self.names.len());
        self.names.push(name.into());
        self.name_numbers.insert(name.into(), number);
        number
    }
}

/// The hosts and their addresses.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    hosts: Vec<(Box<str>, Addresses)>,
    members: Vec<Box<[u32]>>,
    /// The addresses of each set.
    sets: Vec<Addresses>,
}

impl Hosts {
    /// None of them has an address yet.
    pub(crate) fn new(gathered: HostSets) -> Self {
        let hosts = gathered.names.into_iter().map(|name| (name, Addresses::default())).collect();
        let sets = vec![Addresses::default(); gathered.sets.len()];
        Self { hosts, members: gathered.sets, sets }
    }

    /// Their names, each once.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|(name, _)| &**name)
    }

    /// The addresses of each set, by its number.
    pub(crate) fn sets(&self) -> &[Addresses] {
        &self.sets
    }

    /// Says which addresses a host has now.
    pub(crate) fn set(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let Some(number) = self.hosts.iter().position(|(known, _)| **known == *name) else {
            return;
        };
        self.hosts[number].1 = addresses.into_iter().collect();
        for (members, set) in self.members.iter().zip(&mut self.sets) {
            if members.binary_search(&index(number)).is_ok() {
                *set = members.iter().map(|member| &self.hosts[at(*member)].1).collect();
            }
        }
    }
}
