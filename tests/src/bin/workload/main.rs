//! One known workload a run: what the end-to-end tests, the demo and the
//! benchmark meter.
//!
//! It takes its place (`--cgroup`, `--netns`, `--cpu`), says `ready`, waits for a
//! line on standard input, works, and prints one line of JSON
//! ([`landlord_tests::truth::Truth`]) with what it did. When standard input ends
//! before the work does, so does the process. It never reads a figure of Landlord's.

mod act;
mod amount;
mod cpu;
mod disk;
mod file;
mod gate;
mod memory;
mod numbered;
mod opens;
mod paths;
mod pipe;
mod place;
mod process;
mod raw;
mod syscalls;
mod tcp;
mod tree;
mod udp;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use landlord_tests::truth::Truth;

use self::gate::Gate;
use self::place::Place;

/// Does a known amount of work in a known place and tells what it did.
#[derive(Debug, Parser)]
#[command(name = "workload")]
struct Cli {
    #[command(flatten)]
    place: Place,
    /// Work at once, without `ready` and `go`
    #[arg(long)]
    now: bool,
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Keep cores busy, all the time or a part of it
    Hog(cpu::Args),
    /// Make one system call exactly so many times
    Syscalls(syscalls::Args),
    /// Call getppid through the 32-bit table from this 64-bit process
    Compat(syscalls::CountArgs),
    /// Send signals to this process: each ends with rt_sigreturn
    Signals(syscalls::CountArgs),
    /// Start children that only exit
    ExitStorm(process::CountArgs),
    /// Start children that run a tiny program; counts processor time, not calls
    Forkexec(process::CountArgs),
    /// Start children, and kill each while it waits in a system call
    Killed(process::CountArgs),
    /// Open a file for reading and close it
    Openclose(file::OpencloseArgs),
    /// Pass one byte to and fro between two threads
    Pingpong(pipe::Args),
    /// Answer requests over TCP until the clients are done
    TcpServer(tcp::ServerArgs),
    /// Make requests over TCP
    TcpClient(tcp::ClientArgs),
    /// Take a stream over TCP until it ends
    TcpSink(tcp::SinkArgs),
    /// Make connections with itself and end them
    TcpConnect(tcp::ConnectArgs),
    /// Send a stream over TCP
    TcpStream(tcp::StreamArgs),
    /// Be client and server of requests over TCP, on loopback
    TcpPair(tcp::PairArgs),
    /// Be both ends of a stream over TCP, on loopback
    StreamPair(tcp::StreamPairArgs),
    /// Take datagrams until there are enough, or none comes
    UdpSink(udp::SinkArgs),
    /// Send datagrams
    UdpSend(udp::SendArgs),
    /// Send datagrams to a socket of this process that nobody reads, on loopback
    UdpAlone(udp::AloneArgs),
    /// Hold memory for a while
    Memory(memory::Args),
    /// Take memory until killed
    Oom(memory::OomArgs),
    /// Write to a block device, past the page cache
    Disk(disk::Args),
    /// Make files with numbers in their names, at a steady rate
    Numbered(numbered::Args),
    /// Open files again and again
    Opens(opens::Args),
    /// Start chains of short processes
    Tree(tree::Args),
    /// Open files in unusual ways and tell what /proc says of each
    Paths(paths::Args),
    /// Do one thing that rules watch for, at once and without a word
    #[command(subcommand)]
    Act(act::Act),
    /// Hold a network namespace until standard input ends
    #[command(hide = true)]
    Namespace,
}

fn main() -> ExitCode {
    if let Some(role) = process::child_role() {
        return role.play();
    }
    if let Some(end) = tree::link() {
        return end;
    }
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    cli.place.take()?;
    if let Work::Act(act) = &cli.work {
        return act::act(act);
    }
    if let Work::Paths(args) = &cli.work {
        return paths::open_and_tell(args);
    }
    let gate = Gate::new(cli.now);
    if let Work::Namespace = cli.work {
        place::leave_network()?;
        return gate.hold();
    }
    let truth = work(&cli.work, gate)?;
    let line = serde_json::to_string(&truth).context("a truth is plain data")?;
    writeln!(std::io::stdout(), "{line}").context("cannot tell the truth")
}

fn work(work: &Work, gate: Gate) -> Result<Truth> {
    match work {
        Work::Hog(args) => cpu::hog(args, gate),
        Work::Syscalls(args) => syscalls::exact(args, gate),
        Work::Compat(args) => syscalls::compat(args, gate),
        Work::Signals(args) => syscalls::signals(args, gate),
        Work::ExitStorm(args) => process::exit_storm(args, gate),
        Work::Forkexec(args) => process::forkexec(args, gate),
        Work::Killed(args) => process::killed(args, gate),
        Work::Openclose(args) => file::openclose(args, gate),
        Work::Pingpong(args) => pipe::pingpong(args, gate),
        Work::TcpServer(args) => tcp::server(args, gate),
        Work::TcpClient(args) => tcp::client(args, gate),
        Work::TcpSink(args) => tcp::sink(args, gate),
        Work::TcpConnect(args) => tcp::connections(args, gate),
        Work::TcpStream(args) => tcp::stream(args, gate),
        Work::TcpPair(args) => tcp::pair(args, gate),
        Work::StreamPair(args) => tcp::stream_pair(args, gate),
        Work::UdpSink(args) => udp::sink(args, gate),
        Work::UdpSend(args) => udp::send(args, gate),
        Work::UdpAlone(args) => udp::alone(args, gate),
        Work::Memory(args) => memory::hold(args, gate),
        Work::Oom(args) => memory::take_until_killed(args, gate),
        Work::Disk(args) => disk::write(args, gate),
        Work::Numbered(args) => numbered::make(args, gate),
        Work::Opens(args) => opens::open_all(args, gate),
        Work::Tree(args) => tree::chains(args, gate),
        Work::Act(_) | Work::Paths(_) | Work::Namespace => {
            anyhow::bail!("there is no work to be told of")
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place where a workload complains")]
fn complain(error: &anyhow::Error) {
    eprintln!("workload: {error:#}");
}
