//! What is worth remembering of an event.

use std::net::SocketAddr;

use super::View;
use super::act::Act;
use super::kind::Kind;
use crate::event::deed::{Access, Deed, Object, kept};
use crate::rules::event::Event as _;
use crate::rules::json_event::errno;

impl View<'_> {
    /// What is worth remembering: files that are opened, connections and what is sent;
    /// nothing of all else.
    #[must_use]
    pub fn deed(&self) -> Option<Deed> {
        let object = match self.act {
            Act::Open | Act::OpenHandle | Act::Create => {
                let opening = self.opening().unwrap_or_default();
                let access =
                    Access { read: opening.read, write: opening.write, create: opening.create };
                Object::File { path: kept(self.fd_name()?), access }
            }
            Act::Connect | Act::Accept | Act::Send | Act::Receive => self.other_end()?,
            _ => return None,
        };
        Some(Deed {
            time_unix_ns: self.unix_ns(self.record.head.time_ns),
            event: self.event_type().name().into(),
            object,
            error: self.error().and_then(errno::name).map(Into::into),
            times: 1,
        })
    }

    fn other_end(&self) -> Option<Object> {
        if self.kind()? == Kind::Unix {
            return Some(Object::Local(kept(self.fd_name()?)));
        }
        let connection = self.connection()?;
        Some(Object::Connection {
            local: connection.local.map(SocketAddr::from),
            peer: connection.remote?.into(),
            transport: self.protocol().map(Into::into),
        })
    }
}
