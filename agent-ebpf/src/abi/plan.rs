//! What the kernel side does with each system call that a rule wants.

/// Plans of one generation: those of the native table, then those of the 32-bit one.
pub const PLANS: u32 = 1024;
/// Where the plans of the 32-bit table begin.
pub const COMPAT_PLANS: u32 = 512;
/// Generations that are kept: the one in force, and the one being written.
pub const GENERATIONS: u32 = 2;
/// Opcodes of `io_uring` that can be told apart.
pub const REQUESTS: u32 = 128;
/// Entries of the verdict table; a power of two.
pub const VERDICTS: u32 = 16384;

/// No argument.
pub const NO_ARGUMENT: u8 = 0xff;
/// The result, in place of an argument.
pub const RESULT: u8 = 0xfe;
/// The directory of a path is the working directory.
pub const WORKING_DIRECTORY: u8 = 0xfd;

/// How a call's facts are read.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Its arguments are all there is.
    Simple = 0,
    /// It is about the file behind [`Plan::fd`].
    File = 1,
    /// It is about paths in user memory.
    Paths = 2,
    /// It is about the socket behind [`Plan::fd`].
    Socket = 3,
}

/// Truths that are known before anything is read: bits of the number that
/// [`Plan::early`] is indexed by.
pub mod truth {
    /// The call failed.
    pub const FAILED: u32 = 1;
    /// A file is opened for reading.
    pub const READ: u32 = 2;
    /// A file is opened for writing.
    pub const WRITE: u32 = 4;
    /// A file is created (`O_CREAT`, `O_TMPFILE`).
    pub const CREATE: u32 = 8;
    /// A file is created that may be executed.
    pub const EXECUTE: u32 = 16;
    /// The cgroup is not known to be on the host.
    pub const CONTAINER: u32 = 32;
}

/// Bits of [`Plan::flags`].
pub mod plan_flag {
    /// Look the subject up in the verdict table before anything is sent.
    pub const VERDICT: u16 = 1;
    /// Add the working directory after the act.
    pub const CWD: u16 = 2;
    /// Add a [`super::TaskFacts`](crate::abi::TaskFacts).
    pub const TASK: u16 = 4;
    /// [`Plan::open_flags`](super::Plan::open_flags) is the register itself; otherwise, when it is an
    /// argument, it points to an `open_how`.
    pub const FLAGS_IN_REGISTER: u16 = 8;
    /// `creat`: opened for writing and created.
    pub const CREAT: u16 = 16;
    /// [`Plan::fd`](super::Plan::fd) may be a file or a socket, such as of `dup2` or `read`.
    pub const ANY_DESCRIPTOR: u16 = 32;
    /// [`Plan::address`](super::Plan::address) points to a `msghdr`, as of `sendmsg`.
    pub const MESSAGE: u16 = 64;
    /// This end is the server's: the verdict's key leaves out the other end's port,
    /// otherwise this end's.
    pub const SERVER: u16 = 128;
    /// Look the subject up once more together with the path that the call was given,
    /// if it is not in the table by itself.
    pub const RAW: u16 = 256;
}

/// Where a program stands in the table of those that handle a call.
pub mod stage {
    /// Settles what is known before anything is read.
    pub const BEGIN: u32 = 0;
    /// Finds the file behind a descriptor.
    pub const FILE: u32 = 1;
    /// Follows directories up to the root, one part of a path after the other.
    pub const WALK: u32 = 2;
    /// Reads paths from user memory and finds what they start from.
    pub const PATHS: u32 = 3;
    /// Finds the socket behind a descriptor.
    pub const SOCKET: u32 = 4;
    /// Looks the subject up in the verdict table.
    pub const JUDGE: u32 = 5;
    /// Adds what is left to add and sends the record.
    pub const FINISH: u32 = 6;
    /// Finds the file behind any descriptor, at more cost.
    pub const ANY_FILE: u32 = 7;
    /// Entries of the table.
    pub const COUNT: u32 = 8;
}

/// What is to be done when one system call returns. An argument is its number from
/// 0 to 5, [`RESULT`] or [`NO_ARGUMENT`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Bit n: the event may be wanted when its [`truth`] bits make up n. 0: unwanted.
    pub early: u64,
    /// A [`Shape`].
    pub shape: u8,
    /// The descriptor that it is about.
    pub fd: u8,
    /// A path in user memory.
    pub path: u8,
    /// The descriptor of the directory that `path` starts from, or [`WORKING_DIRECTORY`].
    pub directory: u8,
    /// A second path.
    pub path2: u8,
    /// Likewise for `path2`.
    pub directory2: u8,
    /// A socket address in user memory.
    pub address: u8,
    /// Its length; of `accept` and `recvfrom` a pointer to it, which is not read.
    pub address_len: u8,
    /// What is read or written.
    pub buffer: u8,
    /// Its length, or [`RESULT`].
    pub buffer_len: u8,
    /// The flags of an open.
    pub open_flags: u8,
    /// The mode of a file that is created.
    pub open_mode: u8,
    /// A structure in user memory, such as `clone_args`.
    pub structure: u8,
    /// Bytes of it to read, at most 128.
    pub structure_len: u8,
    /// [`plan_flag`] bits.
    pub flags: u16,
    /// Bit n: argument n is a part of the verdict's key, as flags and modes are.
    pub key_args: u8,
    /// Keeps the size a multiple of 8.
    pub padding: [u8; 7],
}

const _: () = assert!(size_of::<Plan>() == 32);

impl Plan {
    /// Of a call that nobody wants.
    pub const UNWANTED: Self = Self {
        early: 0,
        shape: Shape::Simple as u8,
        fd: NO_ARGUMENT,
        path: NO_ARGUMENT,
        directory: NO_ARGUMENT,
        path2: NO_ARGUMENT,
        directory2: NO_ARGUMENT,
        address: NO_ARGUMENT,
        address_len: NO_ARGUMENT,
        buffer: NO_ARGUMENT,
        buffer_len: NO_ARGUMENT,
        open_flags: NO_ARGUMENT,
        open_mode: NO_ARGUMENT,
        structure: NO_ARGUMENT,
        structure_len: 0,
        flags: 0,
        key_args: 0,
        padding: [0; 7],
    };
}

/// Which calls are wanted, and which generation of plans says how. Written by the
/// agent: first the plans and bits of the other generation, then `generation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Counts up; its lowest bit picks the generation in force.
    pub generation: u64,
    /// A bit for each plan, for each generation.
    pub bits: [[u64; (PLANS / 64) as usize]; GENERATIONS as usize],
    /// Records per second that one cgroup may send on the ring of calls; 0: any number.
    pub rate: u64,
    /// Records that a cgroup may send at once beyond its rate.
    pub burst: u64,
    /// Bytes waiting in a ring from which on the agent is woken at once.
    pub wake_bytes: u64,
    /// Set by the agent before it sleeps for long: the next record wakes it. Cleared
    /// by whoever does.
    pub sleeping: u64,
    /// Requests to `io_uring` that are told: a bit for each opcode. All are counted.
    pub requests: [u64; (REQUESTS / 64) as usize],
}

const _: () = assert!(size_of::<Wanted>() == 40 + 256 + 16);

/// The subject of an event that no rule can match, whoever acts: both words as in
/// [`Head::verdict`](super::Head::verdict), at the place that the low bits of the
/// first tell. Another word is another subject, so a half-written one is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// First half of the key; 0: none.
    pub low: u64,
    /// Second half of the key.
    pub high: u64,
}

const _: () = assert!(size_of::<Verdict>() == 16);

/// Where a verdict stands.
#[inline(always)]
#[must_use]
pub const fn verdict_index(low: u64) -> u32 {
    const MASK: u64 = VERDICTS as u64 - 1;
    (low & MASK) as u32
}

/// What one CPU did with wanted calls; plain words that only it writes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Wanted calls that returned.
    pub wanted: u64,
    /// Dropped by [`Plan::early`].
    pub early: u64,
    /// Dropped by the verdict table.
    pub verdict: u64,
    /// Sent on the ring of calls.
    pub sent: u64,
    /// Sent on the ring of processes.
    pub lifecycle: u64,
    /// Records that were made but could not be sent, for any cause.
    pub lost: u64,
    /// Submissions to `io_uring` that were seen.
    pub uring: u64,
    /// Ends of connections that were sent on the ring of calls.
    pub connections: u64,
}

const _: () = assert!(size_of::<EventCounts>() == 64);

/// Why a record was not sent.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropCause {
    /// The ring had no room, or the cgroup had filled its share of it.
    RingFull = 0,
    /// The cgroup was above its rate.
    RateLimited = 1,
    /// Kernel state could not be read.
    Unreadable = 2,
}

impl DropCause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RingFull, Self::RateLimited, Self::Unreadable];
}

/// Whose record was not sent, which, and why. The value counts records.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DropKey {
    /// The cgroup.
    pub cgroup: u64,
    /// Number of the call with [`super::COMPAT_BIT`]; of other records
    /// [`super::RecordKind`], or [`super::CONNECTION`], with the bit 30 set.
    pub what: u32,
    /// A [`DropCause`].
    pub cause: u32,
}

const _: () = assert!(size_of::<DropKey>() == 16);

/// Marks a [`super::RecordKind`] in [`DropKey::what`].
pub const DROPPED_KIND: u32 = 1 << 30;
/// Entries of the table of drops.
pub const DROPS: u32 = 8192;

/// A cgroup's allowance, by slot.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowance {
    /// The second (`CLOCK_BOOTTIME`) that `used` counts in.
    pub second: u64,
    /// Records sent in it.
    pub used: u64,
    /// What it has in the ring of calls.
    pub calls: Share,
    /// What it has in the ring of processes.
    pub lifecycle: Share,
}

const _: () = assert!(size_of::<Allowance>() == 80);

/// What a cgroup has in a ring, in two parts by where in it they are.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    /// Where the first part ends and the second begins.
    pub end: u64,
    /// Where its last record was written.
    pub last: u64,
    /// Bytes of the first part.
    pub before: u64,
    /// Bytes of the second part.
    pub since: u64,
}

/// What the agent knows of a slot's cgroup.
pub mod place {
    /// Nothing yet.
    pub const UNKNOWN: u32 = 0;
    /// It is outside of all containers.
    pub const HOST: u32 = 1;
    /// It is a container's.
    pub const CONTAINER: u32 = 2;
}
