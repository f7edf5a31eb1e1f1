//! Recordings: everything that decides about alerts, in order, in one file.
//!
//! A file is [`MAGIC`], the version, the length of the [`Preface`] and the preface,
//! then one LZ4 frame of messages: each its length (four bytes, little-endian) and
//! an [`Input`](crate::detection::Input) as postcard writes it. A length of zero ends
//! it, with the number of messages behind; after the frame stands a last mark. A file
//! without that was cut short, which readers tell after what could be read. LZ4 checks
//! the content of each block.
//!
//! It knows no rule and no kernel.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use read::Reader;
pub use write::Writer;

/// What a recording begins with.
pub const MAGIC: &[u8; 8] = b"LANDLORD";
/// The version that is written, and the only one that is read.
pub const VERSION: u16 = 2;
/// What a recording that is whole ends with.
const TRAILER: &[u8; 8] = b"DROLDNAL";
/// Bytes of a message at most.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Bytes of a preface at most.
const PREFACE_BYTES_MAX: usize = 1 << 20;

/// Where and when a recording was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preface {
    /// Version of the agent.
    pub agent: String,
    /// Name of the host.
    pub hostname: String,
    /// Release of the kernel.
    pub kernel: String,
    /// Architecture, whose system call numbers the records have.
    pub architecture: String,
    /// Nanoseconds since 1970 of `CLOCK_BOOTTIME` zero.
    pub boot_unix_ns: u64,
    /// `CLOCK_BOOTTIME` nanoseconds when the recording began.
    pub started_ns: u64,
}

/// Why a recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is another kind of file.
    #[error("not a recording of Landlord: it begins with other bytes")]
    Magic,
    /// It is of another version.
    #[error("version {found} of the format; this landlord reads version {VERSION}")]
    Version {
        /// The file's.
        found: u16,
    },
    /// It was made where system calls have other numbers.
    #[error("made on {found}; system calls have other numbers on {}", std::env::consts::ARCH)]
    Architecture {
        /// The file's.
        found: String,
    },
    /// It ends before its end.
    #[error("cut short after {messages} messages: what follows was not written")]
    CutShort {
        /// Messages that could be read.
        messages: u64,
    },
    /// Its content contradicts itself.
    #[error("damaged after {messages} messages: {reason}")]
    Damaged {
        /// Messages that could be read.
        messages: u64,
        /// What is wrong.
        reason: String,
    },
    /// A message is too large.
    #[error("a message of {bytes} bytes; at most {MESSAGE_BYTES_MAX} can be recorded")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests;
