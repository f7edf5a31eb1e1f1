//! `cargo xtask demo`: three tenants with real work, what Landlord says of them,
//! and the truth beside it.
//!
//! Everything is made for the occasion and removed after it, on failure and on
//! Ctrl-C too: cgroups, network namespaces, the agent and what it pins. An agent
//! that runs on this machine for real is not touched.

mod compare;
mod tenants;

use std::time::Duration;

use anyhow::{Result, ensure};
use landlord_tests::agent::Home;
use landlord_tests::cgroup::Hierarchy;

use self::tenants::Tenants;
use crate::lab::{self, Interrupt};
use crate::report::{Step, result, say};
use crate::shell;

/// `top` looks at the tenants for so long, at the end.
const LOOK: Duration = Duration::from_secs(2);
/// Between the look and the end of the work.
const MARGIN: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_secs(1);
/// Every tenant of the demo is called something with this before it.
const PREFIX: &str = "landlord-demo-";

/// What the demo can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long the tenants work
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
}

/// Runs the demo and prints its tables.
pub(crate) fn run(args: &Args) -> Result<()> {
    lab::enter()?;
    let interrupt = Interrupt::arm()?;
    let outcome = show(Duration::from_secs(args.seconds), &interrupt);
    let (top, truth) = interrupt.explain(outcome)?;
    result(format_args!("\n{top}\n\n{truth}"));
    Ok(())
}

/// The table of `top`, and that of the truth.
fn show(time: Duration, interrupt: &Interrupt) -> Result<(String, String)> {
    let hierarchy = Hierarchy::find()?;
    say("Starting", "the agent, with a port and pins of its own");
    let home = Home::new("interval: 1s\n")?;
    // Before the tenants: it sees them being born.
    let agent = home.start()?;
    let mut tenants = Tenants::settle(&hierarchy, time)?;
    for line in tenants.describe() {
        say("Made", line);
    }
    let step = Step::begin("Metering", format_args!("for {} s", time.as_secs()));
    tenants.go()?;
    let mut left = time - LOOK - MARGIN;
    while !left.is_zero() {
        step.note(format_args!("{} s to go", (left + LOOK + MARGIN).as_secs()));
        interrupt.sleep(TICK.min(left))?;
        left = left.saturating_sub(TICK);
    }
    step.note("looking with `landlord top`");
    let top = look(&home)?;
    step.note("waiting for the tenants to end");
    let truth = tenants.wait()?;
    drop(step);
    // The tenants' cgroups still stand, so both sides speak of the same ones.
    let usage = agent.usage()?;
    let table = compare::table(&compare::rows(&truth, &usage)?);
    agent.terminate()?;
    home.detach()?;
    drop(tenants);
    say("Removed", "the tenants, the agent and its pins");
    Ok((top, table))
}

/// The demo's part of `landlord top`.
fn look(home: &Home) -> Result<String> {
    let mut top = home.command();
    top.args(["top", "--once", "-o", "table", "--address", &home.address().to_string()]);
    top.args(["--interval", &format!("{}s", LOOK.as_secs())]);
    let table = shell::capture(&mut top)?;
    let ours = own_lines(&table);
    ensure!(ours.lines().count() > 1, "`landlord top` shows no tenant of the demo:\n{table}");
    Ok(ours)
}

/// The titles, and the lines about tenants of the demo.
fn own_lines(table: &str) -> String {
    let mut lines = table.lines();
    let titles = lines.next().unwrap_or_default();
    let own = lines.filter(|line| line.trim_start().starts_with(PREFIX));
    std::iter::once(titles).chain(own).collect::<Vec<_>>().join("\n")
}

/// Seconds of a count of smaller units.
fn seconds(count: u64, per_second: u32) -> f64 {
    // Exact: a demo lasts for seconds, not for months.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let count = count as f64;
    count / f64::from(per_second)
}

#[cfg(test)]
mod tests {
    use super::own_lines;

    #[test]
    fn other_tenants_are_left_out_of_the_table() {
        let table = "TENANT             CPU\nlandlord-demo-hog  1.00\nsystem   0.10\n\
                     landlord-demo-web  0.20\nnot-landlord-demo-x 1\n";
        let expected = "TENANT             CPU\nlandlord-demo-hog  1.00\nlandlord-demo-web  0.20";
        assert_eq!(own_lines(table), expected);
        assert_eq!(own_lines("TENANT\n"), "TENANT");
    }
}
