//! The command line: one file a subcommand.
//!
//! Data goes to standard output, everything else to standard error. The exit code
//! is 0 when all went well (also when the reader of a pipe has seen enough), 1 for
//! an error at run time and 2 for a command line that makes no sense.

mod agent;
mod alert_form;
mod completion;
mod config;
mod connect;
mod detach;
mod docs;
mod doctor;
mod duration;
mod events;
mod figures;
mod floor;
mod listing;
mod logging;
mod outcome;
mod pods;
mod record;
mod replay;
mod rules;
mod run;
mod style;
mod syscalls;
mod table;
mod tenants;
mod top;
mod version;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::logging::Logging;
use self::style::ColorChoice;

/// Meter every tenant of a machine from the kernel
///
/// Landlord is one agent per machine. It tells how much CPU, memory, network,
/// system calls and disk each tenant (the owner of a cgroup: a pod, a container,
/// a systemd slice) uses, how long it waits for a CPU, and for whom.
#[derive(Debug, Parser)]
#[command(name = "landlord", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(args_override_self = true)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  sudo landlord doctor              see what this machine allows
  sudo landlord top                 watch what each tenant uses
  sudo landlord run                 start the agent
  curl 127.0.0.1:9464/metrics       what it serves to Prometheus
  landlord top --once -o json       the same figures for a script
  landlord syscalls --tenant user   which system calls a tenant makes
  landlord tenants                  who is a tenant, and of what
  landlord events -f                what the rules find, as it happens
  landlord rules validate FILE      what is wrong with a rule file

Where to look next:
  landlord COMMAND --help           what a command does
  landlord config print             the configuration in force

Exit codes:
  0 all went well, 1 an error at run time, 2 a wrong command line";

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
struct Global {
    #[command(flatten)]
    logging: Logging,

    /// Use colours: auto, always or never; NO_COLOR switches auto off
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_possible_values = true, help_heading = GLOBAL)]
    color: ColorChoice,
}

/// Heading over the flags that every command takes.
const GLOBAL: &str = "Global options";

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Top(top::Top),
    Syscalls(syscalls::Syscalls),
    Tenants(tenants::Tenants),
    Pods(pods::Pods),
    Doctor(doctor::Doctor),
    Events(events::Events),
    Rules(rules::Rules),
    Record(record::Record),
    Replay(replay::Replay),
    Detach(detach::Detach),
    Config(config::ConfigCommand),
    Completion(completion::Completion),
    Version(version::Version),
    Docs(docs::Docs),
    Floor(floor::FloorCommand),
}

/// Parses the arguments, runs the subcommand and tells its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let program = std::env::args_os().next();
    match parse(program.as_deref().map(Path::new)) {
        Ok(cli) => {
            let color = cli.global.color;
            outcome::exit_code(execute(cli), color)
        }
        Err(error) => outcome::usage(&error),
    }
}

/// Name of the binary, or of a link to it, that `kubectl` finds as its plugin.
const PLUGIN: &str = "kubectl-landlord";

/// Parses the arguments; help names the program as its user called it.
fn parse(program: Option<&Path>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    if program.and_then(Path::file_stem).is_some_and(|name| name == PLUGIN) {
        command = command.bin_name("kubectl landlord");
    }
    let matches = command.try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

fn execute(cli: Cli) -> Result<ExitCode> {
    let Cli { global, command } = cli;
    let mut out = io::stdout();
    let coloured = global.color.applies_to(&out);
    // The agent's log follows its configuration; every other command is quiet.
    if !matches!(command, Command::Run(_)) {
        logging::start(global.logging.quiet(), global.color, false)?;
    }
    match command {
        Command::Run(flags) => run::run(*flags, global.color)?,
        Command::Top(flags) => top::run(&flags, coloured, &mut out)?,
        Command::Syscalls(flags) => syscalls::run(&flags, &mut out)?,
        Command::Tenants(flags) => tenants::run(&flags, &mut out)?,
        Command::Pods(flags) => pods::run(&flags, &mut out)?,
        Command::Doctor(flags) => return doctor::run(&flags, coloured, &mut out),
        Command::Events(flags) => events::run(&flags, &mut out)?,
        Command::Record(flags) => record::run(flags, &mut out)?,
        Command::Replay(flags) => replay::run(&flags, &mut out)?,
        Command::Rules(flags) => return rules::run(&flags, coloured, &mut out),
        Command::Detach(flags) => detach::run(&flags, &mut out)?,
        Command::Config(flags) => config::run(&flags, &mut out)?,
        Command::Completion(flags) => completion::run(&flags, &mut out)?,
        Command::Version(flags) => version::run(&flags, &mut out)?,
        Command::Docs(flags) => docs::run(&flags, &mut out)?,
        Command::Floor(flags) => floor::run(&flags, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests;
