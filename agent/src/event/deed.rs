//! What is worth remembering of an event: which file or program it was about, or which
//! connection.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Record, RecordKind};

/// Bytes of a path that are remembered.
const PATH: usize = 256;

/// One event of a process, or several that were the same one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// When it was last, nanoseconds since 1970.
    pub time_unix_ns: u64,
    /// Type of the event.
    pub event: Cow<'static, str>,
    /// What it was about.
    pub object: Object,
    /// Name of the error that it failed with.
    pub error: Option<Cow<'static, str>>,
    /// How often it was, one after the other; from 1.
    pub times: u32,
}

/// What an event was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Object {
    /// A file that was opened.
    File {
        /// Its path, perhaps cut.
        path: String,
        /// For what.
        access: Access,
    },
    /// A program that was begun: its path, perhaps cut.
    Program(String),
    /// A connection of the internet protocols, or what was sent without one.
    Connection {
        /// This end, as far as it is known.
        local: Option<SocketAddr>,
        /// The other end.
        peer: SocketAddr,
        /// `tcp`, `udp`, `icmp` or `raw`.
        transport: Option<Cow<'static, str>>,
    },
    /// A local socket: its path or name, perhaps cut.
    Local(String),
}

/// For what a file is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// To read it.
    pub read: bool,
    /// To write to it.
    pub write: bool,
    /// To create it.
    pub create: bool,
}

impl Deed {
    /// That a program was begun; `None` of what tells of none. `boot_unix_ns`: when
    /// `CLOCK_BOOTTIME` was 0, nanoseconds since 1970.
    #[must_use]
    pub fn of_exec(record: &Record<'_>, event: &'static str, boot_unix_ns: u64) -> Option<Self> {
        if record.kind != RecordKind::Exec {
            return None;
        }
        Some(Self {
            time_unix_ns: record.head.time_ns.saturating_add(boot_unix_ns),
            event: event.into(),
            object: Object::Program(kept(record.exe?.bytes)),
            error: None,
            times: 1,
        })
    }

    /// Whether another one differs only in its time.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.object == other.object && self.event == other.event && self.error == other.error
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let text = match &self.object {
            Object::File { path: text, .. } | Object::Program(text) | Object::Local(text) => {
                text.capacity()
            }
            Object::Connection { .. } => 0,
        };
        size_of::<Self>() + text
    }
}

impl Access {
    /// In words, such as `read` or `write,create`.
    #[must_use]
    pub fn text(self) -> String {
        let words = [("read", self.read), ("write", self.write), ("create", self.create)];
        let given: Vec<&str> = words.iter().filter(|it| it.1).map(|it| it.0).collect();
        given.join(",")
    }
}

/// As much of a path as is remembered.
pub(super) fn kept(path: &[u8]) -> String {
    String::from_utf8_lossy(&path[..path.len().min(PATH)]).into_owned()
}
