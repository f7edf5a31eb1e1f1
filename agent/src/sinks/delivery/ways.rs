//! Which queues there are and what goes into each; they may be others at any time.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Route, Tray};

/// A queue, and which alerts go there.
pub type Way = (Route, Arc<Tray>);

/// See the module. Copies are of the same ways.
#[derive(Clone, Debug, Default)]
pub struct Ways(Arc<RwLock<Arc<[Way]>>>);

impl Ways {
    /// Those that there are now.
    #[must_use]
    pub fn now(&self) -> Arc<[Way]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has what comes from now on go there.
    pub fn set(&self, ways: impl IntoIterator<Item = Way>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ways.into_iter().collect();
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.now().is_empty()
    }
}

impl FromIterator<Way> for Ways {
    fn from_iter<T: IntoIterator<Item = Way>>(ways: T) -> Self {
        let new = Self::default();
        new.set(ways);
        new
    }
}
