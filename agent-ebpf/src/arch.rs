//! What differs between architectures in the system call path.

/// `PF_KTHREAD` of `task_struct.flags`: its registers are not a user's.
pub(crate) const PF_KTHREAD: u32 = 0x0020_0000;

#[cfg(bpf_target_arch = "x86_64")]
mod current {
    /// `TS_COMPAT` of `thread_info.status`.
    pub(crate) const COMPAT: u32 = 0x0002;
    /// Bytes of a kernel stack.
    pub(crate) const STACK_BYTES: u64 = 16384;
    /// What the kernel writes in place of the number when a signal handler returns.
    pub(crate) const RT_SIGRETURN: u32 = 15;
    pub(crate) const COMPAT_RT_SIGRETURN: u32 = 173;
    /// A call that never comes back: `exit` and `exit_group`, both tables.
    pub(crate) const EXITS: [u32; 2] = [60, 231];
    pub(crate) const COMPAT_EXITS: [u32; 2] = [1, 252];

    /// True for the calls that return twice, once in the child, which made none.
    #[inline(always)]
    pub(crate) const fn clones(nr: u32) -> bool {
        matches!(nr, 56 | 57 | 58 | 435)
    }
    #[inline(always)]
    pub(crate) const fn compat_clones(nr: u32) -> bool {
        matches!(nr, 2 | 120 | 190 | 435)
    }
}

#[cfg(bpf_target_arch = "aarch64")]
mod current {
    /// `_TIF_32BIT` of `thread_info.flags`.
    pub(crate) const COMPAT: u32 = 1 << 22;
    /// Bytes of a kernel stack.
    pub(crate) const STACK_BYTES: u64 = 16384;
    /// What the kernel writes in place of the number when a signal handler returns.
    pub(crate) const RT_SIGRETURN: u32 = 139;
    pub(crate) const COMPAT_RT_SIGRETURN: u32 = 173;
    /// A call that never comes back: `exit` and `exit_group`, both tables.
    pub(crate) const EXITS: [u32; 2] = [93, 94];
    pub(crate) const COMPAT_EXITS: [u32; 2] = [1, 248];

    /// True for the calls that return twice, once in the child, which made none.
    #[inline(always)]
    pub(crate) const fn clones(nr: u32) -> bool {
        matches!(nr, 220 | 435)
    }
    #[inline(always)]
    pub(crate) const fn compat_clones(nr: u32) -> bool {
        matches!(nr, 2 | 120 | 190 | 435)
    }
}

pub(crate) use current::{
    COMPAT, COMPAT_EXITS, COMPAT_RT_SIGRETURN, EXITS, RT_SIGRETURN, STACK_BYTES, clones,
    compat_clones,
};
