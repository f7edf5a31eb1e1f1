//! Reading a recording.

use std::io::{ErrorKind, Read};

use lz4_flex::frame::FrameDecoder;
use serde::Deserialize;

use super::{CaptureError, MAGIC, MESSAGE_BYTES_MAX, PREFACE_BYTES_MAX, Preface, TRAILER, VERSION};

/// Reads messages one after another.
#[derive(Debug)]
pub struct Reader<R: Read> {
    input: FrameDecoder<R>,
    preface: Preface,
    message: Vec<u8>,
    messages: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Begins to read a recording.
    ///
    /// # Errors
    ///
    /// When it is none, or of another version or architecture.
    pub fn new(mut input: R) -> Result<Self, CaptureError> {
        let mut magic = [0; MAGIC.len()];
        fill(&mut input, &mut magic, CaptureError::Magic)?;
        if magic != *MAGIC {
            return Err(CaptureError::Magic);
        }
        let short = || CaptureError::CutShort { messages: 0 };
        let mut version = [0; 2];
        fill(&mut input, &mut version, short())?;
        let version = u16::from_le_bytes(version);
        if version != VERSION {
            return Err(CaptureError::Version { found: version });
        }
        let mut length = [0; 4];
        fill(&mut input, &mut length, short())?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > PREFACE_BYTES_MAX {
            return Err(damaged(0, format!("a preface of {length} bytes")));
        }
        let mut preface = vec![0; length];
        fill(&mut input, &mut preface, short())?;
        let preface: Preface =
            postcard::from_bytes(&preface).map_err(|error| damaged(0, error.to_string()))?;
        if preface.architecture != std::env::consts::ARCH {
            return Err(CaptureError::Architecture { found: preface.architecture });
        }
        Ok(Self {
            input: FrameDecoder::new(input),
            preface,
            message: Vec::new(),
            messages: 0,
            ended: false,
        })
    }

    /// Where and when it was made.
    #[must_use]
    pub const fn preface(&self) -> &Preface {
        &self.preface
    }

    /// The next message; `None` at the end.
    ///
    /// # Errors
    ///
    /// When the recording is cut short or damaged; nothing follows then.
    pub fn next<'a, T: Deserialize<'a>>(&'a mut self) -> Result<Option<T>, CaptureError> {
        if self.ended {
            return Ok(None);
        }
        let ended = std::mem::replace(&mut self.ended, true);
        debug_assert!(!ended, "checked above");
        let length = self.number()?;
        if length == 0 {
            return self.end().map(|()| None);
        }
        if length > MESSAGE_BYTES_MAX {
            return Err(damaged(self.messages, format!("a message of {length} bytes")));
        }
        self.message.resize(length, 0);
        self.input.read_exact(&mut self.message).map_err(|error| of(&error, self.messages))?;
        let message = postcard::from_bytes(&self.message)
            .map_err(|error| damaged(self.messages, error.to_string()))?;
        self.messages += 1;
        self.ended = false;
        Ok(Some(message))
    }

    fn number(&mut self) -> Result<usize, CaptureError> {
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes).map_err(|error| of(&error, self.messages))?;
        Ok(usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX))
    }

    /// Compares the number of messages with what the end says of it.
    fn end(&mut self) -> Result<(), CaptureError> {
        let mut bytes = [0; 8];
        self.input.read_exact(&mut bytes).map_err(|error| of(&error, self.messages))?;
        let said = u64::from_le_bytes(bytes);
        if said != self.messages {
            return Err(damaged(self.messages, format!("its end tells of {said}")));
        }
        // Behind it stands the checksum of all, which is compared at the end.
        match self.input.read(&mut [0]) {
            Ok(0) => {
                let mut trailer = [0; TRAILER.len()];
                let short = CaptureError::CutShort { messages: self.messages };
                fill(self.input.get_mut(), &mut trailer, short)?;
                match trailer == *TRAILER {
                    true => Ok(()),
                    false => Err(damaged(self.messages, "its last bytes are others".to_owned())),
                }
            }
            Ok(_) => Err(damaged(self.messages, "something follows its end".to_owned())),
            Err(error) => Err(of(&error, self.messages)),
        }
    }
}

fn of(error: &std::io::Error, messages: u64) -> CaptureError {
    match error.kind() {
        ErrorKind::UnexpectedEof => CaptureError::CutShort { messages },
        _ => damaged(messages, error.to_string()),
    }
}

fn damaged(messages: u64, reason: String) -> CaptureError {
    CaptureError::Damaged { messages, reason }
}

fn fill(input: &mut impl Read, bytes: &mut [u8], short: CaptureError) -> Result<(), CaptureError> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => short,
        _ => error.into(),
    })
}
