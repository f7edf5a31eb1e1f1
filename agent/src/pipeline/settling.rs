//! Gives what pods used before anybody told whose they are to whom it belongs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::identity::assignment::{Assignment, Decider, GaveUp};
use crate::identity::{Known, Registry, resolve_ended};
use crate::usage::accounts::Accounts;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// Pods without a cgroup that were not waited for any longer.
    given_up: BTreeMap<GaveUp, u64>,
}

impl Settling {
    /// Looks who was told of since the last turn.
    pub(super) fn turn(
        &mut self,
        registry: &mut Registry,
        accounts: &mut Accounts,
        known: &Known,
        now_ns: u64,
    ) {
        for settled in registry.take_settled() {
            accounts.settle(&settled.pod, &settled.tenant.shared());
        }
        for (pod, owner) in Self::ended(registry, accounts, known, now_ns) {
            let is_given_up = matches!(owner.decider, Decider::GaveUp(_));
            if is_given_up && registry.has_pod(&pod) {
                // Its last counts may still be to come.
                continue;
            }
            if let Decider::GaveUp(reason) = owner.decider {
                *self.given_up.entry(reason).or_default() += 1;
                tracing::info!(
                    pod = &*pod,
                    reason = reason.label(),
                    "nobody knows whose a pod was"
                );
            }
            accounts.settle(&pod, &owner.tenant.shared());
        }
    }

    /// Pods without a living cgroup for which something is held: of an agent before this
    /// one, or told of too late.
    fn ended(
        registry: &Registry,
        accounts: &Accounts,
        known: &Known,
        now_ns: u64,
    ) -> Vec<(Arc<str>, Assignment)> {
        let mut ended = accounts.pending().filter(|pod| !registry.has_living_pod(pod)).peekable();
        if ended.peek().is_none() {
            return Vec::new();
        }
        known.ask(now_ns, |knowledge| {
            ended
                .filter_map(|pod| {
                    Some((Arc::from(pod), resolve_ended(pod, knowledge.directory, now_ns)?))
                })
                .collect()
        })
    }

    /// Pods without a cgroup that were not waited for any longer, by reason.
    pub(super) fn given_up(&self) -> &BTreeMap<GaveUp, u64> {
        &self.given_up
    }
}
