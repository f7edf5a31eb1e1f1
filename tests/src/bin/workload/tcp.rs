//! TCP: requests with answers, and streams.
//!
//! Connections end so that every segment belongs to a whole socket: the client
//! closes its side first and stays until the server has closed the other; the
//! server stays until its end is acknowledged. A connection that were dropped
//! early would leave its last acknowledgement to the kernel, on nobody's account.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use landlord_tests::truth::Truth;
use rustix::net::sockopt::set_socket_linger;

use crate::amount::Amount;
use crate::gate::Gate;

/// How long the end of a connection may take.
const LINGER: Duration = Duration::from_secs(5);

/// Sizes of a request and its answer.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Sizes {
    /// Bytes of a request
    #[arg(long, default_value_t = 1)]
    request: usize,
    /// Bytes of an answer
    #[arg(long, default_value_t = 1)]
    response: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Connections to serve, one after another
    #[arg(long, default_value_t = 1)]
    connections: u32,
    #[command(flatten)]
    sizes: Sizes,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ClientArgs {
    /// Where the server listens
    #[arg(long)]
    connect: SocketAddr,
    #[command(flatten)]
    sizes: Sizes,
    /// Microseconds of rest before each request
    #[arg(long, default_value_t = 0)]
    rest_us: u64,
    /// End the connection by a reset, which the server takes for a failure
    #[arg(long)]
    reset: bool,
    #[command(flatten)]
    amount: Amount,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PairArgs {
    #[command(flatten)]
    sizes: Sizes,
    #[command(flatten)]
    amount: Amount,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConnectArgs {
    #[command(flatten)]
    amount: Amount,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SinkArgs {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StreamArgs {
    /// Where the sink listens
    #[arg(long)]
    connect: SocketAddr,
    #[command(flatten)]
    stream: StreamPairArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StreamPairArgs {
    /// Bytes handed over at once
    #[arg(long, default_value_t = 65536)]
    chunk: usize,
    #[command(flatten)]
    amount: Amount,
}

/// Payload bytes of one side.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    operations: u64,
    sent: u64,
    received: u64,
}

/// Answers requests; one operation is one answer.
pub(crate) fn server(args: &ServerArgs, gate: Gate) -> Result<Truth> {
    let listener = listen(args.listen)?;
    let watch = gate.pass()?;
    let mut all = Moved::default();
    for _ in 0..args.connections {
        let one = serve(&listener, args.sizes)?;
        all.operations += one.operations;
        all.sent += one.sent;
        all.received += one.received;
    }
    Ok(told(watch.stop("tcp-server", all.operations)?, all))
}

/// Makes requests; one operation is one round trip.
pub(crate) fn client(args: &ClientArgs, gate: Gate) -> Result<Truth> {
    let watch = gate.pass()?;
    let rest = Duration::from_micros(args.rest_us);
    let leave = if args.reset { reset } else { leave_first };
    let moved = request(args.connect, args.sizes, rest, &args.amount, leave)?;
    Ok(told(watch.stop("tcp-client", moved.operations)?, moved))
}

/// Client and server in one process; one operation is one round trip.
pub(crate) fn pair(args: &PairArgs, gate: Gate) -> Result<Truth> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr().context("a listener has an address")?;
    let sizes = args.sizes;
    let watch = gate.pass()?;
    let server = std::thread::spawn(move || serve(&listener, sizes));
    let moved = request(address, sizes, Duration::ZERO, &args.amount, leave_first)?;
    server.join().map_err(|_| anyhow!("the server panicked"))??;
    Ok(told(watch.stop("tcp-pair", moved.operations)?, moved))
}

/// Both ends in one thread; one operation is one connection, which carries nothing.
pub(crate) fn connections(args: &ConnectArgs, gate: Gate) -> Result<Truth> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr().context("a listener has an address")?;
    let watch = gate.pass()?;
    let mut rounds = args.amount.begin()?;
    while rounds.more() {
        let stream = connect(address)?;
        let (accepted, _) = listener.accept().context("no connection")?;
        drop(stream);
        drop(accepted);
    }
    Ok(told(watch.stop("tcp-connect", rounds.done())?, Moved::default()))
}

/// Takes a stream.
pub(crate) fn sink(args: &SinkArgs, gate: Gate) -> Result<Truth> {
    let listener = listen(args.listen)?;
    let watch = gate.pass()?;
    let received = drain(&listener)?;
    let moved = Moved { received, ..Moved::default() };
    Ok(told(watch.stop("tcp-sink", 0)?, moved))
}

/// Sends a stream; one operation is one chunk.
pub(crate) fn stream(args: &StreamArgs, gate: Gate) -> Result<Truth> {
    let watch = gate.pass()?;
    let moved = pour(args.connect, &args.stream)?;
    Ok(told(watch.stop("tcp-stream", moved.operations)?, moved))
}

/// Both ends of a stream in one process; one operation is one chunk.
pub(crate) fn stream_pair(args: &StreamPairArgs, gate: Gate) -> Result<Truth> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr().context("a listener has an address")?;
    let watch = gate.pass()?;
    let sink = std::thread::spawn(move || drain(&listener));
    let mut moved = pour(address, args)?;
    moved.received = sink.join().map_err(|_| anyhow!("the sink panicked"))??;
    ensure!(moved.received == moved.sent, "{} of {} arrived", moved.received, moved.sent);
    Ok(told(watch.stop("stream-pair", moved.operations)?, moved))
}

fn told(mut truth: Truth, moved: Moved) -> Truth {
    truth.sent_bytes = moved.sent;
    truth.received_bytes = moved.received;
    truth
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("cannot listen at {address}"))
}

fn serve(listener: &TcpListener, sizes: Sizes) -> Result<Moved> {
    let (mut stream, _) = listener.accept().context("no connection")?;
    stream.set_nodelay(true).context("cannot send at once")?;
    let mut request = vec![0; sizes.request];
    let response = vec![1; sizes.response];
    let mut moved = Moved::default();
    while filled(&mut stream, &mut request)? {
        stream.write_all(&response).context("cannot answer")?;
        moved.operations += 1;
        moved.received += length(&request);
        moved.sent += length(&response);
    }
    leave_last(stream)?;
    Ok(moved)
}

fn request(
    address: SocketAddr,
    sizes: Sizes,
    rest: Duration,
    amount: &Amount,
    leave: fn(TcpStream) -> Result<()>,
) -> Result<Moved> {
    let mut stream = connect(address)?;
    let request = vec![1; sizes.request];
    let mut response = vec![0; sizes.response];
    let mut rounds = amount.begin()?;
    let mut moved = Moved::default();
    while rounds.more() {
        if !rest.is_zero() {
            std::thread::sleep(rest);
        }
        stream.write_all(&request).context("cannot ask")?;
        stream.read_exact(&mut response).context("no answer")?;
        moved.operations += 1;
        moved.sent += length(&request);
        moved.received += length(&response);
    }
    leave(stream)?;
    Ok(moved)
}

fn drain(listener: &TcpListener) -> Result<u64> {
    let (mut stream, _) = listener.accept().context("no connection")?;
    let mut buffer = vec![0; 65536];
    let mut received = 0;
    loop {
        match stream.read(&mut buffer).context("the stream broke")? {
            0 => break,
            count => received += length(&buffer[..count]),
        }
    }
    leave_last(stream)?;
    Ok(received)
}

fn pour(address: SocketAddr, args: &StreamPairArgs) -> Result<Moved> {
    let mut stream = connect(address)?;
    let chunk = vec![1; args.chunk];
    let mut rounds = args.amount.begin()?;
    let mut sent = 0;
    while rounds.more() {
        stream.write_all(&chunk).context("cannot send")?;
        sent += length(&chunk);
    }
    leave_first(stream)?;
    Ok(Moved { operations: rounds.done(), sent, received: 0 })
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("nobody at {address}"))?;
    stream.set_nodelay(true).context("cannot send at once")?;
    Ok(stream)
}

/// Ends a connection from the side that ends it first.
fn leave_first(mut stream: TcpStream) -> Result<()> {
    stream.shutdown(Shutdown::Write).context("cannot end the connection")?;
    let rest = stream.read(&mut [0]).context("the connection broke at its end")?;
    ensure!(rest == 0, "the other side sent more than was asked for");
    Ok(())
}

/// Ends a connection at once, with nothing that the other side could answer.
fn reset(stream: TcpStream) -> Result<()> {
    set_socket_linger(&stream, Some(Duration::ZERO)).context("cannot reset")?;
    drop(stream);
    Ok(())
}

/// Ends a connection whose other side has ended; returns when the end is acknowledged.
fn leave_last(stream: TcpStream) -> Result<()> {
    set_socket_linger(&stream, Some(LINGER)).context("cannot wait for the end")?;
    drop(stream);
    Ok(())
}

/// Fills the buffer; false when the other side has ended before its first byte.
fn filled(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<bool> {
    let first = stream.read(buffer).context("the connection broke")?;
    if first == 0 {
        return Ok(false);
    }
    stream.read_exact(&mut buffer[first..]).context("a request is cut off")?;
    Ok(true)
}

fn length(bytes: &[u8]) -> u64 {
    // A length fits 64 bits on every machine that this runs on.
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
