//! The types of events and the names of their parameters: see `table` for the
//! data. It knows no numbers of system calls; whoever makes events does.

mod table;

use self::table::{ALIASES, PARAMS, TYPES};
use super::value::Kind;

/// A type of event: what `evt.type` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(u16);

/// The name of a parameter of an event: what `evt.arg.flags` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(u16);

/// Where events of a type come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A system call that returns: `syscall.type` tells the type too.
    Syscall,
    /// Another place in the kernel: a process ends, a signal is delivered.
    Kernel,
    /// User space, such as word of a new container.
    Meta,
}

/// What events of a type are about: `evt.category`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Files and directories, though not their content.
    File,
    /// Whatever agents tell each other.
    Internal,
    /// Pipes, futexes and the like.
    Ipc,
    /// Descriptors, neither read nor written.
    IoOther,
    /// Reading from a descriptor.
    IoRead,
    /// Writing to a descriptor.
    IoWrite,
    /// Memory of a process.
    Memory,
    /// Sockets, though not their content.
    Net,
    /// None of these.
    Other,
    /// Processes and threads.
    Process,
    /// What runs on a CPU.
    Scheduler,
    /// Signals.
    Signal,
    /// Sleeping.
    Sleep,
    /// The machine.
    System,
    /// Clocks and timers.
    Time,
    /// Users and groups.
    User,
    /// Waiting for a descriptor.
    Wait,
}

impl Category {
    /// As `evt.category` tells it; nothing for input and output, which is about what
    /// its descriptor is.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::File => Some("file"),
            Self::Internal => Some("internal"),
            Self::Ipc => Some("IPC"),
            Self::IoOther | Self::IoRead | Self::IoWrite => None,
            Self::Memory => Some("memory"),
            Self::Net => Some("net"),
            Self::Other => Some("other"),
            Self::Process => Some("process"),
            Self::Scheduler => Some("scheduler"),
            Self::Signal => Some("signal"),
            Self::Sleep => Some("sleep"),
            Self::System => Some("system"),
            Self::Time => Some("time"),
            Self::User => Some("user"),
            Self::Wait => Some("wait"),
        }
    }
}

/// What is declared of a type.
struct Row {
    name: &'static str,
    origin: Origin,
    category: Category,
    params: &'static [ParamId],
}

impl EventType {
    /// How many there are.
    pub const COUNT: usize = TYPES.len();

    /// The type of that name: a system call as the kernel names it or as Falco
    /// does where that differs (`pread64` is `pread`), or another event of Falco's.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let alias = ALIASES.binary_search_by_key(&name, |&(alias, _)| alias);
        let name = alias.map_or(name, |at| ALIASES[at].1);
        position(TYPES.binary_search_by_key(&name, |row| row.name)).map(Self)
    }

    /// As `evt.type` tells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// All of them, sorted by name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self).take(Self::COUNT)
    }

    /// Its place among all, below [`COUNT`](Self::COUNT).
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Its parameters, in the order in which `evt.arg[0]` counts them.
    #[must_use]
    pub fn params(self) -> &'static [ParamId] {
        self.row().params
    }

    /// Where its events come from.
    #[must_use]
    pub fn origin(self) -> Origin {
        self.row().origin
    }

    /// What its events are about.
    #[must_use]
    pub fn category(self) -> Category {
        self.row().category
    }

    fn row(self) -> &'static Row {
        // Only this module makes one, always of a place in the table.
        &TYPES[self.index()]
    }
}

impl ParamId {
    /// How many there are.
    pub const COUNT: usize = PARAMS.len();

    /// The parameter of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        position(PARAMS.binary_search_by_key(&name, |&(name, _)| name)).map(Self)
    }

    /// As `evt.arg` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        PARAMS[self.index()].0
    }

    /// Type of its value in `evt.rawarg`; in `evt.arg` it is text.
    #[must_use]
    pub fn raw_kind(self) -> Kind {
        PARAMS[self.index()].1
    }

    /// All of them, sorted by name.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map(Self).take(Self::COUNT)
    }

    /// Its place among all, below [`COUNT`](Self::COUNT).
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

fn position(found: Result<usize, usize>) -> Option<u16> {
    found.ok().and_then(|at| u16::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::table::{ALIASES, PARAMS, TYPES};
    use super::{EventType, Origin, ParamId};

    #[test]
    fn tables_are_sorted_and_name_nothing_twice() {
        assert!(TYPES.is_sorted_by(|a, b| a.name < b.name));
        assert!(PARAMS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ALIASES.is_sorted_by(|a, b| a.0 < b.0));
        for (alias, name) in ALIASES {
            assert_eq!(EventType::named(alias), EventType::named(name), "{alias}");
            assert!(TYPES.iter().all(|row| row.name != *alias), "{alias}");
        }
    }

    #[test]
    fn every_name_finds_its_type_and_every_index_its_name() {
        for (index, event_type) in EventType::all().enumerate() {
            assert_eq!(EventType::named(event_type.name()), Some(event_type));
            assert_eq!(event_type.index(), index);
        }
        assert_eq!(EventType::all().count(), EventType::COUNT);
        for param in ParamId::all() {
            assert_eq!(ParamId::named(param.name()), Some(param));
        }
    }

    #[test]
    fn names() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(EventType::named(name).map(EventType::name), expected, "{name}");
        };
        check("openat", Some("openat"));
        check("pread64", Some("pread"));
        check("_newselect", Some("select"));
        check("procexit", Some("procexit"));
        check("accept4", Some("accept4"));
        check("opennat", None);
        check("", None);
        check("OPEN", None);
    }

    #[test]
    fn parameters_stand_in_falcos_order() {
        let check = |name: &str, expected: &[&str]| {
            let params = EventType::named(name).unwrap().params();
            let names: Vec<&str> = params.iter().map(|param| param.name()).collect();
            assert_eq!(names, expected, "{name}");
        };
        check("open", &["fd", "name", "flags", "mode", "dev", "ino"]);
        check("openat", &["fd", "dirfd", "name", "flags", "mode", "dev", "ino"]);
        check("ptrace", &["res", "addr", "data", "request", "pid"]);
        check("symlinkat", &["res", "target", "linkdirfd", "linkpath"]);
        check("getpid", &[]);
        assert_eq!(EventType::named("getpid").unwrap().origin(), Origin::Syscall);
        assert_eq!(EventType::named("procexit").unwrap().origin(), Origin::Kernel);
    }

    #[test]
    fn no_type_has_a_parameter_twice() {
        for event_type in EventType::all() {
            let mut params = event_type.params().to_vec();
            params.sort_unstable();
            params.dedup();
            assert_eq!(params.len(), event_type.params().len(), "{}", event_type.name());
        }
    }
}
