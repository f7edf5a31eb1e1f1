//! The kernel boundary: loads the sensors, resolves struct offsets, reads the
//! counters and the cgroup's own files.
//!
//! Sole home of aya and of `unsafe`. Knows cgroups and slots, never tenants.

pub mod btf;
mod cgroup_namespace;
pub mod cgroupfs;
mod counters;
mod epoch;
mod error;
mod event_offsets;
pub mod events;
mod file_offsets;
pub mod floor;
mod hooks;
mod layout;
pub mod memory;
mod offsets;
mod pins;
pub mod requirements;
mod sensors;
mod shared;
mod slots;
mod stubs;

pub use epoch::Epoch;
pub use error::KernelError;
pub use events::{CgroupPaths, EventOptions, Events};
pub use hooks::Feature;
pub use landlord_ebpf::abi::EventCounts;
pub use pins::{DEFAULT_PIN_PATH, detach};
pub use sensors::{Options, Sensors, Tried, try_load};
