//! The cluster as the API server tells of it: plain data, and what follows from it.
//!
//! Pure: no kube, no tokio, no clock. What talks to the API server is
//! `identity::kubernetes`; it turns objects of the API into those of [`object`] and
//! says what happened to them as a [`Change`]. Nothing here guesses: what was not
//! told is not known.

pub mod addresses;
pub mod change;
pub mod claims;
pub mod directory;
pub mod object;
pub mod quantity;
pub mod report;
#[cfg(test)]
pub(crate) mod samples;
mod shelf;
pub mod storage;
pub mod tenancy;

pub use addresses::Addresses;
pub use change::{AddressChange, Change, Health, Source, Update};
pub use claims::{Conflict, Tenancy};
pub use directory::Directory;
pub use object::{Labels, Namespace, Node, Pod, RemotePod, Service};
pub use storage::PodStorage;
