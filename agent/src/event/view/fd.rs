//! What the act was done to: `fd.…`.

use std::io::Write as _;
use std::net::IpAddr;

use super::act::Act;
use super::address::End;
use super::kind::Kind;
use super::{View, filled, path, socket, text};
use crate::event::FileFacts;
use crate::rules::event::FieldRef;
use crate::rules::field::FieldId;
use crate::rules::value::Value;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef, nth: usize) -> Option<Value<'v>> {
    let ip = |end: Option<End>| Some(Value::Ip(end?.0));
    let port = |end: Option<End>| Some(Value::Uint(end?.1.into()));
    let connection = || view.connection();
    match field.id {
        FieldId::FdNum => view.descriptor().map(Value::Int),
        FieldId::FdName => view.fd_name().map(Value::Text),
        FieldId::FdNameraw => filled(view.opened()?.bytes),
        FieldId::FdType => view.kind()?.name().map(text),
        FieldId::FdTypechar => view.kind().map(|kind| text(kind.letter())),
        FieldId::FdDirectory => view.fd_directory().map(Value::Text),
        FieldId::FdFilename => {
            let is_file = view.kind()? == Kind::File;
            Some(Value::Text(path::split(view.fd_name().filter(|_| is_file)?)?.1))
        }
        FieldId::FdSockfamily => match view.kind()? {
            Kind::Ipv4 | Kind::Ipv6 => Some(text("ip")),
            Kind::Unix => Some(text("unix")),
            _ => None,
        },
        FieldId::FdL4proto => view.protocol().map(text),
        FieldId::FdCip | FieldId::FdCnet => ip(connection()?.client()),
        FieldId::FdSip | FieldId::FdSnet => ip(connection()?.server()),
        FieldId::FdLip | FieldId::FdLnet => ip(connection()?.local),
        FieldId::FdRip | FieldId::FdRnet => ip(connection()?.remote),
        FieldId::FdIp | FieldId::FdNet => ip(connection()?.ends().nth(nth)),
        FieldId::FdCport => port(connection()?.client()),
        FieldId::FdSport => port(connection()?.server()),
        FieldId::FdLport => port(connection()?.local),
        FieldId::FdRport => port(connection()?.remote),
        FieldId::FdPort | FieldId::FdProto => port(connection()?.ends().nth(nth)),
        FieldId::FdCproto => service(view, field.id, connection()?.client()),
        FieldId::FdSproto => service(view, field.id, connection()?.server()),
        FieldId::FdLproto => service(view, field.id, connection()?.local),
        FieldId::FdRproto => service(view, field.id, connection()?.remote),
        FieldId::FdIsServer => {
            view.kind()?;
            Some(Value::Bool(connection().is_some_and(|it| it.is_server)))
        }
        FieldId::FdConnected => {
            view.kind()?;
            let socket = view.record.socket.as_ref();
            Some(Value::Bool(socket.is_some_and(socket::is_connected)))
        }
        FieldId::FdNameChanged => {
            view.kind()?;
            Some(Value::Bool(connection().is_some_and(|it| it.is_new)))
        }
        FieldId::FdIno => {
            let socket = || view.record.socket.map(|socket| socket.ino);
            number(view.file().map(|file| file.ino).or_else(socket)?)
        }
        FieldId::FdDev => view.file().map(|file| Value::Int(device(file.dev))),
        FieldId::FdDevMajor => view.file().map(|file| Value::Int(i64::from(file.dev >> 20))),
        FieldId::FdDevMinor => view.file().map(|file| Value::Int(i64::from(file.dev & 0xf_ffff))),
        FieldId::FdIsUpperLayer => layer(view.file()?, landlord_ebpf::abi::Layer::Upper),
        FieldId::FdIsLowerLayer => layer(view.file()?, landlord_ebpf::abi::Layer::Lower),
        FieldId::FdUid => {
            let number = view.descriptor()?;
            let compose =
                |out: &mut Vec<u8>| write!(out, "{}{number}", view.record.head.tid).is_ok();
            view.texts.get(field.id, 0, compose).map(Value::Text)
        }
        FieldId::FdContainername => in_container(view, field.id, view.fd_name()?),
        FieldId::FdContainerdirectory => in_container(view, field.id, view.fd_directory()?),
        // Names of hosts are asked of nobody, and other descriptors are not known.
        _ => None,
    }
}

impl View<'_> {
    /// The file behind the descriptor.
    fn file(&self) -> Option<&FileFacts> {
        self.record.file.as_ref().filter(|_| self.is_call())
    }

    /// The path that an opening call was given.
    fn opened(&self) -> Option<super::super::Part<'_>> {
        self.record.raw.filter(|_| self.is_call() && self.act.opens())
    }

    /// `fd.name`.
    pub(super) fn fd_name(&self) -> Option<&[u8]> {
        let kind = self.kind()?;
        if kind.is_ip() {
            return self.socket_name();
        }
        if kind == Kind::Unix {
            let path = self.unix_path()?;
            if path.first() != Some(&0) {
                return Some(path);
            }
            let compose = |out: &mut Vec<u8>| {
                out.extend(path.iter().map(|byte| if *byte == 0 { b'@' } else { *byte }));
                true
            };
            return self.texts.get(FieldId::FdName, 0, compose);
        }
        if let Some(path) = self.record.path.filter(|path| !path.bytes.is_empty()) {
            return Some(path.bytes);
        }
        // Not opened, but named.
        if self.record.file.is_none() && self.opened().is_some() {
            return self.first_path();
        }
        None
    }

    /// `fd.l4proto`.
    pub(super) fn protocol(&self) -> Option<&'static str> {
        const RAW: u32 = 3;
        let (kind, protocol) = match (self.record.socket, self.act) {
            (Some(socket), _) => (u32::from(socket.kind), u32::from(socket.protocol)),
            (None, Act::Socket) => (self.register(1)? & 0xf, self.register(2)?),
            (None, _) => return None,
        };
        if !self.kind()?.is_ip() {
            return None;
        }
        match (kind, protocol) {
            (RAW, _) | (_, 255) => Some("raw"),
            (_, 6) | (1, 0) => Some("tcp"),
            (_, 17) | (2, 0) => Some("udp"),
            (_, 1 | 58) => Some("icmp"),
            _ => None,
        }
    }

    fn fd_directory(&self) -> Option<&[u8]> {
        match self.kind()? {
            Kind::Directory => self.fd_name(),
            Kind::File => Some(path::split(self.fd_name()?)?.0),
            _ => None,
        }
    }
}

/// A port by its number: names of services differ from machine to machine.
fn service<'v>(view: &'v View<'_>, field: FieldId, end: Option<End>) -> Option<Value<'v>> {
    let (_, port): (IpAddr, u16) = end?;
    let compose = |out: &mut Vec<u8>| write!(out, "{port}").is_ok();
    view.texts.get(field, 0, compose).map(Value::Text)
}

fn in_container<'v>(view: &'v View<'_>, field: FieldId, name: &[u8]) -> Option<Value<'v>> {
    let compose = |out: &mut Vec<u8>| {
        out.extend_from_slice(view.container_id().unwrap_or_default().as_bytes());
        out.push(b':');
        out.extend_from_slice(name);
        true
    };
    view.texts.get(field, 0, compose).map(Value::Text)
}

fn layer(file: &FileFacts, layer: landlord_ebpf::abi::Layer) -> Option<Value<'static>> {
    Some(Value::Bool(file.layer == layer as u32))
}

fn number(value: u64) -> Option<Value<'static>> {
    i64::try_from(value).ok().map(Value::Int)
}

/// The kernel's number of a device as `stat` tells it.
fn device(kernel: u32) -> i64 {
    let (major, minor) = (i64::from(kernel >> 20), i64::from(kernel & 0xf_ffff));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}
