//! UDP datagrams.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result};
use landlord_tests::truth::Truth;
use rustix::net::sockopt::set_socket_recv_buffer_size;

use crate::amount::Amount;
use crate::gate::Gate;

/// A sink that has seen some, and then nothing for so long, has seen all.
const SILENCE: Duration = Duration::from_secs(2);
/// Room for datagrams that the sink has not taken yet; the kernel may give less.
const ROOM: usize = 8 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct SinkArgs {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Datagrams that are enough
    #[arg(long)]
    count: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SendArgs {
    /// Where the sink listens: without one the kernel answers each by an ICMP error
    #[arg(long)]
    connect: SocketAddr,
    /// Bytes of a datagram
    #[arg(long, default_value_t = 64)]
    bytes: usize,
    #[command(flatten)]
    amount: Amount,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AloneArgs {
    /// Bytes of a datagram
    #[arg(long, default_value_t = 64)]
    bytes: usize,
    #[command(flatten)]
    amount: Amount,
}

/// Takes datagrams; one operation is one that was taken. Those that found no
/// room are not told.
pub(crate) fn sink(args: &SinkArgs, gate: Gate) -> Result<Truth> {
    let socket = UdpSocket::bind(args.listen)
        .with_context(|| format!("cannot listen at {}", args.listen))?;
    set_socket_recv_buffer_size(&socket, ROOM).context("cannot make room")?;
    let watch = gate.pass()?;
    let mut buffer = vec![0; 65536];
    let (mut taken, mut bytes) = (0, 0);
    while taken < args.count {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                // The sender may begin much later than its sink.
                if taken == 0 {
                    socket.set_read_timeout(Some(SILENCE)).context("cannot set a time limit")?;
                }
                taken += 1;
                bytes += u64::try_from(length).context("a datagram is short")?;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error).context("cannot receive"),
        }
    }
    let mut truth = watch.stop("udp-sink", taken)?;
    truth.received_bytes = bytes;
    Ok(truth)
}

/// Sends datagrams; one operation is one datagram.
pub(crate) fn send(args: &SendArgs, gate: Gate) -> Result<Truth> {
    let any = match args.connect.ip() {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).context("cannot make a socket")?;
    socket.connect(args.connect).with_context(|| format!("no way to {}", args.connect))?;
    send_through(&socket, "udp-send", args.bytes, &args.amount, gate)
}

/// Sends datagrams to a socket that is never read: each takes the whole way out
/// and in, and the sender makes no other call; one operation is one datagram.
pub(crate) fn alone(args: &AloneArgs, gate: Gate) -> Result<Truth> {
    let unread = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot make a socket")?;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot make a socket")?;
    let address = unread.local_addr().context("a socket has an address")?;
    socket.connect(address).with_context(|| format!("no way to {address}"))?;
    send_through(&socket, "udp-alone", args.bytes, &args.amount, gate)
}

fn send_through(
    socket: &UdpSocket,
    name: &str,
    bytes: usize,
    amount: &Amount,
    gate: Gate,
) -> Result<Truth> {
    let datagram = vec![1; bytes];
    let watch = gate.pass()?;
    let mut rounds = amount.begin()?;
    while rounds.more() {
        socket.send(&datagram).context("cannot send")?;
    }
    let mut truth = watch.stop(name, rounds.done())?;
    truth.sent_bytes = rounds.done() * u64::try_from(bytes).context("a datagram is short")?;
    Ok(truth)
}
