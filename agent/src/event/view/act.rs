//! What a type of event does, where fields depend on it.

use std::sync::LazyLock;

use crate::rules::event_type::EventType;

/// A kind of act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Opens a file by its path.
    Open,
    /// Opens a file by a handle, without a path.
    OpenHandle,
    /// Opens a file for writing and creates it.
    Create,
    /// Makes a socket.
    Socket,
    /// Connects a socket.
    Connect,
    /// Takes a connection.
    Accept,
    /// Gives a socket its address.
    Bind,
    /// Waits for connections.
    Listen,
    /// Sends to a socket.
    Send,
    /// Receives from a socket.
    Receive,
    /// Makes a name for a file that has one, or for another name.
    Link,
    /// Makes a name that stands for another.
    Symlink,
    /// Gives a file another name, or a file system another place.
    Rename,
    /// Makes a file system a part of the tree.
    Mount,
    /// None of these.
    Other,
}

const NAMES: [(Act, &[&str]); 14] = [
    (Act::Open, &["open", "openat", "openat2"]),
    (Act::OpenHandle, &["open_by_handle_at"]),
    (Act::Create, &["creat"]),
    (Act::Socket, &["socket"]),
    (Act::Connect, &["connect"]),
    (Act::Accept, &["accept", "accept4"]),
    (Act::Bind, &["bind"]),
    (Act::Listen, &["listen"]),
    (Act::Send, &["send", "sendto", "sendmsg", "sendmmsg"]),
    (Act::Receive, &["recv", "recvfrom", "recvmsg", "recvmmsg"]),
    (Act::Link, &["link", "linkat"]),
    (Act::Symlink, &["symlink", "symlinkat"]),
    (Act::Rename, &["rename", "renameat", "renameat2", "move_mount"]),
    (Act::Mount, &["mount"]),
];

/// The act of each type.
static ACTS: LazyLock<Box<[Act]>> = LazyLock::new(|| {
    let act = |name: &str| {
        let row = NAMES.iter().find(|(_, names)| names.contains(&name));
        row.map_or(Act::Other, |(act, _)| *act)
    };
    EventType::all().map(|event_type| act(event_type.name())).collect()
});

impl Act {
    /// What events of that type do.
    pub(super) fn of(event_type: EventType) -> Self {
        ACTS.get(event_type.index()).copied().unwrap_or(Self::Other)
    }

    /// Makes a descriptor of a file.
    pub(super) const fn opens(self) -> bool {
        matches!(self, Self::Open | Self::OpenHandle | Self::Create)
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, NAMES};
    use crate::rules::event_type::EventType;

    #[test]
    fn every_name_is_a_type() {
        for (act, names) in NAMES {
            for name in names {
                assert_eq!(EventType::named(name).map(Act::of), Some(act), "{name}");
            }
        }
        assert_eq!(EventType::named("close").map(Act::of), Some(Act::Other));
    }
}
