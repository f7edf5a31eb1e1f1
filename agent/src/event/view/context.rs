//! What the texts of parameters ask for: `evt.arg`.

use super::View;
use crate::calls::{Context, Descriptor, Which};

impl Context for View<'_> {
    fn user_name(&self, uid: u32) -> Option<&str> {
        self.around.names.user_name(self.around.place.container_id.as_deref(), uid)
    }

    fn group_name(&self, gid: u32) -> Option<&str> {
        self.around.names.group_name(self.around.place.container_id.as_deref(), gid)
    }

    fn process_name(&self, pid: u32) -> Option<&[u8]> {
        if pid == self.record.head.tgid {
            return Some(self.name());
        }
        self.around.processes.find(pid).map(|process| &*process.facts.comm)
    }

    fn descriptor(&self, fd: i32) -> Option<Descriptor<'_>> {
        // Nothing is known of other descriptors.
        if self.descriptor() != Some(i64::from(fd)) {
            return None;
        }
        let letter = self.kind()?.letter().chars().next()?;
        let protocol = self.protocol().and_then(|protocol| protocol.chars().next());
        Some(Descriptor { letter, protocol, name: self.fd_name().unwrap_or_default() })
    }

    fn path(&self, which: Which) -> Option<&[u8]> {
        match which {
            Which::First => self.first_path(),
            Which::Second => self.second_path(),
        }
    }

    fn connection(&self) -> Option<&[u8]> {
        let has_both = self.connection().is_some_and(|it| it.ends().count() == 2);
        self.socket_name().filter(|_| has_both)
    }
}
