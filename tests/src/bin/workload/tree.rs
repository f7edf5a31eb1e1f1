//! Chains of short processes: each starts the next as its child and waits for it.
//!
//! A process of a chain is told the process ids of all above it, so that whoever reads
//! its arguments knows its ancestors.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use landlord_tests::truth::Truth;

use crate::amount::Amount;
use crate::gate::Gate;

/// How a process is told that it belongs to a chain.
const LINK: &str = "child-of-chain";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder for the names under which the processes run: `lab-level1` and so on
    #[arg(long)]
    folder: PathBuf,
    /// Processes below each other
    #[arg(long, default_value_t = 1)]
    depth: u32,
    /// How many chains, one after another
    #[command(flatten)]
    amount: Amount,
    /// Chains a second at most
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    per_second: Option<u32>,
}

/// Chains one after another; one operation is one process.
pub(crate) fn chains(args: &Args, gate: Gate) -> Result<Truth> {
    let program = std::env::current_exe().context("cannot tell the own path")?;
    for level in 1..=args.depth {
        let name = args.folder.join(level_name(level));
        symlink(&program, &name).with_context(|| format!("cannot make {}", name.display()))?;
    }
    let watch = gate.pass()?;
    let mut rounds = args.amount.begin()?;
    let apart = args.per_second.map_or(Duration::ZERO, |chains| Duration::from_secs(1) / chains);
    let mut next = Instant::now();
    while rounds.more() {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += apart;
        let number = rounds.done().to_string();
        start(&args.folder, &[&number, &args.depth.to_string()], 1)?;
    }
    watch.stop("tree", rounds.done() * u64::from(args.depth))
}

/// The part of a process in a chain, if it is in one.
pub(crate) fn link() -> Option<ExitCode> {
    let mut words = std::env::args();
    let program = PathBuf::from(words.next()?);
    if words.next()? != LINK {
        return None;
    }
    let words: Vec<String> = words.collect();
    Some(match next(&program, &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(&error);
            ExitCode::FAILURE
        }
    })
}

/// Number, depth, and the process ids above.
fn next(program: &Path, words: &[String]) -> Result<()> {
    let (Some(depth), Some(folder)) = (words.get(1), program.parent()) else {
        anyhow::bail!("a chain is not told so");
    };
    let depth: u32 = depth.parse().context("no depth")?;
    let level = u32::try_from(words.len())? - 2;
    if level < depth {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        start(folder, &words, level + 1)?;
    }
    Ok(())
}

/// Starts the process of a level and waits for it. The first level's parent is no part
/// of the chain.
fn start(folder: &Path, words: &[&str], level: u32) -> Result<()> {
    let mut command = Command::new(folder.join(level_name(level)));
    command.arg(LINK).args(words).arg(std::process::id().to_string()).stdin(Stdio::null());
    let status = command.status().context("cannot start a child")?;
    ensure!(status.success(), "a child ended with {status}");
    Ok(())
}

fn level_name(level: u32) -> String {
    format!("lab-level{level}")
}
