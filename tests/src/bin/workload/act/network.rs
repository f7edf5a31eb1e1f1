//! Sockets.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use anyhow::{Context as _, Result};
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use rustix::stdio::dup2_stdin;

/// A family of sockets.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Family {
    /// Frames of a network device
    Packet,
    /// IPv4, by datagrams
    Inet,
    /// Within this machine
    Unix,
}

/// A connection to be made.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// Where to
    address: SocketAddr,
    /// Of UDP instead of TCP
    #[arg(long)]
    udp: bool,
    /// Do not wait until it is made
    #[arg(long)]
    nonblocking: bool,
    /// Make it standard input, if it was made
    #[arg(long)]
    stdin: bool,
}

pub(super) fn socket(family: Family) -> Result<()> {
    let (family, kind) = match family {
        Family::Packet => (AddressFamily::PACKET, SocketType::RAW),
        Family::Inet => (AddressFamily::INET, SocketType::DGRAM),
        Family::Unix => (AddressFamily::UNIX, SocketType::DGRAM),
    };
    // Whether the kernel allows it is no matter of this action.
    net::socket(family, kind, None).ok();
    Ok(())
}

pub(super) fn connect(connection: &Connection) -> Result<()> {
    let kind = if connection.udp { SocketType::DGRAM } else { SocketType::STREAM };
    let mut flags = SocketFlags::CLOEXEC;
    flags.set(SocketFlags::NONBLOCK, connection.nonblocking);
    let socket = net::socket_with(family(connection.address), kind, flags, None)
        .context("cannot make a socket")?;
    let made = net::connect(&socket, &connection.address);
    if connection.stdin {
        made.context("cannot connect")?;
        dup2_stdin(&socket).context("cannot make it standard input")?;
    }
    Ok(())
}

pub(super) fn send(address: SocketAddr) -> Result<()> {
    let socket =
        net::socket(family(address), SocketType::DGRAM, None).context("cannot make a socket")?;
    // Whether it arrives is no matter of this action.
    net::sendto(&socket, b"x", net::SendFlags::empty(), &address).ok();
    Ok(())
}

pub(super) fn listen(address: SocketAddr, udp: bool) -> Result<()> {
    let kind = if udp { SocketType::DGRAM } else { SocketType::STREAM };
    let socket = net::socket(family(address), kind, None).context("cannot make a socket")?;
    net::bind(&socket, &address).context("cannot bind")?;
    if !udp {
        net::listen(&socket, 1).context("cannot listen")?;
    }
    Ok(())
}

pub(super) fn accept(address: SocketAddr) -> Result<()> {
    to_itself(address).map(drop)
}

pub(super) fn receive(digits: &str) -> Result<()> {
    let byte = |at: usize| {
        let pair = digits.get(at..at + 2).context("digits come in pairs")?;
        u8::from_str_radix(pair, 16).with_context(|| format!("no hexadecimal digits: {pair}"))
    };
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect::<Result<_>>()?;
    let (ours, mut theirs) = to_itself((Ipv4Addr::LOCALHOST, 0).into())?;
    theirs.write_all(&bytes).context("cannot send")?;
    let mut received = vec![0; bytes.len()];
    net::recv(&ours, &mut received[..], net::RecvFlags::WAITALL).context("cannot receive")?;
    Ok(())
}

/// Both ends of a connection that this process makes to itself at an address of its own.
fn to_itself(address: SocketAddr) -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(address).context("cannot listen")?;
    let ours = TcpStream::connect(listener.local_addr()?).context("cannot connect")?;
    let (theirs, _) = listener.accept().context("cannot accept")?;
    Ok((ours, theirs))
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}
