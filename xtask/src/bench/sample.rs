//! Takes the samples of a row: every variant once a round.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use landlord_tests::agent::Home;
use landlord_tests::cgroup::Cgroup;
use landlord_tests::workload::Order;

use super::Effort;
use super::neighbours;
use super::variant::{Own, Variant};
use super::watching::Official;
use super::workloads::Workload;
use crate::lab::Interrupt;

/// Both ends of every workload run here.
const CPU: usize = 0;
const PATIENCE: Duration = Duration::from_secs(120);
/// An agent has looked at all processes and its rule files after this time.
const SETTLE: Duration = Duration::from_secs(3);

/// What a round is taken with.
#[derive(Clone, Copy)]
pub(crate) struct Machinery<'lab> {
    /// Where workloads run.
    pub(crate) cgroup: &'lab Cgroup,
    /// Where agents live.
    pub(crate) home: &'lab Home,
    /// Falco's rules, if they are at hand.
    pub(crate) official: Option<&'lab Official>,
    /// Whether the user wants to stop.
    pub(crate) interrupt: &'lab Interrupt,
}

/// All samples of a row.
#[derive(Debug)]
pub(crate) struct Samples {
    /// The row.
    pub(crate) workload: Workload,
    /// Nanoseconds of processor time per operation, one a round.
    pub(crate) ns: BTreeMap<Variant, Vec<f64>>,
    /// What the agent took, one a round and agent.
    pub(crate) own: Vec<Own>,
    /// Nanoseconds of the agent's own processor time per operation, one a round.
    pub(crate) own_ns: BTreeMap<Variant, Vec<f64>>,
}

impl Samples {
    /// No samples yet.
    pub(crate) fn new(workload: Workload) -> Self {
        Self { workload, ns: BTreeMap::new(), own: Vec::new(), own_ns: BTreeMap::new() }
    }

    /// Nanoseconds per operation, one a round.
    pub(crate) fn of(&self, variant: Variant) -> &[f64] {
        self.ns.get(&variant).map_or(&[], Vec::as_slice)
    }

    /// Nanoseconds of the agent's own processor time per operation, one a round.
    pub(crate) fn own_of(&self, variant: Variant) -> &[f64] {
        self.own_ns.get(&variant).map_or(&[], Vec::as_slice)
    }

    /// Measures each variant once. False, and nothing is kept, if somebody else's
    /// programs were on the hooks meanwhile.
    pub(crate) fn take_round(
        &mut self,
        round: u32,
        effort: &Effort,
        machinery: &Machinery<'_>,
    ) -> Result<bool> {
        let Machinery { cgroup, home, official, interrupt } = *machinery;
        neighbours::wait_until_gone(interrupt)?;
        let mut order = Variant::ALL;
        if round % 2 == 1 {
            order.reverse();
        }
        let order: Vec<Variant> =
            order.into_iter().filter(|&variant| self.has(variant, official)).collect();
        let mut round = Vec::new();
        for variant in order {
            interrupt.check()?;
            let mut beside = variant.begin(&self.workload, home, official)?;
            if self.workload.watched && variant.is_agent() {
                // A run before: what no rule can match is known after it.
                interrupt.sleep(SETTLE)?;
                best_run(&self.workload, 1, cgroup)?;
                beside.begin_anew()?;
            }
            let ns = best_run(&self.workload, effort.best_of, cgroup)?;
            round.push((variant, ns, beside.end()?));
            if !neighbours::on_the_hooks().is_empty() {
                return Ok(false);
            }
        }
        for (variant, ns, own) in round {
            if let Some(own) = own {
                self.own.push(own);
                let operations = f64::from(self.workload.count) * f64::from(effort.best_of);
                let own_ns = own.cpu_seconds * 1e9 / operations;
                self.own_ns.entry(variant).or_default().push(own_ns);
            }
            self.ns.entry(variant).or_default().push(ns);
        }
        Ok(true)
    }

    /// Where the floor is all hooks, it is measured once.
    fn has(&self, variant: Variant, official: Option<&Official>) -> bool {
        match variant {
            Variant::FloorAll => self.workload.floor != super::workloads::ALL_HOOKS,
            Variant::DefaultRules => self.workload.watched,
            Variant::OfficialRules => self.workload.watched && official.is_some(),
            Variant::Connections => self.workload.connects,
            _ => true,
        }
    }
}

fn best_run(workload: &Workload, runs: u32, cgroup: &Cgroup) -> Result<f64> {
    let count = workload.count;
    let amount = ["--count".to_owned(), count.to_string()];
    let command = workload.command.iter().map(|&word| word.to_owned()).chain(amount);
    let order = Order::new(command).inside(cgroup).on_cpu(CPU);
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let truth = order.run(PATIENCE).with_context(|| workload.name)?;
        ensure!(truth.operations == u64::from(count), "{}: not all was done", workload.name);
        // Exact: a run takes seconds, not months.
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let cpu_ns = truth.cpu_ns as f64;
        best = best.min(cpu_ns / f64::from(count));
    }
    Ok(best)
}
