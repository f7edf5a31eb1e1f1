//! The other end of the socket that an event is about.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Where it is, and what is known of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteEnd {
    /// Its address.
    pub address: IpAddr,
    /// Its port; 0 where sockets have none.
    pub port: u16,
    /// Number of the IP protocol above; `None` where that is not known to be TCP or UDP.
    pub protocol: Option<u8>,
    /// Which end connected.
    pub initiator: Initiator,
}

/// Which end of a connection made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Initiator {
    /// This one.
    Local,
    /// The other one.
    Remote,
    /// The event does not tell.
    Unknown,
}
