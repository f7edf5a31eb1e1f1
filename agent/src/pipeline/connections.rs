//! Ends of connections: which of them are told, and who was at either end.
//!
//! News of who has an address comes a little after it was used, and so may whose a cgroup
//! is: a connection waits for [`ASK_AFTER_NS`] before it is asked. What is not told is
//! counted, each connection once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc::Sender, watch};

use super::clock::{boot_unix_ns, boottime_ns, monotonic_ns};
use super::met::resolve;
use super::sink;
use crate::detection::PeerFacts;
use crate::event::{Connection, Side};
use crate::identity::assignment::Class;
use crate::identity::cgroup_path::Workload;
use crate::identity::peer::{Peer, PeerKind};
use crate::identity::{CgroupId, Known, Resolution};
use crate::kernel::events::CgroupPaths;
use crate::rules::json_event::errno;
use crate::sinks::otlp::connections::{Ended, Scope, To, trace_id};

/// Age of what is known of a connection when it is asked whose its ends were.
const ASK_AFTER_NS: u64 = 1_000_000_000;
/// How often it is asked again when the cluster has not yet told whose this end is.
const ASK_AGAIN: u32 = 10;
/// Connections that wait at most; when there are more the oldest do no longer.
const WAITING_MAX: usize = 4096;
/// Connections of a tenant that are told per second.
const RATE: u32 = 200;
/// Cgroups whose paths are kept: to look for one that is gone takes long.
const PATHS_MAX: usize = 1024;
/// Number of TCP among IP protocols.
const TCP: u8 = 6;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It is told.
    Told,
    /// It is none of those that are asked for.
    LeftOut,
    /// It is not in the part that is taken of all.
    Unsampled,
    /// It began before the agent did, or among too many others.
    Unseen,
    /// It cannot be told whose one of its ends was.
    Unknown,
    /// Its tenant had too many in that second.
    RateLimited,
    /// Too many waited to be sent.
    QueueFull,
}

impl Outcome {
    /// All of them.
    pub(super) const ALL: [Self; 7] = [
        Self::Told,
        Self::LeftOut,
        Self::Unsampled,
        Self::Unseen,
        Self::Unknown,
        Self::RateLimited,
        Self::QueueFull,
    ];

    /// Value of the label `outcome` of metrics.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::LeftOut => "left_out",
            Self::Unsampled => "unsampled",
            Self::Unseen => "unseen",
            Self::Unknown => "unknown",
            Self::RateLimited => "rate_limited",
            Self::QueueFull => "queue_full",
        }
    }
}

/// What is told of connections, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    /// Which.
    pub(super) scope: Scope,
    /// Takes them.
    pub(super) to: Sender<Ended>,
    /// Where they go then, and which part of them; `None`: nowhere now.
    pub(super) goes: watch::Receiver<Option<To>>,
}

/// A connection that is asked for later.
struct Waiting {
    connection: Connection,
    side: Side,
    numbers: (u32, u32),
    path: Option<Arc<str>>,
    due_ns: u64,
    asked: u32,
}

/// See the module.
pub(super) struct Connections {
    telling: Telling,
    known: Arc<Known>,
    paths: Arc<CgroupPaths>,
    path_of: HashMap<u64, Option<Arc<str>>>,
    /// In the order of their time.
    waiting: VecDeque<Waiting>,
    rates: Rates,
    outcomes: BTreeMap<Outcome, u64>,
}

impl Connections {
    pub(super) fn new(telling: Telling, known: Arc<Known>, paths: Arc<CgroupPaths>) -> Self {
        let outcomes = Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
        Self {
            telling,
            known,
            paths,
            path_of: HashMap::new(),
            waiting: VecDeque::new(),
            rates: Rates::default(),
            outcomes,
        }
    }

    /// Takes one that ended.
    pub(super) fn take(&mut self, connection: Connection) {
        let (Some(side), Some(numbers)) = (connection.side, connection.numbers()) else {
            return self.count(Outcome::Unseen);
        };
        let share = self.telling.goes.borrow().as_ref().map(|to| to.share);
        match share {
            None => return self.count(Outcome::LeftOut),
            Some(share) if !share.takes_trace(trace_id(numbers)) => {
                return self.count(Outcome::Unsampled);
            }
            Some(_) => {}
        }
        let path = self.path(connection.cgroup);
        let due_ns = boottime_ns().saturating_add(ASK_AFTER_NS);
        if self.waiting.len() >= WAITING_MAX
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.ask(oldest, true);
        }
        self.waiting.push_back(Waiting { connection, side, numbers, path, due_ns, asked: 0 });
    }

    /// Lets those go that waited for long enough.
    pub(super) fn turn(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let now_ns = boottime_ns();
        while let Some(waiting) = self.waiting.pop_front_if(|it| it.due_ns <= now_ns) {
            self.ask(waiting, false);
        }
    }

    /// Lets all go.
    pub(super) fn finish(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            self.ask(waiting, true);
        }
    }

    /// How many had each outcome.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.outcomes.iter().map(|(outcome, count)| (outcome.label(), *count)).collect()
    }

    fn count(&mut self, outcome: Outcome) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    fn path(&mut self, cgroup: u64) -> Option<Arc<str>> {
        if let Some(path) = self.path_of.get(&cgroup) {
            return path.clone();
        }
        if self.path_of.len() >= PATHS_MAX {
            self.path_of.clear();
        }
        let path: Option<Arc<str>> = self.paths.path(CgroupId(cgroup)).map(Into::into);
        self.path_of.insert(cgroup, path.clone());
        path
    }

    /// Finds out whose it was. `is_last`: it cannot wait any longer.
    fn ask(&mut self, mut waiting: Waiting, is_last: bool) {
        let workload = waiting.path.as_deref().map(Workload::parse).unwrap_or_default();
        let is_again = waiting.asked > 0;
        let owner = self.known.ask(monotonic_ns(), |known| {
            resolve(waiting.path.as_deref(), &workload, is_again, known)
        });
        let owner = match owner {
            Resolution::Settled(owner) => owner,
            Resolution::Pending { .. } if is_last || waiting.asked >= ASK_AGAIN => {
                return self.count(Outcome::Unknown);
            }
            Resolution::Pending { .. } => {
                waiting.asked += 1;
                waiting.due_ns = boottime_ns().saturating_add(ASK_AFTER_NS);
                return self.waiting.push_back(waiting);
            }
        };
        if owner.assignment.class != Class::Tenant {
            return self.count(Outcome::LeftOut);
        }
        let Waiting { connection, side, numbers, .. } = waiting;
        let boot_unix_ns = boot_unix_ns();
        let start_unix_ns = boot_unix_ns.saturating_add(connection.start_ns);
        let tenant = owner.tenant().to_string();
        let (scope, is_in_time) = (self.telling.scope, !is_last);
        let found = self.known.ask_peers(start_unix_ns, |peers| {
            let (address, port) = (connection.remote.ip(), connection.remote.port());
            let peer = match side {
                Side::Client => peers.find_destination(address, TCP, port, start_unix_ns),
                Side::Server => peers.find(address, start_unix_ns),
            };
            let facts = PeerFacts::from(&peer);
            let facts = PeerFacts { certain: facts.certain && is_in_time, ..facts };
            (is_asked_for(scope, &tenant, Some(&peer)), facts, is_told_there(&peer))
        });
        let (asked_for, peer, is_told_there) = match found {
            Some((asked_for, facts, there)) => (asked_for, Some(sink::peer(&facts)), there),
            None => (is_asked_for(scope, &tenant, None), None, false),
        };
        if let Err(outcome) = asked_for {
            return self.count(outcome);
        }
        if !self.rates.allow(&tenant, boottime_ns()) {
            return self.count(Outcome::RateLimited);
        }
        let ended = Ended {
            side,
            numbers,
            start_unix_ns,
            end_unix_ns: boot_unix_ns.saturating_add(connection.end_ns),
            tenant,
            namespace: owner.namespace.as_deref().map(str::to_owned),
            pod: owner.pod.as_deref().map(str::to_owned),
            container: workload.container.map(|container| container.id.as_str().to_owned()),
            peer,
            is_told_there,
            error: (connection.error != 0)
                .then(|| errno::name(connection.error.into()).unwrap_or("_OTHER")),
            connection,
        };
        let outcome = match self.telling.to.try_send(ended) {
            Ok(()) => Outcome::Told,
            Err(_) => Outcome::QueueFull,
        };
        self.count(outcome);
    }
}

/// Whether a connection of a tenant with a peer is told; otherwise why it is not.
fn is_asked_for(scope: Scope, tenant: &str, peer: Option<&Peer<'_>>) -> Result<(), Outcome> {
    match (scope, peer) {
        (Scope::None, _) => Err(Outcome::LeftOut),
        (Scope::All, _) => Ok(()),
        (Scope::Tenants, None) => Err(Outcome::Unknown),
        (Scope::Tenants, Some(peer)) => match &peer.assignment {
            Some(it) if it.class == Class::Tenant && it.tenant.as_str() != tenant => Ok(()),
            Some(it) if matches!(it.class, Class::Unknown | Class::Pending) => {
                Err(Outcome::Unknown)
            }
            None if peer.kind == PeerKind::Unknown => Err(Outcome::Unknown),
            _ => Err(Outcome::LeftOut),
        },
    }
}

/// Whether the agent of the other end's node tells of it as well, if it is told to.
fn is_told_there(peer: &Peer<'_>) -> bool {
    peer.kind == PeerKind::Pod
        && peer.assignment.as_ref().is_some_and(|it| it.class == Class::Tenant)
}

/// How many each tenant had in this second.
#[derive(Debug, Default)]
struct Rates {
    second: u64,
    told: HashMap<String, u32>,
}

impl Rates {
    fn allow(&mut self, tenant: &str, now_ns: u64) -> bool {
        let second = now_ns / 1_000_000_000;
        if self.second != second {
            self.second = second;
            self.told.clear();
        }
        match self.told.get_mut(tenant) {
            Some(told) => {
                *told += 1;
                *told <= RATE
            }
            None => {
                self.told.insert(tenant.to_owned(), 1);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, RATE, Rates, is_asked_for, is_told_there};
    use crate::identity::assignment::{Class, Decider};
    use crate::identity::peer::{Peer, PeerKind};
    use crate::identity::{Assignment, Tenant};
    use crate::sinks::otlp::connections::Scope;

    fn peer(kind: PeerKind, tenant: Option<(&str, Class)>) -> Peer<'static> {
        let assignment = tenant.map(|(tenant, class)| Assignment {
            tenant: Tenant::new(tenant),
            class,
            ..Assignment::unknown(Decider::NoRule)
        });
        Peer { kind, namespace: None, name: None, assignment, is_certain: true }
    }

    #[test]
    fn between_tenants_both_have_to_be_known() {
        let check = |peer: Option<Peer<'_>>, tenants: Result<(), Outcome>| {
            let found = is_asked_for(Scope::Tenants, "acme", peer.as_ref());
            assert_eq!(found, tenants, "{peer:?}");
            assert_eq!(is_asked_for(Scope::All, "acme", peer.as_ref()), Ok(()));
            let none = is_asked_for(Scope::None, "acme", peer.as_ref());
            assert_eq!(none, Err(Outcome::LeftOut));
        };
        let of = |kind, tenant| Some(peer(kind, tenant));
        check(None, Err(Outcome::Unknown));
        check(of(PeerKind::Unknown, None), Err(Outcome::Unknown));
        check(of(PeerKind::Outside, None), Err(Outcome::LeftOut));
        check(of(PeerKind::Loopback, None), Err(Outcome::LeftOut));
        check(of(PeerKind::Pod, Some(("acme", Class::Tenant))), Err(Outcome::LeftOut));
        check(of(PeerKind::Pod, Some(("beta", Class::Tenant))), Ok(()));
        check(of(PeerKind::Service, Some(("beta", Class::Tenant))), Ok(()));
        check(of(PeerKind::Service, Some(("system", Class::Shared))), Err(Outcome::LeftOut));
        check(of(PeerKind::Node, Some(("host", Class::Host))), Err(Outcome::LeftOut));
        check(of(PeerKind::Pod, Some(("pending", Class::Pending))), Err(Outcome::Unknown));
    }

    #[test]
    fn only_tenants_in_pods_have_a_span_of_their_own() {
        let check = |kind, tenant, expected| {
            assert_eq!(is_told_there(&peer(kind, tenant)), expected, "{kind:?} {tenant:?}");
        };
        check(PeerKind::Pod, Some(("beta", Class::Tenant)), true);
        check(PeerKind::Pod, Some(("system", Class::Shared)), false);
        check(PeerKind::Service, Some(("beta", Class::Tenant)), false);
        check(PeerKind::Outside, None, false);
    }

    #[test]
    fn a_tenant_takes_no_room_of_another() {
        const SECOND: u64 = 1_000_000_000;
        let mut rates = Rates::default();
        let mut allowed = |tenant, times, now_ns| {
            let allowed = (0..times).filter(|_| rates.allow(tenant, now_ns)).count();
            u32::try_from(allowed).unwrap()
        };
        assert_eq!(allowed("acme", 2 * RATE, 5 * SECOND), RATE);
        assert_eq!(allowed("beta", 3, 5 * SECOND + 1), 3);
        assert_eq!(allowed("acme", 1, 6 * SECOND - 1), 0);
        assert_eq!(allowed("acme", 2 * RATE, 6 * SECOND), RATE);
    }

    #[test]
    fn outcomes_have_names_of_their_own() {
        let labels: std::collections::BTreeSet<_> = Outcome::ALL.map(Outcome::label).into();
        assert_eq!(labels.len(), Outcome::ALL.len());
    }
}
