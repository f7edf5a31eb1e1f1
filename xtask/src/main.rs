//! Landlord's own commands: set-up, build, image, run, test, vm, chart, demo,
//! pictures, bench, fuzz, tidy.
//!
//! One file a subcommand. Nothing here knows how the agent works inside: these
//! commands prepare a machine, call cargo, qemu and the built binaries, and
//! report.

mod bench;
mod build;
mod chart;
mod dashboards;
mod demo;
mod files;
mod fuzz;
mod image;
mod lab;
mod pictures;
mod report;
mod root;
mod run;
mod setup;
mod shell;
mod test;
mod tidy;
mod vm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Landlord's own commands: from a bare machine to tested sensors.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what a build and the tests need, as far as it is missing
    Setup(setup::Args),
    /// Build the agent with its sensors inside
    Build(build::Args),
    /// Make the agent's container image, without a container engine
    Image(image::Args),
    /// Build the agent for release and run it, with sudo when not root
    Run(run::Args),
    /// Run all checks and tests: tidy, unit, host, and one kernel in a VM
    Test(test::Args),
    /// Run the end-to-end tests on other kernels, emulated, without root
    Vm(vm::Args),
    /// Render, validate and check the Helm chart alone
    Chart(chart::Args),
    /// Meter three tenants with real work and compare with the ground truth
    Demo(demo::Args),
    /// Draw the dashboards as pictures, of tenants at work
    Pictures(pictures::Args),
    /// Measure what the sensors cost
    Bench(bench::Args),
    /// Feed what reads user input with mutated input
    Fuzz(fuzz::Args),
    /// Check layout, style, lints and generated files
    Tidy(tidy::Args),
}

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let outcome = match Cli::parse().command {
        Command::Setup(args) => setup::run(&args).map(done),
        Command::Build(args) => build::run(&args).map(done),
        Command::Image(args) => image::run(&args).map(done),
        Command::Run(args) => run::run(&args).map(done),
        Command::Test(args) => test::run(&args),
        Command::Vm(args) => vm::run(&args),
        Command::Chart(args) => chart::run(&args),
        Command::Demo(args) => demo::run(&args).map(done),
        Command::Pictures(args) => pictures::run(&args).map(done),
        Command::Bench(args) => bench::run(&args).map(done),
        Command::Fuzz(args) => fuzz::run(&args).map(done),
        Command::Tidy(args) => tidy::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        report::error(&error);
        ExitCode::FAILURE
    })
}
