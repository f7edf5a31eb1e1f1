//! What the kernel side could not count as it should.

/// Index into the loss map.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No slot was free; the use went to [`super::OVERFLOW_SLOT`]. Counted per
    /// look-up, that is per switch or packet, not per cgroup.
    SlotsExhausted = 0,
    /// A system call found the totals table full.
    SyscallTableFull = 1,
    /// A wait found the (victim, culprit) table full; value in nanoseconds.
    WaitTableFull = 2,
    /// A cgroup's path was longer than [`super::PATH_BYTES`].
    PathTooLong = 3,
}

impl Loss {
    /// Number of causes.
    pub const COUNT: u32 = 4;
}
