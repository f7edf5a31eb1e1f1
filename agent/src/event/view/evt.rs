//! The act itself: `evt.…`.

use super::act::Act;
use super::kind::Kind;
use super::{View, filled, text};
use crate::calls;
use crate::event::Part;
use crate::rules::event::{Argument, FieldRef};
use crate::rules::event_type::{Category, Origin, ParamId};
use crate::rules::field::FieldId;
use crate::rules::json_event::errno;
use crate::rules::output::time::Form;
use crate::rules::value::Value;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

pub(super) fn value<'v>(view: &'v View<'_>, field: &FieldRef) -> Option<Value<'v>> {
    let head = &view.record.head;
    let node = view.around.node;
    let category = view.event_type.category();
    let (reads, writes) = (category == Category::IoRead, category == Category::IoWrite);
    let since = |from: u64| head.time_ns.saturating_sub(from);
    let uint = |value: u64| Some(Value::Uint(value));
    let flag = |value: bool| Some(Value::Bool(value));
    match field.id {
        FieldId::EvtType => Some(text(view.event_type.name())),
        FieldId::SyscallType => {
            (view.event_type.origin() == Origin::Syscall).then(|| text(view.event_type.name()))
        }
        FieldId::EvtTypeIs => match &field.argument {
            Argument::Key(name) => uint((**name == *view.event_type.name()).into()),
            _ => None,
        },
        FieldId::EvtCategory => Some(text(category.name().unwrap_or_else(|| about(view)))),
        FieldId::EvtDir => Some(text("<")),
        FieldId::EvtSource => Some(text("syscall")),
        FieldId::EvtHostname => filled(node.hostname.as_bytes()),
        FieldId::EvtNum => uint(view.around.number),
        FieldId::EvtCpu => Some(Value::Int(head.cpu.into())),
        FieldId::EvtCount | FieldId::EvtCountExit => uint(1),
        FieldId::EvtIsAsync => flag(false),
        FieldId::EvtUnverified => flag(view.is_unverified()),

        FieldId::EvtTime | FieldId::EvtOutputtime | FieldId::EvtTimeS => clock(view, field.id),
        FieldId::EvtTimeIso8601 | FieldId::EvtDatetime | FieldId::EvtDatetimeS => {
            clock(view, field.id)
        }
        FieldId::EvtRawtime => uint(view.unix_ns(head.time_ns)),
        FieldId::EvtRawtimeS => uint(view.unix_ns(head.time_ns) / SECOND),
        FieldId::EvtRawtimeNs => uint(view.unix_ns(head.time_ns) % SECOND),
        FieldId::EvtReltime => uint(since(node.agent_started_ns)),
        FieldId::EvtReltimeS => uint(since(node.agent_started_ns) / SECOND),
        FieldId::EvtReltimeNs => uint(since(node.agent_started_ns) % SECOND),
        FieldId::EvtDeltatime => uint(since(view.around.previous_ns)),
        FieldId::EvtDeltatimeS => uint(since(view.around.previous_ns) / SECOND),
        FieldId::EvtDeltatimeNs => uint(since(view.around.previous_ns) % SECOND),

        FieldId::EvtRawres => view.result().map(Value::Int),
        FieldId::EvtRes => match (view.result()?, view.error()) {
            (_, Some(error)) => errno::name(error).map(text),
            (_, None) => Some(text("SUCCESS")),
        },
        FieldId::EvtFailed => view.result().map(|_| Value::Bool(view.error().is_some())),
        FieldId::EvtCountError => failures(view),
        FieldId::EvtCountErrorFile => failures(view).filter(|_| is_about(view, Subject::File)),
        FieldId::EvtCountErrorNet => failures(view).filter(|_| is_about(view, Subject::Net)),
        FieldId::EvtCountErrorMemory => failures(view).filter(|_| is_about(view, Subject::Memory)),
        FieldId::EvtCountErrorOther => failures(view).filter(|_| is_about(view, Subject::Other)),

        FieldId::EvtIsIo => flag(reads || writes),
        FieldId::EvtIsIoRead => flag(reads),
        FieldId::EvtIsIoWrite => flag(writes),
        FieldId::EvtIoDir => (reads || writes).then(|| text(if reads { "r" } else { "w" })),
        FieldId::EvtIsWait => flag(matches!(category, Category::Wait | Category::Sleep)),
        FieldId::EvtIsSyslog => {
            let is_log = |name: &[u8]| name.windows(8).any(|part| part == b"/dev/log");
            flag(writes && view.fd_name().is_some_and(is_log))
        }
        FieldId::EvtBuffer => view.record.buffer.map(|part| Value::Bytes(part.bytes)),
        FieldId::EvtBuflen => moved(view, reads || writes),
        FieldId::EvtBuflenIn => moved(view, reads),
        FieldId::EvtBuflenOut => moved(view, writes),
        FieldId::EvtBuflenFile => moved(view, (reads || writes) && is_file(view)),
        FieldId::EvtBuflenFileIn => moved(view, reads && is_file(view)),
        FieldId::EvtBuflenFileOut => moved(view, writes && is_file(view)),
        FieldId::EvtBuflenNet => moved(view, (reads || writes) && is_ip(view)),
        FieldId::EvtBuflenNetIn => moved(view, reads && is_ip(view)),
        FieldId::EvtBuflenNetOut => moved(view, writes && is_ip(view)),

        FieldId::EvtIsOpenRead => flag(view.opening()?.read),
        FieldId::EvtIsOpenWrite => flag(view.opening()?.write),
        FieldId::EvtIsOpenCreate => flag(view.opening()?.create),
        FieldId::EvtIsOpenExec => flag(view.opening()?.execute),
        FieldId::EvtAbspath => given_path(view, &field.argument).map(Value::Text),

        FieldId::EvtArg => {
            let param = param(view, &field.argument)?;
            let call = view.call?;
            let compose = |out: &mut Vec<u8>| calls::text(call, view.record, param, view, out);
            view.texts.get(field.id, param.index(), compose).map(Value::Text)
        }
        FieldId::EvtRawarg => calls::raw(view.call?, view.record, param(view, &field.argument)?),
        FieldId::EvtArgs | FieldId::EvtInfo => {
            let call = view.call?;
            let compose = |out: &mut Vec<u8>| {
                calls::args(call, view.record, view, out);
                !out.is_empty()
            };
            view.texts.get(FieldId::EvtArgs, 0, compose).map(Value::Text)
        }
        // Other events, and what was not measured.
        _ => None,
    }
}

impl View<'_> {
    /// True when a path or an address that is told may not be the one that was used.
    fn is_unverified(&self) -> bool {
        let record = self.record;
        let is_user = |part: Option<Part<'_>>| part.is_some_and(|part| part.user);
        let by_path = record.path.is_none() && (is_user(record.raw) || is_user(record.raw2));
        let is_told = |part: Option<Part<'_>>| part.is_some_and(|part| !part.bytes.is_empty());
        let by_address = is_user(record.address)
            && match self.connection() {
                Some(connection) => connection.is_given,
                None => !is_told(record.unix_path) && !is_told(record.unix_peer_path),
            };
        by_path || by_address
    }
}

/// The time as a text.
fn clock<'v>(view: &'v View<'_>, field: FieldId) -> Option<Value<'v>> {
    let form = Form::of(field)?;
    let compose = |out: &mut Vec<u8>| {
        form.write(view.unix_ns(view.record.head.time_ns), &view.around.node.zone, out);
        true
    };
    view.texts.get(field, 0, compose).map(Value::Text)
}

/// The category of input and output: that of the descriptor.
fn about(view: &View<'_>) -> &'static str {
    match view.kind() {
        Some(Kind::File | Kind::Directory) => "file",
        Some(Kind::Ipv4 | Kind::Ipv6 | Kind::Unix) => "net",
        Some(_) => "IPC",
        None => "unknown",
    }
}

/// What an error was about.
#[derive(Clone, Copy, PartialEq)]
enum Subject {
    File,
    Net,
    Memory,
    Other,
}

fn is_about(view: &View<'_>, subject: Subject) -> bool {
    let found = match (view.kind(), view.act) {
        (Some(Kind::File | Kind::Directory), _) => Subject::File,
        (Some(Kind::Ipv4 | Kind::Ipv6 | Kind::Unix), _) => Subject::Net,
        (Some(_), _) => Subject::Other,
        (None, Act::Connect | Act::Accept) => Subject::Net,
        (None, _) if view.event_type.category() == Category::Memory => Subject::Memory,
        (None, _) => Subject::Other,
    };
    found == subject
}

/// 1 if the call failed.
fn failures(view: &View<'_>) -> Option<Value<'static>> {
    view.result().map(|_| Value::Uint(view.error().is_some().into()))
}

/// Bytes that the call read or wrote.
fn moved(view: &View<'_>, applies: bool) -> Option<Value<'static>> {
    let bytes = u64::try_from(view.result().filter(|_| applies)?).ok();
    bytes.filter(|_| view.error().is_none()).map(Value::Uint)
}

fn is_file(view: &View<'_>) -> bool {
    view.kind() == Some(Kind::File)
}

fn is_ip(view: &View<'_>) -> bool {
    view.kind().is_some_and(Kind::is_ip)
}

/// `evt.abspath`, `evt.abspath.src` and `evt.abspath.dst`.
fn given_path<'v>(view: &'v View<'_>, argument: &Argument) -> Option<&'v [u8]> {
    if !view.is_call() || !view.acts_on_path() && !view.act.opens() {
        return None;
    }
    let second = matches!(argument, Argument::Key(key) if &**key == "dst");
    match view.act {
        // The name that is made; what it stands for is a text.
        Act::Symlink => view.second_path(),
        _ if second => view.second_path(),
        // What it is called now, where the call was given no path that is known.
        act if act.opens() && view.record.raw.is_none() => view.fd_name(),
        _ => view.first_path(),
    }
}

/// The parameter that an argument names.
fn param(view: &View<'_>, argument: &Argument) -> Option<ParamId> {
    match argument {
        Argument::Param(param) => Some(*param),
        Argument::Index(index) => {
            view.event_type.params().get(usize::try_from(*index).ok()?).copied()
        }
        Argument::None | Argument::Key(_) => None,
    }
}
