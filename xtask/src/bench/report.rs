//! The figures: a table for people, JSON for machines.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::Effort;
use super::idle::{Idle, mebibytes};
use super::sample::Samples;
use super::statistics::{Spread, added, noise, ratio};
use super::variant::Variant;
use super::watched::{self, Watched, watched};

/// Changes when a key changes its name or meaning.
const SCHEMA: u32 = 2;
/// A floor that is not so many times the noise is no measure.
const CLEAR: f64 = 2.0;

/// What was measured, as it is written to the file.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Version of this form.
    schema: u32,
    /// Where.
    machine: Machine,
    /// Rounds that were measured.
    rounds: u32,
    /// Runs of which each sample is the best.
    best_of: u32,
    /// One entry per workload.
    rows: Vec<Row>,
    /// The agent at rest, if it was measured.
    idle: Option<Idle>,
}

/// The machine.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// Release of the kernel.
    kernel: String,
    /// Model of its first CPU, as the kernel names it.
    cpu: String,
    /// CPUs this process may use.
    cpus: usize,
}

/// One workload.
#[derive(Debug, Serialize)]
struct Row {
    /// Its name.
    name: &'static str,
    /// What one operation is.
    operation: &'static str,
    /// Nanoseconds of processor time per operation with nothing beside it.
    base_ns: Spread,
    /// How much two samples with nothing beside them differ as a rule, nanoseconds.
    noise_ns: f64,
    /// One entry per variant.
    variants: Vec<Outcome>,
    /// Landlord's added cost by that of the floor; absent where the floor's is
    /// not clear of the noise.
    floor_ratio: Option<f64>,
    /// Landlord's added cost by that of empty programs on all hooks: what its
    /// meters do, beyond being called at all. Absent as `floor_ratio` is.
    all_hooks_ratio: Option<f64>,
    /// Most that `floor_ratio` may be, if anything is promised.
    target: Option<f64>,
    /// Whether it is, if there is a target and a clear ratio.
    met: Option<bool>,
    /// Processor time of the agent's own process while the workload ran, in
    /// percent of a core.
    agent_cpu_percent: Option<f64>,
    /// Most memory the agent's process had resident, in MiB.
    agent_resident_mib: Option<f64>,
    /// What agents that watch cost, and for comparison the one that only meters.
    watched: Vec<Watched>,
}

/// One variant of a workload against nothing.
#[derive(Debug, Serialize)]
struct Outcome {
    /// What ran beside it.
    variant: Variant,
    /// Its hooks; empty for nothing, absent where the agent chooses them.
    hooks: Option<Vec<&'static str>>,
    /// Nanoseconds added to each operation, by round.
    added_ns: Spread,
    /// Cost with it by cost without, by round.
    ratio: Spread,
}

impl Machine {
    /// This machine.
    pub(crate) fn here() -> Result<Self> {
        let read = |file: &str| {
            std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))
        };
        let cpu = read("/proc/cpuinfo")?
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| matches!(key.trim(), "model name" | "CPU part"))
            .map(|(_, value)| value.trim().to_owned());
        Ok(Self {
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            cpu: cpu.unwrap_or_else(|| "unknown".to_owned()),
            cpus: std::thread::available_parallelism().context("no CPU")?.get(),
        })
    }
}

impl Report {
    /// Makes figures of samples. A row without a whole round is left out.
    pub(crate) fn new(
        machine: Machine,
        rounds: u32,
        effort: &Effort,
        all: &[Samples],
        idle: Option<Idle>,
    ) -> Self {
        let rows = all.iter().filter_map(row).collect();
        Self { schema: SCHEMA, machine, rounds, best_of: effort.best_of, rows, idle }
    }

    /// Names of the rows that miss their target.
    pub(crate) fn missed(&self) -> Vec<&'static str> {
        let missed = |row: &&Row| row.met == Some(false) || row.watched.iter().any(Watched::missed);
        let rows = self.rows.iter().filter(missed).map(|row| row.name);
        let idle = self.idle.is_some_and(|idle| !idle.met);
        rows.chain(idle.then_some(super::IDLE)).collect()
    }

    /// The figures for people, without an end of line.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        if !self.rows.is_empty() {
            text.push_str(&self.rows_table());
            text.push_str("\n\n");
        }
        let rows = self.rows.iter().map(|row| (row.name, row.watched.as_slice()));
        if let Some(table) = watched::table(rows) {
            text.push_str(&table);
            text.push_str("\n\n");
        }
        if let Some(idle) = &self.idle {
            let verdict = if idle.met { "met" } else { "NOT MET" };
            line(
                &mut text,
                format_args!(
                    "Agent at rest with {} cgroups, {:.0} s: {:.2} % of a core (at most {}), \
                     {:.1} MiB resident (at most {}): {verdict}",
                    idle.cgroups,
                    idle.seconds,
                    idle.cpu_percent,
                    idle.cpu_target_percent,
                    idle.resident_mib,
                    idle.resident_target_mib,
                ),
            );
        }
        let most = |figure: fn(&Row) -> Option<f64>| {
            self.rows.iter().filter_map(figure).max_by(f64::total_cmp)
        };
        if let Some((cpu, mib)) =
            most(|row| row.agent_cpu_percent).zip(most(|row| row.agent_resident_mib))
        {
            line(
                &mut text,
                format_args!(
                    "Agent under load, at most: {cpu:.1} % of a core, {mib:.1} MiB resident"
                ),
            );
        }
        let Machine { kernel, cpu, cpus } = &self.machine;
        line(&mut text, format_args!("Linux {kernel}, {cpus} CPUs, {cpu}"));
        line(
            &mut text,
            format_args!(
                "Processor time, user and system, per operation; medians of {} rounds, each \
                 sample the best of {}.",
                self.rounds, self.best_of
            ),
        );
        if !self.rows.is_empty() {
            text.push_str(
                "NOISE is nothing against nothing, RATIO Landlord against nothing: min/median/max.\n\
                 FLOOR, ALL HOOKS and LANDLORD are nanoseconds added by empty programs on the \
                 hooks that the work passes,\nby empty programs on all hooks, and by Landlord; \
                 ×FLOOR and ×ALL compare Landlord with them.\nA floor below twice the noise \
                 gives no verdict.\n",
            );
        }
        text.trim_end().to_owned()
    }

    fn rows_table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        table.set_header([
            "WORKLOAD",
            "BASE ns",
            "NOISE",
            "FLOOR",
            "ALL HOOKS",
            "LANDLORD",
            "RATIO",
            "×ALL",
            "×FLOOR",
            "TARGET",
            "",
        ]);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if !matches!(at, 0 | 10) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let find = |variant| self.variants.iter().find(|outcome| outcome.variant == variant);
        let added = |variant| {
            find(variant).map_or("-".to_owned(), |it| format!("{:+.0}", it.added_ns.median))
        };
        let ratio = |variant| find(variant).map_or("-".to_owned(), |it| range(it.ratio));
        let verdict = match (self.target, self.met) {
            (None, _) => "",
            (Some(_), Some(true)) => "met",
            (Some(_), Some(false)) => "NOT MET",
            (Some(_), None) => "unclear",
        };
        vec![
            self.name.to_owned(),
            format!("{:.0}", self.base_ns.median),
            ratio(Variant::NothingAgain),
            added(Variant::Floor),
            added(Variant::FloorAll),
            added(Variant::Landlord),
            ratio(Variant::Landlord),
            self.all_hooks_ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            self.floor_ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            self.target.map_or("-".to_owned(), |target| format!("≤ {target:.2}")),
            verdict.to_owned(),
        ]
    }
}

fn row(samples: &Samples) -> Option<Row> {
    let workload = samples.workload;
    let base = samples.of(Variant::Nothing);
    let noise_ns = noise(samples.of(Variant::NothingAgain), base)?;
    let variants: Vec<Outcome> = Variant::ALL
        .into_iter()
        .filter(|&variant| variant != Variant::Nothing)
        .filter_map(|variant| {
            Some(Outcome {
                variant,
                hooks: match variant {
                    Variant::Nothing | Variant::NothingAgain => Some(Vec::new()),
                    Variant::Floor => Some(workload.floor.to_vec()),
                    Variant::FloorAll => Some(super::workloads::ALL_HOOKS.to_vec()),
                    Variant::Landlord
                    | Variant::DefaultRules
                    | Variant::OfficialRules
                    | Variant::Connections => None,
                },
                added_ns: added(samples.of(variant), base)?,
                ratio: ratio(samples.of(variant), base)?,
            })
        })
        .collect();
    let cost = |variant| {
        let outcome = variants.iter().find(|outcome| outcome.variant == variant)?;
        Some(outcome.added_ns.median)
    };
    let ratio_to = |floor| match (cost(Variant::Landlord), cost(floor)) {
        (Some(landlord), Some(floor)) if floor > CLEAR * noise_ns => Some(landlord / floor),
        _ => None,
    };
    let (floor_ratio, all_hooks_ratio) = (ratio_to(Variant::Floor), ratio_to(Variant::FloorAll));
    let floor_ns = cost(Variant::Floor).filter(|floor| *floor > CLEAR * noise_ns);
    let elapsed: f64 = samples.own.iter().map(|own| own.elapsed_seconds).sum();
    let cpu: f64 = samples.own.iter().map(|own| own.cpu_seconds).sum();
    let resident = samples.own.iter().map(|own| own.resident_bytes).max();
    Some(Row {
        name: workload.name,
        operation: workload.operation,
        base_ns: Spread::of(base.iter().copied())?,
        noise_ns,
        variants,
        floor_ratio,
        all_hooks_ratio,
        target: workload.target,
        met: workload.target.zip(floor_ratio).map(|(target, ratio)| ratio <= target),
        agent_cpu_percent: resident.map(|_| cpu / elapsed * 100.0),
        agent_resident_mib: resident.map(mebibytes),
        watched: watched(samples, noise_ns, floor_ns),
    })
}

fn range(spread: Spread) -> String {
    format!("{:.2}/{:.2}/{:.2}", spread.min, spread.median, spread.max)
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    writeln!(text, "{words}").ok();
}

#[cfg(test)]
mod tests {
    use super::super::workloads::WORKLOADS;
    use super::{Machine, Report, Samples, row};
    use crate::bench::Effort;
    use crate::bench::variant::{Own, Variant};
    use std::time::Duration;

    /// Samples of getppid in two rounds: nothing, floor, Landlord, nothing again.
    fn samples(rounds: [[f64; 4]; 2]) -> Samples {
        let mut samples = Samples::new(WORKLOADS[0]);
        for [nothing, floor, landlord, again] in rounds {
            let mut push = |variant, ns| samples.ns.entry(variant).or_default().push(ns);
            push(Variant::Nothing, nothing);
            push(Variant::Floor, floor);
            push(Variant::FloorAll, floor);
            push(Variant::Landlord, landlord);
            push(Variant::NothingAgain, again);
            let own = Own { cpu_seconds: 0.1, elapsed_seconds: 1.0, resident_bytes: 20 << 20 };
            samples.own.push(own);
        }
        samples
    }

    fn check(rounds: [[f64; 4]; 2], floor_ratio: Option<f64>, met: Option<bool>) {
        let row = row(&samples(rounds)).expect("two rounds");
        assert_eq!((row.floor_ratio, row.met), (floor_ratio, met), "{rounds:?}");
    }

    #[test]
    fn the_verdict_needs_a_floor_above_the_noise() {
        check([[100.0, 160.0, 166.0, 101.0]; 2], Some(1.1), Some(true));
        check([[100.0, 160.0, 190.0, 101.0]; 2], Some(1.5), Some(false));
        check([[100.0, 110.0, 190.0, 106.0]; 2], None, None);
        check([[100.0, 95.0, 190.0, 100.0]; 2], None, None);
    }

    #[test]
    fn a_row_without_samples_is_left_out() {
        assert!(row(&Samples::new(WORKLOADS[0])).is_none());
    }

    #[test]
    fn the_table_tells_missed_targets() {
        let machine = Machine { kernel: "6.1".to_owned(), cpu: "x".to_owned(), cpus: 2 };
        let effort = Effort { rounds: 2, best_of: 1, idle: Duration::ZERO, limit: Duration::ZERO };
        let all = [samples([[100.0, 160.0, 190.0, 101.0]; 2])];
        let report = Report::new(machine, 2, &effort, &all, None);
        assert_eq!(report.missed(), ["getppid"]);
        let table = report.table();
        let row = table.lines().nth(1).expect("a row");
        let words: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(words[..3], ["getppid", "100", "1.01/1.01/1.01"]);
        assert_eq!(
            words[3..],
            "+60 +60 +90 1.90/1.90/1.90 1.50 1.50 ≤ 1.15 NOT MET".split(' ').collect::<Vec<_>>()
        );
        assert!(table.contains("at most: 10.0 % of a core, 20.0 MiB resident"), "{table}");
        assert!(table.contains("Linux 6.1, 2 CPUs, x"));
    }
}
