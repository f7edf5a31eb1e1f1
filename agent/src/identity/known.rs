//! What all threads know of the cluster and of containers, in one place.
//!
//! Locks are held for as long as an answer takes, never over a wait.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::container::ContainerFacts;
use crate::identity::cluster::report::TenantReport;
use crate::identity::cluster::{Change, Directory};
use crate::identity::registry::Knowledge;
use crate::identity::tenant::TenantRules;

/// Containers whose facts are kept at most: more than a node runs, living and lately
/// ended.
const CONTAINERS_MAX: usize = 8192;

/// Rules, cluster and containers.
#[derive(Debug)]
pub struct Known {
    directory: RwLock<Directory>,
    containers: RwLock<HashMap<Box<str>, Arc<ContainerFacts>>>,
}

impl Known {
    /// As the directory has it; no container is known yet.
    #[must_use]
    pub fn new(directory: Directory) -> Self {
        Self { directory: RwLock::new(directory), containers: RwLock::default() }
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

    /// Takes news of the cluster. `now_ns`: `CLOCK_MONOTONIC`, as everywhere here.
    pub fn apply(&self, change: Change, now_ns: u64) {
        self.directory.write().unwrap_or_else(PoisonError::into_inner).apply(change, now_ns);
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
