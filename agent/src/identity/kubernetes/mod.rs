//! The API server and the node's kubelet: who is asked, what is watched, and how objects
//! become those of [`super::cluster`]. The only home of kube and of Kubernetes' types.
//!
//! Everything here may fail at any time and for long: the agent meters on, says what
//! is missing ([`Health`](super::cluster::Health)) and recovers by itself.

pub mod client;
pub mod connect;
pub mod convert;
pub mod kubelet;
pub mod lease;
mod narrow;
mod slices;
mod summary;
pub mod tenant_crd;
pub mod tenant_status;
pub mod trial;
mod trouble;
pub mod watch;

pub use client::Access;
pub use kubelet::Kubelet;
pub use watch::{Wanted, Watches};
