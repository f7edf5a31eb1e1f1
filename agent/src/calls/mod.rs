//! The system calls: how the kernel side reads each, and how each parameter of its
//! event becomes text and value.
//!
//! One declared table (see `table`) says both, so that what is read and what is shown
//! cannot part. It holds no state and asks nobody: what it needs of users, processes
//! and descriptors it asks of a [`Context`].
//!
//! Every call of the kernel's own and of its 32-bit table has an entry; those without
//! a row of their own are told with their result alone. The multiplexers `socketcall`
//! and `ipc` of ia32 are calls of their own and are not taken apart.

mod find;
mod names;
mod number;
mod param;
mod reading;
mod socket;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;
use std::sync::LazyLock;

use landlord_ebpf::abi::{COMPAT_BIT, Plan, RESULT, RecordKind, Shape};

use self::param::What;
use self::table::Numbered;
use crate::event::Record;
use crate::rules::event_type::{EventType, ParamId};

pub use self::find::raw;
pub use self::write::{args, text};

/// A system call, or another event of the kernel that has parameters.
pub struct Call {
    /// Type of its events, in Falco's naming.
    pub event_type: EventType,
    /// How the kernel side reads it; `early` is 0.
    pub plan: Plan,
    params: &'static [(ParamId, What)],
    /// Its user and group ids are 16 bits wide, as of the first calls of ia32 and arm.
    short_ids: bool,
}

/// One of the two paths that a call may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// [`Record::raw`].
    First,
    /// [`Record::raw2`].
    Second,
}

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// The letter of `fd.typechar`.
    pub letter: char,
    /// `t`, `u`, `i` or `r`: the protocol of an internet socket.
    pub protocol: Option<char>,
    /// As `fd.name` tells it.
    pub name: &'a [u8],
}

/// What the texts of parameters need beyond the record. Whatever is not known is told
/// by its number, or as the call was given it.
pub trait Context {
    /// Name of a user where the process runs.
    fn user_name(&self, _uid: u32) -> Option<&str> {
        None
    }

    /// Name of a group where the process runs.
    fn group_name(&self, _gid: u32) -> Option<&str> {
        None
    }

    /// Name of a process.
    fn process_name(&self, _pid: u32) -> Option<&[u8]> {
        None
    }

    /// What a descriptor of the process stands for; at least that of
    /// [`Call::subject`] is mostly known from the record.
    fn descriptor(&self, _fd: i32) -> Option<Descriptor<'_>> {
        None
    }

    /// The path that the call was given, from the root on.
    fn path(&self, _which: Which) -> Option<&[u8]> {
        None
    }

    /// Both ends of the connection, the client's first, as `fd.name` tells them.
    fn connection(&self) -> Option<&[u8]> {
        None
    }
}

/// Knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoContext;

impl Context for NoContext {}

/// The running kernel's calls.
static CALLS: LazyLock<Numbered> = LazyLock::new(Numbered::of_host);

/// The call of that number, with [`COMPAT_BIT`] if it is of the 32-bit table.
#[must_use]
pub fn of(syscall: u32) -> Option<&'static Call> {
    CALLS.get(syscall)
}

/// The event that a record tells. A program that was started is `execve` whichever
/// call did it, and an end is `procexit`, as in Falco.
#[must_use]
pub fn of_record(record: &Record<'_>) -> Option<&'static Call> {
    match record.kind {
        RecordKind::Syscall => of(record.head.syscall),
        RecordKind::Fork => of(record.head.syscall)
            .filter(|call| table::MAKERS.contains(&call.event_type.name()))
            .or(CALLS.fork.as_ref()),
        RecordKind::Exec => CALLS.exec.as_ref(),
        RecordKind::Exit => CALLS.exit.as_ref(),
        RecordKind::IoUring => CALLS.request(record.head.syscall),
    }
}

/// The numbers of all calls whose events are of that type, those of the 32-bit table
/// with [`COMPAT_BIT`].
pub fn numbers(event_type: EventType) -> impl Iterator<Item = u32> {
    CALLS.calls().filter(move |(_, call)| call.event_type == event_type).map(|(nr, _)| nr)
}

/// The opcodes of all requests of `io_uring` whose events are of that type.
pub fn requests(event_type: EventType) -> impl Iterator<Item = u32> {
    CALLS.requests().filter(move |(_, call)| call.event_type == event_type).map(|(op, _)| op)
}

impl fmt::Debug for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<&str> = self.params.iter().map(|(param, _)| param.name()).collect();
        out.debug_struct("Call")
            .field("event_type", &self.event_type.name())
            .field("plan", &self.plan)
            .field("params", &told)
            .finish()
    }
}

impl Call {
    /// The descriptor that the event is about: `fd.num`.
    #[must_use]
    pub fn subject(&self, record: &Record<'_>) -> Option<i32> {
        number::descriptor(self.plan.fd, record)
    }

    /// True when a parameter's text and value follow from what the verdict's key is made
    /// of, for a call that failed or one that did not.
    #[must_use]
    pub fn settles(&self, param: ParamId, failed: bool) -> bool {
        let key = self.plan.key_args;
        // Of a file that was not opened the paths are all there is.
        let absent = failed && self.plan.fd == RESULT && self.plan.shape == Shape::File as u8;
        let paths = absent || self.plan.shape == Shape::Paths as u8;
        self.what(param).is_some_and(|what| what.is_settled(key, paths, failed))
    }

    /// True when the call has such a parameter.
    #[must_use]
    pub fn has(&self, param: ParamId) -> bool {
        self.what(param).is_some()
    }

    fn what(&self, param: ParamId) -> Option<&'static What> {
        self.params.iter().find(|(id, _)| *id == param).map(|(_, what)| what)
    }
}

/// True when the call came through the 32-bit table.
const fn is_compat(record: &Record<'_>) -> bool {
    record.head.syscall & COMPAT_BIT != 0
}
