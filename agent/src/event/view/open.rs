//! How a file is opened: `evt.is_open_…`.

use landlord_ebpf::abi::{NO_ARGUMENT, plan_flag};

use super::View;
use super::act::Act;

/// `O_ACCMODE` and what it holds.
const ACCESS: u64 = 3;
const WRITE_ONLY: u64 = 1;
const READ_WRITE: u64 = 2;
/// `O_CREAT`.
const CREATE: u64 = 0o100;
/// The bit of `O_TMPFILE` that no other flag has.
const TEMPORARY: u64 = 0o20_000_000;

/// What a call wants to do with the file that it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Opening {
    /// Read it.
    pub(super) read: bool,
    /// Write to it.
    pub(super) write: bool,
    /// Create it.
    pub(super) create: bool,
    /// Create it so that it may be executed.
    pub(super) execute: bool,
}

impl View<'_> {
    /// How the call opens a file; nothing when it opens none.
    pub(super) fn opening(&self) -> Option<Opening> {
        if !self.is_call() || !self.act.opens() {
            return None;
        }
        let plan = self.plan();
        let (flags, mode) = match self.act {
            Act::Create => {
                let mode = plan.map_or(1, |plan| plan.open_mode);
                (CREATE | WRITE_ONLY, self.register(mode).unwrap_or_default().into())
            }
            _ if plan.is_some_and(|it| it.flags & plan_flag::FLAGS_IN_REGISTER != 0) => {
                let plan = plan?;
                let mode = if plan.open_mode == NO_ARGUMENT {
                    0
                } else {
                    self.register(plan.open_mode)?.into()
                };
                (u64::from(self.register(plan.open_flags)?), mode)
            }
            // `open_how` begins with flags and mode.
            _ => {
                let how = self.record.structure?.bytes;
                let word = |at: usize| how.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
                (word(0)?, word(8)?)
            }
        };
        let access = flags & ACCESS;
        let create = flags & (CREATE | TEMPORARY) != 0;
        Some(Opening {
            read: access == 0 || access == READ_WRITE,
            write: access == WRITE_ONLY || access == READ_WRITE,
            create,
            execute: create && mode & 0o111 != 0,
        })
    }
}
