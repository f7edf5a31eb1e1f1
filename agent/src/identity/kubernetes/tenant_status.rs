//! Writes the status of `Tenant` objects, from one agent of the cluster.
//!
//! Counts are written when they change, and at most every [`EVERY`]. Nothing depends on
//! it: an account that may not write is told once, and the agent goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{Timestamp, Unit};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::lease::Election;
use super::tenant_crd::{TenantCondition, TenantConflict, TenantResource, TenantStatus};
use crate::identity::cluster::report::TenantReport;

/// Time between two looks at what has changed. Shorter than a lease lasts.
pub const EVERY: Duration = Duration::from_secs(10);

/// Name of the lease that the writer holds.
pub const LEASE: &str = "landlord-tenants";

/// Objects in one answer to a list.
const PAGE: u32 = 500;

/// What is to be told, by the names of the objects.
pub type Reports = BTreeMap<Box<str>, TenantReport>;

/// The agents' writer of statuses.
#[derive(Debug)]
pub struct StatusWriter {
    tenants: Api<TenantResource>,
    election: Election,
    /// What the API server has; `None` when it must be asked.
    written: Option<BTreeMap<String, TenantStatus>>,
    /// Whether the last attempt failed, so that it is told once.
    is_failing: bool,
}

impl StatusWriter {
    /// `namespace` is that of the agents, `me` the name of this one's pod or node.
    #[must_use]
    pub fn new(client: Client, namespace: &str, me: &str) -> Self {
        let election = Election::new(client.clone(), namespace, LEASE, me);
        Self { tenants: Api::all(client), election, written: None, is_failing: false }
    }

    /// Writes for as long as somebody sends reports.
    pub async fn run(mut self, mut reports: watch::Receiver<Reports>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = ended(&mut reports) => {
                    if let Err(error) = self.finish().await {
                        tracing::debug!(%error, "the lease of the writer of statuses ends by itself");
                    }
                    return;
                }
                _ = ticks.tick() => {}
            }
            let now = reports.borrow_and_update().clone();
            match self.turn(&now).await {
                Ok(_) => self.is_failing = false,
                Err(error) => {
                    self.written = None;
                    if !std::mem::replace(&mut self.is_failing, true) {
                        tracing::warn!(%error, "the status of tenants cannot be written");
                    }
                }
            }
        }
    }

    /// Writes what has changed, if that is this agent's to do. Returns how many statuses
    /// were written.
    ///
    /// # Errors
    ///
    /// What the API server answers.
    pub async fn turn(&mut self, reports: &Reports) -> Result<usize, kube::Error> {
        if reports.is_empty() {
            // Where nobody uses such objects nobody needs a lease.
            self.written = None;
            return Ok(0);
        }
        if !self.election.hold().await? {
            self.written = None;
            return Ok(0);
        }
        let mut written = match self.written.take() {
            Some(written) => written,
            None => self.read().await?,
        };
        written.retain(|name, _| reports.contains_key(name.as_str()));
        let mut count = 0;
        for (name, report) in reports {
            let old = written.get(&**name);
            let new = status(report, old, &now());
            if old == Some(&new) {
                continue;
            }
            let patch = Patch::Merge(serde_json::json!({ "status": new }));
            match self.tenants.patch_status(name, &PatchParams::default(), &patch).await {
                Ok(_) => {
                    count += 1;
                    written.insert(name.to_string(), new);
                }
                // It is gone; the next reports know.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        self.written = Some(written);
        Ok(count)
    }

    /// Leaves the writing to another agent.
    ///
    /// # Errors
    ///
    /// What the API server answers.
    pub async fn finish(&mut self) -> Result<(), kube::Error> {
        // Who wrote something last has the lease.
        match self.written.take() {
            Some(_) => self.election.release().await,
            None => Ok(()),
        }
    }

    async fn read(&self) -> Result<BTreeMap<String, TenantStatus>, kube::Error> {
        let mut statuses = BTreeMap::new();
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let list = self.tenants.list(&page).await?;
            for resource in list.items {
                if let (Some(name), Some(status)) = (resource.metadata.name, resource.status) {
                    statuses.insert(name, status);
                }
            }
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => return Ok(statuses),
            }
        }
    }
}

/// Returns when nobody sends reports any more.
async fn ended(reports: &mut watch::Receiver<Reports>) {
    while reports.changed().await.is_ok() {}
}

/// The time to the second, as Kubernetes writes it.
fn now() -> String {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now).to_string()
}

/// What is to be written of a report. Conditions that are as before keep their time.
fn status(report: &TenantReport, old: Option<&TenantStatus>, now: &str) -> TenantStatus {
    let conflicts = report.first_conflicts.iter().map(|(namespace, holder)| TenantConflict {
        namespace: namespace.to_string(),
        holder: holder.to_string(),
    });
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let conflict_message = match report.conflicts {
        0 => String::new(),
        1 => "another Tenant of the same priority has 1 namespace".to_owned(),
        many => format!("other Tenants of the same priority have {many} namespaces"),
    };
    let conflicted = if report.conflicts == 0 { "NoConflict" } else { "TakenByOther" };
    let condition = |kind: &str, holds: bool, reason: &str, message: String| {
        let status = if holds { "True" } else { "False" };
        let before = old.and_then(|old| old.conditions.iter().find(|it| it.r#type == kind));
        let since = before.filter(|before| before.status == status);
        TenantCondition {
            r#type: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message,
            last_transition_time: since
                .map_or_else(|| now.to_owned(), |since| since.last_transition_time.clone()),
            observed_generation: report.generation,
        }
    };
    TenantStatus {
        observed_generation: report.generation,
        namespaces: count(report.namespaces),
        pods: report.pods.map(count),
        conflict_count: count(report.conflicts),
        conflicts: conflicts.collect(),
        conditions: vec![
            condition("Applied", true, "Observed", String::new()),
            condition("Conflicted", report.conflicts > 0, conflicted, conflict_message),
        ],
    }
}

#[cfg(test)]
#[path = "tenant_status_tests.rs"]
mod tests;
