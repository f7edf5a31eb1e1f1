//! How a parameter is found in a record, and how it is written.

use super::Which;
use super::names::Names;
use crate::event::Record;

/// What a parameter is.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// A number.
    Number(Source, Form),
    /// A path, told from the root on.
    Path(Which),
    /// A text as the call was given it.
    Given(Which),
    /// A text that the record carries.
    Text(Texts),
    /// Text in the structure, up to its first zero.
    Structure,
    /// The first bytes of what was read or written.
    Buffer,
    /// The address that the call was given.
    Address,
    /// Both ends of the connection.
    Tuple,
}

/// A text that a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// Path of the file behind the descriptor.
    Path,
    /// First of the arguments.
    Argv0,
    /// The other arguments.
    Arguments,
    /// The environment.
    Environment,
    /// Path of the program's file.
    Exe,
    /// Working directory.
    Cwd,
    /// Name of the thread.
    Comm,
    /// The name that `prctl` gives the thread.
    NewName,
}

/// Where a number comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// What the call returned.
    Result,
    /// An argument.
    Arg(u8),
    /// Two arguments of 32 bits, the lower half and the upper.
    Pair(u8, u8),
    /// 32 bits of the structure, by offset.
    Half(usize),
    /// 64 bits of the structure, by offset.
    Word(usize),
    /// Something else in the record.
    Fact(fn(&Record<'_>) -> Option<u64>),
}

/// How wide a number is and how it is written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// 32 bits with a sign.
    Int,
    /// 32 bits.
    Uint,
    /// 64 bits; 32 of a 32-bit call.
    Long,
    /// Likewise, in hexadecimal digits.
    Hex,
    /// 32 bits in octal digits.
    Octal,
    /// A result: an error by its name.
    Errno,
    /// A descriptor.
    Fd,
    /// A process.
    Pid,
    /// A user.
    Uid,
    /// A group.
    Gid,
    /// A signal.
    Signal,
    /// Each bit by its name.
    Flags(Names),
    /// One name.
    One(Names),
    /// Permissions, and the type of a file.
    Mode,
    /// How a file is opened.
    Open,
    /// An option of a socket, which has a name on one level only.
    SocketOption,
    /// Nanoseconds since 1970.
    Time,
}

impl What {
    /// True when the key of the verdict settles it; `paths` when that is made of the
    /// paths the call was given.
    pub(super) const fn is_settled(&self, key_args: u8, paths: bool, failed: bool) -> bool {
        match self {
            Self::Number(Source::Arg(arg), form) => {
                *arg < 6 && key_args & (1 << *arg) != 0 && !form.needs_context()
            }
            Self::Number(Source::Result, _) => failed,
            Self::Path(_) | Self::Given(_) => paths,
            Self::Number(..)
            | Self::Text(_)
            | Self::Structure
            | Self::Buffer
            | Self::Address
            | Self::Tuple => false,
        }
    }
}

impl Form {
    /// True of users and groups.
    pub(super) const fn is_id(self) -> bool {
        matches!(self, Self::Uid | Self::Gid)
    }

    const fn needs_context(self) -> bool {
        matches!(self, Self::Fd | Self::Pid | Self::Uid | Self::Gid)
    }
}

const fn arg(arg: u8, form: Form) -> What {
    What::Number(Source::Arg(arg), form)
}

/// What the call returned.
pub(super) const RESULT: What = What::Number(Source::Result, Form::Errno);
/// The descriptor that the call returned.
pub(super) const NEW_FD: What = What::Number(Source::Result, Form::Fd);
/// The first path.
pub(super) const PATH: What = What::Path(Which::First);
/// The second path.
pub(super) const PATH2: What = What::Path(Which::Second);
/// The first text, as given.
pub(super) const GIVEN: What = What::Given(Which::First);
/// The second text, as given.
pub(super) const GIVEN2: What = What::Given(Which::Second);

/// An argument that is a signed number.
pub(super) const fn int(at: u8) -> What {
    arg(at, Form::Int)
}

/// An argument that is an unsigned number.
pub(super) const fn uint(at: u8) -> What {
    arg(at, Form::Uint)
}

/// An argument that is a length or an offset.
pub(super) const fn long(at: u8) -> What {
    arg(at, Form::Long)
}

/// An argument that is an address.
pub(super) const fn hex(at: u8) -> What {
    arg(at, Form::Hex)
}

/// An argument that is a mode in digits.
pub(super) const fn octal(at: u8) -> What {
    arg(at, Form::Octal)
}

/// An argument that is a mode in names.
pub(super) const fn mode(at: u8) -> What {
    arg(at, Form::Mode)
}

/// An argument that is a descriptor.
pub(super) const fn fd(at: u8) -> What {
    arg(at, Form::Fd)
}

/// An argument that is a process.
pub(super) const fn pid(at: u8) -> What {
    arg(at, Form::Pid)
}

/// An argument that is a user.
pub(super) const fn uid(at: u8) -> What {
    arg(at, Form::Uid)
}

/// An argument that is a group.
pub(super) const fn gid(at: u8) -> What {
    arg(at, Form::Gid)
}

/// An argument that is a signal.
pub(super) const fn signal(at: u8) -> What {
    arg(at, Form::Signal)
}

/// An argument that is made of flags.
pub(super) const fn flags(at: u8, names: Names) -> What {
    arg(at, Form::Flags(names))
}

/// An argument that is one of a list.
pub(super) const fn one(at: u8, names: Names) -> What {
    arg(at, Form::One(names))
}

/// A fact of the record, in digits.
pub(super) const fn fact(get: fn(&Record<'_>) -> Option<u64>, form: Form) -> What {
    What::Number(Source::Fact(get), form)
}
