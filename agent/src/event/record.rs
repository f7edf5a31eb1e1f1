//! One decoded record. It borrows the bytes it was read from.

use landlord_ebpf::abi::{FileFacts, Head, RecordKind, SocketFacts, TaskFacts};

/// A text or structure that a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its bytes; of paths without a final zero.
    pub bytes: &'a [u8],
    /// Not all of it fitted, or could be read.
    pub cut: bool,
    /// It came from memory that the process could change.
    pub user: bool,
    /// It is the path of a file that was removed.
    pub deleted: bool,
}

/// One event of the kernel. What it does not carry is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Who, when, which call, with what result.
    pub head: Head,
    /// What happened.
    pub kind: RecordKind,
    /// Path of the file behind the descriptor (kernel state).
    pub path: Option<Part<'a>>,
    /// That path could not be read whole, as folders were being renamed.
    pub is_path_torn: bool,
    /// Path that the call was given (user memory).
    pub raw: Option<Part<'a>>,
    /// As [`Head::verdict`], of the subject together with `raw`; 0 when there is none.
    pub raw_verdict: [u64; 2],
    /// Directory that a relative `raw` starts from.
    pub base: Option<Part<'a>>,
    /// Second path that the call was given (user memory).
    pub raw2: Option<Part<'a>>,
    /// Directory that a relative `raw2` starts from.
    pub base2: Option<Part<'a>>,
    /// The file behind the descriptor; in [`RecordKind::Exec`] the program's.
    pub file: Option<FileFacts>,
    /// The socket behind the descriptor.
    pub socket: Option<SocketFacts>,
    /// Socket address that the call was given (user memory).
    pub address: Option<Part<'a>>,
    /// Path of a unix socket: this end.
    pub unix_path: Option<Part<'a>>,
    /// Path of a unix socket: the other end.
    pub unix_peer_path: Option<Part<'a>>,
    /// Arguments, each with its final zero.
    pub argv: Option<Part<'a>>,
    /// Environment, likewise.
    pub envp: Option<Part<'a>>,
    /// Path of the program's file.
    pub exe: Option<Part<'a>>,
    /// Working directory after the act.
    pub cwd: Option<Part<'a>>,
    /// Ids of the task.
    pub task: Option<TaskFacts>,
    /// The first bytes of what was read or written (user memory).
    pub buffer: Option<Part<'a>>,
    /// A structure that the call was given (user memory).
    pub structure: Option<Part<'a>>,
}

impl Record<'_> {
    /// A record without sections.
    #[must_use]
    pub const fn empty(head: Head, kind: RecordKind) -> Self {
        Self {
            head,
            kind,
            path: None,
            is_path_torn: false,
            raw: None,
            raw_verdict: [0; 2],
            base: None,
            raw2: None,
            base2: None,
            file: None,
            socket: None,
            address: None,
            unix_path: None,
            unix_peer_path: None,
            argv: None,
            envp: None,
            exe: None,
            cwd: None,
            task: None,
            buffer: None,
            structure: None,
        }
    }

    /// Name of the thread without its final zeros.
    #[must_use]
    pub fn comm(&self) -> &[u8] {
        self.head.comm.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    /// True when a path of it came from memory that the process could change.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        let parts = [self.raw, self.raw2, self.address];
        self.path.is_none() && parts.iter().flatten().any(|part| part.user)
    }
}
