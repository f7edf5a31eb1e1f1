//! What happened, as the kernel told it: [`Record`], and what the rules see of it:
//! [`View`], between the record and its [`Surroundings`].
//!
//! It reads no bytes of the wire (see [`crate::decode`]) and keeps no state.

mod connection;
pub mod deed;
mod record;
mod remote;
mod surroundings;
mod view;

pub use connection::{Connection, Side};
pub use deed::Deed;
pub use landlord_ebpf::abi::{FileFacts, Head, RecordKind, SocketFacts, TaskFacts};
pub use record::{Part, Record};
pub use remote::{Initiator, RemoteEnd};
pub use surroundings::{Names, NoNames, Node, Place, PodFacts, Surroundings};
pub use view::View;
