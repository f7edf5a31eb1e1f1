//! A TCP connection that is over. Rules know nothing of it.

use std::net::SocketAddr;

/// Which end of a connection this one was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that connected.
    Client,
    /// The one that accepted.
    Server,
}

/// A connection as one of its ends had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Id of the cgroup that made the socket, or the one that listened.
    pub cgroup: u64,
    /// Which end this is; `None`: its beginning was not seen, and nothing is known of it.
    pub side: Option<Side>,
    /// When it was established, `CLOCK_BOOTTIME` nanoseconds.
    pub start_ns: u64,
    /// When it ended, by the same clock: when this end had nothing more to do with it.
    pub end_ns: u64,
    /// This end.
    pub local: SocketAddr,
    /// The other end, as this one sees it.
    pub remote: SocketAddr,
    /// Bytes that this end sent, each once.
    pub sent: u64,
    /// Bytes that it received in their order.
    pub received: u64,
    /// Sequence number that this end began with.
    pub local_isn: u32,
    /// The one that the other end began with.
    pub remote_isn: u32,
    /// What the socket failed with (`errno`); 0: it did not.
    pub error: u32,
}

impl Connection {
    /// What both ends know of their connection alone, also where addresses are translated
    /// between them: the numbers that client and server began with. `None` where the
    /// beginning was not seen.
    #[must_use]
    pub const fn numbers(&self) -> Option<(u32, u32)> {
        match self.side {
            Some(Side::Client) => Some((self.local_isn, self.remote_isn)),
            Some(Side::Server) => Some((self.remote_isn, self.local_isn)),
            None => None,
        }
    }
}
