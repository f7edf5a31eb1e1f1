//! What a record's key of its verdict is about: which kind of subject it has, and
//! whether the record tells of nothing else.

use landlord_ebpf::abi::{
    NO_ARGUMENT, Plan, RESULT, RecordKind, Shape, SocketFacts, head_flag, plan_flag,
};

use super::early::MAX_ERROR;
use crate::event::{Part, Record};
use crate::rules::event_type::EventType;

/// `AF_INET` and `AF_INET6`.
const INET: u16 = 2;
const INET6: u16 = 10;

/// Kinds of file systems that are not in the tree of files: those of pipes, sockets,
/// anonymous inodes and processes.
const OUTSIDE: [u32; 4] = [0x5049_5045, 0x534f_434b, 0x0904_1934, 0x5049_4446];

/// What the key is made of, beside the call, its outcome and its registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// A file that was reached, in the tree of files.
    File,
    /// A file outside of it, such as a pipe.
    Nameless,
    /// The paths that the call was given.
    Given,
    /// A socket, and its ends are those of the event.
    Ends,
    /// A socket; the ends that the event tells of are not all in the key.
    Socket,
    /// Nothing else.
    Nothing,
    /// A file that was opened, in the tree of files, and the path it was asked for by.
    AsGiven,
}

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Situation {
    pub(super) subject: Subject,
    /// The call failed.
    pub(super) failed: bool,
}

impl Subject {
    const ALL: [Self; 7] = [
        Self::File,
        Self::Nameless,
        Self::Given,
        Self::Ends,
        Self::Socket,
        Self::Nothing,
        Self::AsGiven,
    ];
}

impl Situation {
    /// How many there are.
    pub(super) const COUNT: usize = 2 * Subject::ALL.len();

    /// All that there are, by their place.
    pub(super) fn all() -> [Self; Self::COUNT] {
        std::array::from_fn(|at| Self { subject: Subject::ALL[at / 2], failed: at % 2 != 0 })
    }

    /// Its place among all.
    pub(super) const fn index(self) -> usize {
        2 * self.subject as usize + self.failed as usize
    }

    /// Whether a record of a call can be in it.
    pub(super) fn applies(self, plan: &Plan) -> bool {
        let (file, paths, socket) = shape(plan);
        match self.subject {
            Subject::File | Subject::Nameless => file,
            Subject::Given => paths || self.failed && names_what_it_opens(plan),
            Subject::Ends | Subject::Socket => {
                socket || file && plan.flags & plan_flag::ANY_DESCRIPTOR != 0
            }
            Subject::Nothing => self.failed,
            Subject::AsGiven => !self.failed && names_what_it_opens(plan),
        }
    }

    /// That of a record with the path that the call was given, which has a key of its
    /// own, if this is that of the record without it.
    pub(super) fn as_given(self, record: &Record<'_>, plan: &Plan) -> Option<Self> {
        let keyed = record.raw.is_some() && record.raw_verdict[0] != 0;
        let situation = Self { subject: Subject::AsGiven, ..self };
        (keyed && self.subject == Subject::File && situation.applies(plan)).then_some(situation)
    }

    /// That of a record; nothing where its key does not stand for what it tells.
    pub(super) fn of(record: &Record<'_>, plan: &Plan, role: Role) -> Option<Self> {
        let head = &record.head;
        let judged = record.kind == RecordKind::Syscall
            && plan.flags & plan_flag::VERDICT != 0
            && head.verdict[0] != 0
            && head.flags & (head_flag::UNSTABLE | head_flag::CUT) == 0
            && !is_cut(record);
        if !judged {
            return None;
        }
        let failed = (-MAX_ERROR..0).contains(&i128::from(head.result));
        let (file, paths, _) = shape(plan);
        let subject = if let Some(socket) = &record.socket {
            of_socket(record, socket, role, failed)
        } else if file && let Some(facts) = &record.file {
            let path = record.path.map_or(&[][..], |path| path.bytes);
            if is_named(path, facts.magic) { Subject::File } else { Subject::Nameless }
        } else if paths || failed && names_what_it_opens(plan) {
            is_given(plan.path, plan.directory, record.raw, record.base)?;
            is_given(plan.path2, plan.directory2, record.raw2, record.base2)?;
            Subject::Given
        } else {
            Subject::Nothing
        };
        let situation = Self { subject, failed };
        situation.applies(plan).then_some(situation)
    }
}

/// Whether it is about a file, about paths, or about a socket.
fn shape(plan: &Plan) -> (bool, bool, bool) {
    let is = |shape: Shape| plan.shape == shape as u8;
    (is(Shape::File), is(Shape::Paths), is(Shape::Socket))
}

/// Whether it opens what it names: if it fails, the name is all there is.
fn names_what_it_opens(plan: &Plan) -> bool {
    plan.shape == Shape::File as u8 && plan.fd == RESULT && plan.path != NO_ARGUMENT
}

/// Whether a file is one of the tree of files. Of others, events tell what the call
/// was given, too.
fn is_named(path: &[u8], magic: u32) -> bool {
    path.starts_with(b"/") && !path.starts_with(b"/memfd:") && !OUTSIDE.contains(&magic)
}

/// What is in the key of a socket beside its facts: the address that the call was
/// given. Of a server's calls that did not fail it is left out, as is the other
/// end's port; of all others this end's port is.
fn of_socket(record: &Record<'_>, socket: &SocketFacts, role: Role, failed: bool) -> Subject {
    let remote = match socket.family {
        INET => socket.remote[..4].iter().any(|byte| *byte != 0),
        INET6 => socket.remote.iter().any(|byte| *byte != 0),
        // Others have no addresses.
        _ => return Subject::Ends,
    };
    let known = match role {
        Role::Client => true,
        Role::Server => remote,
        Role::Listener => socket.local_port != 0 || failed,
        // Without another end it is the server as soon as it has a port.
        Role::Guessed => remote || record.address.is_some_and(|part| is_end(part.bytes)),
    };
    if known { Subject::Ends } else { Subject::Socket }
}

/// Whether these are the bytes of an address with a port.
fn is_end(address: &[u8]) -> bool {
    let family = address.first_chunk().map(|family| u16::from_ne_bytes(*family));
    match family {
        Some(INET) => address.len() >= 8,
        Some(INET6) => address.len() >= 24,
        _ => false,
    }
}

/// Which end of a connection the process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It connects.
    Client,
    /// It is connected to.
    Server,
    /// It waits to be connected to: there is no other end.
    Listener,
    /// Told by ports, which are not all in the key.
    Guessed,
}

impl Role {
    /// As far as the type of the event tells it.
    pub(super) fn of(event_type: EventType) -> Self {
        match event_type.name() {
            "connect" => Self::Client,
            "accept" | "accept4" => Self::Server,
            "bind" | "listen" => Self::Listener,
            _ => Self::Guessed,
        }
    }
}

/// That a path was read, if the call has one, and what it starts from: otherwise the
/// event may tell of a directory that is not in the key.
fn is_given(path: u8, directory: u8, raw: Option<Part<'_>>, base: Option<Part<'_>>) -> Option<()> {
    if path == NO_ARGUMENT {
        return Some(());
    }
    let starts = raw?.bytes.starts_with(b"/") || directory == NO_ARGUMENT || base.is_some();
    starts.then_some(())
}

fn is_cut(record: &Record<'_>) -> bool {
    let parts = [
        record.path,
        record.raw,
        record.base,
        record.raw2,
        record.base2,
        record.address,
        record.unix_path,
        record.unix_peer_path,
    ];
    parts.iter().flatten().any(|part| part.cut)
}
