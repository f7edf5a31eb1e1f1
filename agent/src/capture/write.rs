//! Writing a recording.

use std::io::Write;

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use serde::Serialize;

use super::{CaptureError, MAGIC, MESSAGE_BYTES_MAX, Preface, TRAILER, VERSION};

/// Writes messages; [`finish`](Self::finish) makes the recording whole.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: FrameEncoder<W>,
    messages: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn new(mut out: W, preface: &Preface) -> Result<Self, CaptureError> {
        let preface = encoded(preface)?;
        let length = u32::try_from(preface.len())
            .map_err(|_| CaptureError::TooLarge { bytes: preface.len() })?;
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(&preface)?;
        let info = FrameInfo::new()
            .block_size(BlockSize::Max256KB)
            .block_mode(BlockMode::Linked)
            .block_checksums(true)
            .content_checksum(true);
        Ok(Self { out: FrameEncoder::with_frame_info(info, out), messages: 0 })
    }

    /// Adds a message.
    ///
    /// # Errors
    ///
    /// When it is too large or cannot be written.
    pub fn write<T: Serialize>(&mut self, message: &T) -> Result<(), CaptureError> {
        let bytes = encoded(message)?;
        let length = u32::try_from(bytes.len())
            .ok()
            .filter(|_| bytes.len() <= MESSAGE_BYTES_MAX)
            .ok_or(CaptureError::TooLarge { bytes: bytes.len() })?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&bytes)?;
        self.messages += 1;
        Ok(())
    }

    /// Messages so far.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// Writes the end, and hands back what was written to.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<W, CaptureError> {
        self.out.write_all(&0_u32.to_le_bytes())?;
        self.out.write_all(&self.messages.to_le_bytes())?;
        let mut out =
            self.out.finish().map_err(|error| CaptureError::Io(std::io::Error::other(error)))?;
        out.write_all(TRAILER)?;
        out.flush()?;
        Ok(out)
    }
}

fn encoded<T: Serialize>(value: &T) -> Result<Vec<u8>, CaptureError> {
    postcard::to_stdvec(value).map_err(|error| CaptureError::Io(std::io::Error::other(error)))
}
