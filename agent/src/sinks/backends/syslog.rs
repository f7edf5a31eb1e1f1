//! Alerts for syslog, as RFC 5424 words them: to the daemon of this machine, or by UDP
//! or TCP to another.

use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::local;
use crate::sinks::delivery::{Delivery, Destination, Message, Outcome};

/// Alerts that are sent at once.
const BATCH: usize = 64;
/// How long connecting and sending may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Facility `auth` of RFC 5424, times eight.
const FACILITY: u8 = 4 * 8;
/// Bytes of a datagram that every receiver of RFC 5426 should take.
const DATAGRAM: usize = 2048;

/// Where the receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A socket of this machine, such as `/dev/log`.
    Local(PathBuf),
    /// Host and port, by UDP.
    Udp(String),
    /// Host and port, by TCP with octets counted (RFC 6587).
    Tcp(String),
}

#[derive(Debug)]
enum Line {
    Local(UnixDatagram),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// See the module.
#[derive(Debug)]
pub struct Syslog {
    receiver: Receiver,
    hostname: String,
    line: Option<Line>,
}

impl Syslog {
    /// `hostname`: of this node.
    #[must_use]
    pub const fn new(receiver: Receiver, hostname: String) -> Self {
        Self { receiver, hostname, line: None }
    }

    fn send(&mut self, message: &Message) -> io::Result<()> {
        let line = match &mut self.line {
            Some(line) => line,
            none => none.insert(connect(&self.receiver)?),
        };
        let text = text(message, &self.hostname);
        match line {
            Line::Local(socket) => socket.send(cut(&text, DATAGRAM).as_bytes()).map(drop),
            Line::Udp(socket) => socket.send(cut(&text, DATAGRAM).as_bytes()).map(drop),
            Line::Tcp(stream) => write!(stream, "{} {text}", text.len()),
        }
    }
}

fn connect(receiver: &Receiver) -> io::Result<Line> {
    Ok(match receiver {
        Receiver::Local(path) => Line::Local(local_socket(path)?),
        Receiver::Udp(address) => {
            let to = first(address)?;
            let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(any)?;
            socket.connect(to)?;
            Line::Udp(socket)
        }
        Receiver::Tcp(address) => {
            let stream = TcpStream::connect_timeout(&first(address)?, PATIENCE)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Line::Tcp(stream)
        }
    })
}

fn local_socket(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.connect(path)?;
    Ok(socket)
}

fn first(address: &str) -> io::Result<std::net::SocketAddr> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("{address}: no address"));
    address.to_socket_addrs()?.next().ok_or_else(missing)
}

/// The line of RFC 5424.
fn text(message: &Message, hostname: &str) -> String {
    let nanoseconds = i128::from(message.time_unix_ns);
    let time = Timestamp::from_nanosecond(nanoseconds).unwrap_or_default();
    let mut data = String::new();
    let facts = [
        ("id", Some(message.id.as_str())),
        ("rule", Some(message.rule.as_str())),
        ("tenant", Some(message.tenant.as_str())),
        ("namespace", message.namespace.as_deref()),
        ("pod", message.pod.as_deref()),
        ("container", message.container.as_deref()),
        ("process", Some(message.process.as_str())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            data.push_str(&format!(" {name}=\"{}\"", quoted(value)));
        }
    }
    let priority = FACILITY + message.priority.min(7);
    let said: String = message.message.chars().filter(|it| !it.is_control()).collect();
    let hostname = if hostname.is_empty() { "-" } else { hostname };
    format!(
        "<{priority}>1 {time:.6} {hostname} landlord {} alert [landlord@32473{data}] {said}",
        std::process::id()
    )
}

fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars().filter(|it| !it.is_control()) {
        if matches!(letter, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Destination for Syslog {
    fn batch(&self) -> usize {
        BATCH
    }

    fn deliver<'a>(&'a mut self, messages: &'a [Message]) -> Delivery<'a> {
        let mut outcome = Outcome::Delivered;
        for (done, message) in messages.iter().enumerate() {
            if let Err(error) = self.send(message) {
                self.line = None;
                outcome = match done {
                    0 => local(&error),
                    done => Outcome::Partly { done, refused: 0 },
                };
                break;
            }
        }
        Box::pin(std::future::ready(outcome))
    }
}
