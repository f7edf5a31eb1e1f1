//! What became of the questions.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Declares the figures once: the counters and what is read of them.
macro_rules! counts {
    ($($name:ident $help:literal)+) => {
        /// What became of the questions about containers since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct LookupCounts {
            $(#[doc = $help] pub $name: u64,)+
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)+
        }

        impl Counters {
            pub(crate) fn read(&self) -> LookupCounts {
                LookupCounts { $($name: self.$name.0.load(Relaxed),)+ }
            }
        }
    };
}

counts! {
    requests "Requests."
    refused "Requests that found the queue full."
    cached "Requests answered from memory."
    found "Requests answered by a runtime or its files."
    unknown "Requests that nobody could answer."
    invalid "Requests for an id that no runtime would use."
    answers_lost "Answers that nobody took in time."
    malformed "Files and answers that were not understood."
    oversized "Files and answers longer than what is read."
    unreachable "Questions to a socket that failed or took too long."
    evicted "Containers dropped from memory because there were too many."
}

/// A counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.more(1);
    }

    pub(crate) fn more(&self, number: u32) {
        self.0.fetch_add(number.into(), Relaxed);
    }
}
