//! When sources could not be asked, and what that leaves open.

use super::holder::Kind;

/// For how long after the API server can be asked again news may be of what happened
/// while it could not, nanoseconds.
const CATCH_UP_NS: u64 = 5 * 1_000_000_000;

/// The last time that each source could not be asked.
#[derive(Debug, Default)]
pub(super) struct Doubts([Doubt; 4]);

#[derive(Clone, Copy, Debug, Default)]
struct Doubt {
    since_ns: u64,
    /// 0: never; [`u64::MAX`]: still.
    until_ns: u64,
    /// Since when all that there is has been told; `None`: never.
    told_ns: Option<u64>,
    /// Nothing is ever told of it in this cluster, and nothing waits for that.
    is_excused: bool,
}

impl Doubts {
    /// A source cannot be asked (`begins`), or it can be, again or at last.
    pub(super) fn note(&mut self, kind: Kind, begins: bool, now_ns: u64) {
        let doubt = &mut self.0[kind as usize];
        match (begins, doubt.until_ns == u64::MAX) {
            (true, false) => (doubt.since_ns, doubt.until_ns) = (now_ns, u64::MAX),
            (false, true) => doubt.until_ns = now_ns,
            _ => {}
        }
        if !begins {
            doubt.told_ns.get_or_insert(now_ns);
        }
    }

    /// Notes whether it is known that a source will not tell.
    pub(super) fn excuse(&mut self, kind: Kind, is_excused: bool) {
        self.0[kind as usize].is_excused = is_excused;
    }

    /// Whether everybody who had an address at that time has been told of.
    pub(super) fn was_told_all(&self, at_ns: u64) -> bool {
        self.0.iter().all(|doubt| {
            let is_in_doubt = doubt.since_ns <= at_ns && at_ns < doubt.until_ns;
            let was_told = doubt.told_ns.is_some_and(|told_ns| told_ns <= at_ns) && !is_in_doubt;
            was_told || doubt.is_excused
        })
    }

    /// Whether what is known of now holds for that time.
    pub(super) fn is_certain(&self, kind: Kind, at_ns: u64) -> bool {
        let doubt = self.0[kind as usize];
        doubt.until_ns != u64::MAX || at_ns < doubt.since_ns
    }

    /// An end that is told now may have been while nobody could tell it: until when it
    /// had not ended for certain.
    pub(super) fn certain_until(&self, kind: Kind, now_ns: u64) -> u64 {
        let doubt = self.0[kind as usize];
        if now_ns < doubt.until_ns.saturating_add(CATCH_UP_NS) && doubt.until_ns > 0 {
            now_ns.min(doubt.since_ns)
        } else {
            now_ns
        }
    }
}
