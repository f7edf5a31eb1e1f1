//! The processes of the node: ancestry, command lines, credentials as of their start.
//!
//! Kept from fork, exec and exit records, filled from /proc once at the start. It
//! knows no tenant, no container and no rule.

mod ancestry;
mod apply;
mod by_pid;
mod entry;
mod facts;
mod held;
mod names;
mod proc_fs;
mod room;
mod table;
#[cfg(test)]
mod tests;

pub use ancestry::{Ancestor, Ancestors};
pub use entry::Process;
pub use facts::ProcessFacts;
pub use names::{
    Answer as NamesAnswer, Group, IdRange, NameLimits, NameStats, Names, NamesOf,
    Request as NamesRequest, User,
};
pub use proc_fs::{ProcFs, ProcStats};
pub use room::GRACE_NS;
pub use table::{Applied, Limits, Stats, Table};
