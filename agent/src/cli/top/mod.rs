//! `landlord top`: what each tenant uses, live or once.

mod columns;
mod draw;
mod live;
mod once;
mod rates;
mod sampler;
mod source;
mod theme;
mod view;

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use self::columns::Column;
use self::once::{Choice, Format};
pub(super) use self::rates::Window;
use self::sampler::Sampler;
use self::theme::Theme;
use self::view::View;
use super::duration;
use crate::config::{self, Overrides};
use crate::kernel::requirements::Machine;
use crate::sinks::listener::Security;

/// Show what each tenant uses
///
/// Asks the running agent; when none runs, and the user is root, it measures with
/// sensors of its own for as long as it runs. Sizes are binary: 1 KiB is 1024
/// bytes. Network bytes are those of IP packets, headers included.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Top {
    /// Ask this agent, and no other source
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,

    /// Configuration file that names the agent's address, certificate and token
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Time between samples, 100ms to 60s
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration::sampling)]
    interval: Duration,

    /// Column to sort by
    #[arg(long, value_name = "COLUMN", default_value = "cpu", hide_possible_values = true, help = sort_help())]
    sort: Column,

    /// Turn the order round
    #[arg(long)]
    reverse: bool,

    /// Print one table and exit: the use between two samples, one interval apart
    #[arg(long)]
    once: bool,

    /// Form of what is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "table", requires = "once")]
    output: Format,

    /// Print the first N tenants only
    #[arg(long, value_name = "N", requires = "once")]
    limit: Option<NonZeroUsize>,

    /// Leave out the line of titles
    #[arg(long, requires = "once")]
    no_headers: bool,
}

const EXAMPLES: &str = "\
Examples:
  landlord top                            live; ? shows the keys
  landlord top --once --sort wait         who waits most, and for whom
  landlord top --once -o json --limit 3   the three busiest, for scripts";

fn sort_help() -> String {
    use clap::ValueEnum as _;
    let names: Vec<String> = Column::value_variants()
        .iter()
        .filter_map(|column| Some(column.to_possible_value()?.get_name().to_owned()))
        .collect();
    format!("Column to sort by: {}", names.join(", "))
}

/// Runs the command; `coloured` tells whether the terminal shall show colours.
pub(super) fn run(flags: &Top, coloured: bool, out: &mut impl Write) -> Result<()> {
    let mut config = config::load(flags.config.as_deref(), &Overrides::default())?;
    if flags.address.is_some() && flags.config.is_none() {
        // Others need not know this node's token.
        config.api = Security::default();
    }
    let address = flags.address.clone();
    let open =
        move || source::open(address.as_deref(), &config, &Machine::here(), &mut io::stderr());
    if flags.once {
        let mut source = open()?;
        let rows = once::measure(&mut source, flags.interval)?;
        let choice = Choice {
            format: flags.output,
            sort: flags.sort,
            reverse: flags.reverse,
            limit: flags.limit.map(NonZeroUsize::get),
            headers: !flags.no_headers,
        };
        return once::print(out, rows, &choice);
    }
    if !io::stdout().is_terminal() {
        anyhow::bail!("standard output is not a terminal; use `landlord top --once`");
    }
    let sampler = Sampler::start(open, flags.interval)?;
    let mut view = View::new(sampler.about.clone(), flags.interval, flags.sort, flags.reverse);
    live::run(&mut view, &sampler, Theme::new(coloured))
}

#[cfg(test)]
mod fixture;
