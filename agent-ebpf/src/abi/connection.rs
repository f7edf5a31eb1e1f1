//! The end of a TCP connection, as one of its two ends had it.

/// [`Connection::kind`], which no [`RecordKind`](super::RecordKind) has: rules know nothing
/// of it.
pub const CONNECTION: u16 = 6;
/// Connections that are remembered at the same time.
pub const CONNECTIONS: u32 = 65536;

/// Which end it is: values of [`Connection::side`].
pub mod side {
    /// Its beginning was not seen; `start_ns` and both sequence numbers say nothing then.
    pub const UNKNOWN: u16 = 0;
    /// The one that connected.
    pub const CLIENT: u16 = 1;
    /// The one that accepted.
    pub const SERVER: u16 = 2;
}

/// What is remembered of a connection while it lasts.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// When it was established, `CLOCK_BOOTTIME` nanoseconds.
    pub start_ns: u64,
    /// Of [`side`].
    pub side: u64,
}

const _: () = assert!(size_of::<Begun>() == 16);

/// What is told of a connection that ended. It begins as a [`Head`](super::Head) does, as
/// far as who reads a ring looks at that.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Bytes of the record.
    pub len: u32,
    /// [`CONNECTION`].
    pub kind: u16,
    /// None yet.
    pub flags: u16,
    /// When it ended, `CLOCK_BOOTTIME` nanoseconds.
    pub time_ns: u64,
    /// Id of the cgroup that made the socket, or the one that listened, in the v2 hierarchy.
    pub cgroup: u64,
    /// When it was established, `CLOCK_BOOTTIME` nanoseconds.
    pub start_ns: u64,
    /// Bytes that this end sent, each once however often it was sent again.
    pub sent: u64,
    /// Bytes that this end received in their order.
    pub received: u64,
    /// Address of this end; IPv4 as its first four bytes.
    pub local: [u8; 16],
    /// Address of the other end, likewise.
    pub remote: [u8; 16],
    /// Sequence number that this end began with.
    pub local_isn: u32,
    /// The one that the other end began with.
    pub remote_isn: u32,
    /// `AF_INET` or `AF_INET6`.
    pub family: u16,
    /// Port of this end, host order.
    pub local_port: u16,
    /// Port of the other end, host order.
    pub remote_port: u16,
    /// Of [`side`].
    pub side: u16,
    /// What the socket failed with (`errno`); 0: it did not.
    pub error: u32,
    /// Keeps the size a multiple of 8.
    pub padding: u32,
}

const _: () = assert!(size_of::<Connection>() == 104);
const _: () = {
    use core::mem::offset_of;

    use super::Head;
    assert!(offset_of!(Connection, kind) == offset_of!(Head, kind));
    assert!(offset_of!(Connection, time_ns) == offset_of!(Head, time_ns));
    assert!(offset_of!(Connection, cgroup) == offset_of!(Head, cgroup));
};
