//! Plans, written so that a row of the table reads as one line.
//!
//! Nothing here decides anything: each function sets what its name says.

use landlord_ebpf::abi::{Plan, Shape, WORKING_DIRECTORY, plan_flag};

/// The working directory, where the descriptor of a directory would be.
pub(super) const HERE: u8 = WORKING_DIRECTORY;

/// A plan in the making.
#[derive(Clone, Copy)]
pub(super) struct Reading(pub(super) Plan);

/// Arguments are all there is.
pub(super) const SIMPLE: Reading = Reading(Plan::UNWANTED);

/// Likewise, and the descriptor is told by its number alone.
pub(super) const fn simple(fd: u8) -> Reading {
    Reading(Plan { fd, ..Plan::UNWANTED })
}

/// About the file behind a descriptor.
pub(super) const fn file(fd: u8) -> Reading {
    shaped(Shape::File, fd)
}

/// About whatever is behind a descriptor.
pub(super) const fn any(fd: u8) -> Reading {
    shaped(Shape::File, fd).flag(plan_flag::ANY_DESCRIPTOR)
}

/// About the socket behind a descriptor, this end the client's or not known.
pub(super) const fn socket(fd: u8) -> Reading {
    shaped(Shape::Socket, fd)
}

/// About the socket behind a descriptor, this end the server's.
pub(super) const fn server(fd: u8) -> Reading {
    shaped(Shape::Socket, fd).flag(plan_flag::SERVER)
}

/// About a path; relative ones start from that directory.
pub(super) const fn path(path: u8, directory: u8) -> Reading {
    Reading(Plan { shape: Shape::Paths as u8, flags: plan_flag::VERDICT, ..Plan::UNWANTED })
        .given(path, directory)
}

const fn shaped(shape: Shape, fd: u8) -> Reading {
    Reading(Plan { shape: shape as u8, fd, flags: plan_flag::VERDICT, ..Plan::UNWANTED })
}

impl Reading {
    /// Also a path.
    pub(super) const fn given(mut self, path: u8, directory: u8) -> Self {
        self.0.path = path;
        self.0.directory = directory;
        self
    }

    /// Also a second path.
    pub(super) const fn and(mut self, path: u8, directory: u8) -> Self {
        self.0.path2 = path;
        self.0.directory2 = directory;
        self
    }

    /// Also an address and its length.
    pub(super) const fn address(mut self, address: u8, len: u8) -> Self {
        self.0.address = address;
        self.0.address_len = len;
        self
    }

    /// Also the address in a `msghdr`.
    pub(super) const fn message(mut self, message: u8) -> Self {
        self.0.address = message;
        self.flag(plan_flag::MESSAGE)
    }

    /// Also the first bytes of a buffer.
    pub(super) const fn buffer(mut self, buffer: u8, len: u8) -> Self {
        self.0.buffer = buffer;
        self.0.buffer_len = len;
        self
    }

    /// Also a structure.
    pub(super) const fn structure(mut self, structure: u8, len: u8) -> Self {
        self.0.structure = structure;
        self.0.structure_len = len;
        self
    }

    /// Opens a file with flags and mode from registers, which count for the key.
    pub(super) const fn opens(mut self, flags: u8, mode: u8) -> Self {
        self.0.open_flags = flags;
        self.0.open_mode = mode;
        self.flag(plan_flag::FLAGS_IN_REGISTER).keys(&[flags, mode])
    }

    /// Creates a file with a mode from a register, as `creat` does.
    pub(super) const fn creates(mut self, mode: u8) -> Self {
        self.0.open_mode = mode;
        self.flag(plan_flag::CREAT).keys(&[mode])
    }

    /// Opens a file as an `open_how` says.
    pub(super) const fn opens_how(mut self, how: u8) -> Self {
        self.0.open_flags = how;
        self.structure(how, 24)
    }

    /// Arguments that count for the verdict's key.
    pub(super) const fn keys(mut self, args: &[u8]) -> Self {
        let mut at = 0;
        while at < args.len() {
            if args[at] < 6 {
                self.0.key_args |= 1 << args[at];
            }
            at += 1;
        }
        self
    }

    /// A bit of [`plan_flag`].
    pub(super) const fn flag(mut self, flag: u16) -> Self {
        self.0.flags |= flag;
        self
    }
}
