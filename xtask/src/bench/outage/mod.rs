//! `cargo xtask bench outage`: a Collector is away for minutes while a tenant sets off
//! hundreds of alerts a second, and the agent is killed in the middle.
//!
//! The Collector is a real one, the agent the optimised one, and the tenant a process
//! that makes numbered files at a steady rate while others of its kind exchange bytes.
//! In the end it is told, and held against what is promised: every alert that was shown
//! has arrived, doubles say the same under the same id, the order is kept, what is missing
//! is what happened while no agent was there, the queue stayed within its limit, and what
//! the tenant used is counted to the byte.

mod account;
mod scene;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use landlord_tests::collector::Collector;
use serde::Serialize;

use self::scene::{Place, Scene};
use crate::lab::{self, Interrupt};
use crate::report::{Step, result, say};
use crate::setup::{self, Purpose};

/// What it can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long the Collector is away
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(4..=3600))]
    seconds: u32,
    /// Alerts a second
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5000))]
    rate: u32,
    /// MiB that the queue may have on the disk (`spool.size`)
    #[arg(long, default_value_t = 1024)]
    spool: u32,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Before the Collector goes, and after it has come back.
const LEAD: Duration = Duration::from_secs(5);
const TAIL: Duration = Duration::from_secs(10);
/// For how long there is no agent.
const DEAD: Duration = Duration::from_secs(1);
/// How long the agent may take to deliver what waits.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came out.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Figures {
    /// Alerts that the tenant gave cause for.
    pub(crate) made: u32,
    /// Different ones that have arrived.
    pub(crate) arrived: usize,
    /// Those that agents had shown on standard output.
    pub(crate) shown: usize,
    /// Deliveries beyond the first of each.
    pub(crate) doubles: usize,
    /// Alerts that nobody has told of, all in one go.
    pub(crate) missing: u32,
    /// Seconds from the first of them to the last.
    pub(crate) missing_seconds: f64,
    /// Seconds from the kill until the next agent was ready.
    pub(crate) dead_seconds: f64,
    /// Alerts that waited at most.
    pub(crate) waiting_peak: u64,
    /// Most bytes of the queue's files, MiB.
    pub(crate) disk_peak_mebibytes: f64,
    /// Memory of the agent before the outage, MiB.
    pub(crate) resident_before_mebibytes: f64,
    /// The most of it, MiB.
    pub(crate) resident_peak_mebibytes: f64,
    /// Seconds from the Collector's return until no more waited than come in a second.
    pub(crate) caught_up_seconds: f64,
    /// Processor time of the agent meanwhile, in percent of a core.
    pub(crate) catching_up_cpu_percent: f64,
}

/// Runs it, and prints what came out.
pub(crate) fn run(args: &Args) -> Result<()> {
    lab::enter()?;
    let interrupt = Interrupt::arm()?;
    let outcome = go_through(args, &interrupt);
    let figures = interrupt.explain(outcome)?;
    if args.json {
        result(serde_json::to_string_pretty(&figures)?);
    } else {
        result(figures.table());
    }
    Ok(())
}

fn go_through(args: &Args, interrupt: &Interrupt) -> Result<Figures> {
    setup::ensure(Purpose::Test)?;
    let collector = Collector::with(setup::collector().context("there is no Collector")?)?;
    let outage = Duration::from_secs(args.seconds.into());
    let time = LEAD + outage + DEAD + TAIL;
    let made = args.rate * u32::try_from(time.as_secs())?;
    let place = Place::make(args, &collector)?;
    let mut scene = Scene::set(args.rate, made, time, &place, collector, interrupt)?;
    say("Made", format_args!("a tenant of {} alerts a second, {made} in all", args.rate));
    scene.start_agent()?;
    scene.watch(LEAD)?;
    let step = Step::begin("Waiting", format_args!("{} s without a Collector", args.seconds));
    scene.collector_goes();
    scene.watch(outage / 2)?;
    scene.kill()?;
    interrupt.sleep(DEAD)?;
    scene.start_agent()?;
    scene.watch(outage / 2)?;
    drop(step);
    let _step = Step::begin("Waiting", "until all has arrived");
    scene.collector_comes_back()?;
    let figures = scene.finish()?;
    let limit = f64::from(args.spool);
    let disk = figures.disk_peak_mebibytes;
    ensure!(disk <= limit, "the queue had {disk:.0} MiB; it may have {limit}");
    Ok(figures)
}

impl Figures {
    fn table(&self) -> String {
        let rows = [
            ("alerts made", self.made.to_string()),
            ("shown", self.shown.to_string()),
            ("arrived", self.arrived.to_string()),
            ("doubles", self.doubles.to_string()),
            (
                "missing",
                format!(
                    "{} in {:.2} s; there was no agent for {:.2} s",
                    self.missing, self.missing_seconds, self.dead_seconds
                ),
            ),
            ("waited at most", self.waiting_peak.to_string()),
            ("disk at most", format!("{:.0} MiB", self.disk_peak_mebibytes)),
            (
                "memory",
                format!(
                    "{:.1} MiB before, {:.1} MiB at most",
                    self.resident_before_mebibytes, self.resident_peak_mebibytes
                ),
            ),
            (
                "caught up",
                format!(
                    "{:.1} s after the Collector's return, by {:.0} % of a core",
                    self.caught_up_seconds, self.catching_up_cpu_percent
                ),
            ),
        ];
        rows.map(|(name, figure)| format!("{name:>15}  {figure}")).join("\n")
    }
}
