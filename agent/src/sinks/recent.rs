//! The last alerts, for whoever asks over the local API.
//!
//! Each has a number, so that a client that comes back gets what it has not had, and
//! is told how many it missed.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Alerts that are kept.
pub const KEPT: usize = 1024;

/// Alerts as one answer of the API has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// What to ask for next: the number of the first alert after these.
    pub next: u64,
    /// Alerts that were asked for and are no longer kept.
    pub missed: u64,
    /// The alerts, oldest first.
    pub alerts: Vec<serde_json::Value>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Number of the first that is kept.
    first: u64,
    alerts: VecDeque<serde_json::Value>,
}

/// Keeps alerts.
#[derive(Debug)]
pub struct Recent {
    kept: Mutex<Kept>,
    next: watch::Sender<u64>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { kept: Mutex::default(), next: watch::Sender::new(0) }
    }
}

impl Recent {
    /// Adds an alert; the oldest leaves when there are too many.
    pub fn add(&self, alert: serde_json::Value) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.alerts.push_back(alert);
        if kept.alerts.len() > KEPT {
            kept.alerts.pop_front();
            kept.first += 1;
        }
        let next = kept.first + kept.alerts.len() as u64;
        drop(kept);
        self.next.send_replace(next);
    }

    /// The alerts from that number on; all that are kept without one.
    #[must_use]
    pub fn page(&self, from: Option<u64>) -> Page {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let next = kept.first + kept.alerts.len() as u64;
        // A number that was not given out yet is of an agent that ran before.
        let from = from.filter(|from| *from <= next).unwrap_or(kept.first);
        let skip = usize::try_from(from.saturating_sub(kept.first)).unwrap_or(usize::MAX);
        Page {
            next,
            missed: kept.first.saturating_sub(from),
            alerts: kept.alerts.iter().skip(skip).cloned().collect(),
        }
    }

    /// As [`page`](Self::page), after waiting for an alert if there is none yet.
    pub async fn wait(&self, from: Option<u64>, patience: Duration) -> Page {
        let page = self.page(from);
        if !page.alerts.is_empty() || page.missed > 0 {
            return page;
        }
        let mut changed = self.next.subscribe();
        let newer = changed.wait_for(|next| *next > page.next);
        // Late or not: what is there is the answer.
        drop(tokio::time::timeout(patience, newer).await);
        self.page(Some(page.next))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::{KEPT, Page, Recent};

    #[test]
    fn pages_follow_each_other() {
        let recent = Recent::default();
        let check = |from, next, missed, alerts: &[u64]| {
            let alerts = alerts.iter().map(|number| json!(number)).collect();
            assert_eq!(recent.page(from), Page { next, missed, alerts });
        };
        check(None, 0, 0, &[]);
        recent.add(json!(0));
        recent.add(json!(1));
        check(None, 2, 0, &[0, 1]);
        check(Some(1), 2, 0, &[1]);
        check(Some(2), 2, 0, &[]);
        check(Some(9), 2, 0, &[0, 1]);
    }

    #[test]
    fn what_is_missed_is_told() {
        let recent = Recent::default();
        for number in 0..KEPT + 10 {
            recent.add(json!(number));
        }
        let page = recent.page(Some(4));
        assert_eq!((page.missed, page.alerts.len()), (6, KEPT));
        assert_eq!(page.alerts[0], json!(10));
    }

    #[test]
    fn waiting_ends_with_an_alert() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let recent = Arc::new(Recent::default());
            let other = Arc::clone(&recent);
            let waiting =
                tokio::spawn(async move { other.wait(None, Duration::from_secs(60)).await });
            tokio::task::yield_now().await;
            recent.add(json!("x"));
            assert_eq!(waiting.await.unwrap().alerts, [json!("x")]);
            let none = recent.wait(Some(1), Duration::from_millis(1)).await;
            assert_eq!(none, Page { next: 1, ..Page::default() });
        });
    }
}
