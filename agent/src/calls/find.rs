//! Values of parameters: `evt.rawarg`.

use super::param::{Texts, What};
use super::{Call, Which, number};
use crate::event::{Part, Record};
use crate::rules::event_type::ParamId;
use crate::rules::value::{Kind, Value};

/// The option of `prctl` that names the thread.
const PR_SET_NAME: u64 = 15;

/// The value of a parameter as the call was given it, in Linux's numbers; nothing
/// when the record does not tell it or when it is of another kind than parameters of
/// that name have.
#[must_use]
pub fn raw<'a>(call: &Call, record: &'a Record<'_>, param: ParamId) -> Option<Value<'a>> {
    let what = call.what(param)?;
    match (param.raw_kind(), what) {
        (Kind::Int, What::Number(source, form)) => {
            let value = number::of(call, record, *source, *form)?;
            // No user has the highest number: it is the kernel's -1.
            let is_none = form.is_id() && value == i64::from(u32::MAX);
            Some(Value::Int(if is_none { -1 } else { value }))
        }
        (Kind::Uint, What::Number(source, form)) => {
            number::of(call, record, *source, *form).map(|value| Value::Uint(value.cast_unsigned()))
        }
        (Kind::Text, _) => bytes(what, record).map(Value::Text),
        (Kind::Bytes, _) => bytes(what, record).map(Value::Bytes),
        _ => None,
    }
}

/// Bytes of a parameter that is no number, as the record has them.
pub(super) fn bytes<'a>(what: &What, record: &'a Record<'_>) -> Option<&'a [u8]> {
    let of = |part: Option<Part<'a>>| part.map(|part| part.bytes);
    match what {
        // Of a program that was started the file is told, whatever it was called by.
        What::Path(Which::First) => of(record.raw.or(record.exe)),
        What::Given(Which::First) => of(record.raw),
        What::Path(Which::Second) | What::Given(Which::Second) => of(record.raw2),
        What::Text(text) => match text {
            Texts::Path => of(record.path),
            Texts::Exe => of(record.exe),
            Texts::Cwd => of(record.cwd),
            Texts::Comm => Some(record.comm()),
            Texts::NewName if record.head.args[0] & 0xffff_ffff != PR_SET_NAME => None,
            Texts::NewName => of(record.structure).map(|bytes| split(bytes).0),
            Texts::Environment => of(record.envp),
            Texts::Argv0 => of(record.argv).map(|argv| split(argv).0),
            Texts::Arguments => of(record.argv).map(|argv| split(argv).1),
        },
        What::Structure => of(record.structure).map(|bytes| split(bytes).0),
        What::Buffer => of(record.buffer),
        What::Number(..) | What::Address | What::Tuple => None,
    }
}

/// What stands before the first zero, and what after it.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
