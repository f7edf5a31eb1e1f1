//! Subjects that no rule can match, written where the sensors look before they send.

use std::mem::offset_of;

use landlord_ebpf::abi::{Verdict, verdict_index};

use crate::kernel::shared::Shared;

/// The table of verdicts.
pub struct Verdicts {
    pub(super) table: Shared,
}

impl Verdicts {
    /// Spares us events of the subject that a record named in its head. Another
    /// subject at the same place is forgotten. Nothing happens for the key 0.
    pub fn set(&self, [low, high]: [u64; 2]) {
        if low == 0 {
            return;
        }
        let place = verdict_index(low);
        // In between the entry is of no subject: neither the old nor the new one has
        // both words.
        self.table.set_word(place, offset_of!(Verdict, high) / 8, high);
        self.table.publish(place, offset_of!(Verdict, low) / 8, low);
    }
}
