//! What all threads know of the cluster and of containers, in one place.
//!
//! Locks are held for as long as an answer takes, never over a wait.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::container::ContainerFacts;
use crate::identity::Book;
use crate::identity::cluster::addresses::{Figures, Limits};
use crate::identity::cluster::report::TenantReport;
use crate::identity::cluster::{Change, Directory};
use crate::identity::peer::{Peers, pod_label_keys};
use crate::identity::registry::Knowledge;
use crate::identity::tenant::TenantRules;

/// Containers whose facts are kept at most: more than a node runs, living and lately
/// ended.
const CONTAINERS_MAX: usize = 8192;

/// A moment by two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// `CLOCK_MONOTONIC`, nanoseconds: the clock of what is known of the cluster.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970: the clock of who has which address, as the API server
    /// tells it.
    pub unix_ns: u64,
}

/// Rules, cluster and containers.
#[derive(Debug)]
pub struct Known {
    directory: RwLock<Directory>,
    /// Who has which address, where that is asked.
    book: Option<RwLock<Book>>,
    containers: RwLock<HashMap<Box<str>, Arc<ContainerFacts>>>,
}

impl Known {
    /// As the directory has it; no container is known yet.
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        Self { directory: RwLock::new(directory), book: None, containers: RwLock::default() }
    }

    /// The same, with a book of the addresses of the whole cluster.
    #[must_use]
    pub fn with_addresses(directory: Directory, limits: Limits) -> Self {
        Self { book: Some(RwLock::new(Book::new(limits))), ..Self::new(directory) }
    }

    /// Whether it is told who has which address.
    #[must_use]
    pub fn has_addresses(&self) -> bool {
        self.book.is_some()
    }

    /// Asks who had addresses at a time, nanoseconds since 1970; `None` where nobody
    /// tells.
    pub fn ask_peers<T>(&self, at_ns: u64, question: impl FnOnce(&Peers<'_>) -> T) -> Option<T> {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        let book = self.book.as_ref()?.read().unwrap_or_else(PoisonError::into_inner);
        Some(question(&book.peers(&directory, at_ns)))
    }

    /// How much the book of addresses has; `None` where there is none.
    #[must_use]
    pub fn address_figures(&self) -> Option<Figures> {
        let book = self.book.as_ref()?.read().unwrap_or_else(PoisonError::into_inner);
        Some(book.figures())
    }

    /// Sets the addresses of this node's own interfaces.
    pub fn set_local_addresses(&self, addresses: &[IpAddr]) {
        if let Some(book) = &self.book {
            book.write().unwrap_or_else(PoisonError::into_inner).set_local(addresses);
        }
    }

    /// Keys of the labels of pods that decide whose a pod is.
    #[must_use]
    pub fn pod_label_keys(&self) -> Arc<[Box<str>]> {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        pod_label_keys(directory.tenancy()).into_iter().map(Box::from).collect()
    }

    /// Answers a question.
    pub fn ask<T>(&self, now_ns: u64, question: impl FnOnce(&Knowledge<'_>) -> T) -> T {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        let containers = self.containers.read().unwrap_or_else(PoisonError::into_inner);
        question(&Knowledge { directory: &directory, containers: &containers, now_ns })
    }

    /// Whether news would give something to another owner: the counters are to be read
    /// before it is taken.
    #[must_use]
    pub fn would_change_tenants(&self, change: &Change) -> bool {
        let directory = self.directory.read().unwrap_or_else(PoisonError::into_inner);
        directory.would_change_tenants(change)
    }

    /// Forgets what has been gone for long enough.
    pub fn expire(&self, now_ns: u64) {
        self.directory.write().unwrap_or_else(PoisonError::into_inner).expire(now_ns);
    }

    /// Takes news of the cluster.
    pub fn apply(&self, change: Change, now: Moment) {
        if let Some(book) = &self.book {
            let book = || book.write().unwrap_or_else(PoisonError::into_inner);
            match &change {
                Change::Addresses(change) => return book().apply(change, now.unix_ns),
                Change::Health(source, health) => book().health(*source, health, now.unix_ns),
                _ => {}
            }
        }
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        directory.apply(change, now.monotonic_ns);
    }

    /// Replaces the configured rules. Read the counters before.
    pub fn set_rules(&self, rules: TenantRules) {
        self.directory.write().unwrap_or_else(PoisonError::into_inner).set_rules(rules);
    }

    /// What there is to tell of `Tenant` objects.
    #[must_use]
    pub fn reports(&self) -> BTreeMap<Box<str>, TenantReport> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).reports(None)
    }

    /// The directory's generation.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.directory.read().unwrap_or_else(PoisonError::into_inner).generation()
    }

    /// Takes what a runtime says of a container; false when there is no room.
    pub fn tell_container(&self, facts: Arc<ContainerFacts>) -> bool {
        let mut containers = self.containers.write().unwrap_or_else(PoisonError::into_inner);
        let fits = containers.len() < CONTAINERS_MAX || containers.contains_key(&*facts.id);
        if fits {
            containers.insert(facts.id.as_str().into(), facts);
        }
        fits
    }

    /// Forgets a container.
    pub fn forget_container(&self, id: &str) {
        self.containers.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
