//! Which fields are the same for all events with the same key of their verdict: one
//! table from fields to the part of the key that decides them, and what that part
//! tells of the call at hand.
//!
//! The key is made of: the call, the truth bits, whether the cgroup is on the host or
//! a container's, the number of the error, and the registers of [`Plan::key_args`].
//! Further, by its [`Subject`]:
//!
//! - of a file that was reached: its type, its file system, how it is open, its
//!   layer, whether it was removed, and its path if it has one; in a second key of one
//!   that was opened also the path that the call was given;
//! - of paths, and of a file that was not opened: the paths as they were given, and
//!   the directories that they start from;
//! - of a socket: its family, kind, protocol and state, both addresses, the port of
//!   the server, and the address that the call was given.
//!
//! What is in no row, and what is in doubt, is not known: all that tells of the
//! process, its user and container, of time and of numbers that count up.

use landlord_ebpf::abi::{NO_ARGUMENT, Plan, RESULT, plan_flag};

use super::Calls;
use super::residue::Knowledge;
use super::situation::{Role, Situation, Subject};
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{EventType, ParamId};
use crate::rules::field::{FieldId, Needs};

/// A part of the key, or of what never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The type of the event alone.
    Type,
    /// The same, save for calls whose descriptor decides.
    Category,
    /// Whether the call failed, and with which error.
    Outcome,
    /// What it returned: of a failure the error, otherwise a number that is not in
    /// the key.
    Result,
    /// The number of the descriptor.
    Descriptor,
    /// Whether the cgroup is on the host.
    Place,
    /// How a file is opened: the truth bits.
    Opening,
    /// The path of a descriptor's file, or the one that was given to no avail; also
    /// of events without a descriptor.
    FileName,
    /// The path that an open was given.
    Raw,
    /// Paths as they were given.
    Given,
    /// What kind of descriptor it is.
    Kind,
    /// The layer of an overlay.
    Layer,
    /// Family and protocol of a socket; nothing else has them.
    Protocol,
    /// The state of a socket.
    Connected,
    /// Either address of a socket, however it is called.
    Address,
    /// Which end is the client, and its address.
    Role,
    /// The port of the server.
    ServerPort,
    /// The port of this end.
    LocalPort,
    /// The port of the other end.
    RemotePort,
}

/// What decides which fields.
const TABLE: &[(Part, &[FieldId])] = &[
    (
        Part::Type,
        &[
            FieldId::EvtCount,
            FieldId::EvtCountExit,
            FieldId::EvtDir,
            FieldId::EvtIoDir,
            FieldId::EvtIsAsync,
            FieldId::EvtIsIo,
            FieldId::EvtIsIoRead,
            FieldId::EvtIsIoWrite,
            FieldId::EvtIsWait,
            FieldId::EvtSource,
            FieldId::EvtType,
            FieldId::EvtTypeIs,
            FieldId::SyscallType,
        ],
    ),
    (Part::Category, &[FieldId::EvtCategory]),
    (Part::Outcome, &[FieldId::EvtCountError, FieldId::EvtFailed, FieldId::EvtRes]),
    (Part::Result, &[FieldId::EvtRawres]),
    (Part::Descriptor, &[FieldId::FdNum]),
    (Part::Place, &[FieldId::ContainerId]),
    (
        Part::Opening,
        &[
            FieldId::EvtIsOpenCreate,
            FieldId::EvtIsOpenExec,
            FieldId::EvtIsOpenRead,
            FieldId::EvtIsOpenWrite,
        ],
    ),
    (
        Part::FileName,
        &[
            FieldId::EvtUnverified,
            FieldId::FdDirectory,
            FieldId::FdFilename,
            FieldId::FdName,
            FieldId::FsPathName,
        ],
    ),
    (Part::Raw, &[FieldId::FdNameraw]),
    (
        Part::Given,
        &[
            FieldId::EvtAbspath,
            FieldId::FsPathNameraw,
            FieldId::FsPathSource,
            FieldId::FsPathSourceraw,
            FieldId::FsPathTarget,
            FieldId::FsPathTargetraw,
        ],
    ),
    (Part::Kind, &[FieldId::FdType, FieldId::FdTypechar]),
    (Part::Layer, &[FieldId::FdIsLowerLayer, FieldId::FdIsUpperLayer]),
    (Part::Protocol, &[FieldId::FdL4proto, FieldId::FdSockfamily]),
    (Part::Connected, &[FieldId::FdConnected]),
    (
        Part::Address,
        &[
            FieldId::FdIp,
            FieldId::FdLip,
            FieldId::FdLnet,
            FieldId::FdNameChanged,
            FieldId::FdNet,
            FieldId::FdRip,
            FieldId::FdRnet,
        ],
    ),
    (
        Part::Role,
        &[FieldId::FdCip, FieldId::FdCnet, FieldId::FdIsServer, FieldId::FdSip, FieldId::FdSnet],
    ),
    (Part::ServerPort, &[FieldId::FdSport]),
    (Part::LocalPort, &[FieldId::FdLport]),
    (Part::RemotePort, &[FieldId::FdRport]),
];

/// A call in a situation.
pub(super) struct Known<'call> {
    pub(super) event_type: EventType,
    pub(super) call: u32,
    pub(super) plan: &'call Plan,
    pub(super) situation: Situation,
    pub(super) calls: &'call dyn Calls,
}

impl Known<'_> {
    /// What is known of a field.
    pub(super) fn of(&self, field: &FieldRef) -> Knowledge {
        if field.id.spec().needs == Needs::Unavailable {
            return Knowledge::All;
        }
        if let (FieldId::EvtArg | FieldId::EvtRawarg, Argument::Param(param)) =
            (field.id, &field.argument)
        {
            return known(self.parameter(*param));
        }
        let row = TABLE.iter().find(|(_, fields)| fields.contains(&field.id));
        row.map_or(Knowledge::Nothing, |(part, _)| self.of_part(*part))
    }

    fn of_part(&self, part: Part) -> Knowledge {
        let Situation { subject, failed } = self.situation;
        let (plan, role) = (self.plan, Role::of(self.event_type));
        let is = |wanted: Subject| subject == wanted;
        let named = is(Subject::File) || is(Subject::AsGiven);
        let reached = named || is(Subject::Nameless);
        let given = is(Subject::Given);
        let socket = is(Subject::Ends) || is(Subject::Socket);
        // No socket, and so no ends: the fields have no value.
        let ends = is(Subject::Ends) || reached;
        let of_server = plan.flags & plan_flag::SERVER != 0;
        let register =
            |argument: u8| plan.key_args & 1_u8.checked_shl(argument.into()).unwrap_or(0) != 0;
        let kind = known(reached || given || socket);
        match part {
            Part::Type | Part::Outcome => Knowledge::All,
            Part::Category if self.event_type.category().name().is_some() => Knowledge::All,
            Part::Category | Part::Kind | Part::Protocol => kind,
            Part::Descriptor if plan.fd != RESULT => known(register(plan.fd)),
            Part::Result | Part::Descriptor if failed => Knowledge::All,
            // A descriptor, or 0; others may return any number, such as an offset.
            Part::Result | Part::Descriptor if plan.fd == RESULT || given || socket => {
                Knowledge::NotNegative
            }
            Part::Result | Part::Descriptor => Knowledge::Nothing,
            Part::Place => Knowledge::Host,
            // Flags in memory may have changed between two reads of them.
            Part::Opening => known(
                plan.open_flags == NO_ARGUMENT
                    || plan.flags & (plan_flag::FLAGS_IN_REGISTER | plan_flag::CREAT) != 0,
            ),
            Part::FileName => known(named || given),
            Part::Raw => known(is(Subject::AsGiven) || given),
            Part::Given => known(given),
            Part::Layer => known(reached || given),
            Part::Connected => known(reached || given || socket),
            Part::Address => known(ends),
            Part::Role => known(reached || is(Subject::Ends) && role != Role::Guessed),
            Part::ServerPort => known(
                reached
                    || is(Subject::Ends)
                        && match role {
                            Role::Client => !of_server,
                            Role::Server | Role::Listener => of_server,
                            Role::Guessed => false,
                        },
            ),
            Part::LocalPort => known(reached || is(Subject::Ends) && of_server),
            Part::RemotePort => known(reached || is(Subject::Ends) && !of_server),
        }
    }

    /// Whether a parameter is made of the key alone.
    fn parameter(&self, param: ParamId) -> bool {
        let Situation { subject, failed } = self.situation;
        // Where no paths were given, those of a call that failed are not in the key.
        self.calls.is_keyed(self.call, param, failed && subject == Subject::Given)
    }
}

const fn known(known: bool) -> Knowledge {
    if known { Knowledge::All } else { Knowledge::Nothing }
}
