//! One record as rules see it: every field that can be told, asked for by need.
//!
//! What is a number or a piece of the record is handed out as it is. A text that has
//! to be composed is composed when it is first asked for, and kept for as long as the
//! view. It has no effect on anything else, and nobody is asked twice.
//!
//! - `evt`, `fs`: the act; `act`, `open` and `path` help.
//! - `fd`: what it was done to; `kind`, `socket` and `address` help.
//! - `process`, `thread`, `user`: who did it; `lineage` and `capability` help.
//! - `container`, `pod`, `tenant`: where; `mount` helps.
//! - `context`: what the texts of parameters ask for.
//! - `deed`: what is worth remembering.

mod act;
mod address;
mod capability;
mod container;
mod context;
mod deed;
mod evt;
mod fd;
mod fs;
mod kind;
mod lineage;
mod mount;
mod open;
mod path;
mod pod;
mod process;
mod socket;
mod tenant;
mod texts;
mod thread;
mod user;

use std::cell::OnceCell;

use landlord_ebpf::abi::{NO_ARGUMENT, Plan, RESULT, RecordKind};

use self::act::Act;
use self::lineage::Lineage;
use self::socket::{Connection, Name};
use self::texts::Texts;
use super::{Record, Surroundings};
use crate::calls::Call;
use crate::process::Process;
use crate::rules::event::{Event, FieldRef};
use crate::rules::event_type::{EventType, Origin};
use crate::rules::field::{FieldId, Shape};
use crate::rules::value::Value;

/// A record among its surroundings.
pub struct View<'a> {
    record: &'a Record<'a>,
    call: Option<&'static Call>,
    event_type: EventType,
    act: Act,
    around: Surroundings<'a>,
    connection: OnceCell<Option<Connection>>,
    socket_name: OnceCell<Option<Name>>,
    lineage: OnceCell<Lineage<'a>>,
    texts: Texts,
}

impl<'a> View<'a> {
    /// Sees a record. `call` tells how it was read and what its parameters are.
    #[must_use]
    pub fn new(
        record: &'a Record<'a>,
        call: Option<&'static Call>,
        event_type: EventType,
        around: Surroundings<'a>,
    ) -> Self {
        Self {
            record,
            call,
            event_type,
            act: Act::of(event_type),
            around,
            connection: OnceCell::new(),
            socket_name: OnceCell::new(),
            lineage: OnceCell::new(),
            texts: Texts::default(),
        }
    }

    /// What is seen.
    #[must_use]
    pub const fn record(&self) -> &'a Record<'a> {
        self.record
    }

    /// The process that acted.
    #[must_use]
    pub const fn process(&self) -> Option<&'a Process> {
        self.around.process
    }

    fn plan(&self) -> Option<&'static Plan> {
        self.call.map(|call| &call.plan)
    }

    /// Told by a system call, or by what stands for one.
    fn is_call(&self) -> bool {
        matches!(self.record.kind, RecordKind::Syscall | RecordKind::IoUring)
    }

    /// What the call returned. An end returns nothing, and what is handed to
    /// `io_uring` has not returned yet.
    fn result(&self) -> Option<i64> {
        let returns = self.event_type.origin() == Origin::Syscall
            && !matches!(self.record.kind, RecordKind::Exit | RecordKind::IoUring);
        returns.then_some(self.record.head.result)
    }

    /// The number of the error that the call failed with.
    fn error(&self) -> Option<i64> {
        /// The highest number that is an error and not a value.
        const MAX_ERRNO: i64 = 4095;
        self.result().filter(|result| (-MAX_ERRNO..0).contains(result)).map(|result| -result)
    }

    /// A register that holds a number of 32 bits. Only calls have registers.
    fn register(&self, argument: u8) -> Option<u32> {
        if self.record.kind != RecordKind::Syscall {
            return None;
        }
        let value = *self.record.head.args.get(usize::from(argument))?;
        u32::try_from(value & u64::from(u32::MAX)).ok()
    }

    /// Number of the descriptor that the event is about.
    fn descriptor(&self) -> Option<i64> {
        match self.plan()?.fd {
            NO_ARGUMENT => None,
            RESULT if self.error().is_some() => Some(-1),
            RESULT => self.result(),
            argument => self.register(argument).map(|value| i64::from(value.cast_signed())),
        }
    }

    /// A time of the record as nanoseconds since 1970.
    fn unix_ns(&self, boot_ns: u64) -> u64 {
        self.around.node.boot_unix_ns.saturating_add(boot_ns)
    }
}

impl Event for View<'_> {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn value(&self, field: &FieldRef, nth: usize) -> Option<Value<'_>> {
        if nth > 0 && field.shape() == Shape::One {
            return None;
        }
        // Fields are sorted by name, and so classes stand together.
        match field.id {
            id if id < FieldId::EvtAbspath => container::value(self, field),
            id if id < FieldId::FdCip => evt::value(self, field),
            id if id < FieldId::FdlistCips => fd::value(self, field, nth),
            // The descriptors of `poll` are not read.
            id if id < FieldId::FsPathName => None,
            id if id < FieldId::GroupGid => fs::value(self, field),
            id if id < FieldId::K8sDeploymentId => user::value(self, field),
            id if id < FieldId::NetBytesReceived => pod::value(self, field, nth),
            id if id < FieldId::ProcAargs => None,
            id if id < FieldId::SyscallType => process::value(self, field, nth),
            FieldId::SyscallType => evt::value(self, field),
            id if id < FieldId::ThreadCapEffective => tenant::value(self, field),
            id if id < FieldId::UserHomedir => thread::value(self, field),
            id if id < FieldId::UtilCnt => user::value(self, field),
            _ => Some(Value::Uint(self.around.number)),
        }
    }
}

const fn text(text: &str) -> Value<'_> {
    Value::Text(text.as_bytes())
}

/// A text that is there.
fn filled(text: &[u8]) -> Option<Value<'_>> {
    (!text.is_empty()).then_some(Value::Text(text))
}

#[cfg(test)]
mod tests;
