//! Landlord from outside, on a real kernel: the binary is run, real workloads are
//! metered, and what it says is held against what is known by other means. Every
//! check of accuracy has a negative control that must fail.
//!
//! The same binary of tests runs on the host and in virtual machines of other
//! kernels.

#![expect(clippy::unwrap_used, reason = "a test that panics keeps its trace")]

mod cpu;
mod files;
mod lifecycle;
mod network;
mod pods;
mod privileges;
mod refusals;
mod restart;
mod rules;
mod screens;
mod sinks;
mod stage;
mod syscalls;
