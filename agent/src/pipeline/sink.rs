//! Where alerts go, and who is at the other end of the connections that they are about.
//!
//! News of who has an address comes a little after the address was used, so an alert
//! about a connection waits until its event is [`ASK_AFTER_NS`] old, and others are
//! written meanwhile. Where nobody tells of addresses nothing waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::clock::{boot_unix_ns, boottime_ns};
use crate::config::AlertFormat;
use crate::detection::{Alert, PeerFacts};
use crate::event::{Initiator, RemoteEnd};
use crate::identity::Known;
use crate::identity::peer::{Peer, Peers, is_loopback};
use crate::sinks::alerts::AlertWriter;
use crate::sinks::recent::Recent;

/// Age of an event at which it is asked whose its remote end was.
const ASK_AFTER_NS: u64 = 1_000_000_000;
/// Alerts that wait at most; when there are more the oldest do no longer, and their
/// peers are not certain.
const WAITING_MAX: usize = 1024;

/// See the module.
pub(super) struct Sink {
    writer: Option<AlertWriter>,
    format: AlertFormat,
    recent: Arc<Recent>,
    known: Arc<Known>,
    /// What is in the times of alerts; the clock may have been set since.
    boot_unix_ns: u64,
    /// Oldest first, but for events that were held.
    waiting: VecDeque<(Alert, RemoteEnd)>,
    /// Peers that were told, by kind and whether they were certain.
    peers: BTreeMap<(&'static str, bool), u64>,
}

impl Sink {
    /// `boot_unix_ns`: when `CLOCK_BOOTTIME` was 0 by the times of the alerts.
    pub(super) fn new(
        writer: Option<AlertWriter>,
        format: AlertFormat,
        recent: Arc<Recent>,
        known: Arc<Known>,
        boot_unix_ns: u64,
    ) -> Self {
        let (waiting, peers) = (VecDeque::new(), BTreeMap::new());
        Self { writer, format, recent, known, boot_unix_ns, waiting, peers }
    }

    /// Takes an alert.
    pub(super) fn alert(&mut self, alert: Alert) {
        let Some(remote) = alert.remote.filter(|_| self.known.has_addresses()) else {
            self.line(&alert);
            return self.remember(&alert);
        };
        // Its line as text says nothing of the peer.
        if self.format == AlertFormat::Text {
            self.line(&alert);
        }
        if is_loopback(remote.address) || self.is_due(&alert, boottime_ns()) {
            return self.told(alert, remote, true);
        }
        if self.waiting.len() >= WAITING_MAX
            && let Some((oldest, remote)) = self.waiting.pop_front()
        {
            self.told(oldest, remote, false);
        }
        self.waiting.push_back((alert, remote));
    }

    /// Lets those go that waited for long enough.
    pub(super) fn turn(&mut self) {
        let now_ns = boottime_ns();
        while let Some((alert, remote)) =
            self.waiting.pop_front_if(|(alert, _)| is_due(alert, self.boot_unix_ns, now_ns))
        {
            self.told(alert, remote, true);
        }
    }

    /// Lets all go.
    pub(super) fn finish(&mut self) {
        self.turn();
        for (alert, remote) in std::mem::take(&mut self.waiting) {
            self.told(alert, remote, false);
        }
    }

    /// Alerts that could not be written.
    pub(super) fn lost(&self) -> u64 {
        self.writer.as_ref().map_or(0, AlertWriter::lost)
    }

    /// Peers that were told, by kind and whether they were certain.
    pub(super) fn peers(&self) -> &BTreeMap<(&'static str, bool), u64> {
        &self.peers
    }

    fn is_due(&self, alert: &Alert, now_ns: u64) -> bool {
        is_due(alert, self.boot_unix_ns, now_ns)
    }

    /// Says who the peer was; one that was asked for too early is not certain.
    fn told(&mut self, mut alert: Alert, remote: RemoteEnd, in_time: bool) {
        let since_boot_ns = alert.time_unix_ns.saturating_sub(self.boot_unix_ns);
        let at_ns = boot_unix_ns().saturating_add(since_boot_ns);
        let facts = self
            .known
            .ask_peers(at_ns, |peers| PeerFacts::from(&find(peers, &remote, at_ns)))
            .map(|facts| PeerFacts { certain: facts.certain && in_time, ..facts });
        if let Some(facts) = facts {
            *self.peers.entry((facts.kind, facts.certain)).or_default() += 1;
            alert.set_peer(facts);
        }
        if self.format != AlertFormat::Text {
            self.line(&alert);
        }
        self.remember(&alert);
    }

    fn line(&self, alert: &Alert) {
        let Some(writer) = &self.writer else { return };
        match self.format {
            AlertFormat::Text => writer.line(alert.text.clone()),
            AlertFormat::Json => writer.line(alert.json.clone()),
            AlertFormat::None => {}
        }
    }

    fn remember(&self, alert: &Alert) {
        match serde_json::to_value(alert) {
            Ok(alert) => self.recent.add(alert),
            Err(error) => tracing::warn!(%error, "an alert is not shown by the API"),
        }
    }
}

/// Whether its event is old enough.
fn is_due(alert: &Alert, boot_unix_ns: u64, now_ns: u64) -> bool {
    let event_ns = alert.time_unix_ns.saturating_sub(boot_unix_ns);
    event_ns.saturating_add(ASK_AFTER_NS) <= now_ns
}

/// Whoever is at an end at that time.
fn find<'a>(peers: &Peers<'a>, end: &RemoteEnd, at_ns: u64) -> Peer<'a> {
    let RemoteEnd { address, port, protocol, initiator } = *end;
    match (initiator, protocol) {
        (Initiator::Local, Some(protocol)) => {
            peers.find_destination(address, protocol, port, at_ns)
        }
        // The port of who connects is any.
        (Initiator::Remote, _) => peers.find(address, at_ns),
        (Initiator::Local | Initiator::Unknown, _) => {
            peers.find_either(address, protocol, port, at_ns)
        }
    }
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
