//! Sums of cgroups whose owner is still to be told.
//!
//! They lie among the tenants' sums under labels that no tenant can have.

use std::sync::Arc;

use super::Accounts;
use crate::usage::tenant::PendingUsage;
use crate::usage::totals::{add, network_bytes, seconds};

/// Owners that are waited for at the same time; what further ones use goes to
/// `unknown`, counted as [`LossCause::PendingFull`](crate::telemetry::LossCause).
pub(super) const MAX: usize = 1024;

/// Names of tenants have no control characters.
const MARK: char = '\u{1}';

/// Whether it is one of these labels.
pub(super) fn is_label(label: &str) -> bool {
    label.starts_with(MARK)
}

impl Accounts {
    /// The label to book under until the owner of what `key` names, such as a pod's
    /// UID, is told.
    #[must_use]
    pub fn pending_label(key: &str) -> Arc<str> {
        format!("{MARK}{key}").into()
    }

    /// Keys of all whose owner is still to be told, those included that an agent
    /// before this one left.
    pub fn pending(&self) -> impl Iterator<Item = &str> {
        // A control character is less than whatever a tenant's name begins with.
        self.books.tenants.keys().map_while(|label| label.strip_prefix(MARK))
    }

    /// Gives all that was held for `key` to the tenant, and forgets the key. False
    /// when nothing was held for it.
    pub fn settle(&mut self, key: &str, tenant: &Arc<str>) -> bool {
        let held = Self::pending_label(key);
        if !self.books.tenants.contains_key(&held) {
            return false;
        }
        let labels = self.admit(std::slice::from_ref(tenant));
        if let Some(label) = labels.first() {
            self.move_sums(&held, label);
        }
        true
    }

    /// What is held altogether.
    pub(super) fn pending_usage(&self) -> PendingUsage {
        let mut sum = PendingUsage::default();
        let held = self.books.tenants.iter().filter(|(label, _)| is_label(label));
        for (_, totals) in held {
            sum.owners += 1;
            sum.cpu_seconds += seconds(totals.cpu_ns);
            add(&mut sum.network_bytes, network_bytes(&totals.network));
            add(&mut sum.disk_bytes, totals.disk_read_bytes);
            add(&mut sum.disk_bytes, totals.disk_write_bytes);
        }
        sum
    }
}
