//! Where alerts go, and who is at the other end of the connections that they are about.
//!
//! News of who has an address comes a little after the address was used, so an alert
//! about a connection waits until its event is [`ASK_AFTER_NS`] old, and others are
//! written meanwhile. Where nobody tells of addresses nothing waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::alert_counts::AlertCounts;
use super::clock::{boot_unix_ns, boottime_ns};
use crate::config::AlertFormat;
use crate::detection::{Alert, PeerFacts};
use crate::event::{Initiator, RemoteEnd};
use crate::identity::Known;
use crate::identity::peer::{Peer, Peers, is_loopback};
use crate::sinks::delivery::{self, Message, Outbox, Output, Remote, Share, Ways};
use crate::sinks::recent::Recent;
use crate::usage::tenant::AlertTrace;

/// Age of an event at which it is asked whose its remote end was.
const ASK_AFTER_NS: u64 = 1_000_000_000;
/// Alerts that wait at most; when there are more the oldest do no longer, and their
/// peers are not certain.
const WAITING_MAX: usize = 1024;

/// Who gets alerts.
pub(super) struct Out {
    /// Standard output and the sinks; `None`: neither, whatever happens.
    pub(super) outbox: Option<Outbox>,
    /// What standard output gets.
    pub(super) format: AlertFormat,
    /// The sinks that there are.
    pub(super) ways: Ways,
    /// Which alerts are exported as traces; `None`: none.
    pub(super) traces: Option<Share>,
    /// The local API.
    pub(super) recent: Arc<Recent>,
}

/// An alert whose peer is asked for later.
struct Waiting {
    alert: Alert,
    remote: RemoteEnd,
    /// Standard output has it already.
    is_shown: bool,
}

/// See the module.
pub(super) struct Sink {
    out: Out,
    ids: Ids,
    known: Arc<Known>,
    /// What is in the times of alerts; the clock may have been set since.
    boot_unix_ns: u64,
    /// Oldest first, but for events that were held.
    waiting: VecDeque<Waiting>,
    /// Alerts that came; shared with figures, so that these cost nothing where none came.
    counts: Arc<AlertCounts>,
    /// Peers that were told, by kind and whether they were certain.
    peers: BTreeMap<(&'static str, bool), u64>,
}

impl Sink {
    /// `boot_unix_ns`: when `CLOCK_BOOTTIME` was 0 by the times of the alerts.
    pub(super) fn new(out: Out, known: Arc<Known>, boot_unix_ns: u64) -> Self {
        let (waiting, peers) = (VecDeque::new(), BTreeMap::new());
        let (ids, counts) = (Ids::new(), Arc::<AlertCounts>::default());
        Self { out, ids, known, boot_unix_ns, waiting, counts, peers }
    }

    /// Says which alerts are exported as traces from now on; `None`: none.
    pub(super) const fn set_traces(&mut self, traces: Option<Share>) {
        self.out.traces = traces;
    }

    /// Takes an alert.
    pub(super) fn alert(&mut self, mut alert: Alert) {
        alert.set_id(self.ids.next());
        let is_trace = |share: &Share| share.takes(&alert.id, alert.priority as u8);
        let trace = self
            .out
            .traces
            .filter(is_trace)
            .map(|_| AlertTrace { id: alert.id.clone(), time_unix_ns: alert.time_unix_ns });
        Arc::make_mut(&mut self.counts).add(&alert.tenant, &alert.rule, alert.priority, trace);
        let Some(remote) = alert.remote.filter(|_| self.known.has_addresses()) else {
            self.hand_on(&alert, self.line(&alert));
            return;
        };
        let is_shown = self.is_told_at_once();
        if is_shown {
            self.put(Output { message: None, line: self.line(&alert) });
        }
        let waiting = Waiting { alert, remote, is_shown };
        let is_due = is_due(&waiting.alert, self.boot_unix_ns, boottime_ns());
        if is_loopback(remote.address) || is_due {
            return self.told(waiting, true);
        }
        if self.waiting.len() >= WAITING_MAX
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.told(oldest, false);
        }
        self.waiting.push_back(waiting);
    }

    /// Lets those go that waited for long enough.
    pub(super) fn turn(&mut self) {
        let now_ns = boottime_ns();
        while let Some(waiting) =
            self.waiting.pop_front_if(|it| is_due(&it.alert, self.boot_unix_ns, now_ns))
        {
            self.told(waiting, true);
        }
    }

    /// Lets all go.
    pub(super) fn finish(&mut self) {
        self.turn();
        for waiting in std::mem::take(&mut self.waiting) {
            self.told(waiting, false);
        }
    }

    /// Alerts that could not be written.
    pub(super) fn lost(&self) -> u64 {
        self.out.outbox.as_ref().map_or(0, Outbox::lost)
    }

    /// Alerts that came.
    pub(super) fn counts(&self) -> &Arc<AlertCounts> {
        &self.counts
    }

    /// Peers that were told, by kind and whether they were certain.
    pub(super) fn peers(&self) -> &BTreeMap<(&'static str, bool), u64> {
        &self.peers
    }

    /// Whether standard output does not wait for the peer: the line as text says nothing
    /// of it. But nothing is shown before it is on the disk of the sinks.
    fn is_told_at_once(&self) -> bool {
        self.out.format == AlertFormat::Text && self.out.ways.is_empty()
    }

    /// Says who the peer was; one that was asked for too early is not certain.
    fn told(&mut self, waiting: Waiting, in_time: bool) {
        let Waiting { mut alert, remote, is_shown } = waiting;
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
        let line = if is_shown { None } else { self.line(&alert) };
        self.hand_on(&alert, line);
    }

    /// What standard output gets.
    fn line(&self, alert: &Alert) -> Option<Vec<u8>> {
        match self.out.format {
            AlertFormat::Text => Some(alert.text.clone()),
            AlertFormat::Json => Some(alert.json.clone()),
            AlertFormat::None => None,
        }
    }

    fn put(&self, output: Output) {
        if let Some(outbox) = &self.out.outbox
            && (output.line.is_some() || output.message.is_some())
        {
            outbox.put(output);
        }
    }

    fn hand_on(&self, alert: &Alert, line: Option<Vec<u8>>) {
        self.put(Output { message: (!self.out.ways.is_empty()).then(|| message(alert)), line });
        match serde_json::to_value(alert) {
            Ok(alert) => self.out.recent.add(alert),
            Err(error) => tracing::warn!(%error, "an alert is not shown by the API"),
        }
    }
}

/// Names of alerts that no other agent gives, nor this one after a restart.
struct Ids {
    run: u64,
    next: u64,
}

impl Ids {
    fn new() -> Self {
        let mut bytes = [0; 8];
        let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
        // Without random numbers the time is as good as any.
        let run = match filled {
            Ok(8) => u64::from_ne_bytes(bytes),
            _ => boot_unix_ns().wrapping_add(boottime_ns()),
        };
        Self { run, next: 0 }
    }

    fn next(&mut self) -> String {
        self.next += 1;
        format!("{:016x}{:016x}", self.run, spread(self.run, self.next))
    }
}

/// Another number for each `number` of a run, with no order to be seen: who samples by the
/// end of an id wants it to be by chance.
const fn spread(run: u64, number: u64) -> u64 {
    // Steps that can be undone one by one, so that no two numbers give the same.
    let mut bits = run.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What sinks get of an alert.
fn message(alert: &Alert) -> Message {
    Message {
        id: alert.id.clone(),
        time_unix_ns: alert.time_unix_ns,
        rule: alert.rule.to_string(),
        priority: alert.priority as u8,
        tags: alert.tags.to_vec(),
        tenant: alert.tenant.to_string(),
        identity: alert.identity.label().to_owned(),
        tenant_labels: alert.tenant_labels.as_ref().clone(),
        namespace: alert.namespace.clone(),
        pod: alert.pod.clone(),
        container: alert.container.as_deref().map(str::to_owned),
        event: alert.event.to_owned(),
        process: alert.process.clone(),
        pid: alert.pid,
        lineage: alert.lineage.clone(),
        remote: alert.remote.map(|end| Remote { end, peer: alert.peer.as_ref().map(peer) }),
        message: alert.message.clone(),
        repeats: alert.repeats,
        json: String::from_utf8_lossy(&alert.json).into_owned(),
    }
}

/// What sinks get of a peer.
pub(super) fn peer(facts: &PeerFacts) -> delivery::Peer {
    let PeerFacts { kind, namespace, name, tenant, certain } = facts.clone();
    delivery::Peer { kind: kind.to_owned(), namespace, name, tenant, certain }
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
