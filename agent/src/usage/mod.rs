//! From cumulative readings of the kernel's counters to per-tenant totals.
//!
//! - [`reading`], [`tenant`] and [`pod`]: what comes in, what goes out.
//! - [`accounts`]: the totals, kept by deltas against each slot's `mark`;
//!   `nesting` takes apart what the files of a cgroup say of its children,
//!   `totals` is one tenant's sums.
//! - [`storage`]: what is kept on disks, and for how long.
//! - [`saved`] and [`state_file`]: the totals as bytes, and those bytes on disk.
//! - [`sinks`]: what became of the alerts of each sink.
//! - [`api`]: what clients of the local API asked.
//! - [`catalogue`]: the one list of metrics.
//!
//! Arithmetic over values: it never touches the kernel, the network or the
//! clock, and never decides who owns a cgroup (the caller says so). Only
//! [`state_file`] touches a file.

pub mod accounts;
pub mod api;
pub mod catalogue;
mod mark;
mod nesting;
pub mod pod;
pub mod reading;
pub mod saved;
pub mod sinks;
pub mod state_file;
pub mod storage;
pub mod tenant;
mod totals;
