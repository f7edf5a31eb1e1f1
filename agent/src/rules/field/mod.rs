//! Every field that a condition or an output can name, declared once: see
//! `table`. Names are looked up here; documentation, completion, checks and the
//! needs of a rule come from the same rows.
//!
//! It holds no values: those are asked of an [`Event`](super::event::Event).

mod find;
pub mod reference;
mod table;

pub use self::find::{FieldError, longest, lookup, resolve, similar};
pub use self::table::FieldId;
use super::value::Kind;

/// What is declared of a field.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// As written, such as `proc.aname`.
    pub name: &'static str,
    /// Type of its values. Where a parameter decides, as for `evt.rawarg`, ask
    /// [`FieldRef::kind`](super::event::FieldRef::kind).
    pub kind: Kind,
    /// How many values it has.
    pub shape: Shape,
    /// What may stand in its brackets.
    pub argument: ArgumentSpec,
    /// What the agent has to know to tell it.
    pub needs: Needs,
    /// Oldest kernel that tells it, such as `5.10`.
    pub min_kernel: &'static str,
    /// What is special about it.
    pub flags: &'static [Flag],
    /// One or two sentences for the reference.
    pub description: &'static str,
}

impl FieldSpec {
    /// Whether that is special about it.
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// The first part of its name, such as `proc`.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(class, _)| class)
    }
}

/// How many values a field has for one event, and how a test reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// At most one.
    One,
    /// Those of both ends of a connection: `!=` asks that both differ, every other
    /// test that one end passes.
    Ends,
    /// Those of the ancestors of a process, the parent first: a test passes if it
    /// does for one of them. With an index the field is of shape [`One`](Self::One).
    Ancestors,
    /// Any number: `in` asks that all are in the set, `intersects` that one is.
    List,
}

/// What may stand in a field's brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgumentSpec {
    /// Nothing.
    None,
    /// A number, or nothing.
    OptionalIndex,
    /// A key, or nothing.
    OptionalKey,
    /// A number.
    Index,
    /// A key.
    Key,
    /// A number or the name of a parameter, also written after a dot.
    Param,
}

/// What is special about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// One of the forms of the event's time: its value is a text in conditions, but
    /// nanoseconds since 1970 in JSON.
    Clock,
    /// Conditions only, not outputs.
    ConditionOnly,
    /// Kept for old rule files.
    Deprecated,
    /// Its argument may stand after a dot instead of in brackets.
    Dotted,
    /// Written as upper-case hexadecimal digits.
    Hex,
    /// Literals are names of hosts and mean their addresses,
    /// [`Literal::Host`](super::typed::Literal::Host): a test looks at the field of
    /// the address. Its own value, for outputs, is a name, if one is known.
    HostName,
    /// Not on the right side of a comparison, as in `val(…)`.
    NoRightSide,
    /// Not inside a transformer.
    NoTransformer,
    /// Outputs only, not conditions.
    OutputOnly,
    /// Written with nine digits.
    Padded,
    /// Part of the output that [`Template`](super::output::Template)s can be given
    /// beside what the rule says.
    Suggested,
}

/// What the agent has to know to tell a field: the part of it that costs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// The agent itself: it keeps a counter, or knows the host.
    Agent,
    /// The event: its type, time, thread and result.
    Event,
    /// Memory of the process that a call was given: paths, buffers.
    UserMemory,
    /// The table of processes, kept from fork, exec and exit.
    ProcessTable,
    /// What a descriptor stands for.
    FdTable,
    /// User, group and capabilities of the thread.
    Credentials,
    /// The inode of a file.
    Inode,
    /// The path of the cgroup.
    Cgroup,
    /// The kernel's account of memory, faults or bytes.
    Accounting,
    /// The user and group database of the host or container.
    UserDatabase,
    /// Addresses of the hosts that rules name.
    HostNames,
    /// The container runtime.
    ContainerRuntime,
    /// The API server of Kubernetes.
    Kubernetes,
    /// The rules of identity, which say whose a process is.
    Tenant,
    /// Nothing tells it: rules that name it load, and it never has a value.
    Unavailable,
}

impl Needs {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Agent,
        Self::Event,
        Self::UserMemory,
        Self::ProcessTable,
        Self::FdTable,
        Self::Credentials,
        Self::Inode,
        Self::Cgroup,
        Self::Accounting,
        Self::UserDatabase,
        Self::HostNames,
        Self::ContainerRuntime,
        Self::Kubernetes,
        Self::Tenant,
        Self::Unavailable,
    ];

    /// In a few words, for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Event => "event",
            Self::UserMemory => "user memory",
            Self::ProcessTable => "process table",
            Self::FdTable => "descriptor table",
            Self::Credentials => "credentials",
            Self::Inode => "inode",
            Self::Cgroup => "cgroup path",
            Self::Accounting => "accounting",
            Self::UserDatabase => "user database",
            Self::HostNames => "name resolution",
            Self::ContainerRuntime => "container runtime",
            Self::Kubernetes => "Kubernetes",
            Self::Tenant => "tenant identity",
            Self::Unavailable => "not available",
        }
    }

    /// Oldest kernel that tells it: the oldest that Landlord runs on, unless the
    /// data needs more.
    #[must_use]
    pub const fn min_kernel(self) -> &'static str {
        "5.10"
    }
}

#[cfg(test)]
mod tests;
