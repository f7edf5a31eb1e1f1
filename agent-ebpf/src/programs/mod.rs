//! The programs, one hook family a file.
//!
//! A hook (`hooks`) is a stub that jumps to its meter and outlives the agent;
//! the meters (all other files) come with each agent.

pub(crate) mod cgroup;
pub(crate) mod flush;
pub(crate) mod hooks;
pub(crate) mod sched;
pub(crate) mod socket;
pub(crate) mod syscall;
