//! `cargo xtask bench`: what the sensors cost, against no agent and against the
//! floor of empty programs on the same hooks.
//!
//! The unit is processor time, user and system, per operation: wall time on a
//! shared machine says nothing. Each round measures every variant of a row one
//! after another, forwards and backwards by turns, and figures are compared
//! within their round only, so that a machine that slows down for a minute slows
//! down all of them. A sample is the best of three short runs: what disturbs a
//! run can only add to it. All of a workload runs on CPU 0, in a cgroup of its own.
//! Nobody else's programs may be on the hooks meanwhile: a round of a row that
//! somebody joined is measured again. What needs no sensors, such as the rules, is
//! measured by a program of its own.
//!
//! Some rows are also measured with an agent that watches by rules. Its own processor
//! time counts there: what no rule can match should not get as far as the agent.

mod identity;
mod idle;
mod neighbours;
mod outage;
mod report;
mod rules;
mod sample;
mod sinks;
mod statistics;
mod variant;
mod watched;
mod watching;
mod workloads;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use landlord_tests::agent::Home;
use landlord_tests::cgroup::Hierarchy;

use self::report::{Machine, Report};
use self::sample::{Machinery, Samples};
use self::watching::Official;
use self::workloads::{WORKLOADS, Workload};
use crate::lab::{self, Interrupt};
use crate::report::{Step, result, say};

/// Descriptors for which a process has room from the beginning (`NR_OPEN_DEFAULT`).
const FEW_FILES: u32 = 64;
/// Name of the row that measures the agent at rest.
const IDLE: &str = "idle";

/// What the benchmark can be told.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// Rounds to measure; the figures are medians
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Fewer and shorter rounds: a look, not a measurement
    #[arg(long)]
    quick: bool,
    /// Also write the figures to this file, as JSON
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Measure this row only: getppid, openclose, openclose-many, pingpong, forkexec, tcp-rr, tcp-connect, tcp-stream, udp-send or idle
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Fail when a target is missed
    #[arg(long)]
    check: bool,
}

/// What can be measured beside the sensors.
#[derive(Debug, clap::Subcommand)]
enum Other {
    /// Measure how many events a second rules are evaluated for, on one core
    Rules(rules::Args),
    /// Measure what it costs a node to know all pods of the cluster, and how soon it does
    Identity(identity::Args),
    /// Take a Collector away for minutes under hundreds of alerts a second, kill the agent
    /// meanwhile, and see that all arrives
    Outage(outage::Args),
    /// Measure how many alerts a second each kind of sink takes, on one core
    Sinks(sinks::Args),
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds.
    pub(crate) rounds: u32,
    /// Runs of which a sample is the best.
    pub(crate) best_of: u32,
    /// Seconds to watch the idle agent.
    pub(crate) idle: Duration,
    /// No further round begins after this time.
    pub(crate) limit: Duration,
}

impl Effort {
    fn of(args: &Args) -> Self {
        if args.quick {
            let idle = Duration::from_secs(10);
            let rounds = args.rounds.min(3);
            Self { rounds, best_of: 1, idle, limit: Duration::from_secs(90) }
        } else {
            let idle = Duration::from_secs(30);
            let rounds = args.rounds;
            Self { rounds, best_of: 3, idle, limit: Duration::from_secs(600) }
        }
    }
}

/// Runs the benchmark and prints its table.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.other {
        Some(Other::Rules(args)) => return rules::run(args),
        Some(Other::Identity(args)) => return identity::run(args),
        Some(Other::Outage(args)) => return outage::run(args),
        Some(Other::Sinks(args)) => return sinks::run(args),
        None => {}
    }
    let rows = chosen(&args.only)?;
    note_descriptors()?;
    lab::enter()?;
    let interrupt = Interrupt::arm()?;
    let outcome = measure(args, &rows, &interrupt);
    let report = interrupt.explain(outcome)?;
    result(report.table());
    if let Some(file) = &args.output {
        let json = serde_json::to_string_pretty(&report).context("a report is plain data")?;
        std::fs::write(file, json + "\n").with_context(|| format!("cannot write {file:?}"))?;
        say("Wrote", file.display());
    }
    let missed = report.missed();
    ensure!(!args.check || missed.is_empty(), "targets missed: {}", missed.join(", "));
    Ok(())
}

/// Says when workloads would inherit room for many files, as that makes opening one dearer.
fn note_descriptors() -> Result<()> {
    let own = std::fs::read_dir("/proc/self/fd").context("cannot read own descriptors")?;
    let numbers = own.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    if let Some(number) = numbers.max().filter(|number| *number >= FEW_FILES) {
        say(
            "Note",
            format_args!("descriptor {number} is inherited: `openclose` has many files, too"),
        );
    }
    Ok(())
}

/// The rows to measure, and whether the idle agent is among them.
fn chosen(only: &[String]) -> Result<(Vec<Workload>, bool)> {
    if only.is_empty() {
        return Ok((WORKLOADS.to_vec(), true));
    }
    for name in only {
        if name != IDLE && WORKLOADS.iter().all(|row| row.name != name) {
            let names: Vec<&str> = WORKLOADS.iter().map(|row| row.name).collect();
            bail!("no row `{name}`; there are {} and {IDLE}", names.join(", "));
        }
    }
    let wanted = |name: &str| only.iter().any(|only| only == name);
    Ok((WORKLOADS.into_iter().filter(|row| wanted(row.name)).collect(), wanted(IDLE)))
}

fn measure(args: &Args, rows: &(Vec<Workload>, bool), interrupt: &Interrupt) -> Result<Report> {
    let (workloads, idle) = rows;
    let effort = Effort::of(args);
    let hierarchy = Hierarchy::find()?;
    let cgroup = hierarchy.create("landlord-bench.slice")?;
    let home = Home::new("")?;
    let official = Official::find()?;
    if official.is_none() && workloads.iter().any(|row| row.watched) {
        say("Note", "Falco's rules are not at hand; set LANDLORD_FALCO_RULES to their folder");
    }
    let machinery =
        Machinery { cgroup: &cgroup, home: &home, official: official.as_ref(), interrupt };
    let began = Instant::now();
    let mut all: Vec<Samples> = workloads.iter().map(|row| Samples::new(*row)).collect();
    let step = Step::begin("Measuring", format_args!("{} rows", workloads.len()));
    let mut rounds = 0;
    let mut longest = Duration::ZERO;
    while rounds < effort.rounds && !all.is_empty() {
        let round_began = Instant::now();
        if began.elapsed() + longest > effort.limit {
            say("Stopping", format_args!("after {rounds} rounds: the time is over"));
            break;
        }
        for samples in &mut all {
            let name = samples.workload.name;
            step.note(format_args!("{name}, round {} of {}", rounds + 1, effort.rounds));
            while !samples.take_round(rounds, &effort, &machinery)? {
                let late = began.elapsed() > effort.limit;
                ensure!(!late, "{name}: programs of others came to the hooks again and again");
            }
        }
        rounds += 1;
        longest = longest.max(round_began.elapsed());
    }
    drop(step);
    neighbours::wait_until_gone(interrupt)?;
    let idle =
        idle.then(|| idle::measure(&hierarchy, &home, effort.idle, interrupt)).transpose()?;
    Ok(Report::new(Machine::here()?, rounds, &effort, &all, idle))
}

#[cfg(test)]
mod tests {
    use super::{WORKLOADS, chosen};

    fn check(only: &[&str], expected: Option<(usize, bool)>) {
        let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
        let rows = chosen(&only).map(|(rows, idle)| (rows.len(), idle)).ok();
        assert_eq!(rows, expected, "{only:?}");
    }

    #[test]
    fn rows_are_chosen_by_name() {
        check(&[], Some((WORKLOADS.len(), true)));
        check(&["getppid"], Some((1, false)));
        check(&["idle"], Some((0, true)));
        check(&["udp-send", "tcp-rr", "idle"], Some((2, true)));
        check(&["getpid"], None);
    }
}
