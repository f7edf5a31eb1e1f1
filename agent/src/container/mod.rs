//! Containers: what their runtime knows of them.
//!
//! Asked of runtimes by [`ContainerFacts::id`], off the path of events: [`Lookup`]
//! reads the state files of [`Sources`] at once and asks at sockets next. It knows no
//! process and no rule. Only `ask` waits; everything else turns bytes into facts.

mod ask;
mod cri;
mod docker;
mod document;
mod facts;
mod files;
mod image;
mod monitor;
mod oci;
mod privilege;
#[cfg(test)]
mod recorded;
mod runc;
mod sources;

pub use ask::{Answer, Lookup, LookupCounts};
pub use facts::{ContainerFacts, Mount, Probe};
pub use sources::{Protocol, Socket, Sources, StateFile, StateFormat};
