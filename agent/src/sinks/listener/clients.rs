//! What clients of the local API asked, and what became of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::telemetry::ClientFault;
use crate::usage::api::{ApiRequests, ApiUsage};

/// Counts since the agent started.
#[derive(Debug, Default)]
pub struct Clients {
    present: AtomicU64,
    faults: [AtomicU64; ClientFault::ALL.len()],
    /// By page and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
}

impl Clients {
    pub(super) fn comes(&self) {
        self.present.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn goes(&self, fault: Option<ClientFault>) {
        self.present.fetch_sub(1, Ordering::Relaxed);
        if let Some(fault) = fault {
            self.faults[fault as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a request; `page` is one of a few, never what the client wrote.
    pub(in crate::sinks) fn answered(&self, page: &'static str, status: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((page, status)).or_default() += 1;
    }

    /// The figures now.
    #[must_use]
    pub fn usage(&self) -> ApiUsage {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = requests.iter().map(|(&(page, status), &count)| ApiRequests {
            page: page.to_owned(),
            status,
            count,
        });
        let faults = ClientFault::ALL.iter().map(|fault| {
            let count = self.faults[*fault as usize].load(Ordering::Relaxed);
            (fault.label().to_owned(), count)
        });
        ApiUsage {
            connections: self.present.load(Ordering::Relaxed),
            faults_total: faults.collect(),
            requests: requests.collect(),
        }
    }
}
