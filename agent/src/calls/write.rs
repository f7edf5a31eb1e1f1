//! Texts of parameters: `evt.arg` and `evt.args`.
//!
//! As Falco writes them: a number that has a name is its name, else the number. It
//! differs where Falco's text hides what it is about:
//!
//! - flags of mounts begin with `MS_`, `MNT_` or `UMOUNT_`, so that `contains RDONLY`
//!   still holds; the type of a socket is told by name; `accept4` too;
//! - a user or group without a name is told by its number, not by `<NA>`;
//! - modes of `mkdir` are octal like all others;
//! - flags that Falco has no name for are told too: `UFFD_USER_MODE_ONLY`,
//!   `CLONE_PIDFD`, the later ones of `ptrace`, `prctl`, `memfd_create`, `io_uring`;
//! - numbers are Linux's, not an encoding of their own;
//! - both ends of a unix socket are 0, as the kernel's addresses are nobody's business.

use std::io::Write as _;

use jiff::Timestamp;

use super::param::{Form, Texts, What};
use super::{Call, Context, find, names, number, socket};
use crate::event::Record;
use crate::rules::event_type::ParamId;
use crate::rules::json_event::errno;

/// `AT_FDCWD`: the working directory where a descriptor is asked for.
const WORKING_DIRECTORY: i64 = -100;
/// The level of a socket's own options.
const SOL_SOCKET: u64 = 1;
/// The number that means no user and no group.
const NOBODY: i64 = 0xffff_ffff;

/// Appends a parameter as text: `evt.arg.NAME`; false when the record does not tell it.
pub fn text(
    call: &Call,
    record: &Record<'_>,
    param: ParamId,
    context: &dyn Context,
    out: &mut Vec<u8>,
) -> bool {
    call.what(param).is_some_and(|what| {
        resolved(call, what, record, context, out) || plain(call, what, record, out)
    })
}

/// Appends all parameters: `evt.args`, each as `name=value ` or as
/// `name=value(text) ` where it has a text besides; `<NA>` for what is not known.
pub fn args(call: &Call, record: &Record<'_>, context: &dyn Context, out: &mut Vec<u8>) {
    for param in call.event_type.params() {
        out.extend_from_slice(param.name().as_bytes());
        out.push(b'=');
        let what = call.what(*param);
        if what.is_some_and(|what| plain(call, what, record, out)) {
            let start = out.len();
            out.push(b'(');
            if what.is_some_and(|what| resolved(call, what, record, context, out)) {
                out.push(b')');
            } else {
                out.truncate(start);
            }
        } else {
            out.extend_from_slice(b"<NA>");
        }
        out.push(b' ');
    }
}

/// The text as the call was given it, numbers in digits.
fn plain(call: &Call, what: &What, record: &Record<'_>, out: &mut Vec<u8>) -> bool {
    match what {
        What::Number(source, form) => {
            let Some(value) = number::of(call, record, *source, *form) else { return false };
            match form {
                Form::Hex => write!(out, "{:X}", value.cast_unsigned()),
                Form::Octal | Form::Mode => write_octal(value, out),
                Form::Uid | Form::Gid if value == NOBODY => write!(out, "-1"),
                Form::Long => write!(out, "{}", value.cast_unsigned()),
                Form::Time => return write_time(value, out),
                _ => write!(out, "{value}"),
            }
            .is_ok()
        }
        What::Address => record.address.is_some_and(|part| socket::address(part.bytes, out)),
        What::Tuple => socket::tuple(call, record, out),
        What::Buffer | What::Text(Texts::Arguments | Texts::Environment) => {
            let Some(bytes) = find::bytes(what, record) else { return false };
            out.extend(bytes.iter().map(|byte| match byte {
                b' '..=b'~' => *byte,
                _ => b'.',
            }));
            true
        }
        What::Path(_) | What::Given(_) | What::Text(_) | What::Structure => {
            let Some(bytes) = find::bytes(what, record) else { return false };
            out.extend_from_slice(bytes);
            true
        }
    }
}

/// The text that tells more than the number or the path as given, if there is one.
fn resolved(
    call: &Call,
    what: &What,
    record: &Record<'_>,
    context: &dyn Context,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    match what {
        What::Number(source, form) => {
            if let Some(value) = number::of(call, record, *source, *form) {
                name(value, *form, record, context, out);
            }
        }
        What::Path(which) => out.extend_from_slice(context.path(*which).unwrap_or_default()),
        What::Tuple => out.extend_from_slice(context.connection().unwrap_or_default()),
        What::Given(_) | What::Text(_) | What::Structure | What::Buffer | What::Address => {}
    }
    out.len() > start
}

fn name(value: i64, form: Form, record: &Record<'_>, context: &dyn Context, out: &mut Vec<u8>) {
    let bits = value.cast_unsigned();
    let text: Option<&[u8]> = match form {
        Form::Int | Form::Uint | Form::Long | Form::Hex | Form::Octal | Form::Time => None,
        Form::Errno => errno::name(value.wrapping_neg()).map(str::as_bytes),
        Form::Fd if value == WORKING_DIRECTORY => Some(b"AT_FDCWD"),
        Form::Fd if value < 0 => errno::name(value.wrapping_neg()).map(str::as_bytes),
        Form::Fd => return descriptor(value, context, out),
        Form::Pid => u32::try_from(value).ok().and_then(|pid| context.process_name(pid)),
        Form::Uid | Form::Gid if value == NOBODY => Some(b"<NONE>"),
        Form::Uid => {
            u32::try_from(value).ok().and_then(|uid| context.user_name(uid)).map(str::as_bytes)
        }
        Form::Gid => {
            u32::try_from(value).ok().and_then(|gid| context.group_name(gid)).map(str::as_bytes)
        }
        Form::Signal => names::signal(value).map(str::as_bytes),
        Form::SocketOption if record.head.args[1] & 0xffff_ffff != SOL_SOCKET => None,
        Form::SocketOption => names::OPTION.one(bits).map(str::as_bytes),
        Form::One(list) => list.one(bits).map(str::as_bytes),
        Form::Flags(list) => return list.flags(bits, out),
        Form::Mode => return names::mode(bits, out),
        Form::Open => return names::open_flags(bits, record.file.as_ref(), out),
    };
    out.extend_from_slice(text.unwrap_or_default());
}

fn descriptor(fd: i64, context: &dyn Context, out: &mut Vec<u8>) {
    let found = i32::try_from(fd).ok().and_then(|fd| context.descriptor(fd));
    if let Some(found) = found {
        let mut letter = [0; 4];
        out.push(b'<');
        out.extend_from_slice(found.letter.encode_utf8(&mut letter).as_bytes());
        if let Some(protocol) = found.protocol {
            out.extend_from_slice(protocol.encode_utf8(&mut letter).as_bytes());
        }
        out.push(b'>');
        out.extend_from_slice(found.name);
    }
}

fn write_octal(value: i64, out: &mut Vec<u8>) -> std::io::Result<()> {
    if value == 0 { write!(out, "0") } else { write!(out, "0{value:o}") }
}

fn write_time(nanoseconds: i64, out: &mut Vec<u8>) -> bool {
    Timestamp::from_nanosecond(nanoseconds.into())
        .is_ok_and(|time| write!(out, "{}", time.strftime("%Y-%m-%d %H:%M:%S.%9f +0000")).is_ok())
}
