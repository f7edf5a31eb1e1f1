//! Which one of the agents does what only one should: the one that holds a lease.
//!
//! As others do it, no clock of another machine is trusted: a lease has run out when
//! this agent has seen no change of it for as long as it lasts.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};

/// How long a lease lasts that nobody renews.
pub const LASTS: Duration = Duration::from_secs(30);

/// One agent's part in the election.
#[derive(Debug)]
pub struct Election {
    leases: Api<Lease>,
    name: String,
    /// This agent.
    me: String,
    /// The version that was seen last, and when it was seen first.
    seen: Option<(Option<String>, Instant)>,
}

/// What is to be done about a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Take it: it is free, or has run out.
    Take,
    /// Renew it: it is this agent's.
    Renew,
    /// Leave it: it is another's.
    Leave,
}

impl Election {
    /// `name` and `namespace` are the lease's; `me` is unique among the agents.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str, me: &str) -> Self {
        let leases = Api::namespaced(client, namespace);
        Self { leases, name: name.to_owned(), me: me.to_owned(), seen: None }
    }

    /// Takes or renews the lease if that is possible. Returns whether this agent has it
    /// now, for [`LASTS`].
    ///
    /// # Errors
    ///
    /// What the API server answers, but for a lost race.
    pub async fn hold(&mut self) -> Result<bool, kube::Error> {
        let Some(lease) = self.leases.get_opt(&self.name).await? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let spec = Some(self.spec(None, Step::Take));
            let new = Lease { metadata, spec };
            return won(self.leases.create(&PostParams::default(), &new).await);
        };
        let now = Instant::now();
        let version = lease.metadata.resource_version.clone();
        let since = match &self.seen {
            Some((known, since)) if *known == version => *since,
            _ => now,
        };
        self.seen = Some((version, since));
        let step = step(lease.spec.as_ref(), &self.me, now.duration_since(since));
        if step == Step::Leave {
            return Ok(false);
        }
        let next = Lease { spec: Some(self.spec(lease.spec.as_ref(), step)), ..lease };
        // With the version that was read: whoever is later loses.
        won(self.leases.replace(&self.name, &PostParams::default(), &next).await)
    }

    /// Gives the lease back, so that another need not wait for its end.
    ///
    /// # Errors
    ///
    /// What the API server answers, but for a lost race.
    pub async fn release(&mut self) -> Result<(), kube::Error> {
        let Some(mut lease) = self.leases.get_opt(&self.name).await? else { return Ok(()) };
        match lease.spec.as_mut() {
            Some(spec) if spec.holder_identity.as_ref() == Some(&self.me) => {
                spec.holder_identity = None;
            }
            _ => return Ok(()),
        }
        won(self.leases.replace(&self.name, &PostParams::default(), &lease).await).map(drop)
    }

    fn spec(&self, old: Option<&LeaseSpec>, step: Step) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let taken = step == Step::Take;
        let transitions = old.and_then(|old| old.lease_transitions).unwrap_or_default();
        let changed_hands = i32::from(taken && old.is_some());
        let since = old.and_then(|old| old.acquire_time.clone()).filter(|_| !taken);
        LeaseSpec {
            holder_identity: Some(self.me.clone()),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            acquire_time: Some(since.unwrap_or_else(|| now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions.saturating_add(changed_hands)),
            ..LeaseSpec::default()
        }
    }
}

fn step(lease: Option<&LeaseSpec>, me: &str, unchanged: Duration) -> Step {
    let holder = lease.and_then(|lease| lease.holder_identity.as_deref()).unwrap_or_default();
    let lasts = lease.and_then(|lease| lease.lease_duration_seconds).unwrap_or_default();
    let lasts = Duration::from_secs(u64::try_from(lasts).unwrap_or_default());
    if holder == me {
        Step::Renew
    } else if holder.is_empty() || unchanged >= lasts.max(LASTS) {
        Step::Take
    } else {
        Step::Leave
    }
}

/// Whether a write won; 409 means that another was faster.
fn won(answer: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match answer {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_take_it() {
        let check = |holder: Option<&str>, lasts: i32, unchanged: u64, expected: Step| {
            let lease = LeaseSpec {
                holder_identity: holder.map(str::to_owned),
                lease_duration_seconds: Some(lasts),
                ..LeaseSpec::default()
            };
            let is = step(Some(&lease), "me", Duration::from_secs(unchanged));
            assert_eq!(is, expected, "{holder:?} {lasts} {unchanged}");
        };
        check(Some("me"), 30, 0, Step::Renew);
        check(Some("me"), 30, 900, Step::Renew);
        check(Some("other"), 30, 0, Step::Leave);
        check(Some("other"), 30, 29, Step::Leave);
        check(Some("other"), 30, 30, Step::Take);
        check(Some("other"), 60, 59, Step::Leave);
        check(Some("other"), -1, 29, Step::Leave);
        check(Some(""), 30, 0, Step::Take);
        check(None, 30, 0, Step::Take);
        assert_eq!(step(None, "me", Duration::ZERO), Step::Take);
    }
}
