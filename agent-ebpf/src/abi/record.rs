//! Records of events: a [`Head`], then sections, each a [`SectionHead`] and its
//! bytes, padded to 8.

/// Longest path, as `PATH_MAX` of the kernel with its final zero.
pub const PATH_BYTES_MAX: usize = 4096;
/// Bytes of arguments, and of environment, that a record holds at most.
pub const ARGUMENT_BYTES_MAX: usize = 4096;
/// Bytes of what a call read or wrote that a record holds at most.
pub const BUFFER_BYTES_MAX: usize = 80;
/// Bytes of a socket address that a record holds at most: `sizeof(sockaddr_un)` + 2.
pub const ADDRESS_BYTES_MAX: usize = 112;
/// Bytes that all sections of a record have at most.
pub const SECTION_BYTES_MAX: usize = 24 * 1024;
/// Bytes of a record at most.
pub const RECORD_BYTES_MAX: usize = size_of::<Head>() + SECTION_BYTES_MAX;

/// What a record tells.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A system call returned.
    Syscall = 1,
    /// A process was made: the head is the child's. Threads are not told. The first of
    /// `args` is the process that called, which is not the parent if it asked for a
    /// sibling; 0 when not told.
    Fork = 2,
    /// A process runs another program: the head is its own, after the act.
    Exec = 3,
    /// The last thread of a process ended; `result` is its exit code as `wait` has it.
    Exit = 4,
    /// A request was handed to `io_uring`; `syscall` is the opcode, the arguments are
    /// the descriptor (all ones where the kernel does not tell it), the mark that the
    /// process gave the request, and `REQ_F_*` flags.
    IoUring = 5,
}

/// Bits of [`Head::flags`].
pub mod head_flag {
    /// The act's subject was read while a rename or mount went on, and may mix old and new.
    pub const UNSTABLE: u16 = 1;
    /// Sections did not fit and are missing.
    pub const CUT: u16 = 2;
    /// The cgroup is known to be outside of all containers.
    pub const ON_HOST: u16 = 4;
    /// The cgroup is known to be a container's.
    pub const IN_CONTAINER: u16 = 8;
}

/// Who did what, when, and with what result.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Bytes of the record with this head.
    pub len: u32,
    /// A [`RecordKind`].
    pub kind: u16,
    /// [`head_flag`] bits.
    pub flags: u16,
    /// `CLOCK_BOOTTIME` nanoseconds.
    pub time_ns: u64,
    /// Id of the cgroup in the v2 hierarchy.
    pub cgroup: u64,
    /// Process id (thread group) in the initial pid namespace.
    pub tgid: u32,
    /// Thread id in the initial pid namespace.
    pub tid: u32,
    /// Process id of the parent that would be told of its end.
    pub parent: u32,
    /// Number of the call with [`super::COMPAT_BIT`].
    pub syscall: u32,
    /// `start_boottime` of the process (its first thread), nanoseconds: with `tgid`
    /// it names a process for good.
    pub start_ns: u64,
    /// Effective user id in the initial user namespace.
    pub uid: u32,
    /// Effective group id in the initial user namespace.
    pub gid: u32,
    /// Audit's login user id; `u32::MAX` when unset.
    pub loginuid: u32,
    /// CPU that the event happened on.
    pub cpu: u32,
    /// Effective capabilities, a bit each.
    pub cap_effective: u64,
    /// Permitted capabilities.
    pub cap_permitted: u64,
    /// Inheritable capabilities.
    pub cap_inheritable: u64,
    /// What the call returned.
    pub result: i64,
    /// Registers of the call's arguments.
    pub args: [u64; 6],
    /// What the agent may put into the verdict table to be spared events of this
    /// subject; 0 when there is no such key.
    pub verdict: [u64; 2],
    /// Name of the thread, as the kernel has it, with its final zero.
    pub comm: [u8; 16],
}

const _: () = assert!(size_of::<Head>() == 176);

/// What a section holds.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Path of the file that the descriptor stands for, from kernel state, as
    /// `/proc/self/fd` would tell it but for the mark of deleted files.
    Path = 1,
    /// Path as the call was given it (user memory).
    Raw = 2,
    /// Directory that a relative [`Section::Raw`] starts from (kernel state).
    Base = 3,
    /// Second path as the call was given it (user memory).
    Raw2 = 4,
    /// Directory that a relative [`Section::Raw2`] starts from (kernel state).
    Base2 = 5,
    /// A [`FileFacts`].
    File = 6,
    /// A [`SocketFacts`].
    Socket = 7,
    /// A socket address as the call was given it (user memory).
    Address = 8,
    /// Path of a unix socket, from the kernel: this end.
    UnixPath = 9,
    /// Arguments of a program, each with its final zero.
    Argv = 10,
    /// Environment of a program, likewise.
    Envp = 11,
    /// Path of the program's file (kernel state).
    Exe = 12,
    /// Working directory (kernel state).
    Cwd = 13,
    /// A [`TaskFacts`].
    Task = 14,
    /// The first bytes of what the call read or wrote (user memory).
    Buffer = 15,
    /// A structure that the call was given (user memory): `open_how`, `clone_args`,
    /// `union bpf_attr`, `cap_user_data`.
    Structure = 16,
    /// Path of a unix socket, from the kernel: the other end.
    UnixPeerPath = 17,
    /// Two words: as [`Head::verdict`], of the subject together with [`Section::Raw`].
    RawVerdict = 18,
}

/// Bits of [`SectionHead::flags`].
pub mod section_flag {
    /// Not all of it fitted, or could be read.
    pub const CUT: u16 = 1;
    /// It came from memory that the process could change.
    pub const USER: u16 = 2;
    /// The path is of a file that was removed.
    pub const DELETED: u16 = 4;
}

/// Before each section.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SectionHead {
    /// A [`Section`].
    pub kind: u16,
    /// [`section_flag`] bits.
    pub flags: u16,
    /// Bytes of the section without this head and without padding.
    pub len: u32,
}

const _: () = assert!(size_of::<SectionHead>() == 8);

/// A file, from its inode.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Inode number.
    pub ino: u64,
    /// Time of the last change of the inode, nanoseconds since 1970.
    pub ctime_ns: u64,
    /// Time of the last change of the content, nanoseconds since 1970.
    pub mtime_ns: u64,
    /// Device as the kernel has it: major << 20 | minor.
    pub dev: u32,
    /// `i_mode`: type and permissions.
    pub mode: u32,
    /// `s_magic` of its file system, which tells pipes, sockets and anonymous inodes.
    pub magic: u32,
    /// `f_flags` of the open file: access mode and status flags.
    pub open_flags: u32,
    /// `f_mode` of the open file: `FMODE_*`.
    pub open_mode: u32,
    /// Links to the inode.
    pub nlink: u32,
    /// Owner in the initial user namespace.
    pub uid: u32,
    /// A [`Layer`].
    pub layer: u32,
}

const _: () = assert!(size_of::<FileFacts>() == 56);

/// Where on an overlay a file is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Not on an overlay, or not known.
    None = 0,
    /// In the upper, writable layer.
    Upper = 1,
    /// In a lower layer.
    Lower = 2,
}

/// A socket, from the kernel.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketFacts {
    /// Inode number in sockfs: the same for the life of the socket.
    pub ino: u64,
    /// `AF_*`.
    pub family: u16,
    /// `SOCK_*`.
    pub kind: u16,
    /// `IPPROTO_*`.
    pub protocol: u16,
    /// `TCP_*` state (also of other protocols): 1 established, 2 SYN sent, 7 closed, 10 listens.
    pub state: u16,
    /// Port of this end, host order.
    pub local_port: u16,
    /// Port of the other end, host order; 0 when not connected.
    pub remote_port: u16,
    /// Keeps the following aligned.
    pub padding: u32,
    /// Address of this end; IPv4 as its first four bytes.
    pub local: [u8; 16],
    /// Address of the other end, likewise.
    pub remote: [u8; 16],
}

const _: () = assert!(size_of::<SocketFacts>() == 56);

/// What does not change with every event of a task.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskFacts {
    /// Session id (initial pid namespace).
    pub sid: u32,
    /// Process group id (initial pid namespace).
    pub pgid: u32,
    /// Process id in its own pid namespace.
    pub vpid: u32,
    /// Thread id in its own pid namespace.
    pub vtid: u32,
    /// Session id in its own pid namespace.
    pub vsid: u32,
    /// Process group id in its own pid namespace.
    pub vpgid: u32,
    /// Controlling terminal as `/proc/PID/stat` has it; 0: none.
    pub tty: u32,
    /// Inode of its pid namespace; 0 when not known.
    pub pid_namespace: u32,
    /// Inode of its mount namespace; 0 when not known.
    pub mount_namespace: u32,
    /// Bits of [`exec_flag`], in [`RecordKind::Exec`] only.
    pub exec_flags: u32,
}

const _: () = assert!(size_of::<TaskFacts>() == 40);

/// Bits of [`TaskFacts::exec_flags`].
pub mod exec_flag {
    /// The process may write the program's file by its permissions.
    pub const WRITABLE: u32 = 1;
    /// The program's file is a memfd.
    pub const MEMFD: u32 = 2;
}
