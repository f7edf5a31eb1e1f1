//! Single actions that no shell can do: what rules about security watch for, done
//! harmlessly. Each does its one thing at once, prints nothing, and fails only where
//! it could not even try: a kernel that refuses the call has been asked, too.

mod kernel;
mod network;
mod process;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

/// One action.
#[derive(Debug, Subcommand)]
pub(crate) enum Act {
    /// Run a program as a child, and wait for it: this program is its parent
    Run(Program),
    /// Run a copy of a program that is in memory only, in the place of this one
    Memfd(Program),
    /// Sleep, then open a file for reading
    Read {
        /// Seconds of sleep
        #[arg(long, default_value_t = 0.0)]
        after: f64,
        /// The file
        file: PathBuf,
    },
    /// Use ptrace
    Ptrace {
        /// What for
        request: process::Request,
    },
    /// Change the user of this process
    Setuid {
        /// The new one
        uid: u32,
    },
    /// Make a socket
    Socket {
        /// Of this family
        family: network::Family,
    },
    /// Connect a socket
    Connect(network::Connection),
    /// Send a datagram from a socket that is not connected
    Send {
        /// Where to
        address: SocketAddr,
    },
    /// Bind a socket, and listen there if it is one of TCP
    Listen {
        /// Where
        address: SocketAddr,
        /// A socket of UDP
        #[arg(long)]
        udp: bool,
    },
    /// Listen at an address, connect to it, and accept that
    Accept {
        /// Where
        address: SocketAddr,
    },
    /// Receive by TCP, from this process itself
    Receive {
        /// What, in hexadecimal digits
        digits: String,
    },
    /// Give the kernel a module that is none
    Module,
    /// Ask for a BPF command that fails
    Bpf {
        /// Number of the command
        command: u32,
    },
    /// Enter a namespace that this process is in already
    Setns {
        /// Its name in /proc/self/ns
        kind: String,
    },
    /// Make a descriptor for page faults in user mode
    Userfaultfd,
}

/// A program and its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Program {
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Does it.
pub(crate) fn act(act: &Act) -> Result<()> {
    match act {
        Act::Run(program) => process::run(&program.words),
        Act::Memfd(program) => process::memfd(&program.words),
        Act::Read { after, file } => process::read(*after, file),
        Act::Ptrace { request } => process::ptrace(*request),
        Act::Setuid { uid } => process::setuid(*uid),
        Act::Socket { family } => network::socket(*family),
        Act::Connect(connection) => network::connect(connection),
        Act::Send { address } => network::send(*address),
        Act::Listen { address, udp } => network::listen(*address, *udp),
        Act::Accept { address } => network::accept(*address),
        Act::Receive { digits } => network::receive(digits),
        Act::Module => kernel::module(),
        Act::Bpf { command } => kernel::bpf(*command),
        Act::Setns { kind } => kernel::setns(kind),
        Act::Userfaultfd => kernel::userfaultfd(),
    }
}
