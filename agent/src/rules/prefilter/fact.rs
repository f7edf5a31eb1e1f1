//! What of an event can be known early in the kernel, before it is made and sent.
//!
//! A sensor that tells a fact has to tell what the field of the finished event would
//! say, or that the field will have no value; a fact that it does not know counts as
//! allowed.

use std::fmt;

use crate::rules::event::{Argument, Event, FieldRef};
use crate::rules::event_type::ParamId;
use crate::rules::field::FieldId;
use crate::rules::value::Value;

/// What values a fact takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// True or false.
    Truth,
    /// A whole number.
    Number,
    /// A short text, compared as a whole.
    Text,
    /// A path, of which the beginning counts.
    Path,
}

/// Declares the facts once: variant, field, parameter if it is `evt.arg`, domain,
/// and words for people.
macro_rules! facts {
    ($($fact:ident $field:ident $($param:literal)? $domain:ident $words:literal;)*) => {
        /// Something that can be known early.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fact { $(#[doc = $words] $fact,)* }

        impl Fact {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$fact),*];

            /// The fact that a field tells.
            #[must_use]
            pub fn of(field: &FieldRef) -> Option<Self> {
                match field.id {
                    $(FieldId::$field if argument_is(field, &[$($param)?]) => Some(Self::$fact),)*
                    _ => None,
                }
            }

            /// The field that tells it.
            #[must_use]
            pub fn field(self) -> FieldRef {
                match self { $(Self::$fact => reference(FieldId::$field, &[$($param)?])),* }
            }

            /// What values it takes.
            #[must_use]
            pub const fn domain(self) -> Domain {
                match self { $(Self::$fact => Domain::$domain),* }
            }

            /// What it is in words, such as `the user`.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$fact => $words),* }
            }
        }
    };
}

facts! {
    Failed EvtFailed Truth "the call failed";
    Result EvtRawres Number "the result";
    ResultName EvtRes Text "the name of the result";
    Descriptor FdNum Number "the descriptor";
    OpenedForReading EvtIsOpenRead Truth "opened for reading";
    OpenedForWriting EvtIsOpenWrite Truth "opened for writing";
    OpenedToExecute EvtIsOpenExec Truth "created with permission to execute";
    Created EvtIsOpenCreate Truth "created";
    InContainer ContainerId Truth "in a container";
    DescriptorType FdType Text "the type of the descriptor";
    DescriptorLetter FdTypechar Text "the letter of the type of the descriptor";
    Protocol FdL4proto Text "the transport protocol";
    ServerPort FdSport Number "the server's port";
    ClientPort FdCport Number "the client's port";
    LocalPort FdLport Number "the local port";
    RemotePort FdRport Number "the remote port";
    User UserUid Number "the user";
    Process ProcName Text "the process";
    Path FdName Path "the path";
    PathArgument EvtArg "path" Path "the argument `path`";
    NameArgument EvtArg "name" Path "the argument `name`";
}

/// The identifier of what runs outside of all containers.
const HOST: &[u8] = b"host";

/// The value of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactValue<'event> {
    /// Of [`Domain::Truth`].
    Truth(bool),
    /// Of [`Domain::Number`].
    Number(i128),
    /// Of [`Domain::Text`] and [`Domain::Path`].
    Text(&'event [u8]),
}

impl Fact {
    /// What an event says of it; nothing if its field has no value.
    pub(super) fn value<'event, E: Event + ?Sized>(
        self,
        field: &FieldRef,
        event: &'event E,
    ) -> Option<FactValue<'event>> {
        Some(match event.value(field, 0)? {
            Value::Text(id) if self == Self::InContainer => FactValue::Truth(id != HOST),
            Value::Bool(truth) => FactValue::Truth(truth),
            Value::Int(number) => FactValue::Number(number.into()),
            Value::Uint(number) => FactValue::Number(number.into()),
            Value::Text(text) => FactValue::Text(text),
            Value::Double(_) | Value::Bytes(_) | Value::Ip(_) => return None,
        })
    }

    /// Whether a container of that identifier is none.
    pub(super) fn is_host(id: &[u8]) -> bool {
        id == HOST
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.words())
    }
}

fn argument_is(field: &FieldRef, param: &[&str]) -> bool {
    match &field.argument {
        Argument::None => param.is_empty(),
        Argument::Param(known) => param.first() == Some(&known.name()),
        Argument::Index(_) | Argument::Key(_) => false,
    }
}

fn reference(id: FieldId, param: &[&str]) -> FieldRef {
    let param = param.first().and_then(|name| ParamId::named(name));
    FieldRef { id, argument: param.map_or(Argument::None, Argument::Param) }
}
