//! Alerts for Alertmanager, by its API v2.
//!
//! Alertmanager groups and silences by labels, and takes alerts with the same labels as
//! one. So there are few labels, none of which changes from one event to the next: rule,
//! severity, tenant, namespace, node. What is particular is an annotation. An alert is
//! posted again while it goes on, as Alertmanager may have restarted, and ends by itself
//! some time after its last event.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::Uri;
use jiff::Timestamp;
use serde::Serialize;

use crate::sinks::client::Client;
use crate::sinks::delivery::{Delivery, Destination, Message, Outcome, Verdict, judge};

/// Alerts that are posted at once.
const BATCH: usize = 256;
/// Different alerts that are remembered as going on.
const ACTIVE: usize = 1024;
/// How often what goes on is posted again.
const AGAIN: Duration = Duration::from_secs(60);

/// Labels, which are what Alertmanager knows an alert by.
type Labels = BTreeMap<&'static str, String>;

/// An alert as Alertmanager wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: Labels,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// See the module.
#[derive(Debug)]
pub struct Alertmanager {
    client: Client,
    uri: Uri,
    node: String,
    /// How long after its last event an alert ends.
    resolve: Duration,
    active: BTreeMap<Labels, Posted>,
}

impl Alertmanager {
    /// Posts to `uri`, which ends in `/api/v2/alerts`. `node`: this node's name;
    /// `resolve`: how long after its last event an alert ends.
    #[must_use]
    pub const fn new(client: Client, uri: Uri, node: String, resolve: Duration) -> Self {
        Self { client, uri, node, resolve, active: BTreeMap::new() }
    }

    async fn post(&self, alerts: Vec<Posted>) -> Verdict {
        let body = match serde_json::to_vec(&alerts) {
            Ok(body) => body,
            Err(error) => return Verdict::Never(error.to_string()),
        };
        match self.client.post(&self.uri, "application/json", &[], body.into()).await {
            Ok(answer) => judge(&answer),
            Err(failure) => Verdict::Later(failure.into()),
        }
    }

    /// Takes in alerts; the same ones are one. What goes on keeps its beginning.
    fn merge(&self, messages: &[Message], now: Timestamp) -> BTreeMap<Labels, Posted> {
        let mut merged: BTreeMap<Labels, Posted> = BTreeMap::new();
        for message in messages {
            let mut posted = posted(message, &self.node, self.resolve, now);
            let known = merged.get(&posted.labels).or_else(|| self.active.get(&posted.labels));
            if let Some(known) = known.filter(|it| it.ends_at >= posted.starts_at) {
                posted.starts_at = known.starts_at.min(posted.starts_at);
                posted.ends_at = known.ends_at.max(posted.ends_at);
            }
            merged.insert(posted.labels.clone(), posted);
        }
        merged
    }

    async fn deliver(&mut self, messages: &[Message]) -> Outcome {
        let now = Timestamp::now();
        let merged = self.merge(messages, now);
        match self.post(merged.values().cloned().collect()).await {
            Verdict::Taken => {
                self.active.retain(|_, alert| alert.ends_at > now);
                self.active.extend(merged);
                while self.active.len() > ACTIVE {
                    self.active.pop_first();
                }
                Outcome::Delivered
            }
            Verdict::Later(outcome) => outcome,
            Verdict::Never(reason) if messages.len() == 1 => {
                tracing::warn!(rule = messages[0].rule, reason, "an alert is refused for good");
                Outcome::Partly { done: 1, refused: 1 }
            }
            // One of them is at fault: one by one tells which.
            Verdict::Never(_) => self.deliver_alone(&messages[0]).await,
        }
    }

    async fn deliver_alone(&mut self, message: &Message) -> Outcome {
        match Box::pin(self.deliver(std::slice::from_ref(message))).await {
            Outcome::Delivered => Outcome::Partly { done: 1, refused: 0 },
            outcome => outcome,
        }
    }

    /// Posts again what goes on.
    async fn again(&mut self) -> Outcome {
        let now = Timestamp::now();
        self.active.retain(|_, alert| alert.ends_at > now);
        if self.active.is_empty() {
            return Outcome::Delivered;
        }
        match self.post(self.active.values().cloned().collect()).await {
            Verdict::Later(outcome) => outcome,
            Verdict::Taken => Outcome::Delivered,
            Verdict::Never(reason) => {
                tracing::warn!(reason, "alerts that go on are refused; they are not posted again");
                self.active.clear();
                Outcome::Delivered
            }
        }
    }
}

impl Destination for Alertmanager {
    fn batch(&self) -> usize {
        BATCH
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        Box::pin(Self::deliver(self, messages))
    }

    fn again_every(&self) -> Option<Duration> {
        (!self.active.is_empty()).then_some(AGAIN)
    }

    fn again(&mut self) -> Delivery<'_> {
        Box::pin(Self::again(self))
    }
}

fn posted(message: &Message, node: &str, resolve: Duration, now: Timestamp) -> Posted {
    let mut labels = Labels::from([
        ("alertname", message.rule.clone()),
        ("severity", severity(message.priority).to_owned()),
        ("priority", message.priority_name().to_lowercase()),
        ("tenant", message.tenant.clone()),
        ("node", node.to_owned()),
    ]);
    labels.extend(message.namespace.clone().map(|namespace| ("namespace", namespace)));
    let mut annotations = BTreeMap::from([
        ("summary", message.rule.clone()),
        ("description", message.message.clone()),
        ("process", format!("{} ({})", message.process, message.pid)),
        ("alert_id", message.id.clone()),
    ]);
    annotations.extend(message.pod.clone().map(|pod| ("pod", pod)));
    annotations.extend(message.container.clone().map(|id| ("container", id)));
    let nanoseconds = i128::from(message.time_unix_ns);
    let starts_at = Timestamp::from_nanosecond(nanoseconds).unwrap_or(now).min(now);
    // What waited for long is news to Alertmanager all the same.
    let ends_at = now.checked_add(resolve).unwrap_or(now);
    Posted { labels, annotations, starts_at, ends_at }
}

/// As Prometheus' own rules word it.
const fn severity(priority: u8) -> &'static str {
    match priority {
        0..=2 => "critical",
        3..=4 => "warning",
        _ => "info",
    }
}
