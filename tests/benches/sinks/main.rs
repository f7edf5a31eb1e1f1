//! How many alerts a second each kind of sink takes on one core, and what that costs.
//!
//! ```text
//! cargo bench -p landlord-tests --bench sinks -- [--alerts N] [--rounds N] [--only NAME] [--json] [--check]
//! ```
//!
//! Each row is a process of its own on CPU 0, so that its memory is its own, too; who
//! receives is on the other CPUs. It delivers the same alerts in two ways, one after the
//! other: straight to the back-end, batch after batch, which is the base; and as the
//! agent does, by the outbox, the queue on the disk and the courier. A ratio is within
//! its round, so that a machine that slows down for a minute slows down both.

#![expect(clippy::unwrap_used, reason = "a benchmark that panics keeps its trace")]
#![expect(clippy::print_stdout, reason = "its figures go there")]

mod alert;
mod carrier;
mod receiver;

use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, ValueEnum as _};
use serde::{Deserialize, Serialize};

use self::carrier::Kind;
use self::receiver::Receiver;

/// The target: alerts a second by the queue to any back-end.
const RATE_MIN: f64 = 2000.0;
/// The target: memory beyond that of the same process before it begins, MiB.
const MEMORY_MAX: f64 = 32.0;

#[derive(Debug, Parser)]
struct Args {
    /// Alerts of each round
    #[arg(long, default_value_t = 20_000)]
    alerts: u32,
    /// Rounds; the figures are medians
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Measure this row only
    #[arg(long, value_enum, value_name = "NAME")]
    only: Vec<Kind>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Fail when a target is missed
    #[arg(long)]
    check: bool,
    /// Deliver alerts of this kind to this address, and tell how it went
    #[arg(long, hide = true, num_args = 2, value_names = ["KIND", "ADDRESS"])]
    carry: Vec<String>,
    /// What cargo gives every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Figures of one round, or the medians of several.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Alerts a second straight to the back-end.
    straight_per_second: f64,
    /// Alerts a second by the queue, from the first that is handed over to the last that
    /// has arrived.
    per_second: f64,
    /// The second as a part of the first.
    ratio: f64,
    /// Alerts a second that were put on the disk meanwhile.
    taken_per_second: f64,
    /// Processor time of an alert by the queue, microseconds.
    cpu_us: f64,
    /// Most bytes of the queue's files, MiB.
    disk_mebibytes: f64,
    /// Most memory beyond that at the beginning, MiB.
    memory_mebibytes: f64,
}

impl Figures {
    fn median(rounds: &[Self]) -> Self {
        let middle = |figure: fn(&Self) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Self {
            straight_per_second: middle(|it| it.straight_per_second),
            per_second: middle(|it| it.per_second),
            ratio: middle(|it| it.ratio),
            taken_per_second: middle(|it| it.taken_per_second),
            cpu_us: middle(|it| it.cpu_us),
            disk_mebibytes: middle(|it| it.disk_mebibytes),
            memory_mebibytes: middle(|it| it.memory_mebibytes),
        }
    }

    fn fits(&self) -> bool {
        self.per_second >= RATE_MIN && self.memory_mebibytes <= MEMORY_MAX
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let [kind, address] = args.carry.as_slice() {
        let kind = Kind::from_str(kind, false).unwrap();
        println!("{}", serde_json::to_string(&carrier::carry(kind, address, args.alerts)).unwrap());
        return ExitCode::SUCCESS;
    }
    let rows: Vec<Kind> =
        if args.only.is_empty() { Kind::value_variants().to_vec() } else { args.only.clone() };
    let mut all: Vec<Vec<Figures>> = vec![Vec::new(); rows.len()];
    for _ in 0..args.rounds {
        for (row, figures) in rows.iter().zip(&mut all) {
            figures.push(round(*row, args.alerts));
        }
    }
    let medians: Vec<(&Kind, Figures)> =
        rows.iter().zip(all.iter().map(|rounds| Figures::median(rounds))).collect();
    if args.json {
        let named: serde_json::Map<_, _> = medians
            .iter()
            .map(|(kind, figures)| (kind.name(), serde_json::to_value(figures).unwrap()))
            .collect();
        println!("{:#}", serde_json::Value::Object(named));
    } else {
        show(&medians, alert::bytes());
    }
    let fits = medians.iter().all(|(_, figures)| figures.fits());
    if args.check && !fits { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One row, once, in a process of its own.
fn round(kind: Kind, alerts: u32) -> Figures {
    let receiver = Receiver::start(kind);
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own)
        .args(["--alerts", &alerts.to_string(), "--carry", &kind.name(), receiver.address()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", kind.name(), output.status);
    let figures = serde_json::from_slice(&output.stdout).unwrap();
    receiver.expect(u64::from(alerts) * 2);
    figures
}

fn show(rows: &[(&Kind, Figures)], bytes: usize) {
    println!("An alert has {bytes} bytes before it is packed for the queue.\n");
    println!(
        "{:<14}{:>12}{:>12}{:>8}{:>12}{:>10}{:>10}{:>10}",
        "SINK", "STRAIGHT/s", "QUEUED/s", "RATIO", "TO DISK/s", "CPU µs", "DISK MiB", "MEM MiB"
    );
    for (kind, it) in rows {
        let name = kind.name();
        println!(
            "{name:<14}{:>12.0}{:>12.0}{:>8.2}{:>12.0}{:>10.1}{:>10.1}{:>10.1}  {}",
            it.straight_per_second,
            it.per_second,
            it.ratio,
            it.taken_per_second,
            it.cpu_us,
            it.disk_mebibytes,
            it.memory_mebibytes,
            if it.fits() { "ok" } else { "NOT MET" }
        );
    }
    println!(
        "\nTargets: at least {RATE_MIN} alerts a second by the queue, at most {MEMORY_MAX} MiB more memory."
    );
}
