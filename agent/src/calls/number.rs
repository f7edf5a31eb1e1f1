//! Numbers of a record: registers as wide as the call takes them.
//!
//! A register has 64 bits whatever the argument's type, and what lies above the type
//! is not zero for sure, so each number is read as the kernel reads it.

use landlord_ebpf::abi::RESULT;

use super::param::{Form, Source};
use super::{Call, is_compat};
use crate::event::{Record, RecordKind};

/// A number as its form reads it: with a sign where it can be below zero.
pub(super) fn of(call: &Call, record: &Record<'_>, source: Source, form: Form) -> Option<i64> {
    let bits = bits(record, source)?;
    Some(match form {
        Form::Errno => bits.cast_signed(),
        Form::Int | Form::Fd | Form::Pid | Form::Signal => i64::from(low(bits).cast_signed()),
        Form::Uint
        | Form::Octal
        | Form::Mode
        | Form::Flags(_)
        | Form::One(_)
        | Form::Open
        | Form::SocketOption => i64::from(low(bits)),
        Form::Uid | Form::Gid => i64::from(id(call, source, low(bits))),
        Form::Long | Form::Hex | Form::Time => match source {
            Source::Arg(_) if is_compat(record) => i64::from(low(bits)),
            _ => bits.cast_signed(),
        },
    })
}

/// A descriptor that a plan names.
pub(super) fn descriptor(argument: u8, record: &Record<'_>) -> Option<i32> {
    if argument == RESULT {
        return i32::try_from(record.head.result).ok();
    }
    record.head.args.get(usize::from(argument)).map(|bits| low(*bits).cast_signed())
}

fn bits(record: &Record<'_>, source: Source) -> Option<u64> {
    // Other records are not made where a call returns: they have no registers.
    let is_call = record.kind == RecordKind::Syscall;
    let arg = |at: u8| record.head.args.get(usize::from(at)).copied().filter(|_| is_call);
    let structure = |at: usize, len: usize| record.structure?.bytes.get(at..at.checked_add(len)?);
    match source {
        Source::Result if record.kind == RecordKind::IoUring => None,
        Source::Result => Some(record.head.result.cast_unsigned()),
        Source::Arg(at) => arg(at),
        Source::Pair(lower, upper) => {
            Some(u64::from(low(arg(lower)?)) | u64::from(low(arg(upper)?)) << 32)
        }
        Source::Half(at) => Some(u64::from(u32::from_ne_bytes(structure(at, 4)?.try_into().ok()?))),
        Source::Word(at) => Some(u64::from_ne_bytes(structure(at, 8)?.try_into().ok()?)),
        Source::Fact(get) => get(record),
    }
}

/// The lower 32 bits.
fn low(bits: u64) -> u32 {
    let [a, b, c, d, ..] = bits.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A user or group; the highest number of its width means none.
fn id(call: &Call, source: Source, id: u32) -> u32 {
    match source {
        Source::Arg(_) if call.short_ids => match id & 0xffff {
            0xffff => u32::MAX,
            id => id,
        },
        _ => id,
    }
}
