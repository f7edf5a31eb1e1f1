//! Where a CPU makes its record: a program's stack is too small for it, and the
//! programs of a chain share it.
//!
//! An attached program never runs twice at a time on one CPU, not even when it
//! may be preempted, so what a chain writes here is its own until it ends.

use aya_ebpf::helpers::bpf_get_smp_processor_id;
use landlord_ebpf::abi::{FileFacts, Head, PATH_BYTES_MAX, Plan, SECTION_BYTES_MAX, SocketFacts};

use super::{short::Name, words};
use crate::maps::{LIFECYCLE_SCRATCH, SCRATCH};

/// Room for sections: an offset below this power of two, and the longest section
/// there, are inside as the verifier adds them up. Records stay far below.
pub(crate) const SECTION_ROOM: u32 = 32 * 1024;
const SLACK: usize = 2 * PATH_BYTES_MAX + 64;
const _: () = assert!(SECTION_BYTES_MAX < SECTION_ROOM as usize);
/// Longest name of a directory entry, and the slash before it.
pub(crate) const NAME_BYTES: usize = 256;
/// Words of the largest part of a kernel structure that is copied at once.
pub(crate) const OBJECT_WORDS: usize = 32;
/// Names that a short path has at most; a power of two.
pub(crate) const SHORT_NAMES: usize = 32;
/// Paths that can wait to be walked; a power of two.
pub(crate) const WALKS: usize = 4;

/// A path that is to be made from where it ends.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    /// `struct vfsmount`.
    pub(crate) mount: u64,
    /// `struct dentry`.
    pub(crate) dentry: u64,
    /// The [`landlord_ebpf::abi::Section`] that it becomes.
    pub(crate) kind: u32,
    /// Flags of the section.
    pub(crate) flags: u32,
}

/// Subjects that were sent lately that a CPU remembers; a power of two.
pub(crate) const SEEN: usize = 64;

/// A subject that was sent lately.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// First half of its key.
    pub(crate) key: u64,
    /// How often it was sent since it came to stand here.
    pub(crate) times: u64,
}

/// What the subject's facts are, for the verdict's key.
pub(crate) mod subject {
    /// There are none: arguments and paths are all.
    pub(crate) const NONE: u32 = 0;
    /// A [`landlord_ebpf::abi::FileFacts`].
    pub(crate) const FILE: u32 = 1;
    /// A [`landlord_ebpf::abi::SocketFacts`].
    pub(crate) const SOCKET: u32 = 2;
}

/// The state of a chain of programs, and the record it makes. Arguments, result and
/// number of a call are in the head from the beginning.
#[repr(C)]
pub(crate) struct Scratch {
    /// How the call is handled.
    pub(crate) plan: Plan,
    /// Generation of the plan.
    pub(crate) generation: u64,
    /// The plan's place in its generation.
    pub(crate) plan_index: u32,
    /// [`landlord_ebpf::abi::truth`] bits.
    pub(crate) truth: u32,
    /// Id of the cgroup; of a call only when its record is made.
    pub(crate) cgroup: u64,
    /// The cgroup's slot.
    pub(crate) slot: u32,
    /// Bytes of sections so far, a multiple of 8.
    pub(crate) len: u32,
    /// A [`subject`].
    pub(crate) subject: u32,
    /// Not 0 when the subject could not be read whole: there is no verdict on it.
    pub(crate) doubtful: u32,
    /// Not 0 when the verdict on the subject was looked up already.
    pub(crate) judged: u32,
    /// Not 0 when the path that the call was given is a section already.
    pub(crate) given: u32,
    /// Key of the subject with that path; 0 when there is none.
    pub(crate) raw_verdict: [u64; 2],
    /// The descriptor of a call that is about a file.
    pub(crate) descriptor: u64,
    /// The subject's facts.
    pub(crate) file: FileFacts,
    pub(crate) socket: SocketFacts,
    /// From where on the sections make up the rest of the verdict's key, up to where
    /// they end when judged.
    pub(crate) key_from: u32,
    /// The stage that follows when all paths are walked.
    pub(crate) after: u32,
    /// Paths to be walked, how many, and how many are done.
    pub(crate) walks: [Walk; WALKS],
    pub(crate) queued: u32,
    pub(crate) walked: u32,
    /// 1 while a walk is under way.
    pub(crate) walking: u32,
    /// Walks of the same path before this one.
    pub(crate) tries: u32,
    /// How much room is left before the part of the path that is made.
    pub(crate) room: u32,
    /// Sequence of renames when this CPU last looked; outlives the record.
    pub(crate) renames: u32,
    /// Where the walk is,
    pub(crate) mount: u64,
    pub(crate) dentry: u64,
    /// and where it ends.
    pub(crate) root_mount: u64,
    pub(crate) root_dentry: u64,
    /// Names of a short path from its end, how many, and the flags of its section.
    pub(crate) names: [Name; SHORT_NAMES],
    pub(crate) name_count: u32,
    pub(crate) name_flags: u32,
    /// A copy of a part of a kernel structure.
    pub(crate) object: [u64; OBJECT_WORDS],
    /// What was sent lately; outlives the record.
    pub(crate) seen: [Seen; SEEN],
    /// The path under way, from its end.
    pub(crate) path: [u8; PATH_BYTES_MAX + 2 * NAME_BYTES],
    /// The record: the head,
    pub(crate) head: Head,
    /// and its sections.
    pub(crate) sections: [u8; SECTION_ROOM as usize + SLACK],
}

/// This CPU's scratch of the chain of calls.
#[inline(always)]
pub(crate) fn of_call() -> Option<*mut Scratch> {
    // SAFETY: the helper has no preconditions.
    SCRATCH.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

/// This CPU's scratch of the chain of processes.
#[inline(always)]
pub(crate) fn of_lifecycle() -> Option<*mut Scratch> {
    // SAFETY: the helper has no preconditions.
    LIFECYCLE_SCRATCH.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

impl Scratch {
    /// Begins a record without sections.
    ///
    /// # Safety
    ///
    /// `scratch` is this CPU's.
    #[inline(always)]
    pub(crate) unsafe fn begin(scratch: *mut Self) {
        // SAFETY: promised by the caller.
        unsafe {
            (*scratch).head.flags = 0;
            (*scratch).subject = subject::NONE;
            words::clear(&raw mut (*scratch).head.verdict);
            core::ptr::write_volatile(&raw mut (*scratch).raw_verdict[0], 0);
            // Volatile, or the compiler makes a call of all together.
            for word in [
                &raw mut (*scratch).len,
                &raw mut (*scratch).doubtful,
                &raw mut (*scratch).judged,
                &raw mut (*scratch).given,
                &raw mut (*scratch).key_from,
                &raw mut (*scratch).queued,
                &raw mut (*scratch).walked,
                &raw mut (*scratch).walking,
            ] {
                core::ptr::write_volatile(word, 0);
            }
        }
    }
}
